//! Ways that a thread could take again and again without end: time-outs, spurious failures, and
//! spurious wake-ups.
//!
//! A thread that has timed out, failed or woken spuriously does so again at the same place and on the
//! same object only after something has changed that it has looked at since the last time there, after it
//! has succeeded there, or when nobody can do anything else. But if it did not just come back to the
//! same step, and has changed something in between, it takes that way up to three times in a row. So
//! it does if others have changed something and it has as well: each of two threads could otherwise
//! be what the other one waits for, for ever. For a thread that waits on a condition variable, what
//! its mutex guards counts as looked at.
//! What is left out so is noted.

use std::ptr;

use crate::execution::{Alternatives, Execution, NextStep, Requirement, Spot};
use crate::model::Done;
use crate::trace::{Event, EventResult, ObjectId, Operation, ThreadId};

use super::{Look, Waiting};

/// How often in a row a thread takes a way that it could repeat without end, if that leads it elsewhere.
const MAX_IN_A_ROW: u32 = 3;

/// On how many objects at one place a thread takes a way that it could repeat without end. A function
/// can be called for several objects, and a loop can make a new one in each round.
const STALLS_AT_A_PLACE: usize = 4;

/// A way that a thread could repeat without end, and has taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stall {
    place: usize,
    operation: Operation,
    object: Option<ObjectId>,
    target: Option<ThreadId>,
    /// The step at which it did so last, from 0 on.
    step: u32,
    /// How often in a row it did so, with no change in between that others have made.
    in_a_row: u32,
    /// What the operation itself changes.
    own: [Option<Spot>; 2],
    /// The mutex that the thread has released to wait, and the version of what that guards then.
    guarded: Option<(ObjectId, u32)>,
    /// Whether the thread has changed anything since, and whether anything else.
    has_written: bool,
    led_elsewhere: bool,
}

impl Stall {
    fn new(next: &NextStep, step: u32) -> Self {
        let mutex = next.mutex().map(Spot::Object);
        Stall {
            place: ptr::from_ref(next.at).addr(),
            operation: next.operation,
            object: next.object,
            target: next.target,
            step,
            in_a_row: 1,
            own: [next.object.map(Spot::Object), mutex],
            guarded: None,
            has_written: false,
            led_elsewhere: false,
        }
    }

    /// Whether it was taken by this operation.
    fn is_of(&self, next: &NextStep) -> bool {
        self.is_at(next) && (self.object, self.target) == (next.object, next.target)
    }

    /// Whether a change of this is no news to a thread that waits on a condition variable: one of what its
    /// mutex guards is.
    fn is_told_by_lock(&self, spot: Spot) -> bool {
        self.guarded.is_some() && self.own.contains(&Some(spot))
    }

    fn is_at(&self, next: &NextStep) -> bool {
        self.place == ptr::from_ref(next.at).addr() && self.operation == next.operation
    }

    /// Whether the thread takes the way again, if others have changed something since or not.
    fn goes_on(&self, has_changed: bool) -> bool {
        if has_changed {
            !self.has_written || self.in_a_row < MAX_IN_A_ROW
        } else {
            self.led_elsewhere && self.in_a_row < MAX_IN_A_ROW
        }
    }
}

impl Execution {
    /// What the thread has looked at since it last took a way that it could repeat without end, if it is
    /// there again: that decides whether it can take it once more.
    pub(in crate::execution) fn looks_since_stall(
        &self,
        thread: ThreadId,
        next: &NextStep,
    ) -> impl Iterator<Item = &Look> {
        let waiting = &self.thread(thread).waiting;
        let stall = waiting.stall_at(next);
        let looks = stall.into_iter().flat_map(|_| &waiting.known);
        looks.filter(move |look| {
            let is_since = stall.is_some_and(|stall| look.step >= stall.step);
            // That a lock was acquired tells it as well.
            is_since
                && !matches!(look.spot, Spot::Guarded(_))
                && !stall.is_some_and(|stall| stall.is_told_by_lock(look.spot))
        })
    }

    /// Whether the thread has taken, where it is now, a way that it could repeat without end (a time-out,
    /// a spurious failure), and it would only come back to the same.
    #[inline]
    pub(in crate::execution) fn stalls(&self, thread: ThreadId, next: &NextStep) -> bool {
        let waiting = &self.thread(thread).waiting;
        self.prunes && !waiting.stalls.is_empty() && self.has_stalled(thread, waiting, next)
    }

    fn has_stalled(&self, thread: ThreadId, waiting: &Waiting, next: &NextStep) -> bool {
        match waiting.stall_at(next) {
            Some(stall) => !stall.goes_on(self.has_changed_since_stall(thread, next)),
            None => {
                let at_place = waiting.stalls.iter().filter(|stall| stall.is_at(next));
                at_place.count() >= STALLS_AT_A_PLACE
            }
        }
    }

    /// Whether others have changed what the thread has looked at since it stalled here.
    fn has_changed_since_stall(&self, thread: ThreadId, next: &NextStep) -> bool {
        let waiting = &self.thread(thread).waiting;
        let guarded = waiting.stall_at(next).and_then(|stall| stall.guarded);
        let mut looks = self.looks_since_stall(thread, next);
        guarded.is_some_and(|(lock, version)| self.object(lock).guarded_version != version)
            || looks.any(|look| self.is_outdated(look))
    }

    /// The mutex that the thread releases to wait, and the version of what it guards as it leaves it.
    fn guarded_in_wait(&self, thread: ThreadId, next: &NextStep) -> Option<(ObjectId, u32)> {
        let Requirement::Held(mutex) = next.requires else {
            return None;
        };
        let writes = self.publishes(thread, next).is_some();
        let version = self.object(mutex).guarded_version;
        Some((mutex, version + u32::from(writes)))
    }

    /// Notes that the thread takes another way than the normal one.
    pub(in crate::execution) fn note_stalling(&mut self, thread: ThreadId) {
        let Some(next) = self.next_of(thread).copied() else {
            return;
        };
        if !can_repeat(&next) {
            return;
        }
        let has_changed = self.has_changed_since_stall(thread, &next);
        let stall = Stall {
            guarded: self.guarded_in_wait(thread, &next),
            ..Stall::new(&next, self.last_step())
        };
        let stalls = &mut self.thread_mut(thread).waiting.stalls;
        match stalls.iter_mut().find(|other| other.is_of(&next)) {
            Some(other) if has_changed && !other.has_written => *other = stall,
            Some(other) => {
                *other = Stall {
                    in_a_row: other.in_a_row + 1,
                    ..stall
                }
            }
            None => stalls.push(stall),
        }
    }
}

impl Waiting {
    /// The first step from which on what was seen matters to whether a way is taken again.
    pub(super) fn stalled_since(&self) -> Option<u32> {
        self.stalls.iter().map(|stall| stall.step).min()
    }

    /// Notes a step that looked, and whether others have changed what it saw.
    #[inline]
    pub(super) fn note_looks(&mut self, done: &Done<'_>, step: u32, has_changed: bool) {
        if self.stalls.is_empty() {
            return;
        }
        self.note_success(done.event, done.next);
        if has_changed {
            // What it took just now was in a row with nothing.
            self.stalls.retain(|stall| stall.step == step);
            for stall in &mut self.stalls {
                stall.in_a_row = 1;
            }
        }
    }

    /// Notes a change of these spots by the thread itself, after which it can take a way that it could
    /// repeat without end.
    pub(super) fn note_change(&mut self, done: &Done<'_>, spots: [Option<Spot>; 2]) {
        if self.stalls.is_empty() {
            return;
        }
        self.note_success(done.event, done.next);
        for stall in &mut self.stalls {
            stall.has_written = true;
            let mut spots = spots.iter().flatten();
            stall.led_elsewhere |= spots.any(|spot| !stall.own.contains(&Some(*spot)));
        }
    }

    /// That the thread took a way here that it could repeat without end.
    fn stall_at(&self, next: &NextStep) -> Option<&Stall> {
        self.stalls.iter().find(|stall| stall.is_of(next))
    }

    /// Notes what an operation came to: if it has succeeded, a way of it that could be repeated
    /// without end begins a new row.
    fn note_success(&mut self, event: &Event, next: &NextStep) {
        let has_succeeded = can_repeat(next)
            && event.operation != Operation::Timeout
            && !matches!(
                event.result,
                Some(EventResult::Failed | EventResult::FailedSpuriously | EventResult::Spurious)
            );
        if has_succeeded {
            self.stalls.retain(|stall| !stall.is_of(next));
        }
    }
}

/// Whether an operation has a way that a thread could take again and again without end.
fn can_repeat(next: &NextStep) -> bool {
    matches!(
        next.alternatives,
        Alternatives::Timeout
            | Alternatives::Spurious(_)
            | Alternatives::Unmet
            | Alternatives::Unfinished
            | Alternatives::Expiry(_)
            | Alternatives::WakeUp
            | Alternatives::Sides {
                times_out: true,
                ..
            }
    )
}
