//! Mutexes.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use racelab::sync::Mutex;
use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use racelab::{FailureKind, outcome, thread};

use super::super::{fails, holds, outcomes};

#[test]
fn one_thread_at_a_time_is_in_a_critical_section() {
    holds(|| {
        let (inside, count) = (AtomicUsize::new(0), Mutex::new(0));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut count = count.lock().unwrap();
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
fn an_attempt_to_lock_fails_only_while_another_thread_holds_the_mutex() {
    let results = outcomes(|| {
        let (mutex, holds) = (Mutex::new(()), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _guard = mutex.lock().unwrap();
                holds.store(true, SeqCst);
                holds.store(false, SeqCst);
            });
            let was_held = holds.load(SeqCst);
            let acquired = mutex.try_lock().is_ok();
            outcome((was_held, acquired));
        });
    });
    assert_eq!(
        results,
        [
            "(false, false)",
            "(false, true)",
            "(true, false)",
            "(true, true)"
        ]
    );
}

#[test]
fn a_caught_panic_poisons_the_mutex_for_the_other_thread() {
    let results = outcomes(|| {
        let mutex = Mutex::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                let caught = catch_unwind(AssertUnwindSafe(|| {
                    let mut guard = mutex.lock().unwrap();
                    *guard = 1;
                    resume_unwind(Box::new(()));
                }));
                assert!(caught.is_err());
            });
            outcome(match mutex.lock() {
                Ok(guard) => (*guard, "healthy"),
                Err(error) => (*error.into_inner(), "poisoned"),
            });
        });
        assert!(mutex.is_poisoned());
        mutex.clear_poison();
        assert_eq!(*mutex.lock().unwrap(), 1);
    });
    assert_eq!(results, [r#"(0, "healthy")"#, r#"(1, "poisoned")"#]);
}

#[test]
fn two_mutexes_in_opposite_orders_deadlock() {
    fails(FailureKind::Deadlock, || {
        let (a, b) = (Mutex::new(()), Mutex::new(()));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _a = a.lock().unwrap();
                let _b = b.lock().unwrap();
            });
            let _b = b.lock().unwrap();
            let _a = a.lock().unwrap();
        });
    });
}

#[test]
fn to_lock_a_mutex_twice_is_a_deadlock() {
    fails(FailureKind::Deadlock, || {
        let mutex = Mutex::new(());
        let _first = mutex.lock();
        let _second = mutex.lock();
    });
}
