//! The condition variable.
//!
//! To wait is two steps, or three with a time limit: the start, which releases the mutex, and the
//! end, which is possible after a notification, while nobody holds the mutex, and acquires it again.
//! What they order is what releasing and acquiring the mutex does: a notification orders nothing.

use std::collections::VecDeque;
use std::panic::Location;

use crate::execution::{Alternatives, Execution, Identity, NextStep, Requirement, step};
use crate::trace::{ObjectId, Operation, ThreadId};

use super::{Hold, State, mutex};

const KIND: &str = "Condvar";

/// Threads that wait to be notified.
#[derive(Debug, Default)]
pub(crate) struct Condvar {
    /// The longest waiting first.
    pub(crate) waiters: VecDeque<ThreadId>,
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
        waiters(execution, condvar).push_back(me);
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
                waiters(execution, self.condvar).retain(|&thread| thread != me);
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
        let woken = waiters(execution, condvar).remove(alternative as usize);
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
            let woken = std::mem::take(waiters(execution, condvar));
            for &thread in &woken {
                execution.thread_mut(thread).woken = true;
            }
            woken.len()
        },
    )
}

fn waiters(execution: &mut Execution, condvar: ObjectId) -> &mut VecDeque<ThreadId> {
    match &mut execution.object_mut(condvar).state {
        State::Condvar(condvar) => &mut condvar.waiters,
        other => unreachable!("{other:?} is no condition variable"),
    }
}
