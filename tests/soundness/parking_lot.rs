//! The locks of `parking_lot`.

use std::cell::Cell;
use std::mem;
use std::time::{Duration, Instant};

use racelab::parking_lot::{
    Condvar, MappedMutexGuard, MappedReentrantMutexGuard, MappedRwLockReadGuard,
    MappedRwLockWriteGuard, Mutex, MutexGuard, Once, OnceState, ReentrantMutex,
    ReentrantMutexGuard, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard,
};
use racelab::sync::atomic::{AtomicU32, Ordering::Relaxed};
use racelab::thread;

use crate::{give_up, panics};

const SHORT: Duration = Duration::from_micros(10);
const LONG: Duration = Duration::from_secs(60);

/// Two lists, so that there is a part.
type Lists = (Vec<u8>, Vec<u8>);

#[test]
fn threads_change_what_a_mutex_guards_one_after_the_other() {
    let mut list = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for item in [1, 2] {
            let list = &list;
            scope.spawn(move || {
                list.lock().push(item);
                if let Some(mut list) = list.try_lock() {
                    list.push(item);
                }
                list.try_lock_for(LONG).unwrap().push(item);
                let mut guard = list.try_lock_until(Instant::now() + LONG).unwrap();
                MutexGuard::unlocked(&mut guard, || list.lock().push(item));
                MutexGuard::unlocked_fair(&mut guard, || list.lock().push(item));
                MutexGuard::bump(&mut guard);
                guard.push(item);
                MutexGuard::unlock_fair(guard);
            });
        }
    });
    assert!(!list.is_locked());
    list.get_mut().push(3);
    assert!(list.into_inner().len() >= 11);
}

#[test]
fn a_part_of_what_a_mutex_guards_can_be_changed() {
    let lists = Mutex::new(Lists::default());
    thread::scope(|scope| {
        for item in [1, 2] {
            let lists = &lists;
            scope.spawn(move || {
                let mut first = MutexGuard::map(lists.lock(), |lists| &mut lists.0);
                first.push(item);
                let part = MappedMutexGuard::try_map(first, |first| first.get_mut(9));
                let part = MappedMutexGuard::map(part.unwrap_err(), |first| first.as_mut_slice());
                let mut part = MappedMutexGuard::try_map_or_err(part, |part| {
                    part.last_mut().ok_or("it is empty")
                })
                .unwrap();
                *part += 1;
                assert_eq!(*part, item + 1);
                MappedMutexGuard::unlock_fair(part);
                let second = MutexGuard::try_map(lists.lock(), |lists| Some(&mut lists.1));
                second.unwrap().push(item);
                let none = MutexGuard::try_map_or_err(lists.lock(), |_| Err::<&mut u8, _>(item));
                let (mut lists, reason) = none.err().unwrap();
                lists.1.push(reason);
            });
        }
    });
    let (first, second) = lists.into_inner();
    assert_eq!((first.len(), second.len()), (2, 4));
}

#[test]
fn a_mutex_is_released_without_its_guard() {
    let list = Mutex::new(vec![1]);
    thread::scope(|scope| {
        for item in [2, 3] {
            let list = &list;
            scope.spawn(move || {
                let mut guard = list.lock();
                guard.push(item);
                mem::forget(guard);
                // SAFETY: this thread holds the mutex, and its guard was forgotten, also below.
                unsafe { list.force_unlock() };
                mem::forget(list.lock());
                // SAFETY: as above.
                let mut guard = unsafe { list.make_guard_unchecked() };
                guard.push(item);
                mem::forget(guard);
                // SAFETY: nobody else has the mutex.
                unsafe { (*list.data_ptr()).push(item) };
                // SAFETY: as above.
                unsafe { list.force_unlock_fair() };
            });
        }
    });
    let leaked = MutexGuard::leak(list.lock());
    leaked.push(4);
    assert_eq!((list.is_locked(), leaked.len()), (true, 8));
}

#[test]
fn a_panic_releases_every_lock() {
    let (list, prices) = (Mutex::new(vec![1]), RwLock::new(vec![2]));
    assert!(panics(|| {
        let _first = MutexGuard::map(list.lock(), |list| &mut list[0]);
        let _price = RwLockWriteGuard::map(prices.write(), |prices| &mut prices[0]);
        give_up()
    }));
    assert!(panics(|| {
        let mut guard = list.lock();
        MutexGuard::unlocked(&mut guard, || give_up())
    }));
    assert!(panics(|| {
        let mut guard = prices.upgradable_read();
        guard.with_upgraded(|_| give_up())
    }));
    assert!(panics(|| MutexGuard::map(list.lock(), |_| -> &mut u8 {
        give_up()
    })));
    assert!(!list.is_locked() && !prices.is_locked());
}

#[test]
fn a_guard_that_outlives_a_panic_still_holds_its_lock() {
    let (list, prices) = (Mutex::new(vec![1]), RwLock::new(vec![2]));
    let mut guard = list.lock();
    assert!(panics(|| MutexGuard::unlocked(&mut guard, || give_up())));
    guard.push(3);
    let mut read = prices.upgradable_read();
    assert!(panics(|| read.with_upgraded(|prices| {
        prices.push(4);
        give_up()
    })));
    assert_eq!((prices.read().len(), read.len()), (2, 2));
    assert!(list.try_lock().is_none());
}

#[test]
fn a_condition_variable_hands_a_mutex_over_and_back() {
    let (list, changed) = (Mutex::new(vec![0]), Condvar::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut guard = list.lock();
            changed.wait_while(&mut guard, |list| list.last() != Some(&1));
            guard.push(2);
            changed.notify_all();
        });
        list.lock().push(1);
        changed.notify_one();
        let mut guard = list.lock();
        while guard.last() != Some(&2) {
            changed.wait(&mut guard);
        }
        assert!(changed.wait_for(&mut guard, SHORT).timed_out());
        guard.push(3);
    });
    assert_eq!(list.into_inner(), [0, 1, 2, 3]);
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Begun,
    Waits,
    Over,
}

/// What is known of who holds a mutex has to be true also after the panic, for those who catch it.
#[test]
fn a_condition_variable_that_is_used_with_a_second_mutex_leaves_it_as_it_was() {
    let (first, second, changed) = (
        Mutex::new(Stage::Begun),
        Mutex::new(vec![1]),
        Condvar::new(),
    );
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut stage = first.lock();
            *stage = Stage::Waits;
            changed.wait_while(&mut stage, |stage| *stage == Stage::Waits);
        });
        while *first.lock() == Stage::Begun {
            thread::yield_now();
        }
        let mut guard = second.lock();
        let is_refused = panics(|| changed.wait(&mut guard));
        guard.push(2);
        let is_held = second.try_lock().is_none();
        drop(guard);
        *first.lock() = Stage::Over;
        changed.notify_all();
        assert!(is_refused && is_held);
    });
    assert_eq!(*second.try_lock().unwrap(), [1, 2]);
}

#[test]
fn threads_read_together_what_others_change_alone() {
    let mut list = RwLock::new(vec![0]);
    thread::scope(|scope| {
        for item in [1, 2] {
            let list = &list;
            scope.spawn(move || {
                assert!(!list.read().is_empty());
                list.write().push(item);
                let mut read = list.read_recursive();
                assert!(read.contains(&item) && list.read_recursive().contains(&item));
                RwLockReadGuard::bump(&mut read);
                RwLockReadGuard::unlocked(&mut read, || list.write().push(item));
                assert!(read.len() > 2);
                RwLockReadGuard::unlock_fair(read);
                let mut write = list.try_write_for(LONG).unwrap();
                write.push(item);
                RwLockWriteGuard::unlocked_fair(&mut write, || list.write().push(item));
                RwLockWriteGuard::bump(&mut write);
                write.push(item);
                RwLockWriteGuard::unlock_fair(write);
                let attempts = (list.try_read(), list.try_read_for(SHORT));
                assert!(attempts.0.is_none_or(|read| read.len() > 4));
                assert!(attempts.1.is_none_or(|read| read.len() > 4));
                if let Some(mut write) = list.try_write() {
                    write[0] += 1;
                }
            });
        }
    });
    list.get_mut().push(3);
    assert_eq!(list.into_inner().len(), 12);
}

#[test]
fn who_reads_upgradably_goes_on_to_write_and_back() {
    use RwLockUpgradableReadGuard as Upgradable;

    let list = RwLock::new(vec![0]);
    thread::scope(|scope| {
        for item in [1, 2] {
            let list = &list;
            scope.spawn(move || {
                let read = list.upgradable_read();
                let length = read.len();
                let mut write = Upgradable::upgrade(read);
                write.push(item);
                assert_eq!(write.len(), length + 1);
                let mut read = RwLockWriteGuard::downgrade_to_upgradable(write);
                assert_eq!(read.last(), Some(&item));
                read.with_upgraded(|list| list.push(item));
                if let Some(length) = read.try_with_upgraded(|list| list.len()) {
                    assert_eq!(read.len(), length);
                }
                read.try_with_upgraded_for(SHORT, |list| list[0] += 1);
                Upgradable::unlocked(&mut read, || list.write().push(item));
                Upgradable::bump(&mut read);
                let read = match Upgradable::try_upgrade(read) {
                    Ok(mut write) => {
                        write[0] += 1;
                        RwLockWriteGuard::downgrade(write)
                    }
                    Err(read) => Upgradable::downgrade(read),
                };
                assert!(read.len() > 3);
            });
            scope.spawn(move || {
                let read = list.read();
                assert!(!read.is_empty() && read[0] < 9);
            });
        }
    });
    let read = list.read();
    let upgradable = list.try_upgradable_read().unwrap();
    let upgradable = Upgradable::try_upgrade_for(upgradable, SHORT).unwrap_err();
    drop(read);
    let mut write = Upgradable::try_upgrade_until(upgradable, Instant::now() + LONG).unwrap();
    write.push(3);
    assert_eq!(write.len(), 8);
}

/// `parking_lot` itself does not order the two. Nor do the stages here.
fn upgrades_after_a_read(upgrade: impl Fn(&mut RwLockUpgradableReadGuard<'_, Vec<u8>>) -> bool) {
    let (list, stage) = (RwLock::new(vec![0]), AtomicU32::new(0));
    let until = |number| {
        while stage.load(Relaxed) < number {
            thread::yield_now();
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            let read = list.read();
            stage.store(1, Relaxed);
            until(2);
            assert_eq!(read[0], 0);
            drop(read);
            stage.store(3, Relaxed);
        });
        until(1);
        let mut read = list.upgradable_read();
        stage.store(2, Relaxed);
        until(3);
        while !upgrade(&mut read) {}
    });
}

#[test]
fn what_was_read_happens_before_an_upgrade_that_may_fail() {
    let change = |list: &mut Vec<u8>| list[0] = 1;
    for _ in 0..4 {
        upgrades_after_a_read(|read| read.try_with_upgraded(change).is_some());
        upgrades_after_a_read(|read| read.try_with_upgraded_for(LONG, change).is_some());
    }
}

#[test]
fn a_part_of_what_a_lock_guards_can_be_read_and_changed() {
    let lists = RwLock::new((vec![0], vec![0]));
    thread::scope(|scope| {
        for item in [1, 2] {
            let lists = &lists;
            scope.spawn(move || {
                let mut first = RwLockWriteGuard::map(lists.write(), |lists| &mut lists.0);
                first.push(item);
                let missing = MappedRwLockWriteGuard::try_map(first, |first| first.get_mut(9));
                let mut last = MappedRwLockWriteGuard::map(missing.unwrap_err(), |first| {
                    first.last_mut().unwrap()
                });
                *last += 1;
                assert_eq!(*last, item + 1);
                MappedRwLockWriteGuard::unlock_fair(last);
                let second = RwLockWriteGuard::try_map(lists.write(), |lists| Some(&mut lists.1));
                second.unwrap().push(item);
            });
            scope.spawn(move || {
                let first = RwLockReadGuard::map(lists.read(), |lists| &lists.0);
                assert_eq!(first[0], 0);
                let slice = MappedRwLockReadGuard::map(first, Vec::as_slice);
                let missing = MappedRwLockReadGuard::try_map(slice, |slice| slice.get(9));
                let read = MappedRwLockReadGuard::try_map(missing.unwrap_err(), <[_]>::first);
                let read = read.unwrap();
                let also =
                    RwLockReadGuard::try_map(lists.read_recursive(), |lists| lists.1.first());
                assert_eq!((*read, *also.unwrap()), (0, 0));
                MappedRwLockReadGuard::unlock_fair(read);
            });
        }
    });
    let (first, second) = lists.into_inner();
    assert_eq!((first.len(), second.len()), (3, 3));
}

#[test]
fn a_lock_is_released_without_its_guards() {
    let list = RwLock::new(vec![1]);
    thread::scope(|scope| {
        for item in [2, 3] {
            let list = &list;
            scope.spawn(move || {
                list.write().push(item);
                mem::forget(list.write());
                // SAFETY: this thread holds the lock so, and its guard was forgotten, also below.
                let mut write = unsafe { list.make_write_guard_unchecked() };
                write.push(item);
                mem::forget(write);
                // SAFETY: as above.
                unsafe { list.force_unlock_write() };
                mem::forget(list.read());
                // SAFETY: as above.
                let read = unsafe { list.make_read_guard_unchecked() };
                assert!(read.len() > 2);
                mem::forget(read);
                // SAFETY: as above.
                unsafe { list.force_unlock_read_fair() };
                mem::forget(list.upgradable_read());
                // SAFETY: as above.
                let read = unsafe { list.make_upgradable_guard_unchecked() };
                RwLockUpgradableReadGuard::upgrade(read).push(item);
            });
        }
    });
    assert_eq!(list.try_write().unwrap().len(), 7);
}

#[test]
fn a_guard_can_be_read_by_other_threads() {
    let (lists, prices) = (Mutex::new((vec![1], vec![2])), RwLock::new(vec![3]));
    let mut second = MutexGuard::map(lists.lock(), |lists| &mut lists.1);
    let read = prices.upgradable_read();
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!((second[0], read[0], prices.read()[0]), (2, 3, 3)));
        assert_eq!((second[0], read[0]), (2, 3));
    });
    second.push(4);
    RwLockUpgradableReadGuard::upgrade(read).push(5);
}

#[test]
fn the_owner_of_a_reentrant_mutex_acquires_it_again() {
    let count = ReentrantMutex::new((Cell::new(0), Cell::new(0)));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut outer = count.lock();
                outer.0.set(outer.0.get() + 1);
                let inner = ReentrantMutexGuard::map(count.lock(), |count| &count.1);
                inner.set(inner.get() + 1);
                ReentrantMutexGuard::unlocked(&mut outer, || {
                    assert!(count.is_owned_by_current_thread());
                });
                MappedReentrantMutexGuard::unlock_fair(inner);
                ReentrantMutexGuard::unlocked_fair(&mut outer, || {
                    let other = count.lock();
                    other.0.set(other.0.get() + 1);
                });
                ReentrantMutexGuard::bump(&mut outer);
                let inner = count.try_lock().unwrap();
                drop(outer);
                inner.1.set(inner.1.get() + 1);
                assert!(
                    ReentrantMutexGuard::remutex(&inner)
                        .try_lock_for(SHORT)
                        .is_some()
                );
                ReentrantMutexGuard::unlock_fair(inner);
                if let Some(guard) = count.try_lock() {
                    guard.0.set(guard.0.get() + 1);
                }
            });
        }
    });
    let (first, second) = count.into_inner();
    assert!((4..=6).contains(&first.get()) && second.get() == 4);
}

#[test]
fn what_is_run_once_happens_before_those_who_have_waited_for_it() {
    let (once, list) = (Once::new(), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for item in [1, 2] {
            let (once, list) = (&once, &list);
            scope.spawn(move || {
                once.call_once(|| list.lock().push(item));
                assert_eq!((once.state(), list.lock().len()), (OnceState::Done, 1));
            });
        }
    });
    let once = Once::new();
    assert!(panics(|| once.call_once(|| give_up())));
    once.call_once_force(|state| assert_eq!(state, OnceState::Poisoned));
}
