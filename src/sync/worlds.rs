//! Keeps the users of a lock that are in an execution apart from those that are not.

use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::execution::{self, Ending, give_up};
use crate::trace::ObjectId;

/// Who holds guards of a lock: threads of an execution, or others, but never both at once.
///
/// Among the threads of an execution, the execution decides who acquires the lock; among the others,
/// the real lock does. Neither knows of the other, as where a thread of std's uses a lock of a running
/// execution. As they exclude each other, who holds a guard can tell from here which of the two
/// granted it.
#[derive(Debug)]
pub(crate) struct Worlds {
    guards: AtomicU64,
    /// The execution that those inside are of.
    execution: AtomicU64,
}

/// A guard outside of executions, counted apart from those inside, of which there are fewer, since an
/// execution has fewer steps. Guards can be forgotten, so that there may be more of them than fit into
/// memory: a count that has wrapped would say that there are none.
const OUTSIDE: u64 = 1 << 32;

/// Which world a guard is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum World {
    /// The real lock granted it.
    Outside,
    /// The current execution granted it.
    Inside,
    /// An execution that has ended granted it.
    Ended,
    /// Nobody holds one.
    Nobody,
}

/// A lock was acquired.
#[derive(Debug)]
pub(crate) enum Acquired<G> {
    /// By the real lock, whose guard this is.
    Outside(G),
    /// By the current execution.
    Inside,
}

/// How long a thread outside of executions waits for those inside.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Waits {
    Never,
    Until(Instant),
    Always,
}

impl Worlds {
    /// Nobody holds a guard.
    pub(crate) const fn new() -> Self {
        Worlds {
            guards: AtomicU64::new(0),
            execution: AtomicU64::new(0),
        }
    }

    /// An execution begins to use the lock. That there is a guard of an earlier one is a misuse: it was
    /// kept beyond the execution, or leaked, and then the lock would be held for ever.
    pub(crate) fn begin(&self, kind: &str, used_at: &Location<'_>) {
        let guards = self.guards.load(Ordering::Acquire);
        if !Self::is_free_outside(guards) && !thread::panicking() {
            give_up(Ending::Misused(format!(
                "the {kind} used at {used_at} is still held by a guard of an earlier execution, which \
                 was kept or leaked: make the {kind} inside the closure that is explored"
            )));
        }
    }

    /// Acquires the lock: inside of an execution, where it is an object, by its model, and outside by
    /// the real lock. Returns `None` if that has not acquired it, or if threads of an execution hold it
    /// for longer than the caller outside waits for them.
    pub(crate) fn acquire<G>(
        &self,
        object: Option<ObjectId>,
        waits: Waits,
        real: impl FnOnce() -> Option<G>,
        model: impl FnOnce(ObjectId) -> bool,
    ) -> Option<Acquired<G>> {
        match object {
            None => {
                let real = real()?;
                let has_entered = self.enter(OUTSIDE, waits, Self::is_free_outside);
                has_entered.then_some(Acquired::Outside(real))
            }
            Some(object) => model(object).then(|| {
                self.enter_inside();
                Acquired::Inside
            }),
        }
    }

    /// Enters with a guard inside of an execution, when nobody holds one outside. One that was kept
    /// beyond its execution is not let go of, so that this never returns then.
    pub(crate) fn enter_inside(&self) {
        let current = execution::number();
        let is_free = |guards: u64| match guards {
            0 => true,
            OUTSIDE.. => false,
            _ => self.execution.load(Ordering::Relaxed) == current,
        };
        self.enter(1, Waits::Always, is_free);
        self.execution.store(current, Ordering::Relaxed);
    }

    /// Enters with a guard outside of executions, when nobody holds one inside.
    pub(crate) fn enter_outside(&self) {
        self.enter(OUTSIDE, Waits::Always, Self::is_free_outside);
    }

    /// Which world the guard is of that the caller holds.
    pub(crate) fn of_guard(&self) -> World {
        match self.guards.load(Ordering::Relaxed) {
            0 => World::Nobody,
            OUTSIDE.. => World::Outside,
            _ if self.execution.load(Ordering::Relaxed) == execution::number() => World::Inside,
            _ => World::Ended,
        }
    }

    /// Leaves with the guard that the caller holds, and returns which world it was of: what granted it
    /// is then to be told.
    pub(crate) fn leave(&self) -> World {
        let world = self.of_guard();
        let guard = match world {
            World::Outside => OUTSIDE,
            World::Inside | World::Ended => 1,
            World::Nobody => 0,
        };
        self.guards.fetch_sub(guard, Ordering::Release);
        world
    }

    fn is_free_outside(guards: u64) -> bool {
        guards.is_multiple_of(OUTSIDE)
    }

    fn enter(&self, guard: u64, waits: Waits, is_free: impl Fn(u64) -> bool) -> bool {
        let more = |guards: u64| guards.checked_add(guard).expect("too many guards");
        let entered = |guards: u64| is_free(guards).then(|| more(guards));
        let (success, failure) = (Ordering::Acquire, Ordering::Relaxed);
        while self.guards.fetch_update(success, failure, entered).is_err() {
            let goes_on = match waits {
                Waits::Never => false,
                Waits::Until(deadline) => Instant::now() < deadline,
                Waits::Always => true,
            };
            if !goes_on {
                return false;
            }
            thread::sleep(Duration::from_micros(50));
        }
        true
    }
}
