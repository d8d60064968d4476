//! Condition variables.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use racelab::sync::mpsc::{self};
use racelab::sync::{Condvar, Mutex};
use racelab::trace::Operation;
use racelab::{FailureKind, outcome, thread};

use super::super::{explore, fails, holds, outcomes};
use super::{MOMENT, operations};

#[test]
fn a_wait_for_a_flag_under_its_mutex_ends() {
    holds(|| {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                *ready.lock().unwrap() = true;
                changed.notify_one();
            });
            let guard = changed
                .wait_while(ready.lock().unwrap(), |ready| !*ready)
                .unwrap();
            assert!(*guard);
        });
    });
}

#[test]
fn a_notification_before_the_wait_is_lost() {
    let failure = fails(FailureKind::Deadlock, || {
        let (mutex, changed) = (Mutex::new(()), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| changed.notify_one());
            drop(changed.wait(mutex.lock().unwrap()).unwrap());
        });
    });
    assert_eq!(operations(&failure).last(), Some(&Operation::Wait));
}

#[test]
fn a_flag_set_outside_of_the_mutex_loses_a_wake_up() {
    fails(FailureKind::Deadlock, || {
        let (ready, mutex, changed) = (AtomicBool::new(false), Mutex::new(()), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                ready.store(true, SeqCst);
                changed.notify_one();
            });
            let mut guard = mutex.lock().unwrap();
            while !ready.load(SeqCst) {
                guard = changed.wait(guard).unwrap();
            }
        });
    });
}

/// Two threads wait for a permit; who gets it is recorded.
fn who_is_woken(permits: usize, notify: fn(&Condvar)) -> Vec<String> {
    outcomes(move || {
        let (order, changed) = (Mutex::new(Vec::new()), Condvar::new());
        let (arrived, arrivals) = mpsc::channel();
        thread::scope(|scope| {
            for number in 1..=2 {
                let (order, changed, arrived) = (&order, &changed, arrived.clone());
                scope.spawn(move || {
                    let guard = order.lock().unwrap();
                    arrived.send(()).unwrap();
                    changed.wait(guard).unwrap().push(number);
                });
            }
            // Both wait before anything is notified.
            assert_eq!(arrivals.iter().take(2).count(), 2);
            drop(order.lock().unwrap());
            for _ in 0..permits {
                notify(&changed);
            }
        });
        outcome(order.into_inner().unwrap());
    })
}

#[test]
fn each_choice_of_the_thread_that_is_woken_is_explored() {
    assert_eq!(who_is_woken(2, Condvar::notify_one), ["[1, 2]", "[2, 1]"]);
}

#[test]
fn a_notification_of_all_wakes_every_waiting_thread_in_any_order() {
    assert_eq!(who_is_woken(1, Condvar::notify_all), ["[1, 2]", "[2, 1]"]);
}

#[test]
fn one_notification_wakes_one_of_two_threads() {
    let report = explore(|| {
        let (mutex, changed) = (Mutex::new(()), Condvar::new());
        let woken = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    drop(changed.wait(mutex.lock().unwrap()).unwrap());
                    assert_eq!(woken.fetch_add(1, SeqCst), 0);
                });
            }
            changed.notify_one();
        });
    });
    let failure = report
        .failure()
        .expect("one thread at least waits for ever");
    assert_eq!(failure.kind, FailureKind::Deadlock);
    assert_eq!(report.violations, report.executions);
}

#[test]
fn a_wait_with_a_time_limit_ends_in_both_ways() {
    let results = outcomes(|| {
        let (mutex, changed) = (Mutex::new(()), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| changed.notify_one());
            let (_guard, result) = changed.wait_timeout(mutex.lock().unwrap(), MOMENT).unwrap();
            outcome(result.timed_out());
        });
    });
    assert_eq!(results, ["false", "true"]);
}

#[test]
fn a_wait_with_a_time_limit_ends_although_nobody_notifies() {
    let results = outcomes(|| {
        let (mutex, changed) = (Mutex::new(()), Condvar::new());
        let (_guard, result) = changed.wait_timeout(mutex.lock().unwrap(), MOMENT).unwrap();
        outcome(result.timed_out());
    });
    assert_eq!(results, ["true"]);
}

#[test]
fn a_conditional_wait_with_a_time_limit_tells_whether_the_condition_holds() {
    let results = outcomes(|| {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                *ready.lock().unwrap() = true;
                changed.notify_one();
            });
            let guard = ready.lock().unwrap();
            let waited = changed
                .wait_timeout_while(guard, MOMENT, |ready| !*ready)
                .unwrap();
            let (ready, result) = waited;
            assert_eq!(result.timed_out(), !*ready);
            outcome(*ready);
        });
    });
    assert_eq!(results, ["false", "true"]);
}

#[test]
fn a_timed_out_wait_does_not_consume_a_notification() {
    // The second thread waits without a limit. The notification comes after both wait, and when
    // it comes after the time-out it can only be for the second one.
    holds(|| {
        let (state, changed) = (Mutex::new((0, false)), Condvar::new());
        thread::scope(|scope| {
            let patient = scope.spawn(|| {
                let mut guard = state.lock().unwrap();
                guard.0 += 1;
                drop(changed.wait_while(guard, |state| !state.1).unwrap());
            });
            let (mut guard, result) = {
                let mut guard = state.lock().unwrap();
                guard.0 += 1;
                changed.wait_timeout(guard, MOMENT).unwrap()
            };
            assert!(result.timed_out(), "nobody has notified yet");
            guard.1 = true;
            drop(guard);
            changed.notify_one();
            patient.join().unwrap();
        });
    });
}

#[test]
fn a_wait_returns_the_poison_that_came_meanwhile() {
    let results = outcomes(|| {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                let caught = catch_unwind(AssertUnwindSafe(|| {
                    let mut guard = ready.lock().unwrap();
                    *guard = true;
                    changed.notify_one();
                    resume_unwind(Box::new(()));
                }));
                assert!(caught.is_err());
            });
            match ready.lock() {
                Ok(guard) => {
                    let waited = changed.wait_while(guard, |ready| !*ready);
                    outcome(if waited.is_err() {
                        "poisoned in the wait"
                    } else {
                        "healthy"
                    });
                }
                Err(_) => outcome("poisoned before"),
            }
        });
    });
    assert_eq!(
        results,
        [r#""poisoned before""#, r#""poisoned in the wait""#]
    );
}
