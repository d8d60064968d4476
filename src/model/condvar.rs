//! The condition variable.
//!
//! To wait is two steps, or three with a time limit: the start, which releases the mutex, and the
//! end, which is possible after a notification, while nobody holds the mutex, and acquires it again.
//! What they order is what releasing and acquiring the mutex does: a notification orders nothing.

use std::collections::VecDeque;
use std::panic::Location;

use smallvec::SmallVec;

use crate::execution::{
    Alternatives, Execution, Identity, Mode, NextStep, Requirement, Spot, Touches, step,
};
use crate::trace::{ObjectId, Operation, ThreadId};

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
        touches.extend(
            at.next
                .object
                .map(|condvar| (Spot::Object(condvar), Mode::Write)),
        );
        let mutex = at.next.mutex();
        touches.extend(mutex.map(|mutex| (Spot::Object(mutex), Mode::Write)));
        if matches!(at.next.requires, Requirement::Woken { .. }) {
            touches.push((Spot::Woken(at.thread), Mode::Read));
        }
    }

    /// A notification wakes any of those that wait.
    fn ways(&self, at: &Announced<'_>) -> u32 {
        match at.next.alternatives {
            Alternatives::Waiters => u32::try_from(self.waiters.len())
                .expect("fewer than 2^32 threads")
                .max(1),
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
        [done.event.object, mutex].map(|object| object.map(Spot::Object))
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

/// Releases the mutex and begins to wait, as a step.
pub(crate) fn begin(condvar: ObjectId, mutex: ObjectId, at: &'static Location<'static>) -> Wait {
    let wait = NextStep::new(Operation::Wait).on(condvar).at(at);
    let wait = wait.requires(Requirement::Held(mutex));
    step(wait, |execution, _| {
        *mutex::held(execution, mutex) = None;
        execution.current_mut().woken = false;
        let me = execution.me();
        state(execution, condvar).waiters.push_back(me);
    });
    let wake = NextStep::new(Operation::Wake).on(condvar).at(at);
    Wait {
        condvar,
        mutex,
        wake: wake.requires(Requirement::Woken { mutex }),
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
