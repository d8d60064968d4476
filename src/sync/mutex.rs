//! The mutex.

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
use crate::model::mutex;
use crate::trace::ObjectId;

use super::poison::{Poison, held, poison_if};
use super::worlds::{Acquired, Waits, World, Worlds};

/// Like [`std::sync::Mutex`], poisoning and unsized values included.
///
/// In an execution, `lock` is a step that is possible while nobody holds the mutex, `try_lock` is
/// one that is always possible, and the drop of the guard is one.
///
/// ```
/// use racelab::sync::Mutex;
///
/// let balance = Mutex::new(100);
/// *balance.lock().unwrap() -= 30;
/// assert_eq!(balance.into_inner().unwrap(), 70);
/// ```
pub struct Mutex<T: ?Sized> {
    identity: Guarded,
    /// The lock itself, outside of executions. Inside, the execution knows who holds it.
    real: real::Mutex<()>,
    worlds: Worlds,
    poison: Poison,
    value: UnsafeCell<T>,
}

#[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
// SAFETY: as for std's mutex: who has the mutex can take the value out of it on another thread.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}

#[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
// SAFETY: the value is only reached through a guard, and there is one guard at a time: outside an
// execution since the real lock is held, inside since the execution grants the lock to one thread.
// `worlds` keeps the two apart, and an execution that uses the mutex has claimed it, so that no other
// one does until it has ended. In a doomed execution, in which destructors run that take locks, `lock` waits until the threads
// that held one have been unwound, and never returns if they wait for it in their turn.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T: ?Sized> UnwindSafe for Mutex<T> {}
impl<T: ?Sized> RefUnwindSafe for Mutex<T> {}

impl<T> Mutex<T> {
    constructor! {
        /// Makes a new mutex, which nobody holds.
        pub fn new(value: T) -> Self {
            Mutex {
                identity: Guarded::new(),
                real: real::Mutex::new(()),
                worlds: Worlds::new(),
                poison: Poison::new(),
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
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned.
    pub fn into_inner(self) -> LockResult<T> {
        let is_poisoned = self.is_poisoned();
        poison_if(is_poisoned, self.value.into_inner())
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Acquires the mutex, and waits until that is possible.
    ///
    /// # Errors
    ///
    /// If a thread panicked while it held the mutex. The error holds the guard.
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let at = Location::caller();
        let real = || Some(self.real.lock());
        let model = |object| mutex::acquire(object, Alternatives::None, at);
        let acquired = self
            .worlds
            .acquire(self.object(), Waits::Always, real, model);
        self.guard(acquired.expect("there is no limit of time"))
    }

    /// Acquires the mutex if nobody holds it.
    ///
    /// # Errors
    ///
    /// If somebody holds the mutex, or if a thread panicked while it held it. The second error
    /// holds the guard.
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let at = Location::caller();
        let real = || held(self.real.try_lock());
        let model = |object| mutex::try_acquire(object, at);
        let acquired = self
            .worlds
            .acquire(self.object(), Waits::Never, real, model);
        Ok(self.guard(acquired.ok_or(TryLockError::WouldBlock)?)?)
    }

    /// Whether a thread panicked while it held the mutex. Not an operation.
    pub fn is_poisoned(&self) -> bool {
        match self.identity.known() {
            Some(_) => self.poison.is_set(),
            None => self.real.is_poisoned(),
        }
    }

    /// Makes the mutex as if no thread had panicked. Not an operation.
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
    /// If the mutex is poisoned.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let is_poisoned = self.is_poisoned();
        poison_if(is_poisoned, self.value.get_mut())
    }

    /// The mutex in the current execution, or `None` outside of one.
    #[inline]
    #[track_caller]
    fn object(&self) -> Option<ObjectId> {
        let used_at = Location::caller();
        let begin = || {
            self.worlds.begin("Mutex", used_at);
            self.poison.begin(self.real.is_poisoned());
        };
        mutex::object(&self.identity, begin)
    }

    /// The guard of a mutex that the current thread outside of executions has been given back.
    pub(super) fn outside<'a>(&'a self, real: real::MutexGuard<'a, ()>) -> MutexGuard<'a, T> {
        self.worlds.enter_outside();
        self.new_guard(Some(real))
    }

    fn guard<'a>(
        &'a self,
        acquired: Acquired<LockResult<real::MutexGuard<'a, ()>>>,
    ) -> LockResult<MutexGuard<'a, T>> {
        self.identity.guards(size_of_val(&self.value));
        let (is_poisoned, real) = self.poison.told(acquired);
        poison_if(is_poisoned, self.new_guard(real))
    }

    fn new_guard<'a>(&'a self, real: Option<real::MutexGuard<'a, ()>>) -> MutexGuard<'a, T> {
        MutexGuard {
            mutex: self,
            real,
            was_panicking: panicking(),
            not_send: PhantomData,
        }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    /// Does not show the value, since to look at it would be an operation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex")
            .field("poisoned", &self.is_poisoned())
            .finish_non_exhaustive()
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

/// Like [`std::sync::MutexGuard`]: holds a [`Mutex`] until it is dropped. The mutex cannot be moved
/// before:
///
/// ```compile_fail,E0505
/// let mutex = racelab::sync::Mutex::new(1);
/// let guard = mutex.lock().unwrap();
/// let moved = mutex;
/// drop(guard);
/// ```
#[must_use = "the mutex is released at once if the guard is not kept"]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    /// The guard of the lock itself, outside of executions.
    real: Option<real::MutexGuard<'a, ()>>,
    was_panicking: bool,
    /// As std's, a guard stays on the thread that locked.
    not_send: PhantomData<*const ()>,
}

#[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
// SAFETY: a shared guard hands out shared references to the value only.
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// The mutex that is held, and its object in the execution.
    pub(super) fn parts(&self) -> (&'a Mutex<T>, Option<ObjectId>) {
        (self.mutex, self.held())
    }

    /// Takes the guard of the lock itself, so that the mutex is not released.
    pub(super) fn into_real(self) -> Option<real::MutexGuard<'a, ()>> {
        let mut guard = ManuallyDrop::new(self);
        guard.mutex.worlds.leave();
        guard.real.take()
    }

    /// The guard of a mutex that the current thread of an execution has been given back.
    pub(super) fn regained(mutex: &'a Mutex<T>) -> LockResult<Self> {
        mutex.worlds.enter_inside();
        mutex.guard(Acquired::Inside)
    }
}

impl<T: ?Sized> MutexGuard<'_, T> {
    /// The object in the execution, if it is a thread of one that holds the mutex.
    fn held(&self) -> Option<ObjectId> {
        let is_inside = self.mutex.worlds.of_guard() == World::Inside;
        self.mutex.identity.known().filter(|_| is_inside)
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        let held = self.held();
        self.mutex.worlds.leave();
        // The real lock releases itself, and notices a panic itself.
        if let Some(object) = held {
            self.mutex.poison.note_end(self.was_panicking);
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
