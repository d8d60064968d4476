//! The poison of a lock: what is left of a panic while it was held.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};
use std::thread::panicking;

use crate::execution::with;

use super::worlds::Acquired;

/// Whether a lock is poisoned, in the current execution. Outside, the real lock knows.
#[derive(Debug)]
pub(super) struct Poison(AtomicBool);

impl Poison {
    /// No poison.
    pub(super) const fn new() -> Self {
        Poison(AtomicBool::new(false))
    }

    /// Begins an execution, in which the lock is as it is outside.
    pub(super) fn begin(&self, is_poisoned: bool) {
        self.0.store(is_poisoned, Relaxed);
    }

    /// Whether a thread panicked while it held the lock.
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Whether who acquires the lock is told of the poison. In a doomed execution only
    /// destructors lock, and one that panics for this would end the process.
    fn shows(&self) -> bool {
        self.is_set() && !with(|execution| execution.is_doomed())
    }

    /// Whether who has acquired the lock is told of poison, and the guard of the real lock, outside.
    pub(super) fn told<G>(&self, acquired: Acquired<LockResult<G>>) -> (bool, Option<G>) {
        match acquired {
            Acquired::Inside => (self.shows(), None),
            Acquired::Outside(Ok(real)) => (false, Some(real)),
            Acquired::Outside(Err(error)) => (true, Some(error.into_inner())),
        }
    }

    /// Makes the lock as if no thread had panicked.
    pub(super) fn clear(&self) {
        self.0.store(false, Relaxed);
    }

    /// Poisons the lock if a panic ends the guard, which began before it or not.
    pub(super) fn note_end(&self, was_panicking: bool) {
        // The lab unwinds threads as well, which is not a panic of the code under test.
        if !was_panicking && panicking() && !with(|execution| execution.is_ended_by_lab()) {
            self.0.store(true, Relaxed);
        }
    }
}

/// What std's locks return: the value, in an error if the lock is poisoned.
pub(super) fn poison_if<T>(is_poisoned: bool, value: T) -> LockResult<T> {
    if is_poisoned {
        Err(PoisonError::new(value))
    } else {
        Ok(value)
    }
}

/// What std's locks return that try, if they have acquired the lock.
pub(super) fn held<G>(result: TryLockResult<G>) -> Option<LockResult<G>> {
    match result {
        Ok(guard) => Some(Ok(guard)),
        Err(TryLockError::Poisoned(error)) => Some(Err(error)),
        Err(TryLockError::WouldBlock) => None,
    }
}
