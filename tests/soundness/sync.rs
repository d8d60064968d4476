//! The locks of std.

use std::mem;
use std::time::Duration;

use racelab::sync::{Condvar, Mutex, RwLock, TryLockError};
use racelab::thread;

use crate::{give_up, panics};

#[test]
fn threads_change_what_a_mutex_guards_one_after_the_other() {
    let mut list = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for item in [1, 2] {
            let list = &list;
            scope.spawn(move || {
                list.lock().unwrap().push(item);
                loop {
                    match list.try_lock() {
                        Ok(mut list) => break list.push(item),
                        Err(TryLockError::WouldBlock) => thread::yield_now(),
                        Err(TryLockError::Poisoned(error)) => panic!("{error}"),
                    }
                }
            });
        }
    });
    list.get_mut().unwrap().push(3);
    let list = list.into_inner().unwrap();
    assert_eq!(list.iter().sum::<i32>(), 9);
}

#[test]
fn threads_read_together_what_others_change_alone() {
    let mut list = RwLock::new(vec![0]);
    thread::scope(|scope| {
        for item in [1, 2] {
            let list = &list;
            scope.spawn(move || {
                assert!(list.read().unwrap().len() <= 3);
                list.write().unwrap().push(item);
                if let Ok(list) = list.try_read() {
                    assert!(list.contains(&item));
                }
                if let Ok(mut list) = list.try_write() {
                    list[0] += 1;
                }
            });
        }
    });
    list.get_mut().unwrap().push(3);
    assert_eq!(list.into_inner().unwrap().len(), 4);
}

#[test]
fn a_guard_can_be_read_by_other_threads() {
    let (list, prices) = (Mutex::new(vec![1]), RwLock::new(vec![2]));
    let mut guard = list.lock().unwrap();
    let (read, also_read) = (prices.read().unwrap(), prices.read().unwrap());
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!((guard[0], read[0]), (1, 2)));
        assert_eq!((guard[0], also_read[0]), (1, 2));
    });
    guard.push(3);
    drop((read, also_read));
    let mut write = prices.write().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(write[0], 2));
    });
    write.push(4);
}

#[cfg(rwlock_downgrade)]
#[test]
fn who_has_written_goes_on_to_read() {
    use racelab::sync::RwLockWriteGuard;

    let list = RwLock::new(Vec::new());
    thread::scope(|scope| {
        for item in [1, 2] {
            let list = &list;
            scope.spawn(move || {
                let mut write = list.write().unwrap();
                write.push(item);
                let read = RwLockWriteGuard::downgrade(write);
                assert_eq!(read.last(), Some(&item));
            });
        }
    });
    assert_eq!(list.into_inner().unwrap().len(), 2);
}

#[test]
fn a_poisoned_lock_still_hands_out_what_it_guards() {
    let (mut list, mut prices) = (Mutex::new(vec![1]), RwLock::new(vec![2]));
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let (mut list, mut prices) = (list.lock().unwrap(), prices.write().unwrap());
            list.push(3);
            prices.push(4);
            give_up()
        });
        assert!(thread.join().is_err());
    });
    list.lock().unwrap_err().into_inner().push(5);
    prices.write().unwrap_err().get_mut().push(6);
    assert_eq!(**prices.read().unwrap_err().get_ref(), [2, 4, 6]);
    assert!(matches!(list.try_lock(), Err(TryLockError::Poisoned(_))));
    list.get_mut().unwrap_err().into_inner().push(7);
    prices.get_mut().unwrap_err().into_inner().push(8);
    list.clear_poison();
    assert_eq!(*list.lock().unwrap(), [1, 3, 5, 7]);
    assert!(panics(|| prices.into_inner().unwrap()));
}

#[test]
fn a_condition_variable_hands_a_mutex_over_and_back() {
    let (list, changed) = (Mutex::new(vec![0]), Condvar::new());
    let until = |last: u8| {
        let waits = move |list: &mut Vec<u8>| list.last() != Some(&last);
        changed.wait_while(list.lock().unwrap(), waits).unwrap()
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            until(1).push(2);
            changed.notify_all();
        });
        list.lock().unwrap().push(1);
        changed.notify_one();
        let mut guard = until(2);
        guard.push(3);
        let (guard, _) = changed
            .wait_timeout(guard, Duration::from_millis(1))
            .unwrap();
        assert_eq!(*guard, [0, 1, 2, 3]);
    });
}

#[test]
fn a_lock_guards_what_has_no_known_size() {
    let list: Box<Mutex<[u8]>> = Box::new(Mutex::new([1, 2]));
    list.lock().unwrap()[0] = 3;
    assert_eq!(*list.lock().unwrap(), [3, 2]);
    let next: Box<RwLock<dyn FnMut() -> u8 + Send + Sync>> = {
        let mut last = 0;
        Box::new(RwLock::new(move || {
            last += 1;
            last
        }))
    };
    assert_eq!(next.write().unwrap()(), 1);
    assert_eq!(next.write().unwrap()(), 2);
}

#[test]
fn a_lock_whose_guard_was_forgotten_stays_held() {
    let (mut list, mut prices) = (Mutex::new(vec![1]), RwLock::new(vec![2]));
    mem::forget(list.lock());
    mem::forget(prices.read());
    assert!(list.try_lock().is_err() && prices.try_write().is_err());
    assert_eq!(*prices.read().unwrap(), [2]);
    // Nobody else can have a reference to what they guard.
    list.get_mut().unwrap().push(3);
    prices.get_mut().unwrap().push(4);
    assert_eq!(list.into_inner().unwrap(), [1, 3]);
    assert_eq!(prices.into_inner().unwrap(), [2, 4]);
}

/// The count of guards of a lock has to have room for all of them.
#[test]
#[cfg_attr(miri, ignore = "it takes too long there")]
fn a_lock_can_be_read_by_more_than_65536_guards() {
    const GUARDS: usize = 70_000;
    let list = RwLock::new(vec![1]);
    let guards: Vec<_> = (0..GUARDS).map(|_| list.read().unwrap()).collect();
    assert!(guards.iter().all(|guard| guard.len() == 1) && list.try_write().is_err());
    drop(guards);
    list.write().unwrap().push(2);
}
