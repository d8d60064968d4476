//! What `parking_lot` promises of its mutex, alone and under every interleaving of small programs.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use proptest::prelude::*;
use racelab::parking_lot::Mutex;
use racelab::sync::Arc;
use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::{FailureKind, outcome, thread};

use super::same_as_std::{Op, agree, ops};
use super::{fails, holds, outcomes};

macro_rules! program {
    ($name:ident, $mutex:path) => {
        fn $name(ops: &[Op]) -> Vec<String> {
            use $mutex as Mutex;

            let mut mutex = Mutex::new(0_u8);
            let mut seen = Vec::new();
            for &(op, a, _, _) in ops {
                let result = match op % 7 {
                    0 => format!("{:?}", std::mem::replace(&mut *mutex.lock(), a)),
                    1 => format!("{:?}", mutex.try_lock().map(|guard| *guard)),
                    2 => {
                        let _guard = mutex.lock();
                        format!("{} {}", mutex.try_lock().is_some(), mutex.is_locked())
                    }
                    3 => {
                        // Resumed and not begun, so that the hook does not print it.
                        let caught = catch_unwind(AssertUnwindSafe(|| {
                            let mut guard = mutex.lock();
                            *guard = a;
                            resume_unwind(Box::new(()));
                        }));
                        format!("caught {}", caught.is_err())
                    }
                    4 => format!("{:?}", mutex.is_locked()),
                    5 => format!("{:?}", std::mem::replace(mutex.get_mut(), a)),
                    _ => {
                        let guard = mutex.lock();
                        format!("{guard} {guard:?}")
                    }
                };
                seen.push(result);
            }
            seen.push(format!("{:?}", mutex.into_inner()));
            seen
        }
    };
}

program!(with_the_crate, ::parking_lot::Mutex);
program!(with_racelab, racelab::parking_lot::Mutex);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn one_thread_cannot_tell_it_from_the_real_one(ops in ops()) {
        agree(with_the_crate, with_racelab, &ops)?;
    }
}

#[test]
fn one_thread_at_a_time_is_in_a_critical_section() {
    holds(|| {
        let (inside, count) = (AtomicUsize::new(0), Mutex::new(0));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut count = count.lock();
                    assert_eq!(inside.fetch_add(1, SeqCst), 0);
                    *count += 1;
                    inside.fetch_sub(1, SeqCst);
                });
            }
        });
        assert_eq!(count.into_inner(), 2);
    });
}

#[test]
fn an_attempt_and_a_look_find_a_mutex_that_another_thread_may_hold() {
    let results = outcomes(|| {
        let mutex = Mutex::new(());
        thread::scope(|scope| {
            scope.spawn(|| drop(mutex.lock()));
            let was_locked = mutex.is_locked();
            outcome((was_locked, mutex.try_lock().is_some()));
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
fn a_caught_panic_releases_the_mutex_and_does_not_poison_it() {
    holds(|| {
        let mutex = Arc::new(Mutex::new(0));
        let other = Arc::clone(&mutex);
        let thread = thread::spawn(move || {
            let caught = catch_unwind(AssertUnwindSafe(|| {
                *other.lock() = 1;
                let _guard = other.lock();
                resume_unwind(Box::new(()));
            }));
            assert!(caught.is_err());
        });
        let seen = *mutex.lock();
        assert!(seen <= 1);
        thread.join().unwrap();
        assert_eq!(*mutex.lock(), 1);
    });
}

#[test]
fn two_mutexes_in_opposite_orders_deadlock() {
    let failure = fails(FailureKind::Deadlock, || {
        let (a, b) = (Mutex::new(()), Mutex::new(()));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _a = a.lock();
                let _b = b.lock();
            });
            let _b = b.lock();
            let _a = a.lock();
        });
    });
    assert!(
        failure
            .blocked
            .iter()
            .all(|blocked| blocked.holds.len() == 1)
    );
}

#[test]
fn a_mutex_can_hold_a_trait_object() {
    let body = || {
        let words: Arc<Mutex<dyn Send + Fn() -> usize>> = Arc::new(Mutex::new(|| 2_usize));
        assert_eq!((words.lock())(), 2);
    };
    body();
    holds(body);
}
