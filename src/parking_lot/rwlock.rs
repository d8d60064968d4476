//! The read-write lock without poison.

use std::borrow::Cow;
use std::cell::UnsafeCell;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::time::{Duration, Instant};

use crate::Named;
use crate::execution::Identity;
use crate::model::read_write::Mode;

use super::limit::Limit;
use super::raw_rwlock::{Held, RawRwLock, Way};

/// Like `parking_lot::RwLock`: a read-write lock that is not poisoned by a panic, and that one of
/// those who read can hold *upgradably*, to go on to write with no other writer in between.
///
/// In an execution, `read` is a step that is possible while nobody holds the lock for writing,
/// `upgradable_read` also needs that nobody else holds it upgradably, and `write` that nobody holds it
/// at all. `upgrade` waits until the others that read have left. What begins with `try_` is always
/// possible, or may time out while somebody is in the way, whatever the limit is. The drop of a guard
/// is a step.
///
/// Writers have no precedence: a thread can read again while it reads, and while another one waits
/// to write, which `parking_lot`'s does not allow but by
/// [`read_recursive`](Self::read_recursive).
///
/// ```
/// use racelab::parking_lot::{RwLock, RwLockUpgradableReadGuard};
///
/// let prices = RwLock::new(vec![3, 5]);
/// let seen = prices.upgradable_read();
/// assert!(!seen.contains(&8));
/// RwLockUpgradableReadGuard::upgrade(seen).push(8);
/// assert_eq!(prices.into_inner(), [3, 5, 8]);
/// ```
pub struct RwLock<T: ?Sized> {
    raw: RawRwLock,
    value: UnsafeCell<T>,
}

#[expect(unsafe_code, reason = "the guards hand out the value in the cell")]
// SAFETY: as for the real lock: who has the lock can take the value out of it on another thread.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}

#[expect(unsafe_code, reason = "the guards hand out the value in the cell")]
// SAFETY: the value is only reached through a guard, which holds the raw lock, and while that is held
// for writing nobody else holds it. Several threads read at a time, so that the value has to be
// `Sync`.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

/// Makes a lock in a constant, as [`RwLock::new`] does unless the feature `loom` is on.
#[track_caller]
pub const fn const_rwlock<T>(value: T) -> RwLock<T> {
    RwLock::from_raw(RawRwLock::new(), value)
}

impl<T> RwLock<T> {
    constructor! {
        /// Makes a new lock, which nobody holds.
        pub fn new(value: T) -> Self {
            RwLock {
                raw: RawRwLock::new(),
                value: UnsafeCell::new(value),
            }
        }
    }

    #[cfg(feature = "loom")]
    #[track_caller]
    fn made(&self) {
        self.raw.made();
    }

    /// Makes a lock of a raw one.
    pub const fn from_raw(raw: RawRwLock, value: T) -> Self {
        RwLock {
            raw,
            value: UnsafeCell::new(value),
        }
    }

    /// The same, by its old name.
    pub const fn const_new(raw: RawRwLock, value: T) -> Self {
        RwLock::from_raw(raw, value)
    }

    /// The value. Not an operation.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

/// How a lock is acquired in some way: at once, or within a limit of time.
macro_rules! acquired {
    (
        $guard:ident, $way:expr;
        $(#[$attribute:meta])*
        $lock:ident, $try_lock:ident, $try_lock_for:ident, $try_lock_until:ident
    ) => {
        $(#[$attribute])*
        #[track_caller]
        pub fn $lock(&self) -> $guard<'_, T> {
            let held = self.raw.hold($way, Limit::None);
            $guard::new(self, held.expect("there is no limit of time"))
        }

        /// The same, if nobody is in the way.
        #[track_caller]
        pub fn $try_lock(&self) -> Option<$guard<'_, T>> {
            let held = self.raw.try_hold($way);
            held.map(|held| $guard::new(self, held))
        }

        /// The same, if that is possible within this time.
        #[track_caller]
        pub fn $try_lock_for(&self, timeout: Duration) -> Option<$guard<'_, T>> {
            let held = self.raw.hold($way, Limit::For(timeout));
            held.map(|held| $guard::new(self, held))
        }

        /// The same, if that is possible until then.
        #[track_caller]
        pub fn $try_lock_until(&self, timeout: Instant) -> Option<$guard<'_, T>> {
            let held = self.raw.hold($way, Limit::Until(timeout));
            held.map(|held| $guard::new(self, held))
        }
    };
}

/// How a lock is released that was acquired in some way, and whose guard was forgotten.
macro_rules! released {
    ($guard:ident, $mode:expr; $make:ident, $unlock:ident, $unlock_fair:ident) => {
        /// A guard of a lock that was acquired in another way.
        ///
        /// # Safety
        ///
        /// The current thread must hold the lock so, and have no guard for that.
        #[track_caller]
        pub unsafe fn $make(&self) -> $guard<'_, T> {
            // SAFETY: as the caller has promised.
            $guard::new(self, unsafe { Held::new(&self.raw, $mode) })
        }

        /// Releases the lock without a guard.
        ///
        /// # Safety
        ///
        /// The current thread must hold the lock so, by a guard that was forgotten.
        #[track_caller]
        pub unsafe fn $unlock(&self) {
            // SAFETY: as the caller has promised.
            unsafe { self.raw.release($mode, false) };
        }

        /// The same. Outside of executions, the lock is handed over to the thread that has waited longest.
        ///
        /// # Safety
        ///
        /// The current thread must hold the lock so, by a guard that was forgotten.
        #[track_caller]
        pub unsafe fn $unlock_fair(&self) {
            // SAFETY: as the caller has promised.
            unsafe { self.raw.release($mode, true) };
        }
    };
}

impl<T: ?Sized> RwLock<T> {
    acquired! {
        RwLockReadGuard, Way::Read;
        /// Acquires the lock for reading, and waits until that is possible.
        read, try_read, try_read_for, try_read_until
    }

    acquired! {
        RwLockReadGuard, Way::ReadRecursively;
        /// Acquires the lock for reading, outside of executions also while others wait to write.
        read_recursive, try_read_recursive, try_read_recursive_for, try_read_recursive_until
    }

    acquired! {
        RwLockUpgradableReadGuard, Way::ReadUpgradably;
        /// Acquires the lock for reading, as the only one that can go on to write.
        upgradable_read, try_upgradable_read, try_upgradable_read_for, try_upgradable_read_until
    }

    acquired! {
        RwLockWriteGuard, Way::Write;
        /// Acquires the lock for writing, and waits until that is possible.
        write, try_write, try_write_for, try_write_until
    }

    /// Whether somebody holds the lock. One step.
    #[track_caller]
    pub fn is_locked(&self) -> bool {
        self.raw.look()
    }

    /// Whether somebody holds the lock for writing. One step.
    #[track_caller]
    pub fn is_locked_exclusive(&self) -> bool {
        self.raw.look_for_writer()
    }

    /// The value, by a reference that nobody else can have. Not an operation.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// Where the value is. What is done with it there is not seen.
    pub fn data_ptr(&self) -> *mut T {
        self.value.get()
    }
}

#[expect(unsafe_code, reason = "as it is in parking_lot")]
impl<T: ?Sized> RwLock<T> {
    released! {
        RwLockReadGuard, Mode::Read;
        make_read_guard_unchecked, force_unlock_read, force_unlock_read_fair
    }
    released! {
        RwLockWriteGuard, Mode::Write;
        make_write_guard_unchecked, force_unlock_write, force_unlock_write_fair
    }

    /// A guard of a lock that was acquired in another way.
    ///
    /// # Safety
    ///
    /// The current thread must hold the lock upgradably, and have no guard for that.
    #[track_caller]
    pub unsafe fn make_upgradable_guard_unchecked(&self) -> RwLockUpgradableReadGuard<'_, T> {
        // SAFETY: as the caller has promised.
        RwLockUpgradableReadGuard::new(self, unsafe { Held::new(&self.raw, Mode::Upgradable) })
    }

    /// The lock without its value.
    ///
    /// # Safety
    ///
    /// It must not be released while there is a guard.
    pub unsafe fn raw(&self) -> &RawRwLock {
        &self.raw
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    /// Does not show the value, since to look at it would be an operation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RwLock").finish_non_exhaustive()
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
        Identity::name(self.raw.object(), name.into());
        self
    }
}

/// The guard of a whole lock.
macro_rules! whole {
    ($(#[$attribute:meta])* $guard:ident) => {
        $(#[$attribute])*
        #[must_use = "the lock is released at once if the guard is not kept"]
        pub struct $guard<'a, T: ?Sized> {
            lock: &'a RwLock<T>,
            held: Held<'a>,
            /// A guard stays on the thread that locked.
            not_send: PhantomData<*const ()>,
        }

        impl<'a, T: ?Sized> $guard<'a, T> {
            fn new(lock: &'a RwLock<T>, held: Held<'a>) -> Self {
                lock.raw.guards(size_of_val(&lock.value));
                $guard {
                    lock,
                    held,
                    not_send: PhantomData,
                }
            }

            /// The lock.
            pub fn rwlock(s: &Self) -> &'a RwLock<T> {
                s.lock
            }

            interruptions!();
            unlock_fair!();

            #[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
            fn get(&self) -> &T {
                // SAFETY: while this guard lives, others hand out shared references at most, and the
                // guard itself is borrowed shared.
                unsafe { &*self.lock.value.get() }
            }
        }
    };
}

/// The guard of a part of what a lock guards.
macro_rules! part {
    ($(#[$attribute:meta])* $guard:ident, $of:ty) => {
        $(#[$attribute])*
        #[must_use = "the lock is released at once if the guard is not kept"]
        pub struct $guard<'a, T: ?Sized> {
            held: Held<'a>,
            part: NonNull<T>,
            of: PhantomData<$of>,
            /// A guard stays on the thread that locked.
            not_send: PhantomData<*const ()>,
        }

        impl<T: ?Sized> $guard<'_, T> {
            #[expect(unsafe_code, reason = "the guard hands out a part of what the lock guards")]
            fn get(&self) -> &T {
                // SAFETY: it is a part of what the lock guards, which is borrowed. While this guard
                // lives, others hand out shared references at most, and it is borrowed shared itself.
                unsafe { self.part.as_ref() }
            }
        }
    };
}

whole! {
    /// Like `parking_lot::RwLockReadGuard`: holds an [`RwLock`] for reading until it is dropped.
    RwLockReadGuard
}

whole! {
    /// Like `parking_lot::RwLockUpgradableReadGuard`: holds an [`RwLock`] for reading until it is
    /// dropped, or until it goes on to write.
    RwLockUpgradableReadGuard
}

whole! {
    /// Like `parking_lot::RwLockWriteGuard`: holds an [`RwLock`] for writing until it is dropped.
    RwLockWriteGuard
}

part! {
    /// Like `parking_lot::MappedRwLockReadGuard`: holds an [`RwLock`] for reading until it is dropped,
    /// and hands out a part of what that guards.
    MappedRwLockReadGuard, &'a T
}

part! {
    /// Like `parking_lot::MappedRwLockWriteGuard`: holds an [`RwLock`] for writing until it is
    /// dropped, and hands out a part of what that guards.
    MappedRwLockWriteGuard, &'a mut T
}

guards!(RwLockReadGuard RwLockUpgradableReadGuard MappedRwLockReadGuard);
exclusive_guards!(RwLockWriteGuard MappedRwLockWriteGuard);

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    parts!(MappedRwLockReadGuard, get: &T => &U, try_map_or_err);
}

impl<'a, T: ?Sized> MappedRwLockReadGuard<'a, T> {
    // In `lock_api` the last one has another name here.
    parts!(MappedRwLockReadGuard, get: &T => &U, try_map_or_else);
    unlock_fair!();
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    parts!(MappedRwLockWriteGuard, get_mut: &mut T => &mut U, try_map_or_err);

    /// Goes on to hold the lock for reading only, so that no writer comes in between. One step.
    #[track_caller]
    pub fn downgrade(mut s: Self) -> RwLockReadGuard<'a, T> {
        s.held.downgrade(Mode::Read);
        RwLockReadGuard::new(s.lock, s.held)
    }

    /// Goes on to hold the lock upgradably, so that no writer comes in between. One step.
    #[track_caller]
    pub fn downgrade_to_upgradable(mut s: Self) -> RwLockUpgradableReadGuard<'a, T> {
        s.held.downgrade(Mode::Upgradable);
        RwLockUpgradableReadGuard::new(s.lock, s.held)
    }

    #[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
    fn get_mut(&mut self) -> &mut T {
        self.held.raw().lend(size_of_val(&self.lock.value));
        // SAFETY: while this guard lives there is no other one, and the guard itself is borrowed
        // exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<'a, T: ?Sized> MappedRwLockWriteGuard<'a, T> {
    parts!(MappedRwLockWriteGuard, get_mut: &mut T => &mut U, try_map_or_err);
    unlock_fair!();

    #[expect(
        unsafe_code,
        reason = "the guard hands out a part of what the lock guards"
    )]
    fn get_mut(&mut self) -> &mut T {
        self.held.raw().lend(size_of_val(self.get()));
        // SAFETY: it is a part of what the lock guards, which is borrowed, and to which there is no
        // other way while this guard lives. The guard itself is borrowed exclusively.
        unsafe { self.part.as_mut() }
    }
}

impl<'a, T: ?Sized> RwLockUpgradableReadGuard<'a, T> {
    /// Goes on to write, and waits until the others that read have left.
    #[track_caller]
    pub fn upgrade(mut s: Self) -> RwLockWriteGuard<'a, T> {
        s.held.upgrade(Limit::None);
        RwLockWriteGuard::new(s.lock, s.held)
    }

    /// Goes on to write, if nobody else reads.
    ///
    /// # Errors
    ///
    /// If somebody does: the guard as it was.
    #[track_caller]
    pub fn try_upgrade(mut s: Self) -> Result<RwLockWriteGuard<'a, T>, Self> {
        let is_upgraded = s.held.try_upgrade();
        s.upgraded(is_upgraded)
    }

    /// Goes on to write, if the others that read leave within this time.
    ///
    /// # Errors
    ///
    /// If they do not: the guard as it was.
    #[track_caller]
    pub fn try_upgrade_for(
        mut s: Self,
        timeout: Duration,
    ) -> Result<RwLockWriteGuard<'a, T>, Self> {
        let is_upgraded = s.held.upgrade(Limit::For(timeout));
        s.upgraded(is_upgraded)
    }

    /// Goes on to write, if the others that read leave until then.
    ///
    /// # Errors
    ///
    /// If they do not: the guard as it was.
    #[track_caller]
    pub fn try_upgrade_until(
        mut s: Self,
        timeout: Instant,
    ) -> Result<RwLockWriteGuard<'a, T>, Self> {
        let is_upgraded = s.held.upgrade(Limit::Until(timeout));
        s.upgraded(is_upgraded)
    }

    fn upgraded(self, is_upgraded: bool) -> Result<RwLockWriteGuard<'a, T>, Self> {
        if is_upgraded {
            Ok(RwLockWriteGuard::new(self.lock, self.held))
        } else {
            Err(self)
        }
    }

    /// Goes on to read only, so that others can hold the lock upgradably. One step.
    #[track_caller]
    pub fn downgrade(mut s: Self) -> RwLockReadGuard<'a, T> {
        s.held.downgrade(Mode::Read);
        RwLockReadGuard::new(s.lock, s.held)
    }

    /// Goes on to write, and waits until the others that read have left; runs `f`, and goes on to
    /// read.
    #[track_caller]
    pub fn with_upgraded<Ret, F: FnOnce(&mut T) -> Ret>(&mut self, f: F) -> Ret {
        self.held.upgrade(Limit::None);
        self.write(f)
    }

    /// The same, if nobody else reads.
    #[track_caller]
    pub fn try_with_upgraded<Ret, F: FnOnce(&mut T) -> Ret>(&mut self, f: F) -> Option<Ret> {
        self.held.try_upgrade().then(|| self.write(f))
    }

    /// The same, if the others that read leave within this time.
    #[track_caller]
    pub fn try_with_upgraded_for<Ret, F: FnOnce(&mut T) -> Ret>(
        &mut self,
        timeout: Duration,
        f: F,
    ) -> Option<Ret> {
        let is_upgraded = self.held.upgrade(Limit::For(timeout));
        is_upgraded.then(|| self.write(f))
    }

    /// The same, if the others that read leave until then.
    #[track_caller]
    pub fn try_with_upgraded_until<Ret, F: FnOnce(&mut T) -> Ret>(
        &mut self,
        timeout: Instant,
        f: F,
    ) -> Option<Ret> {
        let is_upgraded = self.held.upgrade(Limit::Until(timeout));
        is_upgraded.then(|| self.write(f))
    }

    /// Runs `f` while the lock is held for writing, to which it was upgraded just now.
    #[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
    fn write<R>(&mut self, f: impl FnOnce(&mut T) -> R) -> R {
        let lock = self.lock;
        self.held.raw().lend(size_of_val(&lock.value));
        self.held.while_upgraded(|| {
            // SAFETY: the lock is held for writing, and the guard is borrowed exclusively.
            f(unsafe { &mut *lock.value.get() })
        })
    }
}
