//! The condition variable.
//!
//! To wait is two steps, or three with a time limit: the start, which releases the mutex, and the
//! end, which is possible after a notification, while nobody holds the mutex, and acquires it again.
//! What they order is what releasing and acquiring the mutex does: a notification orders nothing.
//!
//! Whether a wait ends spuriously is decided where it begins. A thread that will is not among those that
//! wait, and its end is possible whenever nobody holds the mutex. Nothing is lost by that: a notification
//! before this end, which it could have heard as well, would have let it do the same.

use std::collections::VecDeque;
use std::panic::Location;

use smallvec::SmallVec;

use crate::execution::{
    Alternatives, Execution, Identity, Mode, NextStep, Requirement, Spot, Touches, step, with,
};
use crate::trace::{EventResult, ObjectId, Operation, ThreadId};

use super::{Announced, Before, Done, Hold, Primitive, State, mutex};

const KIND: &str = "Condvar";

/// Threads that wait to be notified.
#[derive(Debug, Default)]
pub(crate) struct Condvar {
    /// The longest waiting first.
    waiters: VecDeque<ThreadId>,
    /// Those that the last notification has woken.
    woken: SmallVec<[ThreadId; 2]>,
}

impl Primitive for Condvar {
    /// A wait begins and ends with its mutex, and goes on when its thread was woken.
    fn announce(&self, at: &Announced<'_>, touches: &mut Touches) {
        let condvar = at.next.object.filter(|_| !is_spurious(at.next));
        touches.extend(condvar.map(|condvar| (Spot::Object(condvar), Mode::Write)));
        let mutex = at.next.mutex();
        touches.extend(mutex.map(|mutex| (Spot::Object(mutex), Mode::Write)));
        if matches!(at.next.requires, Requirement::Woken { .. }) {
            touches.push((Spot::Woken(at.thread), Mode::Read));
        }
    }

    /// A notification wakes any of those that wait, and a wait can end spuriously.
    fn ways(&self, at: &Announced<'_>) -> u32 {
        match at.next.alternatives {
            Alternatives::Waiters => u32::try_from(self.waiters.len())
                .expect("fewer than 2^32 threads")
                .max(1),
            Alternatives::WakeUp => 2,
            _ => 1,
        }
    }

    /// A time-out wakes the thread itself, and leaves the mutex as it is.
    fn touched(&self, done: &Done<'_>, spot: Spot, _before: &Before) -> Option<Mode> {
        match spot {
            Spot::Woken(_) if done.has_timed_out() => Some(Mode::Write),
            Spot::Woken(_) => Some(Mode::Read),
            Spot::Object(mutex) if Some(mutex) == done.next.mutex() && done.has_timed_out() => None,
            _ => Some(Mode::Write),
        }
    }

    fn allowed(&self, done: &Done<'_>) -> SmallVec<[Spot; 2]> {
        let notifies = matches!(
            done.event.operation,
            Operation::NotifyOne | Operation::NotifyAll
        );
        let woken = self.woken.iter().filter(|_| notifies);
        woken.map(|thread| Spot::Woken(*thread)).collect()
    }

    /// Also a time-out: others do not find the thread waiting any more.
    fn has_changed(&self, _done: &Done<'_>) -> bool {
        true
    }

    fn changes(&self, done: &Done<'_>) -> [Option<Spot>; 2] {
        let mutex = done.next.mutex().filter(|_| !done.has_timed_out());
        let condvar = done.event.object.filter(|_| !is_spurious(done.next));
        [condvar, mutex].map(|object| object.map(Spot::Object))
    }
}

/// The condition variable in the current execution, or `None` outside of one. Nobody waits for it
/// when an execution begins to use it.
#[inline]
#[track_caller]
pub(crate) fn object(identity: &Identity) -> Option<ObjectId> {
    identity.object(KIND, |_| State::Condvar(Condvar::default()))
}

/// The condition variable is made now, in the current execution if there is one.
#[cfg(feature = "loom")]
#[track_caller]
pub(crate) fn made(identity: &Identity) {
    identity.made(KIND, |_| State::Condvar(Condvar::default()));
}

/// Whether it is the end of a wait without a notification.
fn is_spurious(next: &NextStep) -> bool {
    next.operation == Operation::Wake && matches!(next.requires, Requirement::Free(_))
}

/// What the maker of a condition variable says of its waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// They can end without a notification, as those of std.
    Nothing,
    /// They end by a notification or a time-out, as those of `parking_lot`.
    NoSpuriousWakeUps,
}

/// Releases the mutex and begins to wait, as a step.
pub(crate) fn begin(
    condvar: ObjectId,
    mutex: ObjectId,
    promise: Promise,
    at: &'static Location<'static>,
) -> Wait {
    let can_be_spurious = promise == Promise::Nothing;
    let is_explored = can_be_spurious && with(|execution| execution.wakes_spuriously());
    let wait = NextStep::new(Operation::Wait).on(condvar).at(at);
    let wait = wait.requires(Requirement::Held(mutex)).or(if is_explored {
        Alternatives::WakeUp
    } else {
        Alternatives::None
    });
    let is_notified = step(wait, |execution, alternative| {
        *mutex::held(execution, mutex) = None;
        if can_be_spurious {
            execution.leave_out_wake_up();
        }
        if alternative == 1 {
            execution.note(|event| event.result = Some(EventResult::Spurious));
            return false;
        }
        execution.current_mut().woken = false;
        let me = execution.me();
        state(execution, condvar).waiters.push_back(me);
        true
    });
    let wake = NextStep::new(Operation::Wake).on(condvar).at(at);
    Wait {
        condvar,
        mutex,
        wake: wake.requires(if is_notified {
            Requirement::Woken { mutex }
        } else {
            Requirement::Free(mutex)
        }),
    }
}

/// A wait that has begun.
#[derive(Debug)]
pub(crate) struct Wait {
    condvar: ObjectId,
    mutex: ObjectId,
    wake: NextStep,
}

impl Wait {
    /// Waits until it is over and acquires the mutex again. Returns whether it has timed out, which
    /// is a step of its own.
    pub(crate) fn end(self, alternatives: Alternatives) -> bool {
        let alternatives = if is_spurious(&self.wake) {
            Alternatives::None
        } else {
            alternatives
        };
        if self.is_woken(alternatives) {
            return false;
        }
        let is_woken = self.is_woken(Alternatives::None);
        debug_assert!(is_woken, "it has timed out already");
        true
    }

    fn is_woken(&self, alternatives: Alternatives) -> bool {
        step(self.wake.or(alternatives), |execution, alternative| {
            if alternative == 1 {
                let me = execution.me();
                let state = state(execution, self.condvar);
                state.waiters.retain(|&thread| thread != me);
                execution.current_mut().woken = true;
                execution.note(|event| event.operation = Operation::Timeout);
                return false;
            }
            if is_spurious(&self.wake) {
                execution.note(|event| event.result = Some(EventResult::Spurious));
            }
            let mine = Hold::mine(execution, self.wake.at);
            *mutex::held(execution, self.mutex) = Some(mine);
            true
        })
    }
}

/// Wakes one of the threads that wait, if there are any, as a step. Returns whether there was one.
#[track_caller]
pub(crate) fn notify_one(condvar: ObjectId) -> bool {
    let next = NextStep::new(Operation::NotifyOne)
        .on(condvar)
        .or(Alternatives::Waiters);
    step(next, |execution, alternative| {
        let state = state(execution, condvar);
        let woken = state.waiters.remove(alternative as usize);
        state.woken = woken.into_iter().collect();
        if let Some(thread) = woken {
            execution.thread_mut(thread).woken = true;
            execution.note(|event| event.target = Some(thread));
        }
        woken.is_some()
    })
}

/// Wakes all threads that wait, as a step. Returns how many there were.
#[track_caller]
pub(crate) fn notify_all(condvar: ObjectId) -> usize {
    step(
        NextStep::new(Operation::NotifyAll).on(condvar),
        |execution, _| {
            let state = state(execution, condvar);
            state.woken = state.waiters.drain(..).collect();
            let woken = state.woken.clone();
            for &thread in &woken {
                execution.thread_mut(thread).woken = true;
            }
            woken.len()
        },
    )
}

fn state(execution: &mut Execution, condvar: ObjectId) -> &mut Condvar {
    match &mut execution.object_mut(condvar).state {
        State::Condvar(condvar) => condvar,
        other => unreachable!("{other:?} is no condition variable"),
    }
}
