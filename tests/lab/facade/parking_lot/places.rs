//! Reports name lines of the code under test, whatever stands between it and the lab.

use std::time::Duration;

use racelab::parking_lot::lock_api;
use racelab::parking_lot::{
    Condvar, Mutex, MutexGuard, Once, RawMutex, RawRwLock, ReentrantMutex, ReentrantMutexGuard,
    RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard,
};
use racelab::{FailureKind, Report, trace::Operation};

use crate::facade::{explore, fails};

const SOON: Duration = Duration::from_secs(1);

fn mutexes() {
    let mutex = Mutex::new(0);
    let mut guard = mutex.lock();
    MutexGuard::unlocked(&mut guard, || ());
    MutexGuard::bump(&mut guard);
    drop(MutexGuard::map(guard, |value| value));
    drop(mutex.try_lock());
    drop(mutex.try_lock_for(SOON));
    assert!(!mutex.is_locked());
    let condvar = Condvar::new();
    condvar.wait_for(&mut mutex.lock(), SOON);
    condvar.notify_one();
    condvar.notify_all();
    let again = ReentrantMutex::new(0);
    let mut outer = again.lock();
    let _inner = again.lock();
    ReentrantMutexGuard::unlocked(&mut outer, || ());
    drop(ReentrantMutex::new(0).try_lock_for(SOON));
    let once = Once::new();
    once.call_once(|| ());
    once.call_once_force(|_| ());
    once.state();
}

fn read_write_locks() {
    let lock = RwLock::new(0);
    drop(lock.read());
    drop(lock.try_read());
    drop(lock.read_recursive());
    drop(lock.try_write_for(SOON));
    let reads = RwLockWriteGuard::downgrade(lock.write());
    let mut upgradable = lock.upgradable_read();
    drop(RwLockReadGuard::map(reads, |value| value));
    upgradable.with_upgraded(|value| *value += 1);
    upgradable.try_with_upgraded(|value| *value += 1);
    let mut writes = RwLockUpgradableReadGuard::upgrade(upgradable);
    RwLockWriteGuard::unlocked(&mut writes, || ());
    let upgradable = RwLockWriteGuard::downgrade_to_upgradable(writes);
    drop(RwLockUpgradableReadGuard::downgrade(upgradable));
    assert!(!lock.is_locked() && !lock.is_locked_exclusive());
}

fn locks_of_lock_api() {
    let mutex = lock_api::Mutex::<RawMutex, u32>::new(0);
    let mut guard = mutex.lock();
    lock_api::MutexGuard::bump(&mut guard);
    drop(guard);
    drop(mutex.try_lock());
    let lock = lock_api::RwLock::<RawRwLock, u32>::new(0);
    drop(lock.read());
    drop(lock_api::RwLockUpgradableReadGuard::upgrade(
        lock.upgradable_read(),
    ));
    drop(lock_api::RwLockWriteGuard::downgrade(lock.write()));
}

/// Explores what fails in the end, so that there is a trace.
fn trace_of(body: fn()) {
    let failure = fails(FailureKind::Panic, move || {
        body();
        panic!("in the end");
    });
    assert!(!failure.trace.events.is_empty());
    for event in &failure.trace.events {
        assert_eq!(event.at.file(), file!(), "{event:?}");
    }
    for object in &failure.trace.objects {
        assert_eq!(object.made_at.file(), file!(), "{object:?}");
    }
}

#[test]
fn each_step_stands_at_a_line_of_the_code_under_test() {
    for body in [mutexes, read_write_locks, locks_of_lock_api] {
        trace_of(body);
    }
}

#[test]
fn an_unlock_stands_where_the_same_guard_was_acquired() {
    let failure = fails(FailureKind::Panic, || {
        let lock = RwLock::new(0);
        let first = lock.read();
        let second = lock.read();
        drop(first);
        drop(second);
        panic!("in the end");
    });
    let at = |operation| {
        let events = failure.trace.events.iter();
        let events = events.filter(move |event| event.operation == operation);
        events.map(|event| event.at.line()).collect::<Vec<_>>()
    };
    assert_eq!(at(Operation::Unlock), at(Operation::ReadLock));
}

#[test]
fn a_lock_is_known_by_where_it_was_made() {
    let (line, mutex) = (line!(), Mutex::new(0));
    let report: Report = explore(move || {
        let other = racelab::thread::spawn(|| ());
        *mutex.lock() += 1;
        drop(mutex.lock());
        other.join().unwrap();
        panic!("in the end");
    });
    let failure = report.failure().expect("it panics");
    assert_eq!(failure.trace.objects[0].made_at.line(), line);
}
