//! The condition variable.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

use ::parking_lot as real;

use crate::Named;
use crate::execution::{Identity, is_running};
use crate::model::condvar::{self, Promise, Wait};
use crate::trace::ObjectId;

use super::limit::Limit;
use super::mutex::MutexGuard;

/// Like `parking_lot::Condvar`.
///
/// In an execution, the start of waiting is a step, in which the mutex is released. Its end is
/// another one, which is possible after a notification, while nobody holds the mutex; it takes the
/// mutex again. Which of several waiting threads [`notify_one`](Self::notify_one) wakes is a choice of
/// the search. A wait with a time limit may end by a step of its own, whatever the limit is.
///
/// ```
/// use racelab::parking_lot::{Condvar, Mutex};
/// use racelab::thread;
///
/// let (ready, changed) = (Mutex::new(false), Condvar::new());
/// thread::scope(|scope| {
///     scope.spawn(|| {
///         *ready.lock() = true;
///         changed.notify_one();
///     });
///     let mut ready = ready.lock();
///     changed.wait_while(&mut ready, |ready| !*ready);
///     assert!(*ready);
/// });
/// ```
pub struct Condvar {
    identity: Identity,
    real: real::Condvar,
}

/// Like `parking_lot::WaitTimeoutResult`: whether a wait ended since its time was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was over.
    pub fn timed_out(self) -> bool {
        self.0
    }
}

impl Condvar {
    constructor! {
        /// Makes a condition variable that nobody waits for.
        pub fn new() -> Self {
            Condvar {
                identity: Identity::new(),
                real: real::Condvar::new(),
            }
        }
    }

    #[cfg(feature = "loom")]
    #[track_caller]
    fn made(&self) {
        condvar::made(&self.identity);
    }

    /// The condition variable in the current execution, or `None` outside of one.
    #[inline]
    #[track_caller]
    fn object(&self) -> Option<ObjectId> {
        condvar::object(&self.identity)
    }

    /// Releases the mutex, waits for a notification, and acquires the mutex again.
    ///
    /// # Panics
    ///
    /// Outside of an execution, if used with more than one mutex at a time.
    #[track_caller]
    pub fn wait<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>) {
        self.wait_within(mutex_guard, Limit::None);
    }

    /// The same, but for so long at most.
    #[track_caller]
    pub fn wait_for<T: ?Sized>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        timeout: Duration,
    ) -> WaitTimeoutResult {
        self.wait_within(mutex_guard, Limit::For(timeout))
    }

    /// The same, but until then at most.
    #[track_caller]
    pub fn wait_until<T: ?Sized>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        timeout: Instant,
    ) -> WaitTimeoutResult {
        self.wait_within(mutex_guard, Limit::Until(timeout))
    }

    /// Waits as long as `condition` is true.
    #[track_caller]
    pub fn wait_while<T: ?Sized, F>(&self, mutex_guard: &mut MutexGuard<'_, T>, condition: F)
    where
        F: FnMut(&mut T) -> bool,
    {
        self.wait_while_within(mutex_guard, condition, Limit::None);
    }

    /// Waits as long as `condition` is true, but for so long at most.
    #[track_caller]
    pub fn wait_while_for<T: ?Sized, F>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        condition: F,
        timeout: Duration,
    ) -> WaitTimeoutResult
    where
        F: FnMut(&mut T) -> bool,
    {
        let limit = if is_running() {
            Limit::For(timeout)
        } else {
            // For all waits together.
            Limit::For(timeout)
                .deadline()
                .map_or(Limit::None, Limit::Until)
        };
        self.wait_while_within(mutex_guard, condition, limit)
    }

    /// Waits as long as `condition` is true, but until then at most.
    #[track_caller]
    pub fn wait_while_until<T: ?Sized, F>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        condition: F,
        timeout: Instant,
    ) -> WaitTimeoutResult
    where
        F: FnMut(&mut T) -> bool,
    {
        self.wait_while_within(mutex_guard, condition, Limit::Until(timeout))
    }

    #[track_caller]
    fn wait_while_within<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut condition: impl FnMut(&mut T) -> bool,
        limit: Limit,
    ) -> WaitTimeoutResult {
        let mut result = WaitTimeoutResult(false);
        while !result.timed_out() && condition(&mut **guard) {
            result = self.wait_within(guard, limit);
        }
        result
    }

    #[track_caller]
    fn wait_within<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        limit: Limit,
    ) -> WaitTimeoutResult {
        let at = Location::caller();
        let held = guard.held();
        if let Some(condvar) = self.object() {
            let begin = |mutex| condvar::begin(condvar, mutex, Promise::NoSpuriousWakeUps, at);
            let end = |wait: Wait| wait.end(limit.alternatives());
            if let Some(has_timed_out) = held.wait_inside(begin, end, at) {
                return WaitTimeoutResult(has_timed_out);
            }
        }
        held.wait_outside(|real| match limit.deadline() {
            Some(deadline) => WaitTimeoutResult(self.real.wait_until(real, deadline).timed_out()),
            None => {
                self.real.wait(real);
                WaitTimeoutResult(false)
            }
        })
    }

    /// Wakes one of the threads that wait. Returns whether there was one.
    #[track_caller]
    pub fn notify_one(&self) -> bool {
        match self.object() {
            Some(condvar) => condvar::notify_one(condvar),
            None => self.real.notify_one(),
        }
    }

    /// Wakes all threads that wait. Returns how many there were.
    #[track_caller]
    pub fn notify_all(&self) -> usize {
        match self.object() {
            Some(condvar) => condvar::notify_all(condvar),
            None => self.real.notify_all(),
        }
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Self {
        Condvar::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}

impl Named for Condvar {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        Identity::name(self.object(), name.into());
        self
    }
}
