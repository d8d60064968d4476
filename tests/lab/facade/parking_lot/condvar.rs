//! The condition variable.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use racelab::parking_lot::{Condvar, Mutex, WaitTimeoutResult};
use racelab::sync::Arc;
use racelab::{FailureKind, outcome, thread};

use crate::facade::{fails, holds, outcomes};

#[test]
fn a_notification_wakes_who_waits_and_says_so() {
    let body = || {
        let pair = Arc::new((Mutex::new(false), Condvar::new()));
        let other = Arc::clone(&pair);
        let thread = thread::spawn(move || {
            let mut ready = other.0.lock();
            while !*ready {
                other.1.wait(&mut ready);
            }
        });
        *pair.0.lock() = true;
        let woken = pair.1.notify_one();
        thread.join().unwrap();
        woken
    };
    body();
    // Who has looked before it was ready waits by then.
    let seen = outcomes(move || outcome(body()));
    assert_eq!(seen, ["false", "true"]);
}

#[test]
fn all_that_wait_are_woken_and_counted() {
    let seen = outcomes(|| {
        let pair = Arc::new((Mutex::new(false), Condvar::new()));
        let threads = [(); 2].map(|()| {
            let pair = Arc::clone(&pair);
            thread::spawn(move || pair.1.wait_while(&mut pair.0.lock(), |ready| !*ready))
        });
        *pair.0.lock() = true;
        outcome(pair.1.notify_all());
        for thread in threads {
            thread.join().unwrap();
        }
    });
    assert_eq!(seen, ["0", "1", "2"]);
}

#[test]
fn a_notification_before_the_wait_is_lost() {
    let failure = fails(FailureKind::Deadlock, || {
        let pair = Arc::new((Mutex::new(false), Condvar::new()));
        let other = Arc::clone(&pair);
        let thread = thread::spawn(move || {
            let is_ready = *other.0.lock();
            if !is_ready {
                other.1.wait(&mut other.0.lock());
            }
        });
        *pair.0.lock() = true;
        pair.1.notify_one();
        thread.join().unwrap();
    });
    let why = failure.why.expect("there is a reason");
    assert!(why.contains("Lost wake-up"), "{why}");
}

#[test]
fn a_wait_with_a_limit_may_end_by_it() {
    let seen = outcomes(|| {
        let pair = Arc::new((Mutex::new(false), Condvar::new()));
        let other = Arc::clone(&pair);
        let thread = thread::spawn(move || {
            *other.0.lock() = true;
            other.1.notify_one();
        });
        let mut ready = pair.0.lock();
        let result: WaitTimeoutResult =
            pair.1
                .wait_while_for(&mut ready, |ready| !*ready, Duration::from_secs(1));
        outcome((result.timed_out(), *ready));
        drop(ready);
        thread.join().unwrap();
    });
    assert_eq!(seen, ["(false, true)", "(true, false)", "(true, true)"]);
}

#[test]
fn outside_of_executions_a_wait_ends_by_its_limit() {
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let mut guard = mutex.lock();
    assert!(condvar.wait_for(&mut guard, Duration::ZERO).timed_out());
    assert!(condvar.wait_until(&mut guard, Instant::now()).timed_out());
    let is_over = condvar.wait_while_until(&mut guard, |value| *value == 0, Instant::now());
    assert!(is_over.timed_out());
    let is_over = condvar.wait_while_for(&mut guard, |value| *value != 0, Duration::MAX);
    assert!(!is_over.timed_out());
    *guard += 1;
    drop(guard);
    assert_eq!((condvar.notify_one(), condvar.notify_all()), (false, 0));
    assert_eq!(mutex.into_inner(), 1);
}

#[test]
fn a_wait_that_the_lab_ends_leaves_the_mutex_with_the_guard() {
    holds(|| {
        let pair = Arc::new((Mutex::new(0), Condvar::new()));
        let other = Arc::clone(&pair);
        // It has to run on after the failure of the assertion, which is caught.
        let thread = thread::spawn(move || {
            let mut guard = other.0.lock();
            other.1.wait_for(&mut guard, Duration::from_secs(1));
            *guard += 1;
        });
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let _guard = pair.0.lock();
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(caught.is_err());
        thread.join().unwrap();
        assert_eq!(*pair.0.lock(), 1);
    });
    let failure = fails(FailureKind::Deadlock, || {
        let pair = Arc::new((Mutex::new((0, 0)), Condvar::new()));
        let other = Arc::clone(&pair);
        let thread = thread::spawn(move || {
            let mut guard = other.0.lock();
            other.1.wait(&mut guard);
            guard.0 += 1;
        });
        let mut guard = pair.0.lock();
        guard.0 += 1;
        pair.1.wait(&mut guard);
        drop(guard);
        thread.join().unwrap();
    });
    assert_eq!(failure.blocked.len(), 2);
}
