//! Threads that wait: deadlocks, wake-ups, destructors and spin loops.

use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use racelab::sync::{Arc, Condvar, Mutex, mpsc};
use racelab::{Bound, Coverage, FailureKind, Named, outcome, thread};

use Ordering::{Acquire, Relaxed, Release, SeqCst};

use super::{all, fails, holds, loom};

/// Does something when it is dropped.
struct AtEnd<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn a_destructor_that_waits_for_what_who_joins_it_holds_comes_to_an_end() {
    let report = loom(|| {
        let shared = Arc::new(Mutex::new(0));
        let held = shared.lock().unwrap();
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let _end = AtEnd(|| drop(shared.lock()));
                panic!("the failure");
            }
        });
        let _ = other.join();
        drop(held);
    });
    fails(&report, FailureKind::Panic);
    let report = loom(|| {
        let (sender, receiver) = mpsc::channel::<()>();
        let receiver = Mutex::new(receiver);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _end = AtEnd(|| drop(receiver.lock().map(|receiver| receiver.recv())));
                panic!("the failure");
            });
        });
        drop(sender);
    });
    fails(&report, FailureKind::Panic);
}

#[test]
fn a_deadlock_is_reported_with_who_holds_and_who_waits() {
    let report = all(|| {
        let a = Arc::new(Mutex::new(()).named("a"));
        let b = Arc::new(Mutex::new(()).named("b"));
        let other = thread::spawn({
            let (a, b) = (Arc::clone(&a), Arc::clone(&b));
            move || {
                let _b = b.lock().unwrap();
                let _a = a.lock().unwrap();
            }
        });
        {
            let _a = a.lock().unwrap();
            let _b = b.lock().unwrap();
        }
        other.join().unwrap();
    });
    fails(&report, FailureKind::Deadlock);
    assert_eq!(report.coverage, Coverage::Complete);
    let failure = report.failure().unwrap();
    assert_eq!(failure.blocked.len(), 2);
    assert!(report.executions > report.violations);
}

#[test]
fn a_thread_that_waits_for_itself_is_a_deadlock() {
    let report = loom(|| {
        let m = Mutex::new(());
        let _held = m.lock().unwrap();
        drop(m.lock());
    });
    fails(&report, FailureKind::Deadlock);
    let report = loom(|| {
        let (_sender, receiver) = mpsc::channel::<()>();
        receiver.recv().unwrap();
    });
    fails(&report, FailureKind::Deadlock);
    let report = loom(|| {
        let other = thread::spawn(thread::park);
        other.join().unwrap();
    });
    fails(&report, FailureKind::Deadlock);
}

#[test]
fn a_lost_wake_up_is_a_deadlock_and_a_condition_under_the_lock_is_none() {
    let body = |checks_under_lock: bool| {
        move || {
            let state = Arc::new((Mutex::new(()), Condvar::new(), AtomicBool::new(false)));
            let waiter = thread::spawn({
                let state = Arc::clone(&state);
                move || {
                    let (mutex, condvar, ready) = &*state;
                    if checks_under_lock {
                        let mut guard = mutex.lock().unwrap();
                        while !ready.load(SeqCst) {
                            guard = condvar.wait(guard).unwrap();
                        }
                    } else if !ready.load(SeqCst) {
                        let guard = mutex.lock().unwrap();
                        drop(condvar.wait(guard).unwrap());
                    }
                }
            });
            let (mutex, condvar, ready) = &*state;
            {
                let _guard = mutex.lock().unwrap();
                ready.store(true, SeqCst);
            }
            condvar.notify_one();
            waiter.join().unwrap();
        }
    };
    fails(&loom(body(false)), FailureKind::Deadlock);
    holds(&loom(body(true)));
}

#[test]
fn channels_parking_scopes_and_poison_work_under_loom() {
    holds(&loom(|| {
        let (sender, receiver) = mpsc::sync_channel(1);
        let worker = thread::spawn(move || {
            for item in 0..3 {
                sender.send(item).unwrap();
            }
        });
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [0, 1, 2]);
        worker.join().unwrap();
    }));
    holds(&loom(|| {
        let main = thread::current();
        let other = thread::spawn(move || main.unpark());
        thread::park();
        other.join().unwrap();
    }));
    holds(&loom(|| {
        let mut total = 0;
        let n = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| n.fetch_add(1, Relaxed));
            }
        });
        total += n.load(Relaxed);
        assert_eq!(total, 2);
    }));
}

#[test]
fn a_failing_thread_leaves_nothing_behind_and_the_search_goes_on() {
    let report = all(|| {
        let shared = Arc::new(Mutex::new(Arc::new(())));
        let alive = Arc::downgrade(&shared.lock().unwrap());
        let worker = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let held = shared.lock().unwrap();
                assert!(Arc::strong_count(&held) > 1, "alone");
            }
        });
        outcome(alive.strong_count());
        drop(shared.lock().unwrap());
        worker.join().unwrap();
    });
    fails(&report, FailureKind::Panic);
    assert_eq!(report.executions, report.violations);
    assert_eq!(report.coverage, Coverage::Bounded(Bound::CutFailures));
}

#[test]
fn a_spin_loop_with_a_yield_ends_under_loom() {
    holds(&loom(|| {
        let ready = Arc::new(AtomicBool::new(false));
        let other = thread::spawn({
            let ready = Arc::clone(&ready);
            move || ready.store(true, Release)
        });
        while !ready.load(Acquire) {
            thread::yield_now();
        }
        other.join().unwrap();
    }));
}

#[test]
fn a_try_lock_can_fail_under_loom() {
    let report = all(|| {
        let shared = Arc::new((Mutex::new(0), AtomicUsize::new(0)));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let mut held = shared.0.lock().unwrap();
                *held += 1;
            }
        });
        outcome(shared.0.try_lock().map(|held| *held).ok());
        other.join().unwrap();
    });
    let outcomes: Vec<_> = report.outcomes.iter().map(|o| o.value.as_str()).collect();
    assert_eq!(outcomes, ["None", "Some(0)", "Some(1)"]);
    holds(&report);
}
