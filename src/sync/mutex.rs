//! The mutex.

use std::borrow::Cow;
use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{self as real, LockResult, PoisonError, TryLockError, TryLockResult};
use std::thread::panicking;

use crate::Named;
use crate::execution::Binding;
use crate::model::mutex;
use crate::trace::ObjectId;

use super::poison::{Poison, poison_if};

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
    binding: Binding,
    /// The lock itself, outside of executions. Inside, the execution knows who holds it.
    real: real::Mutex<()>,
    poison: Poison,
    value: UnsafeCell<T>,
}

#[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
// SAFETY: as for std's mutex: who has the mutex can take the value out of it on another thread.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}

#[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
// SAFETY: the value is only reached through a guard, and there is one guard at a time: outside an
// execution since the real lock is held, inside since the execution grants the lock to one thread.
// In a doomed execution, in which destructors run that take locks, `lock` waits until the threads
// that held one have been unwound, and never returns if they wait for it in their turn.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T: ?Sized> UnwindSafe for Mutex<T> {}
impl<T: ?Sized> RefUnwindSafe for Mutex<T> {}

impl<T> Mutex<T> {
    /// Makes a new mutex, which nobody holds.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Mutex {
            binding: mutex::bind(),
            real: real::Mutex::new(()),
            poison: Poison::default(),
            value: UnsafeCell::new(value),
        }
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
        let Some(object) = self.binding.object() else {
            return match self.real.lock() {
                Ok(held) => Ok(self.guard(Some(held))),
                Err(error) => Err(PoisonError::new(self.guard(Some(error.into_inner())))),
            };
        };
        mutex::acquire(object);
        poison_if(self.poison.shows(), self.guard(None))
    }

    /// Acquires the mutex if nobody holds it.
    ///
    /// # Errors
    ///
    /// If somebody holds the mutex, or if a thread panicked while it held it. The second error
    /// holds the guard.
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let Some(object) = self.binding.object() else {
            return match self.real.try_lock() {
                Ok(held) => Ok(self.guard(Some(held))),
                Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
                Err(TryLockError::Poisoned(error)) => {
                    let guard = self.guard(Some(error.into_inner()));
                    Err(TryLockError::Poisoned(PoisonError::new(guard)))
                }
            };
        };
        if mutex::try_acquire(object) {
            Ok(poison_if(self.poison.shows(), self.guard(None))?)
        } else {
            Err(TryLockError::WouldBlock)
        }
    }

    /// Whether a thread panicked while it held the mutex. Not an operation.
    pub fn is_poisoned(&self) -> bool {
        if self.binding.is_real() {
            self.real.is_poisoned()
        } else {
            self.poison.is_set()
        }
    }

    /// Makes the mutex as if no thread had panicked. Not an operation.
    pub fn clear_poison(&self) {
        self.real.clear_poison();
        self.poison.clear();
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

    fn guard<'a>(&'a self, real: Option<real::MutexGuard<'a, ()>>) -> MutexGuard<'a, T> {
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
        self.binding.name(name.into());
        self
    }
}

/// Like [`std::sync::MutexGuard`]: holds a [`Mutex`] until it is dropped.
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
        let mutex = self.mutex;
        (
            mutex,
            if mutex.binding.is_real() {
                None
            } else {
                mutex.binding.object()
            },
        )
    }

    /// Takes the guard of the lock itself, so that the mutex is not released.
    pub(super) fn into_real(self) -> Option<real::MutexGuard<'a, ()>> {
        let mut guard = std::mem::ManuallyDrop::new(self);
        guard.real.take()
    }

    /// The guard of a mutex that the current thread has been given back.
    pub(super) fn regained(
        mutex: &'a Mutex<T>,
        real: LockResult<Option<real::MutexGuard<'a, ()>>>,
    ) -> LockResult<Self> {
        match real {
            Ok(real) => {
                let guard = mutex.guard(real);
                let is_poisoned = guard.real.is_none() && mutex.poison.shows();
                poison_if(is_poisoned, guard)
            }
            Err(error) => Err(PoisonError::new(mutex.guard(error.into_inner()))),
        }
    }

    #[track_caller]
    fn release(&self) {
        // The real lock releases itself, and notices a panic itself.
        if self.real.is_some() || self.mutex.binding.is_real() || !self.mutex.binding.is_current() {
            return;
        }
        self.mutex.poison.note_end(self.was_panicking);
        mutex::release(&self.mutex.binding);
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.release();
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
