//! The read-write lock of tasks.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use crate::Named;
use crate::trace::Operation;

use super::TryLockError;
use super::blocking::block_on;
use super::lock::{AlsoShared, Core, Exclusive, Lock, Locks, Shared, guard, map, refused};

/// Like [`tokio::sync::RwLock`]: a lock that many tasks hold to read, or one to write. They acquire
/// it in the order in which they ask.
///
/// In an execution it is one step to acquire it, as each poll of who waits is, to look whether that
/// is possible, and to release it.
pub struct RwLock<T: ?Sized>(Lock<AlsoShared, T>);

/// As tokio has it.
const MAX_READS: u32 = u32::MAX >> 3;

const fn alone(max_reads: u32) -> (Operation, u32) {
    assert!(
        max_reads <= MAX_READS,
        "a RwLock may not be created with more than 536870911 readers"
    );
    (Operation::WriteLock, max_reads)
}

impl<T> RwLock<T> {
    /// A lock that nobody holds.
    #[track_caller]
    pub fn new(value: T) -> Self {
        RwLock(Lock::new("RwLock", alone(MAX_READS), value))
    }

    /// A lock that nobody holds, and at most `max_reads` can hold to read.
    ///
    /// # Panics
    ///
    /// If that is more than `u32::MAX >> 3`.
    #[track_caller]
    pub fn with_max_readers(value: T, max_reads: u32) -> Self {
        RwLock(Lock::new("RwLock", alone(max_reads), value))
    }

    /// Like [`new`](Self::new), for statics: see [`statics!`](crate::statics).
    #[track_caller]
    pub const fn const_new(value: T) -> Self {
        RwLock(Lock::late("RwLock", alone(MAX_READS), value))
    }

    /// Like [`with_max_readers`](Self::with_max_readers), for statics.
    ///
    /// # Panics
    ///
    /// If they are more than `u32::MAX >> 3`.
    #[track_caller]
    pub const fn const_with_max_readers(value: T, max_reads: u32) -> Self {
        RwLock(Lock::late("RwLock", alone(max_reads), value))
    }

    /// What the lock guards.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Acquires the lock to read. Each poll is a step.
    #[track_caller]
    pub fn read(&self) -> impl Future<Output = RwLockReadGuard<'_, T>> + use<'_, T> {
        let acquired = self.0.shared(Location::caller());
        async move { RwLockReadGuard(acquired.await) }
    }

    /// Acquires the lock to write. Each poll is a step.
    #[track_caller]
    pub fn write(&self) -> impl Future<Output = RwLockWriteGuard<'_, T>> + use<'_, T> {
        let acquired = self.0.alone(Location::caller());
        async move { RwLockWriteGuard(acquired.await) }
    }

    /// Like [`read`](Self::read), on a thread that runs no tasks.
    ///
    /// # Panics
    ///
    /// In a task.
    #[track_caller]
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        block_on(self.read())
    }

    /// Like [`write`](Self::write), on a thread that runs no tasks.
    ///
    /// # Panics
    ///
    /// In a task.
    #[track_caller]
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        block_on(self.write())
    }

    /// Like [`read`](Self::read), with a guard that owns the lock.
    #[track_caller]
    pub fn read_owned(self: Arc<Self>) -> impl Future<Output = OwnedRwLockReadGuard<T>> + use<T> {
        let acquired = Shared::owned(self, Location::caller());
        async move { OwnedRwLockReadGuard(acquired.await) }
    }

    /// Like [`write`](Self::write), with a guard that owns the lock.
    #[track_caller]
    pub fn write_owned(self: Arc<Self>) -> impl Future<Output = OwnedRwLockWriteGuard<T>> + use<T> {
        let acquired = Exclusive::owned(self, Location::caller());
        async move { OwnedRwLockWriteGuard(acquired.await) }
    }

    /// Acquires the lock to read if that is possible now. One step.
    ///
    /// # Errors
    ///
    /// If somebody writes, or somebody is in line.
    #[track_caller]
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        let access = self.0.try_shared().ok_or_else(refused)?;
        Ok(RwLockReadGuard(access))
    }

    /// Acquires the lock to write if that is possible now. One step.
    ///
    /// # Errors
    ///
    /// If somebody reads or writes, or somebody is in line.
    #[track_caller]
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        let access = self.0.try_alone().ok_or_else(refused)?;
        Ok(RwLockWriteGuard(access))
    }

    /// Like [`try_read`](Self::try_read), with a guard that owns the lock.
    ///
    /// # Errors
    ///
    /// If somebody writes, or somebody is in line.
    #[track_caller]
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        let access = Shared::try_owned(self).ok_or_else(refused)?;
        Ok(OwnedRwLockReadGuard(access))
    }

    /// Like [`try_write`](Self::try_write), with a guard that owns the lock.
    ///
    /// # Errors
    ///
    /// If somebody reads or writes, or somebody is in line.
    #[track_caller]
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        let access = Exclusive::try_owned(self).ok_or_else(refused)?;
        Ok(OwnedRwLockWriteGuard(access))
    }

    /// What the lock guards, which nobody else can use meanwhile.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

impl<T: ?Sized> Locks for RwLock<T> {
    type Mode = AlsoShared;
    type Value = T;

    fn lock(&self) -> &Lock<AlsoShared, T> {
        &self.0
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        RwLock::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        RwLock::new(value)
    }
}

impl<T> Named for RwLock<T> {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.0.core.object.name(name.into());
        self
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("RwLock");
        match self.try_read() {
            Ok(guard) => text.field("data", &&*guard).finish(),
            Err(_) => text.field("data", &format_args!("<locked>")).finish(),
        }
    }
}

/// Like [`tokio::sync::RwLockReadGuard`]: what a lock guards, to read until it is dropped.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockReadGuard<'a, T: ?Sized>(Shared<&'a Core, T>);

/// Like [`tokio::sync::RwLockWriteGuard`]: what a lock guards, to change until it is dropped.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockWriteGuard<'a, T: ?Sized>(Exclusive<&'a Core, T>);

/// Like [`tokio::sync::RwLockMappedWriteGuard`]: a part of what a lock guards, to change.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockMappedWriteGuard<'a, T: ?Sized>(Exclusive<&'a Core, T>);

/// Like [`tokio::sync::OwnedRwLockReadGuard`]: a guard to read that owns its lock.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct OwnedRwLockReadGuard<T: ?Sized, U: ?Sized = T>(Shared<Arc<RwLock<T>>, U>);

/// Like [`tokio::sync::OwnedRwLockWriteGuard`]: a guard to write that owns its lock.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct OwnedRwLockWriteGuard<T: ?Sized>(Exclusive<Arc<RwLock<T>>, T>);

/// Like [`tokio::sync::OwnedRwLockMappedWriteGuard`]: a part of what a lock guards, to change, by a
/// guard that owns it.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct OwnedRwLockMappedWriteGuard<T: ?Sized, U: ?Sized = T>(Exclusive<Arc<RwLock<T>>, U>);

guard!(RwLockReadGuard<'a, T> for T);
guard!(mut RwLockWriteGuard<'a, T> for T);
guard!(mut RwLockMappedWriteGuard<'a, T> for T);
guard!(OwnedRwLockReadGuard<T, U> for U);
guard!(mut OwnedRwLockWriteGuard<T> for T);
guard!(mut OwnedRwLockMappedWriteGuard<T, U> for U);

map!(['a, T: ?Sized] RwLockReadGuard<'a, T> => RwLockReadGuard<'a; U>);
map!(['a, T: ?Sized] mut RwLockWriteGuard<'a, T> => RwLockMappedWriteGuard<'a; U>);
map!(['a, T: ?Sized] mut RwLockMappedWriteGuard<'a, T> => RwLockMappedWriteGuard<'a; U>);
map!([T: ?Sized, U: ?Sized] OwnedRwLockReadGuard<T, U> => OwnedRwLockReadGuard<T; V>);
map!([T: ?Sized] mut OwnedRwLockWriteGuard<T> => OwnedRwLockMappedWriteGuard<T; U>);
map!([T: ?Sized, U: ?Sized] mut OwnedRwLockMappedWriteGuard<T, U> => OwnedRwLockMappedWriteGuard<T; V>);

/// What a guard to write can become.
macro_rules! downgrade {
    ([$($generics:tt)*] $from:ty, $shared:ty, $mapped:ty, $to:ident<$argument:tt>) => {
        impl<$($generics)*> $from {
            /// Goes on to read only, and lets others read as well. One step.
            pub fn downgrade(self) -> $shared {
                $to(self.0.share())
            }

            /// Goes on to read only, and a part only, and lets others read as well. One step.
            pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> $to<$argument, U>
            where
                F: FnOnce(&T) -> &U,
            {
                $to(this.0.share_part(f))
            }

            /// Goes on to read only, and a part only, if there is that. One step then.
            ///
            /// # Errors
            ///
            /// If there is not. The error is the guard.
            pub fn try_downgrade_map<F, U: ?Sized>(
                this: Self,
                f: F,
            ) -> Result<$to<$argument, U>, Self>
            where
                F: FnOnce(&T) -> Option<&U>,
            {
                this.0.try_share_part(f).map($to).map_err(Self)
            }

            /// The guard as one of a part, which is all.
            pub fn into_mapped(this: Self) -> $mapped {
                Self::map(this, |all| all)
            }
        }
    };
}

downgrade!(
    ['a, T: ?Sized] RwLockWriteGuard<'a, T>,
    RwLockReadGuard<'a, T>,
    RwLockMappedWriteGuard<'a, T>,
    RwLockReadGuard<'a>
);
downgrade!(
    [T: ?Sized] OwnedRwLockWriteGuard<T>,
    OwnedRwLockReadGuard<T>,
    OwnedRwLockMappedWriteGuard<T>,
    OwnedRwLockReadGuard<T>
);

/// Which lock a guard is of that owns it.
macro_rules! rwlock {
    ($name:ident<$($parameter:ident),*>) => {
        impl<$($parameter: ?Sized),*> $name<$($parameter),*> {
            /// The lock.
            pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
                this.0.holding.lock()
            }
        }
    };
}

rwlock!(OwnedRwLockReadGuard<T, U>);
rwlock!(OwnedRwLockWriteGuard<T>);
rwlock!(OwnedRwLockMappedWriteGuard<T, U>);
