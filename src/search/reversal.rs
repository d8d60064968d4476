//! Which earlier steps a step could have come before.

use smallvec::SmallVec;

use crate::execution::{Look, Mode, Requirement, Spot};
use crate::model::read_write::{self, Holds};
use crate::model::{self, Before, Glimpse, Situation};
use crate::trace::{ObjectId, ThreadId};

use super::dependence::{Announced, Dependence, Footprint, Touched};

/// What a step could have come before: a step, or several readers of a lock that only together keep
/// it from being possible. Steps by their numbers, the first one first.
pub(super) type Obstacle = SmallVec<[u32; 2]>;

/// All that a step could have come before.
pub(super) type Obstacles = SmallVec<[Obstacle; 2]>;

/// A step whose place is in question: one that was done, or one that nobody lets be done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'a> {
    pub(super) thread: ThreadId,
    pub(super) announced: &'a Announced,
    /// The step of its thread before.
    pub(super) previous: Option<u32>,
    /// The steps before this one are looked at.
    pub(super) end: usize,
    /// Whether it is possible if nothing is left out.
    pub(super) is_possible: bool,
}

/// What there would be at the place of a candidate if some steps and all that depends on them had
/// not been done.
pub(super) struct Without<'a> {
    pub(super) dependence: &'a Dependence,
    pub(super) candidate: &'a Candidate<'a>,
    pub(super) left_out: Obstacle,
}

impl Dependence {
    /// The earlier steps that the last one can change places with.
    pub(super) fn reversible_with_last(&self) -> Obstacles {
        let Some(last) = self.steps.last() else {
            return Obstacles::new();
        };
        let candidate = Candidate {
            thread: last.thread,
            announced: &last.announced,
            previous: last.previous,
            end: self.steps.len() - 1,
            is_possible: true,
        };
        self.reversible(&candidate, &last.footprint)
    }

    /// The earlier steps that a thread which nobody lets go on could have forestalled.
    pub(super) fn forestalled_by(
        &self,
        thread: ThreadId,
        announced: &Announced,
        footprint: &Footprint,
    ) -> Obstacles {
        let candidate = Candidate {
            thread,
            announced,
            previous: self.last_of(thread),
            end: self.steps.len(),
            is_possible: false,
        };
        self.reversible(&candidate, footprint)
    }

    /// The steps before a candidate that it conflicts with, and without which, and all that depends
    /// on them, it would be possible. Only the last ones: of those that depend on each other there
    /// is the later one.
    fn reversible(&self, candidate: &Candidate<'_>, footprint: &Footprint) -> Obstacles {
        let mut found = Obstacles::new();
        for (spot, mode) in footprint {
            let touches = self.before(*spot, *mode);
            // The candidate itself may have touched it.
            for touch in touches.skip_while(|touch| touch.step as usize >= candidate.end) {
                let is_found = found.iter().any(|steps| steps[..] == [touch.step]);
                let is_in_question = !is_found && touch.mode.conflicts(*mode);
                let ends = is_found
                    || (is_in_question
                        && (self.is_past(candidate, touch.step as usize)
                            || self.add_if_possible(candidate, touch, &mut found)));
                // All that has touched the spot before a write comes before it in any case.
                if ends && touch.mode == Mode::Write {
                    break;
                }
            }
        }
        if found.len() < 2 {
            return found;
        }
        let all = found.clone();
        found.retain(|steps| {
            let mut others = all.iter().filter(|other| *other != steps);
            !others.any(|other| other.iter().all(|step| self.follows(*step as usize, steps)))
        });
        found
    }

    /// Whether a step is one of these, or depends on one of them.
    pub(super) fn follows(&self, step: usize, steps: &[u32]) -> bool {
        steps
            .iter()
            .any(|first| *first as usize <= step && self.depends(*first as usize, step))
    }

    /// Adds the step of a touch if the candidate would be possible without it.
    fn add_if_possible(
        &self,
        candidate: &Candidate<'_>,
        touch: &Touched,
        found: &mut Obstacles,
    ) -> bool {
        let mut without = Without {
            dependence: self,
            candidate,
            left_out: Obstacle::from_slice(&[touch.step]),
        };
        let is_possible = without.is_possible() || without.is_possible_without_readers(touch);
        if is_possible {
            without.left_out.sort_unstable();
            if !found.contains(&without.left_out) {
                found.push(without.left_out);
            }
        }
        is_possible
    }

    /// Whether a step comes before the candidate wherever that has its place: it is of its thread, or
    /// has started it, or that depends on it.
    fn is_past(&self, candidate: &Candidate<'_>, step: usize) -> bool {
        let latest = match candidate.previous {
            Some(previous) => Some(previous as usize),
            None => self.start_of(candidate.thread).map(|step| step as usize),
        };
        latest.is_some_and(|latest| self.depends(step, latest))
    }
}

impl Without<'_> {
    fn is_possible(&self) -> bool {
        !self.rests() && self.is_met()
    }

    /// Whether the thread has looked at things of which none would have changed, and waits for that.
    pub(super) fn rests(&self) -> bool {
        let watched = &self.candidate.announced.watched;
        let mut looks = watched.iter();
        !watched.is_empty() && !looks.any(|look| self.is_outdated(look))
    }

    /// Whether what the candidate requires would be so, or it could time out.
    pub(super) fn is_met(&self) -> bool {
        let Candidate {
            thread, announced, ..
        } = *self.candidate;
        let next = &announced.next;
        model::is_possible(self, thread, next.requires)
            || model::can_time_out(self, thread, next.requires, next.alternatives)
    }

    /// Whether the candidate would be possible if the other readers that hold the lock which a reader
    /// has acquired had not come either. They are left out then.
    ///
    /// Readers come in any order, so that no one of them is the last one.
    fn is_possible_without_readers(&mut self, acquired: &Touched) -> bool {
        let (Requirement::Free(lock) | Requirement::Unread(lock)) =
            self.candidate.announced.next.requires
        else {
            return false;
        };
        let acquires = matches!(acquired.before, Before::Holds(holds) if holds.sharing() > 0);
        if !acquires || acquired.spot != Spot::Object(lock) {
            return false;
        }
        while let Some(step) = self.reader(lock) {
            if self.dependence.is_past(self.candidate, step as usize) {
                return false;
            }
            // What depends on it is left out with it, as what its thread has acquired on top of it.
            let dependence = self.dependence;
            self.left_out
                .retain(|other| !dependence.follows(*other as usize, &[step]));
            self.left_out.push(step);
        }
        self.is_possible()
    }

    /// The step by which another thread has begun to read that would hold the lock for reading, or
    /// upgradably.
    fn reader(&self, lock: ObjectId) -> Option<u32> {
        let mut readers: SmallVec<[(ThreadId, u32, i32); 4]> = SmallVec::new();
        let touches = self.touched(Spot::Object(lock));
        for touch in touches.filter(|touch| self.has(touch)) {
            let Before::Holds(more) = touch.before else {
                continue;
            };
            let more = more.sharing();
            let thread = self.dependence.steps[touch.step as usize].thread;
            if thread == self.candidate.thread {
                continue;
            }
            match readers.iter_mut().find(|(reader, ..)| *reader == thread) {
                Some((_, since, times)) => {
                    if *times == 0 {
                        *since = touch.step;
                    }
                    *times += more;
                }
                None => readers.push((thread, touch.step, more)),
            }
        }
        let mut holding = readers.iter().filter(|(.., times)| *times > 0);
        holding.next().map(|(_, since, _)| *since)
    }

    /// The touches of a spot by the steps that are looked at.
    fn touched(&self, spot: Spot) -> impl Iterator<Item = &Touched> {
        let touches = self.dependence.touched(spot);
        touches.take_while(|touch| (touch.step as usize) < self.candidate.end)
    }

    /// Whether a touch would be there.
    fn has(&self, touch: &Touched) -> bool {
        !self.dependence.follows(touch.step as usize, &self.left_out)
    }

    /// What a spot would be like, if that is not as it is.
    ///
    /// The steps that matter to a spot depend on each other, so that those of them that are left out
    /// are the last ones: the spot is like before the first of them.
    fn before(&self, spot: Spot) -> Option<&Before> {
        let mut touches = self.touched(spot);
        let first = touches.find(|touch| !self.has(touch));
        first.map(|touch| &touch.before)
    }

    /// What a select has seen of a spot when it was done, of which only one side need have been
    /// possible.
    fn glimpse_of_candidate(&self, spot: Spot) -> Option<Glimpse> {
        let Candidate {
            thread,
            announced,
            end,
            is_possible,
            ..
        } = *self.candidate;
        if !is_possible || !matches!(announced.next.requires, Requirement::Any(_)) {
            return None;
        }
        let mut touches = self.dependence.touched(spot);
        let own = touches.find(|touch| touch.step as usize == end)?;
        own.before.glimpse(thread)
    }

    /// Whether there would be news of what the candidate has looked at.
    fn is_outdated(&self, look: &Look) -> bool {
        let from = look.step + 1;
        let is_undone = || {
            let mut touches = self.touched(look.spot);
            touches.any(|touch| {
                touch.step >= from && matches!(touch.before, Before::Undone) && self.has(touch)
            })
        };
        self.exists(look.spot, from) || (look.in_passing.is_some() && is_undone())
    }

    /// Whether the spot would have been changed, from a step on.
    fn exists(&self, spot: Spot, from: u32) -> bool {
        let mut touches = self.touched(spot);
        touches.any(|touch| touch.step >= from && touch.has_changed() && self.has(touch))
    }

    /// Who would hold a read-write lock, if it is one. Readers come and go in any order, so that they
    /// are counted.
    fn holders(&self, spot: Spot) -> Option<read_write::Glimpse> {
        let mut holders = None;
        for touch in self.touched(spot) {
            let holds = match touch.before {
                Before::Holds(holds) => holds,
                Before::Untold | Before::Same | Before::Passed | Before::Undone => continue,
                _ => return None,
            };
            let all = holders.get_or_insert(Holds::default());
            if self.has(touch) {
                *all = *all + holds;
            }
        }
        holders.map(Holds::glimpse)
    }
}

impl Situation for Without<'_> {
    fn glimpse(&self, spot: Spot, thread: ThreadId) -> Option<Glimpse> {
        let glimpse = self.before(spot).and_then(|before| before.glimpse(thread));
        let glimpse = glimpse.or_else(|| self.holders(spot).map(Glimpse::ReadWrite));
        glimpse.or_else(|| self.glimpse_of_candidate(spot))
    }

    fn has_happened(&self, spot: Spot) -> bool {
        let from = match spot {
            // Since it began to wait.
            Spot::Woken(_) => self.candidate.previous.unwrap_or(0),
            _ => 0,
        };
        self.exists(spot, from)
    }

    fn is_possible_now(&self) -> bool {
        self.candidate.is_possible
    }
}
