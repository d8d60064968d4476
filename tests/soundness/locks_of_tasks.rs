//! The locks of tasks, whose guards are references that permits allow.

use std::sync::Arc;
use std::thread;

use racelab::future::sync::{
    Mutex, MutexGuard, OwnedMutexGuard, OwnedRwLockWriteGuard, RwLock, RwLockReadGuard,
    RwLockWriteGuard,
};

#[test]
fn threads_change_what_a_mutex_guards_one_after_another() {
    let mutex: Arc<Mutex<[u8]>> = Arc::new(Mutex::new([0; 2]));
    let threads = [0, 1].map(|index| {
        let mutex = Arc::clone(&mutex);
        thread::spawn(move || {
            let guard = mutex.blocking_lock();
            *MutexGuard::map(guard, |all| &mut all[index]) += 1;
            let guard = mutex.blocking_lock_owned();
            *OwnedMutexGuard::map(guard, |all| &mut all[1 - index]) += 1;
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(&*mutex.try_lock().unwrap(), &[2, 2]);
}

#[test]
fn a_guard_can_be_released_by_another_thread() {
    let mutex = Arc::new(Mutex::new(vec![1]));
    let mut guard = Arc::clone(&mutex).try_lock_owned().unwrap();
    thread::spawn(move || guard.push(2)).join().unwrap();
    assert_eq!(*mutex.try_lock().unwrap(), [1, 2]);
}

#[test]
fn threads_that_read_share_what_a_lock_guards() {
    let lock = Arc::new(RwLock::new((1, 2)));
    let mut guard = lock.try_write().unwrap();
    guard.0 += 1;
    let guard = RwLockWriteGuard::downgrade_map(guard, |both| &both.0);
    let other = Arc::clone(&lock);
    let read = move || {
        let second = RwLockReadGuard::map(other.blocking_read(), |both| &both.1);
        *second
    };
    let second = thread::spawn(read).join().unwrap();
    assert_eq!((*guard, second), (2, 2));
    drop(guard);
    let guard = Arc::clone(&lock).try_write_owned().unwrap();
    let failed = OwnedRwLockWriteGuard::try_map(guard, |_| None::<&mut u8>);
    failed.expect_err("there is no such part").1 += 1;
    assert_eq!(*lock.try_read().unwrap(), (2, 3));
}
