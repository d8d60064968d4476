//! What runs as a state machine over a monitor, or is no object of loom's.

use racelab::sync::atomic::{AtomicUsize, Ordering};
use racelab::sync::{Arc, Barrier, LazyLock, Once, OnceLock, RwLock};
use racelab::{FailureKind, outcome, parking_lot, thread};

use Ordering::{Relaxed, SeqCst};

use super::{all, fails, holds, loom};

#[test]
fn a_read_write_lock_keeps_writers_alone_and_lets_readers_together() {
    let report = all(|| {
        let shared = Arc::new((RwLock::new(0), AtomicUsize::new(0)));
        let work = |shared: &(RwLock<i32>, AtomicUsize)| {
            let seen = *shared.0.read().unwrap();
            let mut value = shared.0.write().unwrap();
            assert_eq!(shared.1.fetch_add(1, SeqCst), 0);
            *value = seen + 1;
            shared.1.fetch_sub(1, SeqCst);
        };
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || work(&shared)
        });
        work(&shared);
        other.join().unwrap();
        outcome(*shared.0.read().unwrap());
    });
    let outcomes: Vec<_> = report.outcomes.iter().map(|o| o.value.as_str()).collect();
    assert_eq!(outcomes, ["1", "2"], "an update between both can be lost");
    holds(&report);

    let report = loom(|| {
        let lock = Arc::new(RwLock::new(()));
        let other = Arc::clone(&lock);
        let _reads = lock.read().unwrap();
        thread::spawn(move || drop(other.read().unwrap()))
            .join()
            .unwrap();
        assert!(lock.try_read().is_ok());
        assert!(lock.try_write().is_err());
    });
    holds(&report);

    let report = loom(|| {
        let lock = Arc::new(RwLock::new(()));
        let other = Arc::clone(&lock);
        let _reads = lock.read().unwrap();
        thread::spawn(move || drop(other.write().unwrap()))
            .join()
            .unwrap();
    });
    fails(&report, FailureKind::Deadlock);
}

#[test]
fn a_barrier_has_one_leader_and_orders_what_is_before_it() {
    let report = all(|| {
        let shared = Arc::new((Barrier::new(2), [0, 0].map(AtomicUsize::new)));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                shared.1[0].store(1, Relaxed);
                let is_leader = shared.0.wait().is_leader();
                assert_eq!(shared.1[1].load(Relaxed), 1);
                is_leader
            }
        });
        shared.1[1].store(1, Relaxed);
        let is_leader = shared.0.wait().is_leader();
        assert_eq!(shared.1[0].load(Relaxed), 1);
        assert_ne!(is_leader, other.join().unwrap());
        outcome(is_leader);
    });
    let outcomes: Vec<_> = report.outcomes.iter().map(|o| o.value.as_str()).collect();
    assert_eq!(outcomes, ["false", "true"]);
    holds(&report);

    let report = loom(|| {
        let start = Arc::new(Barrier::new(3));
        let other = Arc::clone(&start);
        let other = thread::spawn(move || other.wait().is_leader());
        start.wait();
        other.join().unwrap();
    });
    fails(&report, FailureKind::Deadlock);
}

#[test]
fn statics_are_initialised_once_in_each_execution() {
    static RUNS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    static LIVE: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    struct Alive(AtomicUsize);
    impl Drop for Alive {
        fn drop(&mut self) {
            LIVE.fetch_sub(1, SeqCst);
        }
    }
    static LAZY: LazyLock<Alive> = LazyLock::new(|| {
        RUNS.fetch_add(1, SeqCst);
        LIVE.fetch_add(1, SeqCst);
        Alive(AtomicUsize::new(0))
    });
    static LOCK: OnceLock<usize> = OnceLock::new();
    static ONCE: Once = Once::new();

    let report = all(|| {
        let work = |number| {
            ONCE.call_once(|| LAZY.0.store(1, Relaxed));
            assert_eq!(LAZY.0.load(Relaxed), 1, "who sees it done sees what it did");
            *LOCK.get_or_init(|| number)
        };
        let other = thread::spawn(move || work(1));
        let own = work(0);
        assert_eq!(other.join().unwrap(), own);
        outcome(own);
    });
    let outcomes: Vec<_> = report.outcomes.iter().map(|o| o.value.as_str()).collect();
    assert_eq!(outcomes, ["0", "1"]);
    holds(&report);
    assert_eq!(RUNS.load(SeqCst) as u64, report.executions);
    assert_eq!(
        LIVE.load(SeqCst) as u64,
        report.executions,
        "as std's, they live on"
    );
}

#[test]
fn a_mutex_can_be_looked_at_by_who_holds_it_and_by_others() {
    let report = all(|| {
        let mutex = Arc::new(parking_lot::Mutex::new(0));
        let other = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || {
                let mut held = mutex.lock();
                *held += 1;
                assert!(mutex.is_locked());
            }
        });
        outcome(mutex.is_locked());
        other.join().unwrap();
        assert!(!mutex.is_locked());
    });
    let outcomes: Vec<_> = report.outcomes.iter().map(|o| o.value.as_str()).collect();
    assert_eq!(outcomes, ["false", "true"]);
    holds(&report);
}

#[test]
fn each_thread_has_its_own_thread_local_values_under_loom() {
    racelab::thread_local! {
        static NAMES: std::cell::RefCell<Vec<u32>> = std::cell::RefCell::new(vec![0]);
    }
    let report = loom(|| {
        let seen = Arc::new(AtomicUsize::new(0));
        let other = thread::spawn({
            let seen = Arc::clone(&seen);
            move || {
                NAMES.with_borrow_mut(|names| names.push(1));
                seen.load(SeqCst);
                assert_eq!(NAMES.take(), [0, 1]);
            }
        });
        NAMES.with_borrow_mut(|names| names.push(2));
        seen.store(1, SeqCst);
        assert_eq!(NAMES.take(), [0, 2]);
        other.join().unwrap();
    });
    holds(&report);
}

#[test]
fn locks_that_were_made_outside_of_the_closure_are_bound_where_they_are_used() {
    use racelab::sync::{Condvar, Mutex};

    let shared = Arc::new((Mutex::new(()), RwLock::new(7), Condvar::new()));
    let report = all(move || {
        let other = Arc::clone(&shared);
        let other = thread::spawn(move || {
            let turn = other.0.lock().unwrap();
            outcome(*other.1.read().unwrap());
            other.2.notify_all();
            drop(turn);
        });
        let turn = shared.0.lock().unwrap();
        outcome(*shared.1.read().unwrap());
        drop(turn);
        other.join().unwrap();
    });
    holds(&report);
    assert_eq!(report.outcomes.len(), 1, "{report}");
    assert!(report.executions >= 2, "{report}");
}
