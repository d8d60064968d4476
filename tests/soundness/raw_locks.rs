//! The raw locks of `parking_lot`, in the locks of `lock_api`.

use std::time::Duration;

use racelab::parking_lot::lock_api::{
    self, RawMutex as _, RawMutexTimed as _, RawRwLock as _, RawRwLockUpgrade as _,
};
use racelab::parking_lot::{RawMutex, RawRwLock};
use racelab::thread;

type Mutex<T> = lock_api::Mutex<RawMutex, T>;
type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;
type RwLock<T> = lock_api::RwLock<RawRwLock, T>;
type ReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLock, T>;
type UpgradableGuard<'a, T> = lock_api::RwLockUpgradableReadGuard<'a, RawRwLock, T>;
type WriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLock, T>;

const LONG: Duration = Duration::from_secs(60);

#[test]
fn threads_change_what_a_raw_mutex_guards_one_after_the_other() {
    static LIST: Mutex<Vec<u8>> = Mutex::const_new(RawMutex::INIT, Vec::new());
    let change = |item| {
        LIST.lock().push(item);
        let mut guard = LIST.try_lock_for(LONG).unwrap();
        MutexGuard::unlocked(&mut guard, || LIST.lock().push(item));
        MutexGuard::bump(&mut guard);
        guard.push(item);
        let last = MutexGuard::map(guard, |list| list.last_mut().unwrap());
        assert_eq!(*last, item);
        drop(last);
        MutexGuard::unlock_fair(LIST.lock());
    };
    thread::scope(|scope| {
        scope.spawn(move || change(1));
        scope.spawn(move || change(2));
    });
    assert_eq!(LIST.lock().len(), 6);
}

#[test]
fn a_raw_lock_is_read_together_and_changed_alone() {
    let list = RwLock::new(vec![0]);
    thread::scope(|scope| {
        for item in [1, 2] {
            let list = &list;
            scope.spawn(move || {
                let mut read = list.read();
                ReadGuard::bump(&mut read);
                drop(read);
                let mut write = list.write();
                write.push(item);
                WriteGuard::bump(&mut write);
                let read = WriteGuard::downgrade(write);
                assert!(read.contains(&item));
                ReadGuard::unlock_fair(read);
                let mut write = UpgradableGuard::upgrade(list.upgradable_read());
                write.push(item);
                let mut read = WriteGuard::downgrade_to_upgradable(write);
                UpgradableGuard::bump(&mut read);
                read.with_upgraded(|list| list.push(item));
                assert!(read.len() > 2);
                drop(UpgradableGuard::downgrade(read));
                WriteGuard::unlock_fair(list.try_write_for(LONG).unwrap());
            });
        }
    });
    assert_eq!(list.into_inner().len(), 7);
}

#[test]
fn raw_locks_are_acquired_and_released_without_guards() {
    let (mutex, lock) = (RawMutex::INIT, RawRwLock::INIT);
    mutex.lock();
    assert!(!mutex.try_lock_for(Duration::ZERO));
    // SAFETY: it was acquired.
    unsafe { mutex.unlock() };
    lock.lock_upgradable();
    assert!(lock.try_lock_shared());
    // SAFETY: it was acquired in both ways, and is then upgraded.
    unsafe {
        assert!(!lock.try_upgrade());
        lock.unlock_shared();
        assert!(lock.try_upgrade());
        lock.unlock_exclusive();
    }
    assert!(!mutex.is_locked() && !lock.is_locked());
}
