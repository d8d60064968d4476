//! Mutual exclusion in an execution: the steps that the mutexes of std and of `parking_lot` share.

use crate::execution::{
    Binding, Execution, Hold, NextStep, Requirement, State, step, step_in_drop, with,
};
use crate::trace::{EventResult, ObjectId, Operation, Value};

/// Binds a new mutex, which nobody holds.
#[track_caller]
pub(crate) fn bind() -> Binding {
    Binding::new("Mutex", |_| State::Mutex { held: None })
}

/// Acquires the mutex, as a step that is possible while nobody holds it.
#[track_caller]
pub(crate) fn acquire(mutex: ObjectId) {
    let next = NextStep::new(Operation::Lock)
        .on(mutex)
        .requires(Requirement::Free(mutex));
    step(next, |execution, _| {
        let mine = Hold {
            thread: execution.me(),
            at: next.at,
        };
        *held(execution, mutex) = Some(mine);
    });
}

/// Acquires the mutex if nobody holds it, as a step. Returns whether it did.
#[track_caller]
pub(crate) fn try_acquire(mutex: ObjectId) -> bool {
    let next = NextStep::new(Operation::TryLock).on(mutex);
    step(next, |execution, _| {
        let mine = Hold {
            thread: execution.me(),
            at: next.at,
        };
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

/// Releases the mutex, as a step of a destructor.
#[track_caller]
pub(crate) fn release(binding: &Binding) {
    let Some(mutex) = binding.object() else {
        return;
    };
    let next = NextStep::new(Operation::Unlock).on(mutex);
    // `#[track_caller]` has nothing to say in a destructor: an unlock stands at its lock.
    let at = with(|execution| held(execution, mutex).map(|hold| hold.at));
    step_in_drop(next.at(at.unwrap_or(binding.made_at())), |execution, _| {
        *held(execution, mutex) = None;
    });
}

fn held(execution: &mut Execution, mutex: ObjectId) -> &mut Option<Hold> {
    execution.object_mut(mutex).state.held()
}
