//! The raw locks as `lock_api` wants them, for locks that are made of them there.
#![expect(
    unsafe_code,
    reason = "the traits are unsafe to implement, and to call"
)]

use std::mem::ManuallyDrop;
use std::panic::Location;
use std::time::{Duration, Instant};

use ::parking_lot::lock_api::{self, GuardNoSend};

use crate::model::read_write::Mode;

use super::limit::Limit;
use super::raw_mutex::{self, RawMutex};
use super::raw_rwlock::{self, RawRwLock, Way};

/// Methods that are called for at their callers' places.
macro_rules! methods {
    ($(
        $name:ident($self:ident $(, $timeout:ident: $time:ty)?) $(-> $result:ty)? $body:block
    )*) => {$(
        #[track_caller]
        fn $name(&$self $(, $timeout: $time)?) $(-> $result)? $body
    )*};
}

/// Methods that need that the current thread has acquired the lock.
macro_rules! unsafe_methods {
    ($(
        $name:ident($self:ident $(, $timeout:ident: $time:ty)?) $(-> $result:ty)? $body:block
    )*) => {$(
        #[track_caller]
        unsafe fn $name(&$self $(, $timeout: $time)?) $(-> $result)? {
            // SAFETY: as the caller has promised.
            unsafe { $body }
        }
    )*};
}

// SAFETY: one thread at a time has acquired the mutex: outside of executions since the real one is
// held, inside since the execution grants it to one thread. The two are kept apart, and an execution
// that uses the mutex has claimed it, so that no other one does until it has ended.
unsafe impl lock_api::RawMutex for RawMutex {
    const INIT: Self = RawMutex::anywhere();

    type GuardMarker = GuardNoSend;

    methods! {
        lock(self) { self.acquire(Limit::None, Location::caller()); }
        try_lock(self) -> bool { self.try_acquire() }
        is_locked(self) -> bool { self.look() }
    }

    unsafe_methods! {
        unlock(self) {
            // The guards of `lock_api` release what they have not acquired again, where the lab
            // unwinds a thread that was about to.
            if !self.is_not_mine() {
                self.release(false);
            }
        }
    }
}

// SAFETY: as above. In an execution all orders in which threads may acquire it are explored anyway.
unsafe impl lock_api::RawMutexFair for RawMutex {
    unsafe_methods! {
        unlock_fair(self) { self.release(true); }
        bump(self) {
            ManuallyDrop::new(raw_mutex::Held::new(self)).while_released(true, || ());
        }
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawMutexTimed for RawMutex {
    type Duration = Duration;
    type Instant = Instant;

    methods! {
        try_lock_for(self, timeout: Duration) -> bool {
            self.acquire(Limit::For(timeout), Location::caller())
        }
        try_lock_until(self, timeout: Instant) -> bool {
            self.acquire(Limit::Until(timeout), Location::caller())
        }
    }
}

/// A lock that the current thread has acquired, and goes on to hold.
///
/// # Safety
///
/// It must have acquired it in this mode.
#[track_caller]
unsafe fn held(raw: &RawRwLock, mode: Mode) -> ManuallyDrop<raw_rwlock::Held<'_>> {
    // SAFETY: as the caller has promised, and this does not release it.
    ManuallyDrop::new(unsafe { raw_rwlock::Held::new(raw, mode) })
}

// SAFETY: whoever has acquired the lock for writing is alone. Outside of executions the real lock is
// held so, inside the execution grants it so. The two are kept apart, and an execution that uses the
// lock has claimed it, so that no other one does until it has ended.
unsafe impl lock_api::RawRwLock for RawRwLock {
    const INIT: Self = RawRwLock::anywhere();

    type GuardMarker = GuardNoSend;

    methods! {
        lock_shared(self) { self.acquire(Way::Read, Limit::None, Location::caller()); }
        try_lock_shared(self) -> bool { self.try_acquire(Way::Read) }
        lock_exclusive(self) { self.acquire(Way::Write, Limit::None, Location::caller()); }
        try_lock_exclusive(self) -> bool { self.try_acquire(Way::Write) }
        is_locked(self) -> bool { self.look() }
        is_locked_exclusive(self) -> bool { self.look_for_writer() }
    }

    unsafe_methods! {
        unlock_shared(self) { self.release(Mode::Read, false); }
        unlock_exclusive(self) { self.release(Mode::Write, false); }
    }
}

// SAFETY: as above. In an execution all orders in which threads may acquire it are explored anyway.
unsafe impl lock_api::RawRwLockFair for RawRwLock {
    unsafe_methods! {
        unlock_shared_fair(self) { self.release(Mode::Read, true); }
        unlock_exclusive_fair(self) { self.release(Mode::Write, true); }
        bump_shared(self) { held(self, Mode::Read).while_released(true, || ()); }
        bump_exclusive(self) { held(self, Mode::Write).while_released(true, || ()); }
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockDowngrade for RawRwLock {
    unsafe_methods! {
        downgrade(self) { held(self, Mode::Write).downgrade(Mode::Read); }
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockTimed for RawRwLock {
    type Duration = Duration;
    type Instant = Instant;

    methods! {
        try_lock_shared_for(self, timeout: Duration) -> bool {
            self.acquire(Way::Read, Limit::For(timeout), Location::caller())
        }
        try_lock_shared_until(self, timeout: Instant) -> bool {
            self.acquire(Way::Read, Limit::Until(timeout), Location::caller())
        }
        try_lock_exclusive_for(self, timeout: Duration) -> bool {
            self.acquire(Way::Write, Limit::For(timeout), Location::caller())
        }
        try_lock_exclusive_until(self, timeout: Instant) -> bool {
            self.acquire(Way::Write, Limit::Until(timeout), Location::caller())
        }
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockRecursive for RawRwLock {
    methods! {
        lock_shared_recursive(self) {
            self.acquire(Way::ReadRecursively, Limit::None, Location::caller());
        }
        try_lock_shared_recursive(self) -> bool { self.try_acquire(Way::ReadRecursively) }
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockRecursiveTimed for RawRwLock {
    methods! {
        try_lock_shared_recursive_for(self, timeout: Duration) -> bool {
            self.acquire(Way::ReadRecursively, Limit::For(timeout), Location::caller())
        }
        try_lock_shared_recursive_until(self, timeout: Instant) -> bool {
            self.acquire(Way::ReadRecursively, Limit::Until(timeout), Location::caller())
        }
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockUpgrade for RawRwLock {
    methods! {
        lock_upgradable(self) {
            self.acquire(Way::ReadUpgradably, Limit::None, Location::caller());
        }
        try_lock_upgradable(self) -> bool { self.try_acquire(Way::ReadUpgradably) }
    }

    unsafe_methods! {
        unlock_upgradable(self) { self.release(Mode::Upgradable, false); }
        upgrade(self) { held(self, Mode::Upgradable).upgrade(Limit::None); }
        try_upgrade(self) -> bool { held(self, Mode::Upgradable).try_upgrade() }
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockUpgradeFair for RawRwLock {
    unsafe_methods! {
        unlock_upgradable_fair(self) { self.release(Mode::Upgradable, true); }
        bump_upgradable(self) { held(self, Mode::Upgradable).while_released(true, || ()); }
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockUpgradeDowngrade for RawRwLock {
    unsafe_methods! {
        downgrade_upgradable(self) { held(self, Mode::Upgradable).downgrade(Mode::Read); }
        downgrade_to_upgradable(self) { held(self, Mode::Write).downgrade(Mode::Upgradable); }
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockUpgradeTimed for RawRwLock {
    methods! {
        try_lock_upgradable_for(self, timeout: Duration) -> bool {
            self.acquire(Way::ReadUpgradably, Limit::For(timeout), Location::caller())
        }
        try_lock_upgradable_until(self, timeout: Instant) -> bool {
            self.acquire(Way::ReadUpgradably, Limit::Until(timeout), Location::caller())
        }
    }

    unsafe_methods! {
        try_upgrade_for(self, timeout: Duration) -> bool {
            held(self, Mode::Upgradable).upgrade(Limit::For(timeout))
        }
        try_upgrade_until(self, timeout: Instant) -> bool {
            held(self, Mode::Upgradable).upgrade(Limit::Until(timeout))
        }
    }
}
