//! The real read-write lock, by the modes in which it is held.

use std::sync::atomic::{Ordering, fence};
use std::time::Instant;

use ::parking_lot as real;
use real::lock_api::{
    RawRwLock as _, RawRwLockDowngrade as _, RawRwLockFair as _, RawRwLockRecursive as _,
    RawRwLockRecursiveTimed as _, RawRwLockTimed as _, RawRwLockUpgrade as _,
    RawRwLockUpgradeDowngrade as _, RawRwLockUpgradeFair as _, RawRwLockUpgradeTimed as _,
};

use crate::model::read_write::Mode;

use super::raw_rwlock::Way;

/// The lock that is used outside of executions.
pub(super) struct RealRwLock(real::RawRwLock);

/// That it was acquired.
pub(super) struct RealHeld<'a> {
    real: &'a RealRwLock,
    mode: Mode,
}

impl RealRwLock {
    pub(super) const fn new() -> Self {
        RealRwLock(real::RawRwLock::INIT)
    }

    /// Acquires the lock, and waits until then at most.
    pub(super) fn acquire(&self, way: Way, deadline: Option<Instant>) -> Option<RealHeld<'_>> {
        let lock = &self.0;
        let is_acquired = match (way, deadline) {
            (Way::Read, Some(deadline)) => lock.try_lock_shared_until(deadline),
            (Way::ReadRecursively, Some(deadline)) => {
                lock.try_lock_shared_recursive_until(deadline)
            }
            (Way::ReadUpgradably, Some(deadline)) => lock.try_lock_upgradable_until(deadline),
            (Way::Write, Some(deadline)) => lock.try_lock_exclusive_until(deadline),
            (way, None) => {
                match way {
                    Way::Read => lock.lock_shared(),
                    Way::ReadRecursively => lock.lock_shared_recursive(),
                    Way::ReadUpgradably => lock.lock_upgradable(),
                    Way::Write => lock.lock_exclusive(),
                }
                true
            }
        };
        is_acquired.then(|| self.held(way))
    }

    /// Acquires the lock if nobody is in the way.
    pub(super) fn try_acquire(&self, way: Way) -> Option<RealHeld<'_>> {
        let lock = &self.0;
        let is_acquired = match way {
            Way::Read => lock.try_lock_shared(),
            Way::ReadRecursively => lock.try_lock_shared_recursive(),
            Way::ReadUpgradably => lock.try_lock_upgradable(),
            Way::Write => lock.try_lock_exclusive(),
        };
        is_acquired.then(|| self.held(way))
    }

    fn held(&self, way: Way) -> RealHeld<'_> {
        RealHeld {
            real: self,
            mode: way.mode(),
        }
    }

    /// Whether somebody holds it, or holds it for writing.
    pub(super) fn is_held(&self, for_writing: bool) -> bool {
        if for_writing {
            self.0.is_locked_exclusive()
        } else {
            self.0.is_locked()
        }
    }
}

#[expect(
    unsafe_code,
    reason = "who has not acquired it would take it from another"
)]
impl RealRwLock {
    /// Goes on to write, and waits until then at most. Returns whether it does.
    ///
    /// # Safety
    ///
    /// The current thread must have acquired it upgradably.
    pub(super) unsafe fn upgrade(&self, deadline: Option<Instant>) -> bool {
        // SAFETY: as the caller has promised.
        unsafe {
            match deadline {
                Some(deadline) => ordered(self.0.try_upgrade_until(deadline)),
                None => {
                    self.0.upgrade();
                    true
                }
            }
        }
    }

    /// Goes on to write, if nobody else reads. Returns whether it does.
    ///
    /// # Safety
    ///
    /// The current thread must have acquired it upgradably.
    pub(super) unsafe fn try_upgrade(&self) -> bool {
        // SAFETY: as the caller has promised.
        ordered(unsafe { self.0.try_upgrade() })
    }

    /// Goes on to hold it in a mode that excludes fewer others.
    ///
    /// # Safety
    ///
    /// The current thread must have acquired it in the first one.
    pub(super) unsafe fn downgrade(&self, from: Mode, to: Mode) {
        // SAFETY: as the caller has promised.
        unsafe {
            match (from, to) {
                (Mode::Write, Mode::Upgradable) => self.0.downgrade_to_upgradable(),
                (Mode::Write, _) => self.0.downgrade(),
                (Mode::Upgradable, _) => self.0.downgrade_upgradable(),
                (Mode::Read, _) => {}
            }
        }
    }

    /// Releases the lock.
    ///
    /// # Safety
    ///
    /// The current thread must have acquired it in this mode.
    pub(super) unsafe fn release(&self, mode: Mode, is_fair: bool) {
        // SAFETY: as the caller has promised.
        unsafe {
            match (mode, is_fair) {
                (Mode::Read, false) => self.0.unlock_shared(),
                (Mode::Read, true) => self.0.unlock_shared_fair(),
                (Mode::Upgradable, false) => self.0.unlock_upgradable(),
                (Mode::Upgradable, true) => self.0.unlock_upgradable_fair(),
                (Mode::Write, false) => self.0.unlock_exclusive(),
                (Mode::Write, true) => self.0.unlock_exclusive_fair(),
            }
        }
    }
}

/// Orders what others have read before what is written after an upgrade. Of attempts to upgrade, the
/// lock itself does not say that, but uses `Relaxed`.
fn ordered(is_upgraded: bool) -> bool {
    fence(Ordering::Acquire);
    is_upgraded
}

impl Drop for RealHeld<'_> {
    #[expect(unsafe_code, reason = "it was acquired")]
    fn drop(&mut self) {
        // SAFETY: it was acquired, and who keeps it forgets this.
        unsafe { self.real.release(self.mode, false) };
    }
}
