//! The mutex of tasks.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use crate::Named;
use crate::trace::Operation;

use super::TryLockError;
use super::blocking::block_on;
use super::lock::{Alone, Core, Exclusive, Lock, Locks, guard, map, refused};

/// Like [`tokio::sync::Mutex`]: a lock that tasks acquire in the order in which they ask, and may
/// hold across an `await`.
///
/// In an execution it is one step to acquire it, as each poll of who waits is, to look whether that
/// is possible, and to release it.
pub struct Mutex<T: ?Sized>(Lock<Alone, T>);

const ALONE: (Operation, u32) = (Operation::Lock, 1);

impl<T> Mutex<T> {
    /// A mutex that nobody holds.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Mutex(Lock::new("Mutex", ALONE, value))
    }

    /// Like [`new`](Self::new), for statics: see [`statics!`](crate::statics).
    #[track_caller]
    pub const fn const_new(value: T) -> Self {
        Mutex(Lock::late("Mutex", ALONE, value))
    }

    /// What the mutex guards.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Acquires the mutex. Each poll is a step.
    #[track_caller]
    pub fn lock(&self) -> impl Future<Output = MutexGuard<'_, T>> + use<'_, T> {
        let acquired = self.0.alone(Location::caller());
        async move { MutexGuard(acquired.await, self) }
    }

    /// Acquires the mutex on a thread that runs no tasks.
    ///
    /// # Panics
    ///
    /// In a task.
    #[track_caller]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        block_on(self.lock())
    }

    /// Like [`blocking_lock`](Self::blocking_lock), with a guard that owns the mutex.
    ///
    /// # Panics
    ///
    /// In a task.
    #[track_caller]
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        block_on(self.lock_owned())
    }

    /// Like [`lock`](Self::lock), with a guard that owns the mutex.
    #[track_caller]
    pub fn lock_owned(self: Arc<Self>) -> impl Future<Output = OwnedMutexGuard<T>> + use<T> {
        let acquired = Exclusive::owned(self, Location::caller());
        async move { OwnedMutexGuard(acquired.await) }
    }

    /// Acquires the mutex if nobody holds it. One step.
    ///
    /// # Errors
    ///
    /// If somebody holds it, or somebody else is the first in line.
    #[track_caller]
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        let access = self.0.try_alone().ok_or_else(refused)?;
        Ok(MutexGuard(access, self))
    }

    /// Like [`try_lock`](Self::try_lock), with a guard that owns the mutex.
    ///
    /// # Errors
    ///
    /// If somebody holds it, or somebody else is the first in line.
    #[track_caller]
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        let access = Exclusive::try_owned(self).ok_or_else(refused)?;
        Ok(OwnedMutexGuard(access))
    }

    /// What the mutex guards, which nobody else can use meanwhile.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

impl<T: ?Sized> Locks for Mutex<T> {
    type Mode = Alone;
    type Value = T;

    fn lock(&self) -> &Lock<Alone, T> {
        &self.0
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
        self.0.core.object.name(name.into());
        self
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Mutex");
        match self.try_lock() {
            Ok(guard) => text.field("data", &&*guard).finish(),
            Err(_) => text.field("data", &format_args!("<locked>")).finish(),
        }
    }
}

/// Like [`tokio::sync::MutexGuard`]: access to what a mutex guards, until it is dropped.
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MutexGuard<'a, T: ?Sized>(Exclusive<&'a Core, T>, &'a Mutex<T>);

/// Like [`tokio::sync::MappedMutexGuard`]: access to a part of what a mutex guards.
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MappedMutexGuard<'a, T: ?Sized>(Exclusive<&'a Core, T>);

/// Like [`tokio::sync::OwnedMutexGuard`]: a guard that owns its mutex.
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct OwnedMutexGuard<T: ?Sized>(Exclusive<Arc<Mutex<T>>, T>);

/// Like [`tokio::sync::OwnedMappedMutexGuard`]: access to a part of what a mutex guards, by a guard
/// that owns it.
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct OwnedMappedMutexGuard<T: ?Sized, U: ?Sized = T>(Exclusive<Arc<Mutex<T>>, U>);

guard!(mut MutexGuard<'a, T> for T);
guard!(mut MappedMutexGuard<'a, T> for T);
guard!(mut OwnedMutexGuard<T> for T);
guard!(mut OwnedMappedMutexGuard<T, U> for U);

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// The mutex.
    pub fn mutex(this: &Self) -> &'a Mutex<T> {
        this.1
    }
}

impl<T: ?Sized> OwnedMutexGuard<T> {
    /// The mutex.
    pub fn mutex(this: &Self) -> &Arc<Mutex<T>> {
        this.0.holding.lock()
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// Keeps a part of what is guarded.
    pub fn map<U: ?Sized, F>(this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        MappedMutexGuard(this.0.map(f))
    }

    /// Keeps a part of what is guarded, if there is that.
    ///
    /// # Errors
    ///
    /// If there is not. The error is the guard.
    pub fn try_map<U: ?Sized, F>(this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let MutexGuard(access, mutex) = this;
        let mapped = access.try_map(f).map(MappedMutexGuard);
        mapped.map_err(|access| MutexGuard(access, mutex))
    }
}

map!([T: ?Sized] mut OwnedMutexGuard<T> => OwnedMappedMutexGuard<T; U>);
map!(['a, T: ?Sized] mut MappedMutexGuard<'a, T> => MappedMutexGuard<'a; U>);
map!([T: ?Sized, U: ?Sized] mut OwnedMappedMutexGuard<T, U> => OwnedMappedMutexGuard<T; S>);
