//! Keeps the users of a lock that are in an execution apart from those that are not.

use std::panic::Location;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crate::execution::{self, Ending, give_up};

/// Who holds guards of a lock: threads of an execution, or others, but never both at once.
///
/// Among the threads of an execution, the execution decides who acquires the lock; among the others,
/// the real lock does. Neither knows of the other, as where a thread of std's uses a lock of a running
/// execution.
#[derive(Debug)]
pub(crate) struct Worlds(AtomicU32);

/// A guard outside of executions, counted apart from those inside.
const OUTSIDE: u32 = 1 << 16;

impl Worlds {
    /// Nobody holds a guard.
    pub(crate) const fn new() -> Self {
        Worlds(AtomicU32::new(0))
    }

    /// An execution begins to use the lock. That there is a guard of an earlier one is a misuse: it was
    /// kept beyond the execution, or leaked, and then the lock would be held for ever.
    #[track_caller]
    pub(crate) fn begin(&self, kind: &str) {
        let guards = self.0.load(Ordering::Acquire);
        if !Self::is_free_outside(guards) && !thread::panicking() {
            let used_at = Location::caller();
            give_up(Ending::Misused(format!(
                "the {kind} used at {used_at} is still held by a guard of an earlier execution, which \
                 was kept or leaked: make the {kind} inside the closure that is explored"
            )));
        }
    }

    /// Enters with a guard inside of an execution, when nobody holds one outside.
    pub(crate) fn enter_inside(&self) -> Entered<'_> {
        self.enter(1, |guards| guards < OUTSIDE)
    }

    /// Enters with a guard outside of executions, when nobody holds one inside.
    pub(crate) fn enter_outside(&self) -> Entered<'_> {
        self.enter(OUTSIDE, Self::is_free_outside)
    }

    /// The same, if that is possible now.
    pub(crate) fn try_enter_outside(&self) -> Option<Entered<'_>> {
        self.try_enter(OUTSIDE, Self::is_free_outside)
    }

    fn is_free_outside(guards: u32) -> bool {
        guards.is_multiple_of(OUTSIDE)
    }

    fn enter(&self, guard: u32, is_free: impl Fn(u32) -> bool) -> Entered<'_> {
        loop {
            if let Some(entered) = self.try_enter(guard, &is_free) {
                return entered;
            }
            thread::sleep(Duration::from_micros(50));
        }
    }

    fn try_enter(&self, guard: u32, is_free: impl Fn(u32) -> bool) -> Option<Entered<'_>> {
        let entered = |guards: u32| is_free(guards).then(|| guards + guard);
        let update = self
            .0
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, entered);
        update.is_ok().then(|| Entered {
            worlds: self,
            guard,
            execution: execution::number(),
        })
    }
}

/// That somebody holds a guard, until it is dropped.
#[derive(Debug)]
pub(crate) struct Entered<'a> {
    worlds: &'a Worlds,
    guard: u32,
    execution: u64,
}

impl Entered<'_> {
    /// Whether the guard is one of the current execution.
    pub(crate) fn is_inside(&self) -> bool {
        self.guard < OUTSIDE && self.execution == execution::number()
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.worlds.0.fetch_sub(self.guard, Ordering::Release);
    }
}
