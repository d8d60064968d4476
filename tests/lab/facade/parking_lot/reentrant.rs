//! The mutex that its owner can acquire again.

use std::cell::Cell;
use std::time::Duration;

use racelab::parking_lot::{
    MappedReentrantMutexGuard, ReentrantMutex, ReentrantMutexGuard, const_reentrant_mutex,
};
use racelab::sync::Arc;
use racelab::{FailureKind, outcome, thread};

use crate::facade::{fails, holds, outcomes};

#[test]
fn its_owner_acquires_it_again_and_others_wait_until_it_is_released_as_often() {
    let body = || {
        let pair = Arc::new(ReentrantMutex::new((Cell::new(0), Cell::new(0))));
        let other = Arc::clone(&pair);
        let thread = thread::spawn(move || {
            let pair = other.lock();
            assert_eq!(pair.0.get(), pair.1.get());
            pair.0.set(pair.0.get() + 1);
            pair.1.set(pair.1.get() + 1);
        });
        let outer = pair.lock();
        outer.0.set(outer.0.get() + 1);
        let inner = pair.try_lock().expect("it is this thread's");
        assert!(pair.is_owned_by_current_thread());
        drop(outer);
        inner.1.set(inner.1.get() + 1);
        drop(inner);
        assert!(!pair.is_owned_by_current_thread());
        thread.join().unwrap();
        let last: MappedReentrantMutexGuard<'_, Cell<u32>> =
            ReentrantMutexGuard::map(pair.lock(), |pair| &pair.0);
        assert_eq!(last.get(), 2);
    };
    body();
    holds(body);
}

#[test]
fn threads_of_an_execution_are_told_apart_though_they_share_an_os_thread() {
    let seen = outcomes(|| {
        let mutex = Arc::new(ReentrantMutex::new(()));
        let other = Arc::clone(&mutex);
        let thread = thread::spawn(move || {
            let _twice = (other.lock(), other.lock());
            thread::yield_now();
        });
        let held = mutex.try_lock();
        assert_eq!(held.is_some(), mutex.is_owned_by_current_thread());
        outcome((held.is_some(), mutex.try_lock_for(Duration::ZERO).is_some()));
        drop(held);
        thread.join().unwrap();
    });
    assert_eq!(seen, ["(false, false)", "(false, true)", "(true, true)"]);
}

#[test]
fn a_guard_that_lets_go_releases_it_once() {
    let body = || {
        let mutex = const_reentrant_mutex(Cell::new(0));
        let mut outer = mutex.lock();
        let inner = mutex.lock();
        ReentrantMutexGuard::unlocked(&mut outer, || {
            assert!(mutex.is_owned_by_current_thread());
            inner.set(1);
        });
        drop(inner);
        ReentrantMutexGuard::unlocked(&mut outer, || {
            assert!(!mutex.is_owned_by_current_thread() && !mutex.is_locked());
        });
        ReentrantMutexGuard::bump(&mut outer);
        assert!(mutex.is_locked() && ReentrantMutexGuard::remutex(&outer).is_locked());
        assert_eq!(outer.get(), 1);
        ReentrantMutexGuard::unlock_fair(outer);
        assert!(!mutex.is_locked());
        assert_eq!(mutex.into_inner().get(), 1);
    };
    body();
    holds(body);
}

#[test]
fn two_of_them_in_opposite_orders_deadlock() {
    let failure = fails(FailureKind::Deadlock, || {
        let (a, b) = (ReentrantMutex::new(()), ReentrantMutex::new(()));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _held = (a.lock(), a.lock(), b.lock());
            });
            let _held = (b.lock(), b.lock(), a.lock());
        });
    });
    let mut blocked = failure.blocked.iter();
    assert!(blocked.all(|blocked| blocked.holds.len() == 1));
}
