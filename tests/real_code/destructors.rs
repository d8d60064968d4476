//! Destructors that wait and that check, in executions that the lab ends.

use racelab::sync::Arc;
use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use racelab::{FailureKind, thread};

use super::{fails, holds};

/// Waits for a flag when it is dropped.
struct WaitsOnDrop(Arc<AtomicBool>);

impl Drop for WaitsOnDrop {
    fn drop(&mut self) {
        while !self.0.load(Acquire) {
            thread::yield_now();
        }
    }
}

/// Another thread sets the flag for which a destructor waits.
fn wait_at_the_end(then: fn(&AtomicBool)) {
    let done = Arc::new(AtomicBool::new(false));
    let _waits = WaitsOnDrop(Arc::clone(&done));
    let other = thread::spawn({
        let done = Arc::clone(&done);
        move || done.store(true, Release)
    });
    then(&done);
    other.join().unwrap();
}

#[test]
fn a_destructor_that_waits_ends_in_a_program_that_fails() {
    fails(FailureKind::Panic, "not yet", || {
        wait_at_the_end(|done| assert!(done.load(Acquire), "not yet"));
    });
}

#[test]
fn a_destructor_that_waits_ends_in_a_program_that_polls() {
    holds(|| {
        wait_at_the_end(|done| {
            while !done.load(Acquire) {
                thread::yield_now();
            }
        });
    });
}

#[test]
fn a_destructor_that_waits_for_nobody_is_a_livelock() {
    fails(FailureKind::Livelock, "", || {
        drop(WaitsOnDrop(Arc::new(AtomicBool::new(false))));
    });
}

/// Joins a thread when it is dropped, as handles of workers do.
struct JoinsOnDrop(Option<thread::JoinHandle<()>>);

impl Drop for JoinsOnDrop {
    fn drop(&mut self) {
        let worker = self.0.take().expect("it is dropped once");
        worker.join().unwrap();
    }
}

#[test]
fn a_destructor_that_joins_ends() {
    let work = |n: Arc<AtomicUsize>| JoinsOnDrop(Some(thread::spawn(move || n.store(1, SeqCst))));
    holds(move || {
        let n = Arc::new(AtomicUsize::new(0));
        drop(work(Arc::clone(&n)));
        assert_eq!(n.load(SeqCst), 1);
    });
    fails(FailureKind::Panic, "too early", move || {
        let n = Arc::new(AtomicUsize::new(0));
        let _worker = work(Arc::clone(&n));
        assert_eq!(n.load(SeqCst), 1, "too early");
    });
}

/// Has to be finished before it is dropped.
struct Transaction {
    is_finished: bool,
}

impl Drop for Transaction {
    fn drop(&mut self) {
        assert!(self.is_finished, "dropped before it was finished");
    }
}

#[test]
fn a_destructor_that_checks_is_not_run_early() {
    holds(|| {
        let mut transaction = Transaction { is_finished: false };
        let done = Arc::new(AtomicBool::new(false));
        let other = thread::spawn({
            let done = Arc::clone(&done);
            move || done.store(true, Release)
        });
        while !done.load(Acquire) {
            thread::yield_now();
        }
        transaction.is_finished = true;
        drop(transaction);
        other.join().unwrap();
    });
}

#[test]
fn a_destructor_that_checks_and_fails_is_found() {
    fails(FailureKind::Panic, "dropped before it was finished", || {
        let done = Arc::new(AtomicBool::new(false));
        let other = thread::spawn({
            let done = Arc::clone(&done);
            move || done.store(true, Release)
        });
        let is_finished = done.load(Acquire);
        drop(Transaction { is_finished });
        other.join().unwrap();
    });
}
