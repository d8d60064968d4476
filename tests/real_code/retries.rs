//! Loops round what can fail spuriously or time out, as often as it likes: a few failures are followed, the
//! report names that there can be more, and what the loop may not do is found.

use std::time::Duration;

use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Condvar, LazyLock, Mutex, mpsc};
use racelab::trace::LeftOut;
use racelab::{FailureKind, thread};

use super::{fails, holds, holds_but_for};

const MOMENT: Duration = Duration::from_millis(1);

/// Adds 1 as most code does it.
fn add(n: &AtomicUsize) {
    let mut old = n.load(SeqCst);
    while let Err(now) = n.compare_exchange_weak(old, old + 1, SeqCst, SeqCst) {
        old = now;
    }
}

/// Another thread changes something, at which this one looks once before the loop, if it does, and never
/// again.
fn look_then(looks: bool, then: fn()) {
    let seen = Arc::new(AtomicUsize::new(0));
    let other = thread::spawn({
        let seen = Arc::clone(&seen);
        move || seen.store(1, SeqCst)
    });
    if looks {
        seen.load(SeqCst);
    }
    then();
    other.join().unwrap();
}

#[test]
fn a_loop_of_weak_compare_and_swaps_ends() {
    for looks in [false, true] {
        holds_but_for(LeftOut::RepeatedFailures, move || {
            look_then(looks, || add(&AtomicUsize::new(0)));
        });
    }
}

#[test]
fn two_threads_that_add_by_weak_compare_and_swaps_lose_nothing() {
    holds_but_for(LeftOut::RepeatedFailures, || {
        let n = Arc::new(AtomicUsize::new(0));
        let other = thread::spawn({
            let n = Arc::clone(&n);
            move || add(&n)
        });
        add(&n);
        other.join().unwrap();
        assert_eq!(n.load(SeqCst), 2);
    });
}

#[test]
fn a_loop_of_weak_compare_and_swaps_on_a_static_ends() {
    static N: LazyLock<AtomicUsize> = LazyLock::new(|| AtomicUsize::new(0));
    holds_but_for(LeftOut::RepeatedFailures, || add(&N));
    holds_but_for(LeftOut::RepeatedFailures, || {
        let other = thread::spawn(|| add(&N));
        add(&N);
        other.join().unwrap();
        assert_eq!(N.load(SeqCst), 2);
    });
}

#[test]
fn a_second_spurious_failure_is_found_where_it_is_counted() {
    fails(FailureKind::Panic, "gave up", || {
        let (n, failures) = (AtomicUsize::new(0), AtomicUsize::new(0));
        while n.compare_exchange_weak(0, 1, SeqCst, SeqCst).is_err() {
            assert!(failures.fetch_add(1, SeqCst) == 0, "gave up");
        }
    });
}

#[test]
fn an_update_that_gives_up_after_a_spurious_failure_is_found() {
    fails(
        FailureKind::Panic,
        "assertion `left == right` failed",
        || {
            let n = Arc::new(AtomicUsize::new(0));
            let add_once = |n: &AtomicUsize| {
                let old = n.load(SeqCst);
                let _ = n.compare_exchange_weak(old, old + 1, SeqCst, SeqCst);
            };
            let other = thread::spawn({
                let n = Arc::clone(&n);
                move || add_once(&n)
            });
            add_once(&n);
            other.join().unwrap();
            assert_eq!(n.load(SeqCst), 2);
        },
    );
}

#[test]
fn a_loop_round_a_receive_with_a_time_limit_ends() {
    for looks in [false, true] {
        holds_but_for(LeftOut::RepeatedTimeouts, move || {
            let seen = Arc::new(AtomicUsize::new(0));
            let (sender, receiver) = mpsc::channel();
            let other = thread::spawn({
                let seen = Arc::clone(&seen);
                move || {
                    seen.store(1, SeqCst);
                    sender.send(5).unwrap();
                }
            });
            if looks {
                seen.load(SeqCst);
            }
            let got = loop {
                if let Ok(got) = receiver.recv_timeout(MOMENT) {
                    break got;
                }
            };
            assert_eq!(got, 5);
            other.join().unwrap();
        });
    }
}

#[test]
fn a_loop_round_a_wait_with_a_time_limit_ends() {
    for looks in [false, true] {
        holds_but_for(LeftOut::RepeatedTimeouts, move || {
            let seen = Arc::new(AtomicUsize::new(0));
            let pair = Arc::new((Mutex::new(false), Condvar::new()));
            let other = thread::spawn({
                let (seen, pair) = (Arc::clone(&seen), Arc::clone(&pair));
                move || {
                    seen.store(1, SeqCst);
                    *pair.0.lock().unwrap() = true;
                    pair.1.notify_one();
                }
            });
            if looks {
                seen.load(SeqCst);
            }
            let mut done = pair.0.lock().unwrap();
            while !*done {
                done = pair.1.wait_timeout(done, MOMENT).unwrap().0;
            }
            drop(done);
            other.join().unwrap();
        });
    }
}

#[test]
fn a_park_with_a_time_limit_ends() {
    for looks in [false, true] {
        holds(move || {
            let seen = Arc::new(AtomicUsize::new(0));
            let sleeper = thread::current();
            let other = thread::spawn({
                let seen = Arc::clone(&seen);
                move || {
                    seen.store(1, SeqCst);
                    sleeper.unpark();
                }
            });
            if looks {
                seen.load(SeqCst);
            }
            thread::park_timeout(MOMENT);
            other.join().unwrap();
        });
    }
}

#[test]
fn a_loop_round_a_park_with_a_time_limit_ends() {
    holds_but_for(LeftOut::RepeatedTimeouts, || {
        let ready = Arc::new(AtomicUsize::new(0));
        let sleeper = thread::current();
        let other = thread::spawn({
            let ready = Arc::clone(&ready);
            move || {
                ready.store(1, SeqCst);
                sleeper.unpark();
            }
        });
        while ready.load(SeqCst) == 0 {
            thread::park_timeout(MOMENT);
        }
        other.join().unwrap();
    });
}

#[test]
fn who_takes_a_time_out_for_a_message_is_found() {
    fails(FailureKind::Panic, "Timeout", || {
        let (sender, receiver) = mpsc::channel();
        let other = thread::spawn(move || {
            let _ = sender.send(5);
        });
        receiver.recv_timeout(MOMENT).unwrap();
        other.join().unwrap();
    });
}
