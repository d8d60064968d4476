//! The mutex that its owner can acquire again.

use std::borrow::Cow;
use std::cell::{Cell, UnsafeCell};
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::Location;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::Named;
use crate::execution::{self, Identity, with};

use super::limit::Limit;
use super::raw_mutex::RawMutex;
use super::regains::Regains;

/// Like `parking_lot::ReentrantMutex`: a mutex that the thread which holds it can acquire again.
///
/// In an execution it is as [`Mutex`](super::Mutex). A recursive acquisition, and its release, is not a
/// step: no other thread can see it.
///
/// ```
/// use std::cell::Cell;
///
/// use racelab::parking_lot::ReentrantMutex;
///
/// let depth = ReentrantMutex::new(Cell::new(0));
/// let outer = depth.lock();
/// outer.set(1);
/// let inner = depth.lock();
/// assert_eq!(inner.get(), 1);
/// ```
pub struct ReentrantMutex<T: ?Sized> {
    raw: RawReentrantMutex,
    value: UnsafeCell<T>,
}

#[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
// SAFETY: who has the mutex can take the value out of it on another thread.
unsafe impl<T: ?Sized + Send> Send for ReentrantMutex<T> {}

#[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
// SAFETY: the value is only reached through guards, which are of one thread at a time.
unsafe impl<T: ?Sized + Send> Sync for ReentrantMutex<T> {}

/// Makes a mutex in a constant, as [`ReentrantMutex::new`] does unless the feature `loom` is on.
#[track_caller]
pub const fn const_reentrant_mutex<T>(value: T) -> ReentrantMutex<T> {
    ReentrantMutex {
        raw: RawReentrantMutex::new(),
        value: UnsafeCell::new(value),
    }
}

impl<T> ReentrantMutex<T> {
    constructor! {
        /// Makes a new mutex, which nobody holds.
        pub fn new(value: T) -> Self {
            const_reentrant_mutex(value)
        }
    }

    #[cfg(feature = "loom")]
    #[track_caller]
    fn made(&self) {
        self.raw.mutex.made();
    }

    /// The value. Not an operation.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> ReentrantMutex<T> {
    /// Acquires the mutex, and waits until that is possible.
    #[track_caller]
    pub fn lock(&self) -> ReentrantMutexGuard<'_, T> {
        let guard = self.hold(Limit::None);
        guard.expect("there is no limit of time")
    }

    /// Acquires the mutex if no other thread holds it.
    #[track_caller]
    pub fn try_lock(&self) -> Option<ReentrantMutexGuard<'_, T>> {
        let is_acquired = self.raw.is_mine() || self.raw.mutex.try_acquire();
        is_acquired.then(|| self.acquired())
    }

    /// Acquires the mutex if that is possible within this time.
    #[track_caller]
    pub fn try_lock_for(&self, timeout: Duration) -> Option<ReentrantMutexGuard<'_, T>> {
        self.hold(Limit::For(timeout))
    }

    /// Acquires the mutex if that is possible until then.
    #[track_caller]
    pub fn try_lock_until(&self, timeout: Instant) -> Option<ReentrantMutexGuard<'_, T>> {
        self.hold(Limit::Until(timeout))
    }

    /// Whether somebody holds the mutex. One step.
    #[track_caller]
    pub fn is_locked(&self) -> bool {
        self.raw.mutex.look()
    }

    /// Whether the current thread holds the mutex. Not an operation.
    pub fn is_owned_by_current_thread(&self) -> bool {
        self.raw.is_mine()
    }

    /// The value, by a reference that nobody else can have. Not an operation.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// Where the value is. What is done with it there is not seen.
    pub fn data_ptr(&self) -> *mut T {
        self.value.get()
    }

    #[track_caller]
    fn hold(&self, limit: Limit) -> Option<ReentrantMutexGuard<'_, T>> {
        let at = Location::caller();
        let is_acquired = self.raw.is_mine() || self.raw.mutex.acquire(limit, at);
        is_acquired.then(|| self.acquired())
    }

    /// The guard of the mutex that the current thread has acquired just now, or before.
    fn acquired(&self) -> ReentrantMutexGuard<'_, T> {
        self.raw.count();
        ReentrantMutexGuard {
            remutex: self,
            held: Held { raw: &self.raw },
            not_send: PhantomData,
        }
    }
}

impl<T: ?Sized> fmt::Debug for ReentrantMutex<T> {
    /// Does not show the value, since to look at it would be an operation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReentrantMutex").finish_non_exhaustive()
    }
}

impl<T: Default> Default for ReentrantMutex<T> {
    #[track_caller]
    fn default() -> Self {
        ReentrantMutex::new(T::default())
    }
}

impl<T> From<T> for ReentrantMutex<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        ReentrantMutex::new(value)
    }
}

impl<T> Named for ReentrantMutex<T> {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        Identity::name(self.raw.mutex.object(), name.into());
        self
    }
}

/// A mutex with who has acquired it, and how often.
struct RawReentrantMutex {
    mutex: RawMutex,
    /// 0 for nobody. Only the owner itself has to know: others see that it is not them.
    owner: AtomicU64,
    /// Only the owner uses it.
    times: Cell<usize>,
}

impl RawReentrantMutex {
    #[track_caller]
    const fn new() -> Self {
        RawReentrantMutex {
            mutex: RawMutex::new(),
            owner: AtomicU64::new(0),
            times: Cell::new(0),
        }
    }

    fn is_mine(&self) -> bool {
        self.owner.load(Relaxed) == current_thread()
    }

    /// The current thread has acquired it once more.
    fn count(&self) {
        if self.is_mine() {
            self.times.set(self.times.get() + 1);
        } else {
            self.owner.store(current_thread(), Relaxed);
            self.times.set(1);
        }
    }
}

/// Tells the current thread apart from all others, of executions or not.
fn current_thread() -> u64 {
    thread_local! {
        static PLACE: u8 = const { 0 };
    }
    /// The bits of a thread in an execution.
    const THREAD_BITS: u32 = 24;
    /// No address has it.
    const INSIDE: u64 = 1 << 63;

    match execution::number() {
        // While the thread lives, nothing else is there.
        0 => PLACE.with(|place| ptr::from_ref(place).addr() as u64),
        execution => {
            let thread = with(|execution| execution.me());
            INSIDE | execution << THREAD_BITS | u64::from(thread.0)
        }
    }
}

/// That the current thread has acquired a mutex once, and releases it once when this is dropped.
struct Held<'a> {
    raw: &'a RawReentrantMutex,
}

impl Held<'_> {
    fn release_fair(self) {
        ManuallyDrop::new(self).release(true);
    }

    /// Does something while the mutex is released once, and acquires it once again in any case.
    #[track_caller]
    fn while_released<R>(&mut self, is_fair: bool, f: impl FnOnce() -> R) -> R {
        let (raw, at) = (self.raw, Location::caller());
        self.release(is_fair);
        let _regains = Regains(move || {
            if !raw.is_mine() {
                raw.mutex.acquire(Limit::None, at);
            }
            raw.count();
        });
        f()
    }

    #[expect(unsafe_code, reason = "it is known to be acquired")]
    fn release(&self, is_fair: bool) {
        let left = self.raw.times.get() - 1;
        self.raw.times.set(left);
        if left == 0 {
            self.raw.owner.store(0, Relaxed);
            // SAFETY: the current thread has acquired it, and has released it as often as it did.
            unsafe { self.raw.mutex.release(is_fair) };
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.release(false);
    }
}

/// Like `parking_lot::ReentrantMutexGuard`: holds a [`ReentrantMutex`] until it is dropped.
#[must_use = "the mutex is released at once if the guard is not kept"]
pub struct ReentrantMutexGuard<'a, T: ?Sized> {
    remutex: &'a ReentrantMutex<T>,
    held: Held<'a>,
    /// A guard stays on the thread that locked.
    not_send: PhantomData<*const ()>,
}

impl<'a, T: ?Sized> ReentrantMutexGuard<'a, T> {
    /// The mutex.
    pub fn remutex(s: &Self) -> &'a ReentrantMutex<T> {
        s.remutex
    }

    parts!(MappedReentrantMutexGuard, get: &T => &U, try_map_or_err);
    interruptions!();
    unlock_fair!();

    #[expect(unsafe_code, reason = "the guard hands out the value in the cell")]
    fn get(&self) -> &T {
        // What can be changed by a shared reference is not known: it is taken to be.
        let size = size_of_val(&self.remutex.value);
        self.held.raw.mutex.lend(size);
        // SAFETY: only the current thread has guards, and they hand out shared references only.
        unsafe { &*self.remutex.value.get() }
    }
}

/// Like `parking_lot::MappedReentrantMutexGuard`: holds a [`ReentrantMutex`] until it is dropped, and
/// hands out a part of what that guards.
#[must_use = "the mutex is released at once if the guard is not kept"]
pub struct MappedReentrantMutexGuard<'a, T: ?Sized> {
    held: Held<'a>,
    part: NonNull<T>,
    of: PhantomData<&'a T>,
    /// A guard stays on the thread that locked.
    not_send: PhantomData<*const ()>,
}

impl<'a, T: ?Sized> MappedReentrantMutexGuard<'a, T> {
    parts!(MappedReentrantMutexGuard, get: &T => &U, try_map_or_err);
    unlock_fair!();

    #[expect(
        unsafe_code,
        reason = "the guard hands out a part of what the mutex guards"
    )]
    fn get(&self) -> &T {
        // SAFETY: it is a part of what the mutex guards, which is borrowed. Only the current thread
        // has guards, and they hand out shared references only.
        unsafe { self.part.as_ref() }
    }
}

guards!(ReentrantMutexGuard MappedReentrantMutexGuard);
