//! The mutex without poison.

use std::borrow::Cow;
use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use ::parking_lot as real;

use crate::Named;
use crate::execution::{Guarded, Identity};
use crate::model::mutex;
use crate::sync::worlds::{Entered, Worlds};
use crate::trace::ObjectId;

/// Like `parking_lot::Mutex`: a mutex that is not poisoned by a panic.
///
/// In an execution, `lock` is a step that is possible while nobody holds the mutex, `try_lock` and
/// `is_locked` are always possible, and the drop of the guard is a step.
///
/// ```
/// use racelab::parking_lot::Mutex;
///
/// let balance = Mutex::new(100);
/// *balance.lock() -= 30;
/// assert_eq!(balance.into_inner(), 70);
/// ```
pub struct Mutex<T: ?Sized> {
    identity: Guarded,
    /// The lock itself, outside of executions. Inside, the execution knows who holds it.
    real: real::Mutex<()>,
    worlds: Worlds,
    value: UnsafeCell<T>,
}

#[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
// SAFETY: as for the real mutex: who has the mutex can take the value out of it on another thread.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}

#[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
// SAFETY: the value is only reached through a guard, and there is one guard at a time: outside an
// execution since the real lock is held, inside since the execution grants the lock to one thread.
// The two are kept apart, as in `sync::Mutex`.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    constructor! {
        /// Makes a new mutex, which nobody holds.
        pub fn new(value: T) -> Self {
            Mutex {
                identity: Guarded::new(),
                real: real::const_mutex(()),
                worlds: Worlds::new(),
                value: UnsafeCell::new(value),
            }
        }
    }

    #[cfg(feature = "loom")]
    #[track_caller]
    fn made(&self) {
        mutex::made(&self.identity);
    }

    /// The value. Not an operation.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Acquires the mutex, and waits until that is possible.
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        let Some(object) = self.object() else {
            let real = self.real.lock();
            return self.guard(Some(real), self.worlds.enter_outside());
        };
        mutex::acquire(object);
        self.guard(None, self.worlds.enter_inside())
    }

    /// Acquires the mutex if nobody holds it.
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let Some(object) = self.object() else {
            let real = self.real.try_lock()?;
            let entered = self.worlds.try_enter_outside()?;
            return Some(self.guard(Some(real), entered));
        };
        mutex::try_acquire(object).then(|| self.guard(None, self.worlds.enter_inside()))
    }

    /// Whether somebody holds the mutex. One step.
    #[track_caller]
    pub fn is_locked(&self) -> bool {
        match self.object() {
            Some(object) => mutex::look(object),
            None => self.real.is_locked(),
        }
    }

    /// The value, by a reference that nobody else can have. Not an operation.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// The mutex in the current execution, or `None` outside of one.
    #[inline]
    #[track_caller]
    fn object(&self) -> Option<ObjectId> {
        mutex::object(&self.identity, || self.worlds.begin("Mutex"))
    }

    fn guard<'a>(
        &'a self,
        real: Option<real::MutexGuard<'a, ()>>,
        entered: Entered<'a>,
    ) -> MutexGuard<'a, T> {
        MutexGuard {
            mutex: self,
            entered: Some(entered),
            _real: real,
            not_send: PhantomData,
        }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    /// Does not show the value, since to look at it would be an operation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex").finish_non_exhaustive()
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Mutex::new(value)
    }
}

impl<T> Named for Mutex<T> {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        Identity::name(self.object(), name.into());
        self
    }
}

/// Like `parking_lot::MutexGuard`: holds a [`Mutex`] until it is dropped.
#[must_use = "the mutex is released at once if the guard is not kept"]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    /// Dropped before the mutex is released.
    entered: Option<Entered<'a>>,
    /// The guard of the lock itself, outside of executions.
    _real: Option<real::MutexGuard<'a, ()>>,
    /// A guard stays on the thread that locked.
    not_send: PhantomData<*const ()>,
}

#[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
// SAFETY: a shared guard hands out shared references to the value only.
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        let entered = self.entered.take();
        let is_inside = entered.as_ref().is_some_and(Entered::is_inside);
        drop(entered);
        // The real lock releases itself.
        if let Some(object) = self.mutex.identity.known().filter(|_| is_inside) {
            mutex::release(object);
        }
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
    fn deref(&self) -> &T {
        // SAFETY: while this guard lives there is no other one, and the guard itself is borrowed
        // shared, so that there is no exclusive reference.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
    fn deref_mut(&mut self) -> &mut T {
        self.mutex.identity.lend(size_of_val(&self.mutex.value));
        // SAFETY: while this guard lives there is no other one, and the guard itself is borrowed
        // exclusively.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
