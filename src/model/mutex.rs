//! The mutex, which is std's and `parking_lot`'s.

use std::panic::Location;

use smallvec::SmallVec;

use crate::execution::{
    Alternatives, Execution, Guarded, NextStep, Requirement, step, step_in_drop, with,
};
use crate::trace::{EventResult, ObjectId, Operation, ThreadId, Value};

use super::{Before, Done, Effect, Hold, Order, Primitive, State};

const KIND: &str = "Mutex";

/// A lock that one thread holds.
#[derive(Debug, Default)]
pub(crate) struct Mutex {
    pub(super) held: Option<Hold>,
    /// Whether it is seen when what it guards is lent for changes.
    sees_changes: bool,
}

/// What can be seen of a mutex: whether nobody holds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glimpse {
    is_free: bool,
}

impl Glimpse {
    pub(super) fn allows(self) -> bool {
        self.is_free
    }
}

impl Mutex {
    fn glimpse(&self) -> Glimpse {
        Glimpse {
            is_free: self.held.is_none(),
        }
    }
}

impl Primitive for Mutex {
    fn effect(&self, done: &Done<'_>) -> Effect {
        match (done.event.operation, done.event.object) {
            (Operation::Lock | Operation::TryLock, Some(lock))
                if self.sees_changes && done.has_succeeded() =>
            {
                Effect::Acquired {
                    lock,
                    is_exclusive: true,
                }
            }
            (Operation::Unlock, Some(lock)) if self.sees_changes => Effect::Released {
                lock,
                was_exclusive: true,
            },
            _ => self.effect_on_itself(done),
        }
    }

    fn glimpse(&self, _thread: ThreadId) -> Option<super::Glimpse> {
        Some(super::Glimpse::Mutex(self.glimpse()))
    }

    fn before(&self) -> Before {
        Before::Mutex(self.glimpse())
    }

    /// Who acquires the mutex learns what those knew who have released it. A wait on a condition
    /// variable releases it, and its end acquires it.
    fn order(&mut self, order: &mut Order<'_>) {
        let known = &mut order.knowledge.clock;
        match order.event.operation {
            _ if order.event.result == Some(EventResult::Failed) => {}
            Operation::Unlock | Operation::Wait => order.released.join(known),
            Operation::Lock | Operation::TryLock | Operation::Wake => known.join(order.released),
            _ => {}
        }
    }

    fn holds(&self) -> SmallVec<[Hold; 2]> {
        self.held.into_iter().collect()
    }
}

/// The mutex in the current execution, or `None` outside of one. Nobody holds it when an execution
/// begins to use it, which `begin` hears.
#[inline]
#[track_caller]
pub(crate) fn object(identity: &Guarded, begin: impl FnOnce()) -> Option<ObjectId> {
    identity.object(KIND, begin, |_| new(identity))
}

/// The mutex is made now, in the current execution if there is one.
#[cfg(feature = "loom")]
#[track_caller]
pub(crate) fn made(identity: &Guarded) {
    identity.made(KIND, |_| new(identity));
}

fn new(identity: &Guarded) -> State {
    State::Mutex(Mutex {
        held: None,
        sees_changes: identity.sees_changes(),
    })
}

/// Acquires the mutex, as a step that is possible while nobody holds it. Returns whether it did: a
/// time-out, if that is among the alternatives, is a step of its own.
pub(crate) fn acquire(
    mutex: ObjectId,
    alternatives: Alternatives,
    at: &'static Location<'static>,
) -> bool {
    let next = NextStep::new(Operation::Lock).on(mutex).at(at);
    let next = next.requires(Requirement::Free(mutex)).or(alternatives);
    step(next, |execution, alternative| {
        if alternative == 1 {
            execution.note(|event| event.operation = Operation::Timeout);
            return false;
        }
        let mine = Hold::mine(execution, at);
        *held(execution, mutex) = Some(mine);
        true
    })
}

/// Acquires the mutex if nobody holds it, as a step. Returns whether it did.
pub(crate) fn try_acquire(mutex: ObjectId, at: &'static Location<'static>) -> bool {
    let next = NextStep::new(Operation::TryLock).on(mutex).at(at);
    step(next, |execution, _| {
        let mine = Hold::mine(execution, at);
        let held = held(execution, mutex);
        let is_free = held.is_none();
        held.get_or_insert(mine);
        let result = if is_free {
            EventResult::Succeeded
        } else {
            EventResult::Failed
        };
        execution.note(|event| event.result = Some(result));
        is_free
    })
}

/// Whether somebody holds the mutex, as a step that reads it.
#[track_caller]
pub(crate) fn look(mutex: ObjectId) -> bool {
    step(NextStep::new(Operation::Load).on(mutex), |execution, _| {
        let is_held = held(execution, mutex).is_some();
        execution.note(|event| event.read = Some(Value::from(is_held)));
        is_held
    })
}

/// Whether the current thread holds the mutex. Not an operation.
pub(crate) fn is_mine(mutex: ObjectId) -> bool {
    with(|execution| {
        let me = execution.me();
        held(execution, mutex).is_some_and(|hold| hold.thread == me)
    })
}

/// Releases the mutex, as a step of a destructor.
#[track_caller]
pub(crate) fn release(mutex: ObjectId) {
    let next = NextStep::new(Operation::Unlock).on(mutex);
    // `#[track_caller]` has nothing to say in a destructor: an unlock stands at its lock.
    let at = with(|execution| {
        let made_at = execution.object(mutex).made_at;
        held(execution, mutex).map_or(made_at, |hold| hold.at)
    });
    step_in_drop(next.at(at), |execution, _| {
        *held(execution, mutex) = None;
    });
}

pub(super) fn held(execution: &mut Execution, mutex: ObjectId) -> &mut Option<Hold> {
    match &mut execution.object_mut(mutex).state {
        State::Mutex(mutex) => &mut mutex.held,
        other => unreachable!("{other:?} is no mutex"),
    }
}
