//! The mutex without what it guards.

use std::mem;
use std::panic::{Location, RefUnwindSafe};

use ::parking_lot as real;

use crate::execution::Guarded;
use crate::model::mutex;
use crate::sync::worlds::{Waits, World, Worlds};
use crate::trace::ObjectId;

use super::limit::{Limit, waits_until};
use super::regains::Regains;

/// Like `parking_lot::RawMutex`: a mutex without what it guards, which
/// [`lock_api`](super::lock_api) can make a lock of.
///
/// To [`Mutex`](super::Mutex) it is not: that one has an interface of its own, the same one, since it
/// knows where it was made, and whether what it guards was changed.
#[derive(Debug)]
pub struct RawMutex {
    identity: Guarded,
    /// The lock itself, outside of executions. Inside, the execution knows who holds it.
    real: real::Mutex<()>,
    worlds: Worlds,
}

/// It guards nothing by itself.
impl RefUnwindSafe for RawMutex {}

impl RawMutex {
    /// A mutex that is made here.
    #[track_caller]
    pub(super) const fn new() -> Self {
        RawMutex::of(Guarded::new())
    }

    /// A mutex that counts as made where it is used first.
    pub(super) const fn anywhere() -> Self {
        RawMutex::of(Guarded::anywhere())
    }

    const fn of(identity: Guarded) -> Self {
        RawMutex {
            identity,
            real: real::const_mutex(()),
            worlds: Worlds::new(),
        }
    }

    #[cfg(feature = "loom")]
    #[track_caller]
    pub(super) fn made(&self) {
        mutex::made(&self.identity);
    }

    /// The mutex in the current execution, or `None` outside of one.
    #[inline]
    #[track_caller]
    pub(super) fn object(&self) -> Option<ObjectId> {
        let used_at = Location::caller();
        mutex::object(&self.identity, || self.worlds.begin("Mutex", used_at))
    }

    /// It is held, and guards data of this size in bytes.
    pub(super) fn guards(&self, size: usize) {
        self.identity.guards(size);
    }

    /// What it guards, of this size in bytes, is lent for changes.
    pub(super) fn lend(&self, size: usize) {
        self.identity.lend(size);
    }

    /// Acquires the mutex, and holds it until the result is dropped.
    #[track_caller]
    #[expect(unsafe_code, reason = "it was acquired")]
    pub(super) fn hold(&self, limit: Limit) -> Option<Held<'_>> {
        let is_acquired = self.acquire(limit, Location::caller());
        // SAFETY: it was acquired just now.
        is_acquired.then(|| unsafe { Held::new(self) })
    }

    /// The same, if nobody holds the mutex.
    #[track_caller]
    #[expect(unsafe_code, reason = "it was acquired")]
    pub(super) fn try_hold(&self) -> Option<Held<'_>> {
        // SAFETY: it was acquired just now.
        self.try_acquire().then(|| unsafe { Held::new(self) })
    }

    /// Acquires the mutex, as a step at this place in an execution. Returns whether it did.
    #[track_caller]
    pub(super) fn acquire(&self, limit: Limit, at: &'static Location<'static>) -> bool {
        let object = self.object();
        let deadline = object.is_none().then(|| limit.deadline()).flatten();
        let real = || match deadline {
            None => Some(self.real.lock()),
            Some(deadline) => self.real.try_lock_until(deadline),
        };
        let model = |object| mutex::acquire(object, limit.alternatives(), at);
        let waits = waits_until(deadline);
        let acquired = self.worlds.acquire(object, waits, real, model);
        acquired.map(mem::forget).is_some()
    }

    /// Acquires the mutex if nobody holds it. Returns whether it did.
    #[track_caller]
    pub(super) fn try_acquire(&self) -> bool {
        let at = Location::caller();
        let model = |object| mutex::try_acquire(object, at);
        let real = || self.real.try_lock();
        let acquired = self
            .worlds
            .acquire(self.object(), Waits::Never, real, model);
        acquired.map(mem::forget).is_some()
    }

    /// Whether the current execution knows that another thread holds the mutex, or nobody.
    pub(super) fn is_not_mine(&self) -> bool {
        let object = self.identity.known();
        self.worlds.of_guard() == World::Inside && !object.is_none_or(mutex::is_mine)
    }

    /// Releases the mutex.
    ///
    /// # Safety
    ///
    /// The current thread must have acquired it.
    #[expect(
        unsafe_code,
        reason = "who has not acquired it would take it from another"
    )]
    pub(super) unsafe fn release(&self, is_fair: bool) {
        match self.worlds.leave() {
            // SAFETY: it was acquired outside of executions, and its guard forgotten.
            World::Outside if is_fair => unsafe { self.real.force_unlock_fair() },
            // SAFETY: as above.
            World::Outside => unsafe { self.real.force_unlock() },
            World::Inside => {
                if let Some(object) = self.identity.known() {
                    mutex::release(object);
                }
            }
            World::Ended | World::Nobody => {}
        }
    }

    /// Whether somebody holds the mutex. One step.
    #[track_caller]
    pub(super) fn look(&self) -> bool {
        match self.object() {
            Some(object) => mutex::look(object),
            None => self.real.is_locked(),
        }
    }
}

/// That the current thread has acquired a mutex, and releases it when this is dropped.
#[derive(Debug)]
pub(super) struct Held<'a> {
    raw: &'a RawMutex,
}

impl<'a> Held<'a> {
    /// Takes the mutex over from who has acquired it.
    ///
    /// # Safety
    ///
    /// The current thread must have acquired it, and nothing else may release it.
    #[expect(
        unsafe_code,
        reason = "who has not acquired it would take it from another"
    )]
    pub(super) unsafe fn new(raw: &'a RawMutex) -> Self {
        Held { raw }
    }

    pub(super) fn raw(&self) -> &'a RawMutex {
        self.raw
    }

    /// Releases the mutex, to the thread that has waited longest.
    pub(super) fn release_fair(self) {
        mem::ManuallyDrop::new(self).release(true);
    }

    /// Does something while the mutex is released. It is acquired again in any case.
    #[track_caller]
    pub(super) fn while_released<R>(&mut self, is_fair: bool, f: impl FnOnce() -> R) -> R {
        let at = Location::caller();
        self.release(is_fair);
        let _regains = self.regains(at);
        f()
    }

    /// Waits in the model, with a step that releases the mutex and one that acquires it again, both
    /// of a condition variable. Returns `None` if it was not acquired in the current execution.
    pub(super) fn wait_inside<W, R>(
        &mut self,
        begin: impl FnOnce(ObjectId) -> W,
        end: impl FnOnce(W) -> R,
        at: &'static Location<'static>,
    ) -> Option<R> {
        let raw = self.raw;
        let is_inside = raw.worlds.of_guard() == World::Inside;
        let object = raw.identity.known().filter(|_| is_inside)?;
        // If this is ended by the end of the execution, the mutex is not released.
        let wait = begin(object);
        raw.worlds.leave();
        let regains = self.regains(at);
        let result = end(wait);
        mem::forget(regains);
        raw.worlds.enter_inside();
        Some(result)
    }

    /// Waits outside of executions, with the guard of the lock itself.
    #[expect(unsafe_code, reason = "the guard was forgotten")]
    pub(super) fn wait_outside<R>(
        &mut self,
        wait: impl FnOnce(&mut real::MutexGuard<'_, ()>) -> R,
    ) -> R {
        let raw = self.raw;
        let is_outside = raw.worlds.of_guard() == World::Outside;
        assert!(
            is_outside,
            "racelab: a guard of an execution is used outside of it"
        );
        // SAFETY: the mutex was acquired outside, and its guard forgotten, as this one is.
        let mut guard = mem::ManuallyDrop::new(unsafe { raw.real.make_guard_unchecked() });
        raw.worlds.leave();
        // The mutex is held again also where the wait has panicked, since another mutex is used with
        // the condition variable.
        let _regains = Regains(|| raw.worlds.enter_outside());
        wait(&mut guard)
    }

    /// Acquires the mutex again when it is dropped.
    fn regains(&self, at: &'static Location<'static>) -> Regains<impl FnMut() + use<'a>> {
        let raw = self.raw;
        Regains(move || {
            raw.acquire(Limit::None, at);
        })
    }

    #[expect(unsafe_code, reason = "it is known to be acquired")]
    fn release(&self, is_fair: bool) {
        // SAFETY: the current thread has acquired it, as who made this has promised. Whoever calls
        // this acquires it again, or forgets this.
        unsafe { self.raw.release(is_fair) };
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.release(false);
    }
}
