//! The read-write lock.

use std::borrow::Cow;
use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::sync::{self as real, LockResult, TryLockError, TryLockResult};
use std::thread::panicking;

use crate::Named;
use crate::execution::{Alternatives, Guarded, Identity};
use crate::model::read_write::{self, Access, Mode};
use crate::trace::ObjectId;

use super::poison::{Poison, held, poison_if};
use super::worlds::{Acquired, Waits, World, Worlds};

/// Like [`std::sync::RwLock`], poisoning and unsized values included.
///
/// In an execution, `read` is a step that is possible while nobody holds the lock for writing,
/// `write` is one that is possible while nobody holds it at all, `try_read` and `try_write` are
/// always possible, and the drop of a guard is a step.
///
/// std leaves open whether a thread can read while another one waits to write. Both are explored: that
/// it reads, and, where no thread could do anything else, that it waits for ever. So a thread that reads
/// twice at a time can deadlock.
///
/// ```
/// use racelab::sync::RwLock;
///
/// let prices = RwLock::new(vec![3, 5]);
/// assert_eq!(prices.read().unwrap().len(), 2);
/// prices.write().unwrap().push(8);
/// assert_eq!(prices.into_inner().unwrap(), [3, 5, 8]);
/// ```
pub struct RwLock<T: ?Sized> {
    identity: Guarded,
    /// The lock itself, outside of executions. Inside, the execution knows who holds it.
    real: real::RwLock<()>,
    worlds: Worlds,
    poison: Poison,
    value: UnsafeCell<T>,
}

#[expect(unsafe_code, reason = "the guards hand out the value in the cell")]
// SAFETY: as for std's lock: who has the lock can take the value out of it on another thread.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}

#[expect(unsafe_code, reason = "the guards hand out the value in the cell")]
// SAFETY: the value is only reached through a guard. While there is one for writing there is no
// other one: outside an execution since the real lock is held, inside since the execution grants
// the lock so. `worlds` keeps the two apart, and an execution that uses the lock has claimed it, so
// that no other one does until it has ended. In a doomed execution, in which destructors run that take locks, they wait until
// the threads that held one have been unwound, and never return if they wait for each other.
// Several threads read at a time, so that the value has to be `Sync`.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

impl<T: ?Sized> UnwindSafe for RwLock<T> {}
impl<T: ?Sized> RefUnwindSafe for RwLock<T> {}

impl<T> RwLock<T> {
    constructor! {
        /// Makes a new lock, which nobody holds.
        pub fn new(value: T) -> Self {
            RwLock {
                identity: Guarded::new(),
                real: real::RwLock::new(()),
                worlds: Worlds::new(),
                poison: Poison::new(),
                value: UnsafeCell::new(value),
            }
        }
    }

    #[cfg(feature = "loom")]
    #[track_caller]
    fn made(&self) {
        read_write::made(&self.identity);
    }

    /// The value. Not an operation.
    ///
    /// # Errors
    ///
    /// If the lock is poisoned.
    pub fn into_inner(self) -> LockResult<T> {
        let is_poisoned = self.is_poisoned();
        poison_if(is_poisoned, self.value.into_inner())
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Acquires the lock for reading, and waits until that is possible.
    ///
    /// # Errors
    ///
    /// If a thread panicked while it held the lock for writing. The error holds the guard.
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let at = Location::caller();
        let real = || Some(self.real.read());
        let model = |object| read_write::acquire(object, Access::Read, Alternatives::None, at);
        let acquired = self
            .worlds
            .acquire(self.object(), Waits::Always, real, model);
        self.reader(acquired.expect("there is no limit of time"))
    }

    /// Acquires the lock for reading if nobody holds it for writing.
    ///
    /// # Errors
    ///
    /// If somebody holds the lock for writing, or if a thread panicked while it did. The second
    /// error holds the guard.
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let at = Location::caller();
        let real = || held(self.real.try_read());
        let model = |object| read_write::try_acquire(object, Access::Read, at);
        let acquired = self
            .worlds
            .acquire(self.object(), Waits::Never, real, model);
        Ok(self.reader(acquired.ok_or(TryLockError::WouldBlock)?)?)
    }

    /// Acquires the lock for writing, and waits until that is possible.
    ///
    /// # Errors
    ///
    /// If a thread panicked while it held the lock for writing. The error holds the guard.
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let at = Location::caller();
        let real = || Some(self.real.write());
        let model = |object| read_write::acquire(object, Access::Write, Alternatives::None, at);
        let acquired = self
            .worlds
            .acquire(self.object(), Waits::Always, real, model);
        self.writer(acquired.expect("there is no limit of time"))
    }

    /// Acquires the lock for writing if nobody holds it.
    ///
    /// # Errors
    ///
    /// If somebody holds the lock, or if a thread panicked while it held it for writing. The
    /// second error holds the guard.
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let at = Location::caller();
        let real = || held(self.real.try_write());
        let model = |object| read_write::try_acquire(object, Access::Write, at);
        let acquired = self
            .worlds
            .acquire(self.object(), Waits::Never, real, model);
        Ok(self.writer(acquired.ok_or(TryLockError::WouldBlock)?)?)
    }

    /// Whether a thread panicked while it held the lock for writing. Not an operation.
    pub fn is_poisoned(&self) -> bool {
        match self.identity.known() {
            Some(_) => self.poison.is_set(),
            None => self.real.is_poisoned(),
        }
    }

    /// Makes the lock as if no thread had panicked. Not an operation.
    pub fn clear_poison(&self) {
        match self.identity.known() {
            Some(_) => self.poison.clear(),
            None => self.real.clear_poison(),
        }
    }

    /// The value, by a reference that nobody else can have. Not an operation.
    ///
    /// # Errors
    ///
    /// If the lock is poisoned.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let is_poisoned = self.is_poisoned();
        poison_if(is_poisoned, self.value.get_mut())
    }

    #[track_caller]
    fn reader<'a>(
        &'a self,
        acquired: Acquired<LockResult<real::RwLockReadGuard<'a, ()>>>,
    ) -> LockResult<RwLockReadGuard<'a, T>> {
        let (is_poisoned, real) = self.poison.told(acquired);
        poison_if(is_poisoned, self.new_reader(real))
    }

    #[track_caller]
    fn new_reader<'a>(
        &'a self,
        real: Option<real::RwLockReadGuard<'a, ()>>,
    ) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard {
            lock: self,
            _real: real,
            at: Location::caller(),
            not_send: PhantomData,
        }
    }

    #[track_caller]
    fn writer<'a>(
        &'a self,
        acquired: Acquired<LockResult<real::RwLockWriteGuard<'a, ()>>>,
    ) -> LockResult<RwLockWriteGuard<'a, T>> {
        self.identity.guards(size_of_val(&self.value));
        let (is_poisoned, real) = self.poison.told(acquired);
        let guard = RwLockWriteGuard {
            lock: self,
            real,
            at: Location::caller(),
            was_panicking: panicking(),
            not_send: PhantomData,
        };
        poison_if(is_poisoned, guard)
    }

    /// The lock in the current execution, or `None` outside of one.
    #[inline]
    #[track_caller]
    fn object(&self) -> Option<ObjectId> {
        let used_at = Location::caller();
        let begin = || {
            self.worlds.begin("RwLock", used_at);
            self.poison.begin(self.real.is_poisoned());
        };
        read_write::object(&self.identity, begin)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    /// Does not show the value, since to look at it would be an operation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RwLock")
            .field("poisoned", &self.is_poisoned())
            .finish_non_exhaustive()
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

impl<T> RwLock<T> {
    /// Names the lock, which may be in use.
    pub(crate) fn name(&self, name: Cow<'static, str>) {
        Identity::name(self.object(), name);
    }
}

impl<T> Named for RwLock<T> {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name(name.into());
        self
    }
}

/// Like [`std::sync::RwLockReadGuard`]: holds an [`RwLock`] for reading until it is dropped.
#[must_use = "the lock is released at once if the guard is not kept"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    /// The guard of the lock itself, outside of executions.
    _real: Option<real::RwLockReadGuard<'a, ()>>,
    /// Where the lock was acquired.
    at: &'static Location<'static>,
    /// As std's, a guard stays on the thread that locked.
    not_send: PhantomData<*const ()>,
}

/// Like [`std::sync::RwLockWriteGuard`]: holds an [`RwLock`] for writing until it is dropped.
#[must_use = "the lock is released at once if the guard is not kept"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    /// The guard of the lock itself, outside of executions.
    real: Option<real::RwLockWriteGuard<'a, ()>>,
    /// Where the lock was acquired.
    at: &'static Location<'static>,
    was_panicking: bool,
    /// As std's, a guard stays on the thread that locked.
    not_send: PhantomData<*const ()>,
}

#[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
// SAFETY: a shared guard hands out shared references to the value only.
unsafe impl<T: ?Sized + Sync> Sync for RwLockReadGuard<'_, T> {}

#[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
// SAFETY: a shared guard hands out shared references to the value only.
unsafe impl<T: ?Sized + Sync> Sync for RwLockWriteGuard<'_, T> {}

#[cfg(rwlock_downgrade)]
impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Goes on to hold the lock for reading only, so that no writer comes in between. One step.
    #[track_caller]
    #[expect(clippy::incompatible_msrv, reason = "it is here only where std has it")]
    pub fn downgrade(s: Self) -> RwLockReadGuard<'a, T> {
        let lock = s.lock;
        if let Some(object) = s.held() {
            read_write::downgrade(object, Mode::Write, Mode::Read, Location::caller());
        }
        // It holds the lock for reading from now on.
        let real = ManuallyDrop::new(s).real.take();
        lock.new_reader(real.map(real::RwLockWriteGuard::downgrade))
    }
}

macro_rules! held {
    ($($guard:ident)*) => {$(
        impl<T: ?Sized> $guard<'_, T> {
            /// The lock in the execution, if it is held by a thread of one.
            fn held(&self) -> Option<ObjectId> {
                let is_inside = self.lock.worlds.of_guard() == World::Inside;
                self.lock.identity.known().filter(|_| is_inside)
            }
        }
    )*};
}

held!(RwLockReadGuard RwLockWriteGuard);

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        let held = self.held();
        self.lock.worlds.leave();
        if let Some(object) = held {
            // `#[track_caller]` has nothing to say in a destructor: an unlock stands at its lock.
            read_write::release(object, Mode::Read, self.at);
        }
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        let held = self.held();
        self.lock.worlds.leave();
        if let Some(object) = held {
            self.lock.poison.note_end(self.was_panicking);
            read_write::release(object, Mode::Write, self.at);
        }
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
    fn deref(&self) -> &T {
        // SAFETY: while this guard lives there is none for writing, and the others hand out shared
        // references only.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
    fn deref(&self) -> &T {
        // SAFETY: while this guard lives there is no other one, and the guard itself is borrowed
        // shared, so that there is no exclusive reference.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
    fn deref_mut(&mut self) -> &mut T {
        self.lock.identity.lend(size_of_val(&self.lock.value));
        // SAFETY: while this guard lives there is no other one, and the guard itself is borrowed
        // exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

macro_rules! shown_as_the_value {
    ($($guard:ident)*) => {$(
        impl<T: ?Sized + fmt::Debug> fmt::Debug for $guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<T: ?Sized + fmt::Display> fmt::Display for $guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }
    )*};
}

shown_as_the_value!(RwLockReadGuard RwLockWriteGuard);
