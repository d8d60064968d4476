//! Which steps of an execution depend on which.
//!
//! A step depends on an earlier one if both are of one thread, or touch one spot so that they
//! conflict, or if there is a step between that makes it so. Executions in which the same steps
//! depend on the same are one trace (Mazurkiewicz 1977): they differ only in the order of
//! independent steps, and come to the same end.
//!
//! This is not the order that memory orderings give ([`happens_before`](crate::execution)): here a
//! load depends on the store that it reads from even if both are Relaxed.

use smallvec::SmallVec;

use crate::execution::{
    Alternatives, Before, ChannelBefore, Execution, Look, Mode, NextStep, Progress, Requirement,
    Spot, Touch,
};
use crate::trace::{Clock, Operation, ThreadId};

use super::identity::{Census, Identities, SpotKey, ThreadKey};

/// The spots that a step touches.
pub(super) type Footprint = SmallVec<[(SpotKey, Mode); 4]>;

/// Whether two steps of different threads are dependent.
pub(super) fn conflict(one: &Footprint, other: &Footprint) -> bool {
    one.iter().any(|(spot, mode)| {
        other
            .iter()
            .any(|(other, theirs)| spot == other && mode.conflicts(*theirs))
    })
}

/// A step as it was announced, at the moment when it was chosen.
#[derive(Clone, Debug)]
pub(super) struct Announced {
    pub(super) next: NextStep,
    /// What its thread has looked at, of which something had to change before.
    watched: SmallVec<[Look; 2]>,
    /// What there was then.
    census: Census,
}

/// The steps of an execution and the dependence between them.
#[derive(Debug, Default)]
pub(super) struct Dependence {
    pub(super) identities: Identities,
    pub(super) steps: Vec<Step>,
    /// The touches of each spot, in the order of the steps.
    touches: Vec<Vec<Touched>>,
    /// The last step of each thread.
    last: Vec<Option<u32>>,
}

/// A step that was done.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) thread: ThreadId,
    pub(super) key: ThreadKey,
    pub(super) alternative: u32,
    announced: Announced,
    /// Which step of its thread it is, from 1 on.
    number: u32,
    /// The step of its thread before.
    previous: Option<u32>,
    /// The steps that it depends on and itself.
    clock: Clock,
    pub(super) footprint: Footprint,
    /// Stands for the step and all that it depends on, in whichever execution.
    hash: u128,
    /// Stands for the trace up to here.
    trace: u128,
    /// The earlier steps that it can change places with.
    pub(super) reversible: SmallVec<[u32; 4]>,
}

/// That a step touches a spot.
#[derive(Debug)]
struct Touched {
    step: u32,
    mode: Mode,
    spot: Spot,
    before: Before,
}

/// A step whose place is in question: one that was done, or one that nobody lets be done.
struct Candidate<'a> {
    thread: ThreadId,
    announced: &'a Announced,
    /// The step of its thread before.
    previous: Option<u32>,
    /// The steps before this one are looked at.
    end: usize,
    /// Whether it is possible if nothing is left out.
    is_possible: bool,
}

impl Dependence {
    /// No steps, with the names that are known already.
    pub(super) fn knowing(identities: &Identities) -> Self {
        Dependence {
            identities: identities.emptied(),
            ..Dependence::default()
        }
    }

    /// Goes back to the first `steps` steps.
    pub(super) fn truncate(&mut self, steps: usize) {
        while self.steps.len() > steps {
            let step = self.steps.pop().expect("there are more");
            for (spot, _) in &step.footprint {
                let index = index(self.steps.len());
                let touches = &mut self.touches[spot.0 as usize];
                while touches.last().is_some_and(|touch| touch.step == index) {
                    touches.pop();
                }
            }
            self.last[step.thread.index()] = step.previous;
            self.identities.go_back_to(step.announced.census);
        }
    }

    /// What a thread is about to do.
    pub(super) fn announced(
        &mut self,
        execution: &Execution,
        thread: ThreadId,
    ) -> Option<Announced> {
        Some(Announced {
            next: *execution.next_of(thread)?,
            watched: execution.watched(thread).iter().copied().collect(),
            census: self.identities.meet(execution),
        })
    }

    /// What a thread that is about to do this may touch.
    pub(super) fn may_touch(
        &mut self,
        execution: &Execution,
        thread: ThreadId,
        announced: &Announced,
    ) -> Footprint {
        let touches = execution.announced_touches(thread, &announced.next);
        let touches = touches.iter();
        touches
            .map(|(spot, mode)| (self.identities.spot(*spot), *mode))
            .collect()
    }

    /// Adds the step that was done last.
    pub(super) fn add(&mut self, execution: &Execution, announced: Announced) {
        let number = self.steps.len();
        let choice = execution.schedule()[number];
        self.identities.meet(execution);
        let thread = choice.thread;
        let key = self.identities.thread(thread);
        self.last
            .resize(self.last.len().max(thread.index() + 1), None);
        let previous = self.last[thread.index()];
        let mut clock = match previous {
            Some(step) => self.steps[step as usize].clock.clone(),
            None => Clock::default(),
        };
        let mut seed = mix(0, u128::from(key.0) << 32 | u128::from(choice.alternative));
        if let Some(step) = previous {
            seed = mix(seed, self.steps[step as usize].hash);
        }
        let mut sum = 0u128;
        let mut footprint = Footprint::new();
        let touches: SmallVec<[(SpotKey, Touch); 4]> = execution
            .touches(number)
            .map(|touch| (self.identities.spot(touch.spot), touch.clone()))
            .collect();
        for (spot, touch) in &touches {
            // The same spot twice is one touch, in the stronger mode.
            match footprint.iter_mut().find(|(other, _)| other == spot) {
                Some((_, mode)) if *mode != touch.mode => *mode = Mode::Write,
                Some(_) => {}
                None => footprint.push((*spot, touch.mode)),
            }
        }
        for (spot, mode) in &footprint {
            sum = sum.wrapping_add(self.learn(*spot, *mode, &mut clock));
        }
        clock.advance(thread);
        let hash = mix(seed, sum);
        let candidate = Candidate {
            thread,
            announced: &announced,
            previous,
            end: number,
            is_possible: true,
        };
        let reversible = self.reversible(&candidate, &footprint);
        for (spot, touch) in touches {
            let spot = spot.0 as usize;
            if self.touches.len() <= spot {
                self.touches.resize_with(spot + 1, Vec::new);
            }
            self.touches[spot].push(Touched {
                step: index(number),
                mode: touch.mode,
                spot: touch.spot,
                before: touch.before,
            });
        }
        let of_thread = previous.map_or(0, |step| self.steps[step as usize].number) + 1;
        self.last[thread.index()] = Some(index(number));
        self.steps.push(Step {
            thread,
            key,
            alternative: choice.alternative,
            announced,
            number: of_thread,
            previous,
            clock,
            footprint,
            hash,
            trace: self.hash().wrapping_add(mix(1, hash)),
            reversible,
        });
    }

    /// Whether the later of two steps depends on the earlier one.
    pub(super) fn depends(&self, earlier: usize, later: usize) -> bool {
        let step = &self.steps[earlier];
        self.steps[later].clock.get(step.thread) >= step.number
    }

    /// The earlier steps that a thread which nobody lets go on could have forestalled.
    pub(super) fn forestalled_by(
        &self,
        thread: ThreadId,
        announced: &Announced,
        footprint: &Footprint,
    ) -> SmallVec<[u32; 4]> {
        let candidate = Candidate {
            thread,
            announced,
            previous: self.last.get(thread.index()).copied().flatten(),
            end: self.steps.len(),
            is_possible: false,
        };
        self.reversible(&candidate, footprint)
    }

    /// Stands for the trace so far: equal if, and for all practical purposes only if, the same
    /// steps depend on the same.
    pub(super) fn hash(&self) -> u128 {
        self.steps.last().map_or(0, |step| step.trace)
    }

    /// Stands for all that the last step of a thread depends on.
    pub(super) fn past_of(&self, thread: ThreadId) -> u128 {
        let last = self.last.get(thread.index()).copied().flatten();
        last.map_or(0, |step| self.steps[step as usize].hash)
    }

    /// A step as it is known if it is going to be done in another place: by what it has touched, and
    /// may touch there.
    pub(super) fn in_another_place(&self, number: usize) -> Footprint {
        let step = &self.steps[number];
        let mut footprint = step.footprint.clone();
        let next = &step.announced.next;
        let may_fail = matches!(
            next.operation,
            Operation::Cas
                | Operation::TryLock
                | Operation::Send
                | Operation::Receive
                | Operation::Once
                | Operation::Join
        ) || !matches!(next.alternatives, Alternatives::None);
        if may_fail {
            for (_, mode) in &mut footprint {
                *mode = Mode::Write;
            }
        }
        footprint
    }

    /// Joins what a touch depends on into a clock, and returns what stands for it.
    fn learn(&self, spot: SpotKey, mode: Mode, clock: &mut Clock) -> u128 {
        let mut sum = 0u128;
        let Some(touches) = self.touches.get(spot.0 as usize) else {
            return sum;
        };
        for touch in touches.iter().rev() {
            if touch.mode.conflicts(mode) {
                let step = &self.steps[touch.step as usize];
                clock.join(&step.clock);
                sum = sum.wrapping_add(mix(u128::from(spot.0) + 2, step.hash));
            }
            if touch.mode == Mode::Write {
                break;
            }
        }
        sum
    }

    /// The steps before a candidate that it conflicts with, and without which, and all that depends
    /// on them, it would be possible. Only the last ones: of those that depend on each other there
    /// is the later one.
    fn reversible(&self, candidate: &Candidate<'_>, footprint: &Footprint) -> SmallVec<[u32; 4]> {
        let mut found: SmallVec<[u32; 4]> = SmallVec::new();
        for (spot, mode) in footprint {
            let Some(touches) = self.touches.get(spot.0 as usize) else {
                continue;
            };
            for touch in touches.iter().rev() {
                if touch.mode.conflicts(*mode) && !found.contains(&touch.step) {
                    let is_past = candidate
                        .previous
                        .is_some_and(|past| self.depends(touch.step as usize, past as usize))
                        || self.is_start(candidate, touch);
                    if is_past {
                        if touch.mode == Mode::Write {
                            break;
                        }
                        continue;
                    }
                    if self.is_possible_without(candidate, touch.step as usize) {
                        found.push(touch.step);
                        if touch.mode == Mode::Write {
                            break;
                        }
                    }
                } else if touch.mode == Mode::Write && found.contains(&touch.step) {
                    break;
                }
            }
        }
        let all = found.clone();
        found.retain(|first| {
            !all.iter()
                .any(|other| other != first && self.depends(*first as usize, *other as usize))
        });
        found
    }

    /// Whether the touch is of the step that has started the thread, or of one that this depends on.
    fn is_start(&self, candidate: &Candidate<'_>, touch: &Touched) -> bool {
        if candidate.previous.is_some() {
            return false;
        }
        self.start_of(candidate.thread)
            .is_some_and(|start| self.depends(touch.step as usize, start))
    }

    /// The step that has started a thread.
    fn start_of(&self, thread: ThreadId) -> Option<usize> {
        self.touched(Spot::Start(thread))
            .find(|touch| touch.mode == Mode::Write)
            .map(|touch| touch.step as usize)
    }

    fn touched(&self, spot: Spot) -> impl Iterator<Item = &Touched> {
        let touches = self.identities.known_spot(spot);
        let touches = touches.and_then(|key| self.touches.get(key.0 as usize));
        touches
            .into_iter()
            .flatten()
            .filter(move |touch| touch.spot == spot)
    }

    /// Whether a candidate would be possible if a step and all that depends on it had not been
    /// done.
    fn is_possible_without(&self, candidate: &Candidate<'_>, left_out: usize) -> bool {
        let Candidate {
            thread,
            announced: Announced { next, watched, .. },
            previous,
            end,
            is_possible,
        } = candidate;
        let (thread, end, is_possible) = (*thread, *end, *is_possible);
        let is_in = |touch: &&Touched| {
            let step = touch.step as usize;
            step < end && !self.depends(left_out, step)
        };
        let is_out = |touch: &&Touched| {
            let step = touch.step as usize;
            step < end && self.depends(left_out, step)
        };
        // Steps that touch a spot so that it matters are done in one order, apart from those that
        // share it: what is left out of them are the last ones.
        let before = |spot| {
            let first = self.touched(spot).find(is_out);
            first.map(|touch| &touch.before)
        };
        let exists = |spot, from: u32| {
            let mut touches = self.touched(spot);
            touches.any(|touch| touch.step >= from && touch.mode != Mode::Read && is_in(&touch))
        };
        let is_awake =
            watched.is_empty() || watched.iter().any(|look| exists(look.spot, look.step + 1));
        let channel = |spot, test: &dyn Fn(&ChannelBefore) -> bool| match before(spot) {
            Some(Before::Channel(channel)) => test(channel),
            _ => is_possible,
        };
        let is_free = |lock| {
            let (mut writers, mut readers, mut is_known) = (0, 0, false);
            for touch in self.touched(Spot::Object(lock)).filter(is_in) {
                if let Before::Holds {
                    writers: w,
                    readers: r,
                } = touch.before
                {
                    (writers, readers, is_known) = (writers + w, readers + r, true);
                }
            }
            let is_free = match before(Spot::Object(lock)) {
                Some(Before::Free(is_free)) => *is_free,
                Some(Before::Holds { .. }) => true,
                _ => is_possible || is_known,
            };
            (
                is_free && writers == 0,
                is_free && writers == 0 && readers == 0,
            )
        };
        let progress = |once, test: &dyn Fn(Progress) -> bool| match before(Spot::Object(once)) {
            Some(Before::Progress(progress)) => test(*progress),
            _ => is_possible,
        };
        let mut can_time_out = matches!(next.alternatives, Alternatives::Timeout);
        let is_met = match next.requires {
            Requirement::Nothing | Requirement::Held(_) | Requirement::Read(_) => true,
            Requirement::Free(lock) => is_free(lock).1,
            Requirement::Readable(lock) => is_free(lock).0,
            Requirement::Woken { mutex } => {
                let is_woken = exists(Spot::Woken(thread), previous.unwrap_or(0));
                can_time_out &= !is_woken;
                is_woken && is_free(mutex).1
            }
            Requirement::Idle(once) => {
                progress(once, &|progress| !matches!(progress, Progress::Running(_)))
            }
            Requirement::Initialised(once) => {
                progress(once, &|progress| progress == Progress::Complete)
            }
            Requirement::Ended(once) => progress(once, &|progress| {
                matches!(progress, Progress::Complete | Progress::Poisoned)
            }),
            Requirement::Passed(barrier, times) => exists(Spot::Passage(barrier, times), 0),
            Requirement::Finished(other) => exists(Spot::End(other), 0),
            Requirement::Token => match before(Spot::Token(thread)) {
                Some(Before::Token(has_token)) => *has_token,
                _ => is_possible,
            },
            Requirement::Roused(task) => match before(Spot::Object(task)) {
                Some(Before::Roused(is_roused)) => *is_roused,
                _ => is_possible,
            },
            Requirement::Message(of) => channel(Spot::Object(of), &|channel| {
                !channel.has_senders
                    || channel.messages.iter().any(|takers| {
                        takers
                            .as_ref()
                            .is_none_or(|takers| takers.contains(&thread))
                    })
            }),
            Requirement::Room(of) => channel(Spot::Object(of), &|channel| {
                channel.has_room || !channel.has_receivers
            }),
            Requirement::Taken(of, number) => {
                exists(Spot::Taken(of, number), 0)
                    || channel(Spot::Object(of), &|channel| !channel.has_receivers)
            }
        };
        is_awake && (is_met || can_time_out)
    }
}

fn index(step: usize) -> u32 {
    u32::try_from(step).expect("steps are bounded")
}

/// Mixes a value into a hash, so that it matters which comes first.
fn mix(hash: u128, value: u128) -> u128 {
    let mixed =
        (hash.rotate_left(47) ^ value).wrapping_mul(0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645);
    mixed ^ (mixed >> 71)
}
