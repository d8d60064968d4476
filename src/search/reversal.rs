//! Which earlier steps a step could have come before.

use smallvec::SmallVec;

use crate::execution::{Alternatives, Before, ChannelBefore, Mode, Progress, Requirement, Spot};
use crate::trace::{ObjectId, ThreadId};

use super::dependence::{Announced, Dependence, Footprint, Touched};

/// What a step could have come before: a step, or several readers of a lock that only together keep
/// it from being possible. Steps by their numbers, the first one first.
pub(super) type Obstacle = SmallVec<[u32; 2]>;

/// All that a step could have come before.
pub(super) type Obstacles = SmallVec<[Obstacle; 2]>;

/// A step whose place is in question: one that was done, or one that nobody lets be done.
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
struct Without<'a> {
    dependence: &'a Dependence,
    candidate: &'a Candidate<'a>,
    left_out: Obstacle,
}

impl Dependence {
    /// The steps before a candidate that it conflicts with, and without which, and all that depends
    /// on them, it would be possible. Only the last ones: of those that depend on each other there
    /// is the later one.
    pub(super) fn reversible(&self, candidate: &Candidate<'_>, footprint: &Footprint) -> Obstacles {
        let mut found = Obstacles::new();
        for (spot, mode) in footprint {
            for touch in self.before(*spot, *mode) {
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
            None => {
                let mut starts = self.touched(Spot::Start(candidate.thread));
                let start = starts.find(|touch| touch.mode == Mode::Write);
                start.map(|touch| touch.step as usize)
            }
        };
        latest.is_some_and(|latest| self.depends(step, latest))
    }

    /// The touches of a spot of the running execution.
    fn touched(&self, spot: Spot) -> impl Iterator<Item = &Touched> {
        let key = self.identities.known_spot(spot);
        let touches = key.map_or(&[][..], |key| self.touches_of(key));
        touches.iter().filter(move |touch| touch.spot == spot)
    }
}

impl Without<'_> {
    fn is_possible(&self) -> bool {
        let Candidate {
            thread,
            announced,
            previous,
            ..
        } = *self.candidate;
        let mut looks = announced.watched.iter();
        if !announced.watched.is_empty() && !looks.any(|look| self.exists(look.spot, look.step + 1))
        {
            return false;
        }
        let can_time_out = matches!(announced.next.alternatives, Alternatives::Timeout);
        if let Requirement::Woken { mutex } = announced.next.requires {
            return if self.exists(Spot::Woken(thread), previous.unwrap_or(0)) {
                self.is_free(mutex)
            } else {
                can_time_out
            };
        }
        can_time_out || self.is_met(thread, announced.next.requires)
    }

    /// Whether the candidate would be possible if the other readers that hold the lock which a reader
    /// has acquired had not come either. They are left out then.
    ///
    /// Readers come in any order, so that no one of them is the last one.
    fn is_possible_without_readers(&mut self, acquired: &Touched) -> bool {
        let Requirement::Free(lock) = self.candidate.announced.next.requires else {
            return false;
        };
        let acquires = matches!(acquired.before, Before::Holds { readers, .. } if readers > 0);
        if !acquires || acquired.spot != Spot::Object(lock) {
            return false;
        }
        while let Some(step) = self.reader(lock) {
            if self.dependence.is_past(self.candidate, step as usize) {
                return false;
            }
            self.left_out.push(step);
        }
        self.is_possible()
    }

    /// The step by which a thread has begun to read that would hold the lock for reading.
    fn reader(&self, lock: ObjectId) -> Option<u32> {
        let mut readers: SmallVec<[(ThreadId, u32, i32); 4]> = SmallVec::new();
        let touches = self.dependence.touched(Spot::Object(lock));
        for touch in touches.filter(|touch| self.has(touch)) {
            let Before::Holds { readers: more, .. } = touch.before else {
                continue;
            };
            let thread = self.dependence.steps[touch.step as usize].thread;
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

    fn is_met(&self, thread: ThreadId, requires: Requirement) -> bool {
        match requires {
            Requirement::Nothing | Requirement::Held(_) | Requirement::Read(_) => true,
            Requirement::Free(lock) | Requirement::Woken { mutex: lock } => self.is_free(lock),
            Requirement::Readable(lock) => self.holders(lock).0 == 0,
            Requirement::Idle(once) => {
                self.progress(once, |progress| !matches!(progress, Progress::Running(_)))
            }
            Requirement::Initialised(once) => {
                self.progress(once, |progress| progress == Progress::Complete)
            }
            Requirement::Ended(once) => self.progress(once, |progress| {
                matches!(progress, Progress::Complete | Progress::Poisoned)
            }),
            Requirement::Passed(barrier, times) => self.exists(Spot::Passage(barrier, times), 0),
            Requirement::Finished(other) => self.exists(Spot::End(other), 0),
            Requirement::Token => match self.before(Spot::Token(thread)) {
                Some(Before::Token(has_token)) => *has_token,
                _ => self.candidate.is_possible,
            },
            Requirement::Roused(task) => match self.before(Spot::Object(task)) {
                Some(Before::Roused(is_roused)) => *is_roused,
                _ => self.candidate.is_possible,
            },
            Requirement::Message(channel) => self.channel(channel, |channel| {
                let mut messages = channel.messages.iter();
                let is_for = |takers: &Option<Vec<ThreadId>>| {
                    takers
                        .as_ref()
                        .is_none_or(|takers| takers.contains(&thread))
                };
                !channel.has_senders || messages.any(is_for)
            }),
            Requirement::Room(channel) => self.channel(channel, |channel| {
                channel.has_room || !channel.has_receivers
            }),
            Requirement::Taken(channel, number) => {
                self.exists(Spot::Taken(channel, number), 0)
                    || self.channel(channel, |channel| !channel.has_receivers)
            }
        }
    }

    /// Whether a touch would be there.
    fn has(&self, touch: &Touched) -> bool {
        let step = touch.step as usize;
        step < self.candidate.end && !self.dependence.follows(step, &self.left_out)
    }

    /// What a spot would be like, if that is not as it is.
    ///
    /// The steps that matter to a spot depend on each other, so that those of them that are left out
    /// are the last ones: the spot is like before the first of them.
    fn before(&self, spot: Spot) -> Option<&Before> {
        let mut touches = self.dependence.touched(spot);
        let first =
            touches.find(|touch| (touch.step as usize) < self.candidate.end && !self.has(touch));
        first.map(|touch| &touch.before)
    }

    /// Whether the spot would have been changed, from a step on.
    fn exists(&self, spot: Spot, from: u32) -> bool {
        let mut touches = self.dependence.touched(spot);
        touches.any(|touch| touch.step >= from && touch.mode != Mode::Read && self.has(touch))
    }

    fn is_free(&self, lock: ObjectId) -> bool {
        match self.before(Spot::Object(lock)) {
            Some(Before::Free(is_free)) => *is_free,
            _ => {
                let touches = self.dependence.touched(Spot::Object(lock));
                let is_mutex = touches
                    .into_iter()
                    .all(|touch| !matches!(touch.before, Before::Holds { .. }));
                if is_mutex {
                    self.candidate.is_possible
                } else {
                    self.holders(lock) == (0, 0)
                }
            }
        }
    }

    /// How many threads would hold a read-write lock for writing, and for reading. Readers come and
    /// go in any order, so that they are counted.
    fn holders(&self, lock: ObjectId) -> (i32, i32) {
        let touches = self.dependence.touched(Spot::Object(lock));
        let changes = touches.filter(|touch| self.has(touch));
        changes.fold((0, 0), |(writers, readers), touch| match touch.before {
            Before::Holds {
                writers: more_writers,
                readers: more_readers,
            } => (writers + more_writers, readers + more_readers),
            _ => (writers, readers),
        })
    }

    fn progress(&self, once: ObjectId, test: impl FnOnce(Progress) -> bool) -> bool {
        match self.before(Spot::Object(once)) {
            Some(Before::Progress(progress)) => test(*progress),
            _ => self.candidate.is_possible,
        }
    }

    fn channel(&self, channel: ObjectId, test: impl FnOnce(&ChannelBefore) -> bool) -> bool {
        match self.before(Spot::Object(channel)) {
            Some(Before::Channel(channel)) => test(channel),
            _ => self.candidate.is_possible,
        }
    }
}
