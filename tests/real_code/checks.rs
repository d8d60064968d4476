//! `check` passes nothing that it did not check.

use std::sync::atomic::AtomicUsize as AtomicUsizeOfStd;
use std::time::Duration;

use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Mutex, RwLock};
use racelab::{Engine, Explorer, FailureKind, Sharing, Verdict, thread};

use super::{fails, is_refused};

/// Two threads add 1, each with a look and a store.
fn add_twice<T: Send + Sync + 'static>(n: T, add: fn(&T), value: fn(&T) -> usize) {
    let n = Arc::new(n);
    let other = thread::spawn({
        let n = Arc::clone(&n);
        move || add(&n)
    });
    add(&n);
    other.join().unwrap();
    assert_eq!(value(&n), 2);
}

#[test]
fn a_body_that_uses_nothing_of_racelab_is_refused() {
    is_refused("the body used nothing of racelab", || {
        racelab::check(|| {
            let n = Arc::new(AtomicUsizeOfStd::new(0));
            let other = std::thread::spawn({
                let n = Arc::clone(&n);
                move || n.store(n.load(SeqCst) + 1, SeqCst)
            });
            other.join().unwrap();
            n.store(n.load(SeqCst) + 1, SeqCst);
        });
    });
}

#[test]
fn threads_that_share_only_a_mutex_of_std_are_said_to_share_nothing() {
    let report = Explorer::new(Engine::Dpor).explore(|| {
        add_twice(
            std::sync::Mutex::new(0),
            |n| {
                let seen = *n.lock().unwrap();
                *n.lock().unwrap() = seen + 1;
            },
            |n| *n.lock().unwrap(),
        );
    });
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
    assert_eq!(report.sharing, Some(Sharing::Nothing), "{report}");
}

#[test]
fn a_body_that_never_ends_is_refused() {
    is_refused("no execution came to its end", || {
        let explorer = Explorer::new(Engine::Dpor).max_steps(1_000);
        explorer.time_limit(Duration::from_millis(200)).check(|| {
            let n = AtomicUsize::new(0);
            loop {
                n.fetch_add(1, SeqCst);
            }
        });
    });
}

#[test]
fn a_body_that_does_not_do_the_same_in_each_execution_is_refused() {
    is_refused("the body is not deterministic", || {
        let executions = Arc::new(AtomicUsizeOfStd::new(0));
        racelab::check(move || {
            let n = Arc::new(AtomicUsize::new(0));
            let other = thread::spawn({
                let n = Arc::clone(&n);
                move || n.load(SeqCst)
            });
            if executions.fetch_add(1, SeqCst).is_multiple_of(2) {
                n.store(1, SeqCst);
            }
            n.load(SeqCst);
            other.join().unwrap();
        });
    });
}

#[test]
fn a_body_that_waits_for_a_channel_of_std_is_refused() {
    is_refused("std's Mutex, Condvar, mpsc or thread::sleep", || {
        let explorer = Explorer::new(Engine::Dpor).stall_limit(Duration::from_millis(100));
        explorer.check(|| {
            let (sender, receiver) = std::sync::mpsc::channel();
            let other = thread::spawn(move || sender.send(5).unwrap());
            receiver.recv().unwrap();
            other.join().unwrap();
        });
    });
}

#[test]
fn threads_of_std_that_use_what_the_body_made_are_refused() {
    is_refused("a thread that racelab did not start", || {
        racelab::check(|| {
            let n = Arc::new(Mutex::new(0));
            let other = std::thread::spawn({
                let n = Arc::clone(&n);
                move || *n.lock().unwrap() += 1
            });
            other.join().unwrap();
            *n.lock().unwrap() += 1;
        });
    });
}

#[test]
fn a_check_inside_of_a_check_is_refused() {
    is_refused("inside of the body of another one", || {
        racelab::check(|| racelab::check(|| ()));
    });
}

#[test]
fn a_bug_beside_a_loop_that_never_ends_is_found() {
    // One execution is cut, and the search goes on.
    is_refused("VIOLATED", || {
        Explorer::new(Engine::Dpor).max_steps(1_000).check(|| {
            let flag = Arc::new(AtomicBool::new(false));
            let n = Arc::new(AtomicUsize::new(0));
            let other = thread::spawn({
                let (flag, n) = (Arc::clone(&flag), Arc::clone(&n));
                move || {
                    n.store(n.load(SeqCst) + 1, SeqCst);
                    flag.store(true, SeqCst);
                }
            });
            n.store(n.load(SeqCst) + 1, SeqCst);
            let rounds = AtomicUsize::new(0);
            while !flag.load(SeqCst) {
                rounds.fetch_add(1, SeqCst);
            }
            other.join().unwrap();
            assert_eq!(n.load(SeqCst), 2);
        });
    });
}

#[test]
fn an_assertion_that_does_not_wait_for_the_other_thread_is_found() {
    fails(FailureKind::Panic, "left: 0", || {
        let n = Arc::new(AtomicUsize::new(0));
        let other = thread::spawn({
            let n = Arc::clone(&n);
            move || n.store(1, SeqCst)
        });
        assert_eq!(n.load(SeqCst), 1);
        other.join().unwrap();
    });
}

#[test]
fn what_is_made_twice_is_found() {
    fails(FailureKind::Panic, "left: 2", || {
        let shared = Arc::new((AtomicBool::new(false), AtomicUsize::new(0)));
        let make = |(is_made, made): &(AtomicBool, AtomicUsize)| {
            if !is_made.load(SeqCst) {
                made.fetch_add(1, SeqCst);
                is_made.store(true, SeqCst);
            }
        };
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || make(&shared)
        });
        make(&shared);
        other.join().unwrap();
        assert_eq!(shared.1.load(SeqCst), 1);
    });
}

#[test]
fn a_writer_between_a_read_and_a_write_is_found() {
    fails(FailureKind::Panic, "left: 1", || {
        add_twice(
            RwLock::new(0),
            |n| {
                let seen = *n.read().unwrap();
                *n.write().unwrap() = seen + 1;
            },
            |n| *n.read().unwrap(),
        );
    });
}
