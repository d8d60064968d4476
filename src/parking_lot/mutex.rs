//! The mutex without poison.

use std::borrow::Cow;
use std::cell::UnsafeCell;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::time::{Duration, Instant};

use crate::Named;
use crate::execution::Identity;

use super::limit::Limit;
use super::raw_mutex::{Held, RawMutex};

/// Like `parking_lot::Mutex`: a mutex that is not poisoned by a panic.
///
/// In an execution, `lock` is a step that is possible while nobody holds the mutex, `try_lock` and
/// `is_locked` are always possible, and the drop of the guard is a step. A wait with a time limit may
/// end by a step of its own while somebody holds the mutex, whatever the limit is.
///
/// ```
/// use racelab::parking_lot::Mutex;
///
/// let balance = Mutex::new(100);
/// *balance.lock() -= 30;
/// assert_eq!(balance.into_inner(), 70);
/// ```
pub struct Mutex<T: ?Sized> {
    raw: RawMutex,
    value: UnsafeCell<T>,
}

#[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
// SAFETY: as for the real mutex: who has the mutex can take the value out of it on another thread.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}

#[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
// SAFETY: the value is only reached through a guard, which holds the raw mutex, and that grants itself
// to one thread at a time.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

/// Makes a mutex in a constant, as [`Mutex::new`] does unless the feature `loom` is on.
#[track_caller]
pub const fn const_mutex<T>(value: T) -> Mutex<T> {
    Mutex::from_raw(RawMutex::new(), value)
}

impl<T> Mutex<T> {
    constructor! {
        /// Makes a new mutex, which nobody holds.
        pub fn new(value: T) -> Self {
            Mutex {
                raw: RawMutex::new(),
                value: UnsafeCell::new(value),
            }
        }
    }

    #[cfg(feature = "loom")]
    #[track_caller]
    fn made(&self) {
        self.raw.made();
    }

    /// Makes a mutex of a raw one.
    pub const fn from_raw(raw: RawMutex, value: T) -> Self {
        Mutex {
            raw,
            value: UnsafeCell::new(value),
        }
    }

    /// The same, by its old name.
    pub const fn const_new(raw: RawMutex, value: T) -> Self {
        Mutex::from_raw(raw, value)
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
        let held = self.raw.hold(Limit::None);
        self.guard(held.expect("there is no limit of time"))
    }

    /// Acquires the mutex if nobody holds it.
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.raw.try_hold().map(|held| self.guard(held))
    }

    /// Acquires the mutex if that is possible within this time.
    #[track_caller]
    pub fn try_lock_for(&self, timeout: Duration) -> Option<MutexGuard<'_, T>> {
        let held = self.raw.hold(Limit::For(timeout));
        held.map(|held| self.guard(held))
    }

    /// Acquires the mutex if that is possible until then.
    #[track_caller]
    pub fn try_lock_until(&self, timeout: Instant) -> Option<MutexGuard<'_, T>> {
        let held = self.raw.hold(Limit::Until(timeout));
        held.map(|held| self.guard(held))
    }

    /// Whether somebody holds the mutex. One step.
    #[track_caller]
    pub fn is_locked(&self) -> bool {
        self.raw.look()
    }

    /// The value, by a reference that nobody else can have. Not an operation.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// Where the value is. What is done with it there is not seen.
    pub fn data_ptr(&self) -> *mut T {
        self.value.get()
    }

    /// The mutex without its value.
    ///
    /// # Safety
    ///
    /// It must not be released while there is a guard.
    #[expect(unsafe_code, reason = "as it is in parking_lot")]
    pub unsafe fn raw(&self) -> &RawMutex {
        &self.raw
    }

    /// A guard of a mutex that was acquired in another way.
    ///
    /// # Safety
    ///
    /// The current thread must hold the mutex, and have no other guard of it.
    #[expect(unsafe_code, reason = "as it is in parking_lot")]
    pub unsafe fn make_guard_unchecked(&self) -> MutexGuard<'_, T> {
        // SAFETY: as the caller has promised.
        self.guard(unsafe { Held::new(&self.raw) })
    }

    /// Releases the mutex without a guard.
    ///
    /// # Safety
    ///
    /// The current thread must hold the mutex, by a guard that was forgotten.
    #[expect(unsafe_code, reason = "as it is in parking_lot")]
    pub unsafe fn force_unlock(&self) {
        // SAFETY: as the caller has promised.
        drop(unsafe { Held::new(&self.raw) });
    }

    /// The same. Outside of executions, the mutex is handed over to the thread that has waited longest.
    ///
    /// # Safety
    ///
    /// The current thread must hold the mutex, by a guard that was forgotten.
    #[expect(unsafe_code, reason = "as it is in parking_lot")]
    pub unsafe fn force_unlock_fair(&self) {
        // SAFETY: as the caller has promised.
        unsafe { Held::new(&self.raw) }.release_fair();
    }

    fn guard<'a>(&'a self, held: Held<'a>) -> MutexGuard<'a, T> {
        self.raw.guards(size_of_val(&self.value));
        MutexGuard {
            mutex: self,
            held,
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
        Identity::name(self.raw.object(), name.into());
        self
    }
}

/// Like `parking_lot::MutexGuard`: holds a [`Mutex`] until it is dropped.
#[must_use = "the mutex is released at once if the guard is not kept"]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    held: Held<'a>,
    /// A guard stays on the thread that locked.
    not_send: PhantomData<*const ()>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// The mutex.
    pub fn mutex(s: &Self) -> &'a Mutex<T> {
        s.mutex
    }

    /// Holds the mutex for ever, and hands out what it guards.
    pub fn leak(mut s: Self) -> &'a mut T {
        let whole = NonNull::from(s.get_mut());
        mem::forget(s);
        #[expect(unsafe_code, reason = "the mutex is never released")]
        // SAFETY: no other guard is ever made, and the mutex is borrowed for as long.
        unsafe {
            &mut *whole.as_ptr()
        }
    }

    parts!(MappedMutexGuard, get_mut: &mut T => &mut U, try_map_or_err);
    interruptions!();
    unlock_fair!();

    /// For the condition variable, which releases the mutex in between.
    pub(super) fn held(&mut self) -> &mut Held<'a> {
        &mut self.held
    }
}

#[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
impl<T: ?Sized> MutexGuard<'_, T> {
    fn get(&self) -> &T {
        // SAFETY: while this guard lives there is no other one, and the guard itself is borrowed
        // shared, so that there is no exclusive reference.
        unsafe { &*self.mutex.value.get() }
    }

    fn get_mut(&mut self) -> &mut T {
        self.held.raw().lend(size_of_val(&self.mutex.value));
        // SAFETY: while this guard lives there is no other one, and the guard itself is borrowed
        // exclusively.
        unsafe { &mut *self.mutex.value.get() }
    }
}

/// Like `parking_lot::MappedMutexGuard`: holds a [`Mutex`] until it is dropped, and hands out a part
/// of what that guards.
#[must_use = "the mutex is released at once if the guard is not kept"]
pub struct MappedMutexGuard<'a, T: ?Sized> {
    held: Held<'a>,
    part: NonNull<T>,
    of: PhantomData<&'a mut T>,
    /// A guard stays on the thread that locked.
    not_send: PhantomData<*const ()>,
}

impl<'a, T: ?Sized> MappedMutexGuard<'a, T> {
    parts!(MappedMutexGuard, get_mut: &mut T => &mut U, try_map_or_err);
    unlock_fair!();
}

#[expect(
    unsafe_code,
    reason = "the guard hands out a part of what the mutex guards"
)]
impl<T: ?Sized> MappedMutexGuard<'_, T> {
    fn get(&self) -> &T {
        // SAFETY: it is a part of what the mutex guards, which is borrowed, and to which there is no
        // other way while this guard lives. The guard itself is borrowed shared.
        unsafe { self.part.as_ref() }
    }

    fn get_mut(&mut self) -> &mut T {
        self.held.raw().lend(size_of_val(self.get()));
        // SAFETY: as above. The guard itself is borrowed exclusively.
        unsafe { self.part.as_mut() }
    }
}

exclusive_guards!(MutexGuard MappedMutexGuard);
