//! Threads that borrow from their surroundings without a scope.
#![expect(unsafe_code, reason = "nothing but the join keeps the loan")]

use std::sync::atomic::{AtomicBool as RealAtomicBool, Ordering::Relaxed};

use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Mutex};
use racelab::thread::{self, Builder, JoinHandle};
use racelab::{FailureKind, outcome};

use super::{fails, outcomes};

/// Starts a thread that has to be joined before what it borrows is gone.
fn start<'a>(f: impl FnOnce() -> usize + Send + 'a) -> JoinHandle<usize> {
    // SAFETY: the tests join the thread before what it borrows is gone.
    unsafe { Builder::new().spawn_unchecked(f) }.unwrap()
}

#[test]
fn a_thread_that_borrows_is_explored_as_one_of_a_scope() {
    let unchecked = outcomes(|| {
        let n = AtomicUsize::new(0);
        let other = start(|| n.fetch_add(1, SeqCst));
        let own = n.fetch_add(1, SeqCst);
        outcome((own, other.join().unwrap()));
    });
    let scoped = outcomes(|| {
        let n = AtomicUsize::new(0);
        thread::scope(|scope| {
            let other = scope.spawn(|| n.fetch_add(1, SeqCst));
            let own = n.fetch_add(1, SeqCst);
            outcome((own, other.join().unwrap()));
        });
    });
    assert_eq!(unchecked, scoped);
}

#[test]
fn a_thread_that_borrows_works_outside_of_executions() {
    let n = AtomicUsize::new(1);
    assert_eq!(start(|| n.fetch_add(1, SeqCst)).join().unwrap(), 1);
    assert_eq!(n.into_inner(), 2);
}

#[test]
fn what_a_thread_borrows_is_there_when_a_deadlock_unwinds_it() {
    /// Notes whether it is there.
    struct Lent<'a>(&'a RealAtomicBool);
    impl Drop for Lent<'_> {
        fn drop(&mut self) {
            self.0.store(false, Relaxed);
        }
    }
    /// Looks for what it borrows, when it is dropped.
    struct Borrows<'a>(&'a Lent<'a>, &'a RealAtomicBool);
    impl Drop for Borrows<'_> {
        fn drop(&mut self) {
            let is_there = self.0.0.load(Relaxed);
            self.1.fetch_and(is_there, Relaxed);
        }
    }

    let was_there = Arc::new(RealAtomicBool::new(true));
    let seen = Arc::clone(&was_there);
    fails(FailureKind::Deadlock, move || {
        let is_alive = RealAtomicBool::new(true);
        let lent = Lent(&is_alive);
        let locked = Mutex::new(());
        let guard = locked.lock().unwrap();
        let other = start(|| {
            let _borrows = Borrows(&lent, &seen);
            drop(locked.lock().unwrap());
            0
        });
        let _ = other.join();
        drop(guard);
    });
    assert!(was_there.load(Relaxed));
}
