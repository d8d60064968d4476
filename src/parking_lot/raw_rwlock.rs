//! The read-write lock without what it guards.

use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::panic::Location;

use crate::execution::Guarded;
use crate::model::read_write::{self, Access, Mode};
use crate::sync::worlds::{Waits, World, Worlds};
use crate::trace::ObjectId;

use super::limit::{Limit, waits_until};
use super::real_rwlock::RealRwLock;
use super::regains::Regains;

/// Like `parking_lot::RawRwLock`: a read-write lock without what it guards, which
/// [`lock_api`](super::lock_api) can make a lock of.
pub struct RawRwLock {
    identity: Guarded,
    /// The lock itself, outside of executions. Inside, the execution knows who holds it.
    real: RealRwLock,
    worlds: Worlds,
}

/// How the lock is acquired by who does not hold it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    Read,
    /// Although others wait to write.
    ReadRecursively,
    ReadUpgradably,
    Write,
}

impl Way {
    /// How it is held then.
    pub(super) fn mode(self) -> Mode {
        match self {
            Way::Read | Way::ReadRecursively => Mode::Read,
            Way::ReadUpgradably => Mode::Upgradable,
            Way::Write => Mode::Write,
        }
    }

    fn access(self) -> Access {
        match self {
            Way::Read => Access::Read,
            Way::ReadRecursively => Access::ReadRecursively,
            Way::ReadUpgradably => Access::ReadUpgradably,
            Way::Write => Access::Write,
        }
    }
}

impl RawRwLock {
    /// A lock that is made here.
    #[track_caller]
    pub(super) const fn new() -> Self {
        RawRwLock::of(Guarded::new())
    }

    /// A lock that counts as made where it is used first.
    pub(super) const fn anywhere() -> Self {
        RawRwLock::of(Guarded::anywhere())
    }

    const fn of(identity: Guarded) -> Self {
        RawRwLock {
            identity,
            real: RealRwLock::new(),
            worlds: Worlds::new(),
        }
    }

    #[cfg(feature = "loom")]
    #[track_caller]
    pub(super) fn made(&self) {
        read_write::made(&self.identity);
    }

    /// The lock in the current execution, or `None` outside of one.
    #[inline]
    #[track_caller]
    pub(super) fn object(&self) -> Option<ObjectId> {
        let used_at = Location::caller();
        read_write::object(&self.identity, || self.worlds.begin("RwLock", used_at))
    }

    /// It is held, and guards data of this size in bytes.
    pub(super) fn guards(&self, size: usize) {
        self.identity.guards(size);
    }

    /// What it guards, of this size in bytes, is lent for changes.
    pub(super) fn lend(&self, size: usize) {
        self.identity.lend(size);
    }

    /// Acquires the lock, and holds it until the result is dropped.
    #[track_caller]
    pub(super) fn hold(&self, way: Way, limit: Limit) -> Option<Held<'_>> {
        let at = Location::caller();
        self.acquire(way, limit, at).then_some(())?;
        let (raw, mode) = (self, way.mode());
        Some(Held { raw, mode, at })
    }

    /// The same, if nobody is in the way.
    #[track_caller]
    pub(super) fn try_hold(&self, way: Way) -> Option<Held<'_>> {
        let at = Location::caller();
        self.try_acquire(way).then_some(())?;
        let (raw, mode) = (self, way.mode());
        Some(Held { raw, mode, at })
    }

    /// Acquires the lock, as a step at this place in an execution. Returns whether it did.
    #[track_caller]
    pub(super) fn acquire(&self, way: Way, limit: Limit, at: &'static Location<'static>) -> bool {
        let object = self.object();
        let deadline = object.is_none().then(|| limit.deadline()).flatten();
        let real = || self.real.acquire(way, deadline);
        let model = |object| read_write::acquire(object, way.access(), limit.alternatives(), at);
        let waits = waits_until(deadline);
        let acquired = self.worlds.acquire(object, waits, real, model);
        acquired.map(mem::forget).is_some()
    }

    /// Acquires the lock if nobody is in the way. Returns whether it did.
    #[track_caller]
    pub(super) fn try_acquire(&self, way: Way) -> bool {
        let at = Location::caller();
        let real = || self.real.try_acquire(way);
        let model = |object| read_write::try_acquire(object, way.access(), at);
        let acquired = self
            .worlds
            .acquire(self.object(), Waits::Never, real, model);
        acquired.map(mem::forget).is_some()
    }

    /// Releases the lock for who did not keep where it has acquired it.
    ///
    /// # Safety
    ///
    /// The current thread must have acquired it in this mode.
    #[track_caller]
    #[expect(
        unsafe_code,
        reason = "who has not acquired it would take it from another"
    )]
    pub(super) unsafe fn release(&self, mode: Mode, is_fair: bool) {
        // The guards of `lock_api` release what they have not acquired again, where the lab unwinds a
        // thread that was about to.
        if let Some(at) = self.held_at(mode) {
            let raw = self;
            ManuallyDrop::new(Held { raw, mode, at }).release(is_fair);
        }
    }

    /// Where the current thread has acquired it in this mode, or `None` if it does not hold it so in
    /// the current execution. Outside of executions nobody knows, and the caller stands for it.
    #[track_caller]
    fn held_at(&self, mode: Mode) -> Option<&'static Location<'static>> {
        match self.held() {
            Some(object) => read_write::held_at(object, mode),
            None => Some(Location::caller()),
        }
    }

    /// The lock in the current execution, if it is held there. Not an operation.
    fn held(&self) -> Option<ObjectId> {
        let is_inside = self.worlds.of_guard() == World::Inside;
        self.identity.known().filter(|_| is_inside)
    }

    /// Whether somebody holds it. One step.
    #[track_caller]
    pub(super) fn look(&self) -> bool {
        match self.object() {
            Some(object) => read_write::look(object, &[Mode::Read, Mode::Upgradable, Mode::Write]),
            None => self.real.is_held(false),
        }
    }

    /// Whether somebody holds it for writing. One step.
    #[track_caller]
    pub(super) fn look_for_writer(&self) -> bool {
        match self.object() {
            Some(object) => read_write::look(object, &[Mode::Write]),
            None => self.real.is_held(true),
        }
    }
}

impl fmt::Debug for RawRwLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawRwLock").finish_non_exhaustive()
    }
}

/// That the current thread has acquired a lock, and releases it when this is dropped.
#[derive(Debug)]
pub(super) struct Held<'a> {
    raw: &'a RawRwLock,
    mode: Mode,
    /// Where it was acquired.
    at: &'static Location<'static>,
}

#[expect(unsafe_code, reason = "it is known to be acquired")]
impl<'a> Held<'a> {
    /// Takes the lock over from who has acquired it in this mode.
    ///
    /// # Safety
    ///
    /// The current thread must have acquired it so, and nothing else may release it.
    #[track_caller]
    pub(super) unsafe fn new(raw: &'a RawRwLock, mode: Mode) -> Self {
        // Those who read are told apart by it.
        let at = raw.held_at(mode).unwrap_or(Location::caller());
        Held { raw, mode, at }
    }

    pub(super) fn raw(&self) -> &'a RawRwLock {
        self.raw
    }

    /// Releases the lock, to the thread that has waited longest.
    pub(super) fn release_fair(self) {
        ManuallyDrop::new(self).release(true);
    }

    /// Does something while the lock is released. It is acquired again in any case.
    #[track_caller]
    pub(super) fn while_released<R>(&mut self, is_fair: bool, f: impl FnOnce() -> R) -> R {
        self.release(is_fair);
        self.at = Location::caller();
        let (raw, at) = (self.raw, self.at);
        let way = match self.mode {
            Mode::Read => Way::Read,
            Mode::Upgradable => Way::ReadUpgradably,
            Mode::Write => Way::Write,
        };
        let _regains = Regains(move || {
            raw.acquire(way, Limit::None, at);
        });
        f()
    }

    /// Goes on to write, if it is held upgradably and that is possible within the limit. Returns
    /// whether it does.
    #[track_caller]
    pub(super) fn upgrade(&mut self, limit: Limit) -> bool {
        let at = Location::caller();
        let is_upgraded = match self.raw.held() {
            Some(object) => read_write::acquire(object, Access::Upgrade, limit.alternatives(), at),
            // SAFETY: the current thread has acquired it upgradably.
            None => unsafe { self.raw.real.upgrade(limit.deadline()) },
        };
        self.is_upgraded(is_upgraded, at)
    }

    /// The same, if it is possible now.
    #[track_caller]
    pub(super) fn try_upgrade(&mut self) -> bool {
        let at = Location::caller();
        let is_upgraded = match self.raw.held() {
            Some(object) => read_write::try_acquire(object, Access::Upgrade, at),
            // SAFETY: the current thread has acquired it upgradably.
            None => unsafe { self.raw.real.try_upgrade() },
        };
        self.is_upgraded(is_upgraded, at)
    }

    fn is_upgraded(&mut self, is_upgraded: bool, at: &'static Location<'static>) -> bool {
        if is_upgraded {
            self.mode = Mode::Write;
            self.at = at;
        }
        is_upgraded
    }

    /// Goes on to hold it in a mode that excludes fewer others.
    #[track_caller]
    pub(super) fn downgrade(&mut self, to: Mode) {
        self.at = Location::caller();
        self.downgrade_here(to);
    }

    /// The same, at the place where it was acquired.
    fn downgrade_here(&mut self, to: Mode) {
        match self.raw.held() {
            Some(object) => read_write::downgrade(object, self.mode, to, self.at),
            // SAFETY: the current thread has acquired it in this mode.
            None => unsafe { self.raw.real.downgrade(self.mode, to) },
        }
        self.mode = to;
    }

    /// Writes for a while, if it is held upgradably, and it was upgraded just now.
    pub(super) fn while_upgraded<R>(&mut self, f: impl FnOnce() -> R) -> R {
        let _downgrades = Downgrades(self);
        f()
    }

    fn release(&self, is_fair: bool) {
        let raw = self.raw;
        match raw.worlds.leave() {
            // SAFETY: the current thread has acquired it outside of executions, in this mode. Whoever
            // calls this acquires it again, or forgets this.
            World::Outside => unsafe { raw.real.release(self.mode, is_fair) },
            World::Inside => {
                if let Some(object) = raw.identity.known() {
                    read_write::release(object, self.mode, self.at);
                }
            }
            World::Ended | World::Nobody => {}
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.release(false);
    }
}

/// Goes on to hold a lock upgradably when it is dropped, by a panic too.
struct Downgrades<'a, 'b>(&'a mut Held<'b>);

impl Drop for Downgrades<'_, '_> {
    fn drop(&mut self) {
        self.0.downgrade_here(Mode::Upgradable);
    }
}
