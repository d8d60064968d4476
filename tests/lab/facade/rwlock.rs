//! What std promises of a read-write lock, under every interleaving of small programs.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Mutex, RwLock, RwLockWriteGuard, mpsc};
use racelab::trace::{Obstacle, ThreadId};
use racelab::{FailureKind, Named, outcome, thread};

use super::{fails, holds, outcomes};

#[test]
fn a_writer_is_alone() {
    holds(|| {
        let (inside, count) = (AtomicUsize::new(0), RwLock::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                let count = count.read().unwrap();
                inside.fetch_add(1, SeqCst);
                assert!(*count <= 1);
                inside.fetch_sub(1, SeqCst);
            });
            let mut count = count.write().unwrap();
            assert_eq!(inside.load(SeqCst), 0);
            *count += 1;
            assert_eq!(inside.load(SeqCst), 0);
        });
        assert_eq!(count.into_inner().unwrap(), 1);
    });
}

#[test]
fn two_writers_are_one_after_the_other() {
    holds(|| {
        let (inside, count) = (AtomicUsize::new(0), RwLock::new(0));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut count = count.write().unwrap();
                    assert_eq!(inside.fetch_add(1, SeqCst), 0);
                    *count += 1;
                    inside.fetch_sub(1, SeqCst);
                });
            }
        });
        assert_eq!(count.into_inner().unwrap(), 2);
    });
}

#[test]
fn two_readers_can_be_inside_together_or_not() {
    let most = outcomes(|| {
        let (lock, inside, most) = (RwLock::new(()), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let _guard = lock.read().unwrap();
                    most.fetch_max(inside.fetch_add(1, SeqCst) + 1, SeqCst);
                    inside.fetch_sub(1, SeqCst);
                });
            }
        });
        outcome(most.into_inner());
    });
    assert_eq!(most, ["1", "2"]);
}

#[test]
fn readers_that_wait_for_each_other_inside_do_not_deadlock() {
    holds(|| {
        let (lock, other) = (RwLock::new(()), Mutex::new(()));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _reads = lock.read().unwrap();
                drop(other.lock().unwrap());
            });
            let _holds = other.lock().unwrap();
            drop(lock.read().unwrap());
        });
    });
}

#[test]
fn attempts_fail_only_beside_those_that_exclude_them() {
    let beside_a_writer = outcomes(|| {
        let (lock, writes) = (RwLock::new(()), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _guard = lock.write().unwrap();
                writes.store(true, SeqCst);
                writes.store(false, SeqCst);
            });
            let written = writes.load(SeqCst);
            outcome((written, lock.try_read().is_ok()));
        });
    });
    assert_eq!(
        beside_a_writer,
        [
            "(false, false)",
            "(false, true)",
            "(true, false)",
            "(true, true)"
        ]
    );
    let readers = outcomes(|| {
        let lock = RwLock::new(());
        thread::scope(|scope| {
            scope.spawn(|| drop(lock.read().unwrap()));
            let reads = lock.try_read().is_ok();
            let writes = lock.try_write().is_ok();
            outcome((reads, writes));
        });
    });
    assert_eq!(readers, ["(true, false)", "(true, true)"]);
}

#[test]
fn a_caught_panic_of_a_writer_poisons_and_one_of_a_reader_does_not() {
    for writes in [false, true] {
        let results = outcomes(move || {
            let lock = RwLock::new(0);
            thread::scope(|scope| {
                scope.spawn(|| {
                    let caught = catch_unwind(AssertUnwindSafe(|| {
                        if writes {
                            *lock.write().unwrap() = 1;
                            let _guard = lock.write().unwrap();
                            resume_unwind(Box::new(()));
                        }
                        let _guard = lock.read().unwrap();
                        resume_unwind(Box::new(()));
                    }));
                    assert!(caught.is_err());
                });
                outcome(lock.read().is_ok());
            });
            assert_eq!(lock.is_poisoned(), writes);
            assert_eq!(lock.write().is_err(), writes);
            lock.clear_poison();
            assert!(lock.read().is_ok());
        });
        let expected: &[&str] = if writes {
            &["false", "true"]
        } else {
            &["true"]
        };
        assert_eq!(results, expected);
    }
}

#[test]
fn no_writer_comes_between_a_write_and_the_reading_it_is_downgraded_to() {
    let seen = outcomes(|| {
        let value = RwLock::new(0);
        thread::scope(|scope| {
            scope.spawn(|| *value.write().unwrap() = 2);
            let mut guard = value.write().unwrap();
            *guard = 1;
            let guard = RwLockWriteGuard::downgrade(guard);
            assert_eq!(*guard, 1);
            outcome(value.try_read().is_ok());
        });
    });
    assert_eq!(seen, ["true"]);
}

#[test]
fn a_read_while_the_same_thread_reads_is_possible() {
    holds(|| {
        let lock = RwLock::new(5);
        thread::scope(|scope| {
            scope.spawn(|| drop(lock.read().unwrap()));
            let first = lock.read().unwrap();
            let second = lock.read().unwrap();
            assert_eq!(*first, *second);
        });
    });
}

#[test]
fn a_writer_behind_readers_that_never_end_is_told_who_reads() {
    let failure = fails(FailureKind::Deadlock, || {
        let table = Arc::new(RwLock::new(0).named("table"));
        let (ready, readers) = mpsc::channel();
        let threads = [1, 2].map(|_| {
            let (table, ready) = (Arc::clone(&table), ready.clone());
            thread::spawn(move || {
                let _reads = table.read().unwrap();
                ready.send(()).unwrap();
                thread::park();
            })
        });
        assert_eq!(readers.iter().take(2).count(), 2);
        *table.write().unwrap() = 1;
        for thread in threads {
            thread.join().unwrap();
        }
    });
    let readers = Obstacle::Readers(vec![ThreadId(1), ThreadId(2)]);
    assert_eq!(failure.blocked[0].obstacle, Some(readers));
    assert_eq!(failure.blocked[1].holds.len(), 1);
    let why = failure.why.expect("there is a reason");
    assert!(
        why.contains("main waits to write table, which T1 and T2 hold for reading"),
        "{why}"
    );
    assert!(why.contains("T2 holds table (acquired at "), "{why}");
}

#[test]
fn a_reader_that_wants_to_write_deadlocks_with_itself() {
    let failure = fails(FailureKind::Deadlock, || {
        let table = RwLock::new(0).named("table");
        let seen = table.read().unwrap();
        *table.write().unwrap() = *seen + 1;
    });
    let why = failure.why.expect("there is a reason");
    assert!(
        why.contains("waits to write table, which main holds for reading"),
        "{why}"
    );
}

#[test]
fn a_reader_behind_a_writer_that_never_ends_is_told_who_writes() {
    let failure = fails(FailureKind::Deadlock, || {
        let table = Arc::new(RwLock::new(0).named("table"));
        let other = Arc::clone(&table);
        let _guard = table.write().unwrap();
        thread::spawn(move || drop(other.read())).join().unwrap();
    });
    let reader = &failure.blocked[1];
    assert_eq!(reader.obstacle, Some(Obstacle::Writer(ThreadId::MAIN)));
    let why = failure.why.expect("there is a reason");
    assert!(
        why.contains("T1 waits to read table, which main holds for writing"),
        "{why}"
    );
}

/// Something unsized to put behind a lock.
trait Account: Send + Sync {
    fn balance(&self) -> i64;
    fn pay(&mut self, amount: i64);
}

impl Account for i64 {
    fn balance(&self) -> i64 {
        *self
    }

    fn pay(&mut self, amount: i64) {
        *self -= amount;
    }
}

fn use_a_lock_of_a_trait_object() {
    let account: Arc<RwLock<dyn Account>> = Arc::new(RwLock::new(100_i64));
    let other = Arc::clone(&account);
    let other = thread::spawn(move || other.write().unwrap().pay(30));
    assert!(account.read().unwrap().balance() > 50);
    other.join().unwrap();
    assert_eq!(account.try_read().unwrap().balance(), 70);
}

#[test]
fn a_lock_can_hold_a_trait_object_inside_and_outside() {
    use_a_lock_of_a_trait_object();
    holds(use_a_lock_of_a_trait_object);
}

#[test]
fn destructors_that_lock_while_an_execution_is_unwound_leave_nothing() {
    /// Reads and writes when it is dropped.
    struct Locks<'a>(&'a RwLock<u32>, Arc<()>);
    impl Drop for Locks<'_> {
        fn drop(&mut self) {
            let seen = self.0.read().map_or(0, |value| *value);
            if let Ok(mut value) = self.0.write() {
                *value = seen + 1;
            }
            assert!(Arc::strong_count(&self.1) > 0);
        }
    }
    let live = Arc::new(());
    let kept = Arc::clone(&live);
    fails(FailureKind::Panic, move || {
        let lock = RwLock::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _locks = Locks(&lock, Arc::clone(&kept));
                let _guard = lock.write().unwrap();
                thread::yield_now();
            });
            let _locks = Locks(&lock, Arc::clone(&kept));
            let _guard = lock.read().unwrap();
            panic!("in the scope");
        });
    });
    assert_eq!(Arc::strong_count(&live), 1);
}
