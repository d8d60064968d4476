//! Threads that spin: when one rests, goes on alone, and turns out not to have waited.
//!
//! A thread *spins* when it yields for the second time and has seen nothing new in between, or looks at
//! the same few things for very long. From then on, until something changes that it has looked at, it
//! *rests*: it can be chosen once, to go on alone for a limited number of steps. If it is still in its
//! loop then, its going on was redundant: what can follow also follows where it did not go on.
//!
//! But if it leaves its loop by itself, since the loop counts its rounds, say, then it did not wait,
//! and to let it go on alone has lost interleavings. So the place where it was taken to spin is
//! remembered: from then on there is *patience* with it, which means that threads do not rest
//! there. A search that is to be complete starts again.

use std::sync::{Arc, Mutex, PoisonError};

use crate::execution::{Execution, Thread};
use crate::trace::{LeftOut, ThreadId};

use super::Look;
use super::sections::Section;

/// How many steps a thread that spins may go on alone: more than a loop that gives up spinning
/// after some rounds is likely to make.
pub(super) const STEPS_ALONE: u32 = 1000;

/// The places at which threads were taken to spin, and then left their loops by themselves.
///
/// It belongs to a search: what one execution has shown holds for all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patience(Arc<Mutex<Vec<usize>>>);

impl Patience {
    /// Forgets all places, for a search that has to come to the same wherever it begins.
    pub(crate) fn forget(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Has patience at these places only.
    pub(crate) fn set(&self, places: Vec<usize>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = places;
    }

    /// The places, by their addresses.
    pub(crate) fn places(&self) -> Vec<usize> {
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.clone()
    }

    pub(super) fn has(&self, place: usize) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&place)
    }

    pub(super) fn add(&self, place: usize) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(place);
    }
}

/// A thread that was seen to spin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest {
    /// Where that was.
    place: usize,
    /// The steps that it has made since.
    steps: u32,
    /// Whether it was the last that could go on when it was chosen to go on alone.
    is_last: bool,
}

/// What there is to do about a thread that goes on alone.
pub(in crate::execution) enum GoOn {
    /// It makes another step.
    Step(ThreadId),
    /// It has used up its steps, while others could have gone on.
    Redundant,
    /// There is none.
    No,
}

impl Execution {
    /// The current thread yields, or only waits for another one to write.
    pub(super) fn note_spinning(&mut self, spins: bool, yields: bool, place: usize) {
        let waiting = &mut self.current_mut().waiting;
        if spins && !yields && waiting.rest.is_none() && waiting.is_in_section() {
            // It is a loop of its own in a critical section, which does not end in each round.
            waiting.forget_round();
            waiting.quiet = 0;
            return;
        }
        let thread = self.thread(self.me());
        let rests = thread.waiting.rest.is_some();
        let starts_to_rest = spins
            && !rests
            && !thread.waiting.is_in_section()
            && !thread.waiting.rounds.is_open()
            && !self.repeats_changes(thread)
            && self.has_seen_the_last_of(thread)
            && !self.patience.has(place);
        let waiting = &mut self.current_mut().waiting;
        if starts_to_rest {
            waiting.rest = Some(Rest {
                place,
                steps: 0,
                is_last: false,
            });
            if waiting.sections.iter().any(|section| section.writes) {
                self.left_out.add(LeftOut::RepeatedRounds);
            }
        } else if yields && !rests {
            waiting.has_yielded = true;
            waiting.has_news = false;
            waiting.forget_round();
        }
    }

    /// The current thread does something that is not looking again. If it was taken to spin, it was
    /// so wrongly.
    #[inline]
    pub(in crate::execution) fn note_leaving(&mut self) {
        let waiting = &self.current_mut().waiting;
        let is_open = waiting.rounds.is_open();
        if waiting.rest.is_some() || waiting.repeated.is_some() || is_open {
            self.leave_rest();
            self.leave_polls();
            if is_open {
                self.leave_round();
            }
        }
    }

    #[cold]
    pub(super) fn leave_rest(&mut self) {
        if self.is_explored()
            && let Some(rest) = self.resting(self.thread(self.me()))
        {
            // What others have written in passing is what it may have waited for.
            let mut looks = self.thread(self.me()).waiting.watched.iter();
            if !looks.any(|look| look.in_passing.is_some()) {
                self.patience.add(rest.place);
                self.gained_patience = true;
            }
            self.current_mut().waiting.rest = None;
        }
    }

    /// Whether the thread was seen to spin, and nothing has changed since that it has looked at.
    #[inline]
    pub(crate) fn rests(&self, thread: &Thread) -> bool {
        thread.waiting.rest.is_some() && self.has_seen_the_last_of(thread)
    }

    /// What has to change before the thread goes on, if it was seen to spin.
    pub(crate) fn watched(&self, thread: ThreadId) -> &[Look] {
        let waiting = &self.thread(thread).waiting;
        match waiting.rest {
            Some(_) => &waiting.watched,
            None => &[],
        }
    }

    /// The current thread goes on. If it was seen to spin and something has changed, it does not
    /// rest any more.
    #[inline]
    pub(in crate::execution) fn note_going_on(&mut self) {
        if self.current_mut().waiting.rest.is_some() {
            self.end_rest();
        }
    }

    #[cold]
    fn end_rest(&mut self) {
        let thread = self.thread(self.me());
        if !self.rests(thread) {
            let waiting = &mut self.current_mut().waiting;
            waiting.rest = None;
            waiting.forget_round();
            waiting.quiet = 0;
        }
    }

    /// Whether the thread rests, and did not leave its loop when it went on alone.
    pub(in crate::execution) fn is_exhausted(&self, thread: &Thread) -> bool {
        self.resting(thread)
            .is_some_and(|rest| rest.steps >= STEPS_ALONE)
    }

    /// Whether the thread can still go on alone, without having to wait for a lock.
    pub(in crate::execution) fn has_not_gone_alone(&self, thread: &Thread) -> bool {
        let is_free = |section: &Section| {
            let state = &self.object(section.lock).state;
            state.primitive().holds().is_empty()
        };
        self.resting(thread).is_some_and(|rest| rest.steps == 0)
            && thread
                .waiting
                .sections
                .iter()
                .all(|section| section.times == 0 || is_free(section))
    }

    /// How often the thread went on alone and did not leave its loop.
    pub(in crate::execution) fn redundant_turns(&self, thread: &Thread) -> u32 {
        self.resting(thread)
            .map_or(0, |rest| rest.steps / STEPS_ALONE)
    }

    #[inline]
    fn resting(&self, thread: &Thread) -> Option<Rest> {
        thread.waiting.rest.filter(|_| self.rests(thread))
    }

    /// Notes that a thread was chosen, which from now on goes on alone if it rests.
    #[inline]
    pub(in crate::execution) fn note_chosen(&mut self, thread: ThreadId) {
        if !self.rests(self.thread(thread)) {
            return;
        }
        let is_last = self.alone.is_none() && !self.is_any_awake();
        if let Some(rest) = &mut self.thread_mut(thread).waiting.rest {
            rest.steps += 1;
            rest.is_last |= is_last;
            self.alone = Some(thread);
        }
    }

    /// Whether a thread can go on that does not rest.
    fn is_any_awake(&self) -> bool {
        let mut awake = self.threads().filter(|(_, thread)| !self.rests(thread));
        awake.any(|(id, _)| self.can_go_on(id))
    }

    /// The thread that goes on alone.
    pub(in crate::execution) fn alone(&mut self) -> GoOn {
        let Some(thread) = self.alone else {
            return GoOn::No;
        };
        let state = self.thread(thread);
        if !self.rests(state) || !self.can_go_on(thread) {
            self.alone = None;
            return GoOn::No;
        }
        // Not in a critical section, where it would be in the way of others.
        if !self.is_exhausted(state) || state.waiting.is_in_section() {
            return GoOn::Step(thread);
        }
        let (rest, has_rounds) = (state.waiting.rest, state.waiting.rounds.is_followed());
        self.alone = None;
        match rest {
            _ if !self.is_any_awake() => GoOn::No,
            // It has woken another one, so that it did not only look.
            // By what it has written in passing, if it has.
            Some(rest) if rest.is_last && has_rounds => GoOn::No,
            Some(rest) if rest.is_last => {
                self.patience.add(rest.place);
                self.gained_patience = true;
                GoOn::No
            }
            _ => GoOn::Redundant,
        }
    }
}
