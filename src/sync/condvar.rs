//! The condition variable.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::{self as real, LockResult, PoisonError};
use std::time::Duration;

use crate::Named;
use crate::execution::{Alternatives, Identity, is_running};
use crate::model::condvar::{self, Promise};
use crate::trace::ObjectId;

use super::mutex::{Mutex, MutexGuard};

/// Like [`std::sync::Condvar`].
///
/// In an execution, the start of waiting is a step, in which the mutex is released. Its end is
/// another one, which is possible after a notification, while nobody holds the mutex; it takes the
/// mutex again. Which of several waiting threads [`notify_one`](Self::notify_one) wakes is a choice of the
/// search. Spurious wake-ups are explored by [`check`](crate::check()), and where
/// [`Explorer::spurious`](crate::Explorer::spurious) says so. A wait with a time limit may end by a step of its
/// own, whatever the limit is.
///
/// ```
/// use racelab::sync::{Condvar, Mutex};
/// use racelab::thread;
///
/// let (ready, changed) = (Mutex::new(false), Condvar::new());
/// thread::scope(|scope| {
///     scope.spawn(|| {
///         *ready.lock().unwrap() = true;
///         changed.notify_one();
///     });
///     let ready = changed.wait_while(ready.lock().unwrap(), |ready| !*ready).unwrap();
///     assert!(*ready);
/// });
/// ```
pub struct Condvar {
    identity: Identity,
    real: real::Condvar,
}

/// Like [`std::sync::WaitTimeoutResult`]: whether a wait ended since its time was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was over.
    pub fn timed_out(&self) -> bool {
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
    /// # Errors
    ///
    /// If the mutex is poisoned. The error holds the guard.
    ///
    /// # Panics
    ///
    /// Outside an execution, if used with more than one mutex, as std's may.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let (mutex, held) = guard.parts();
        if let (Some(condvar), Some(held)) = (self.object(), held) {
            let waited = wait_modelled(condvar, mutex, held, guard, Alternatives::None);
            waited
                .map(|(guard, _)| guard)
                .map_err(|error| PoisonError::new(error.into_inner().0))
        } else {
            match self.real.wait(guard.into_real().expect("a real guard")) {
                Ok(real) => Ok(mutex.outside(real)),
                Err(error) => Err(PoisonError::new(mutex.outside(error.into_inner()))),
            }
        }
    }

    /// Waits as long as `condition` is true.
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned. The error holds the guard.
    #[track_caller]
    pub fn wait_while<'a, T, F: FnMut(&mut T) -> bool>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: F,
    ) -> LockResult<MutexGuard<'a, T>> {
        while condition(&mut *guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Like [`wait`](Self::wait), but for so long at most.
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned. The error holds the guard.
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        duration: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let (mutex, held) = guard.parts();
        if let (Some(condvar), Some(held)) = (self.object(), held) {
            wait_modelled(condvar, mutex, held, guard, Alternatives::Timeout)
        } else {
            let real = guard.into_real().expect("a real guard");
            match self.real.wait_timeout(real, duration) {
                Ok((real, result)) => with_result(Ok(mutex.outside(real)), result.timed_out()),
                Err(error) => {
                    let (real, result) = error.into_inner();
                    let guard = Err(PoisonError::new(mutex.outside(real)));
                    with_result(guard, result.timed_out())
                }
            }
        }
    }

    /// Like [`wait_timeout`](Self::wait_timeout), in milliseconds. Returns with the guard whether the
    /// time was *not* over.
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned. The error holds the guard.
    #[deprecated(note = "use `wait_timeout`")]
    #[track_caller]
    pub fn wait_timeout_ms<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        ms: u32,
    ) -> LockResult<(MutexGuard<'a, T>, bool)> {
        let was_woken = |(guard, result): Waited<'a, T>| (guard, !result.timed_out());
        match self.wait_timeout(guard, Duration::from_millis(ms.into())) {
            Ok(waited) => Ok(was_woken(waited)),
            Err(error) => Err(PoisonError::new(was_woken(error.into_inner()))),
        }
    }

    /// Waits as long as `condition` is true, but for so long at most.
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned. The error holds the guard.
    #[track_caller]
    pub fn wait_timeout_while<'a, T, F: FnMut(&mut T) -> bool>(
        &self,
        mut guard: MutexGuard<'a, T>,
        duration: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        // Under the lab there is no time, so that a clock would only make it unpredictable.
        let start = (!is_running()).then(std::time::Instant::now);
        loop {
            if !condition(&mut *guard) {
                return Ok((guard, WaitTimeoutResult(false)));
            }
            let left = match start.map(|start| duration.checked_sub(start.elapsed())) {
                Some(None) => return Ok((guard, WaitTimeoutResult(true))),
                Some(Some(left)) => left,
                None => duration,
            };
            let (regained, result) = self.wait_timeout(guard, left)?;
            guard = regained;
            if start.is_none() && result.timed_out() {
                let is_over = condition(&mut *guard);
                return Ok((guard, WaitTimeoutResult(is_over)));
            }
        }
    }

    /// Wakes one of the threads that wait, if there are any.
    #[track_caller]
    pub fn notify_one(&self) {
        let Some(condvar) = self.object() else {
            return self.real.notify_one();
        };
        condvar::notify_one(condvar);
    }

    /// Wakes all threads that wait.
    #[track_caller]
    pub fn notify_all(&self) {
        let Some(condvar) = self.object() else {
            return self.real.notify_all();
        };
        condvar::notify_all(condvar);
    }
}

/// A wait of a modelled condition variable: the release of the mutex and the end of the wait, as
/// two steps or, with a time limit, three.
#[track_caller]
fn wait_modelled<'a, T>(
    condvar: ObjectId,
    mutex: &'a Mutex<T>,
    held: ObjectId,
    guard: MutexGuard<'a, T>,
    alternatives: Alternatives,
) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
    // If the wait is ended by the end of the execution, the guard releases the mutex.
    let wait = condvar::begin(condvar, held, Promise::Nothing, Location::caller());
    // From here on it has nothing to release.
    let _ = guard.into_real();
    let timed_out = wait.end(alternatives);
    with_result(MutexGuard::regained(mutex), timed_out)
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

type Waited<'a, T> = (MutexGuard<'a, T>, WaitTimeoutResult);

fn with_result<T>(
    guard: LockResult<MutexGuard<'_, T>>,
    is_over: bool,
) -> LockResult<Waited<'_, T>> {
    let result = WaitTimeoutResult(is_over);
    match guard {
        Ok(guard) => Ok((guard, result)),
        Err(error) => Err(PoisonError::new((error.into_inner(), result))),
    }
}
