//! The locks of `parking_lot`, which can be constants: they are bound where they are used.

use racelab::parking_lot::lock_api;
use racelab::parking_lot::{
    Condvar, Mutex, RawMutex, RwLock, RwLockUpgradableReadGuard, const_mutex, const_rwlock,
};
use racelab::sync::Arc;
use racelab::sync::atomic::AtomicUsize;
use racelab::sync::atomic::Ordering::Relaxed;
use racelab::{Engine, Explorer, FailureKind, Report, outcome, thread};

use super::{all, fails, holds, loom};

fn values(report: &Report) -> Vec<&str> {
    let outcomes = report.outcomes.iter();
    outcomes.map(|outcome| outcome.value.as_str()).collect()
}

/// The outcomes are those of the reduced search.
#[track_caller]
fn agree(body: impl Fn() + Send + Sync + Copy + 'static) {
    let (report, expected) = (all(body), Explorer::new(Engine::Dpor).past_failures());
    assert_eq!(values(&report), values(&expected.explore(body)));
    holds(&report);
}

#[test]
fn a_mutex_in_a_constant_orders_what_it_guards() {
    static TURN: Mutex<()> = const_mutex(());

    agree(|| {
        let n = Arc::new(AtomicUsize::new(0));
        let other = Arc::clone(&n);
        let thread = thread::spawn(move || {
            let _turn = TURN.lock();
            other.store(1, Relaxed);
        });
        let seen = {
            let _turn = TURN.lock();
            n.swap(2, Relaxed)
        };
        thread.join().unwrap();
        // Who came last has stored last.
        outcome((seen, n.load(Relaxed)));
    });
}

#[test]
fn an_upgradable_lock_lets_one_go_on_to_write() {
    static TABLE: RwLock<()> = const_rwlock(());

    agree(|| {
        let table = Arc::new(RwLock::new(0));
        let other = Arc::clone(&table);
        let thread = thread::spawn(move || {
            drop(TABLE.read());
            let mut reads = other.upgradable_read();
            reads.with_upgraded(|value| *value += 1);
        });
        let reads = table.upgradable_read();
        let seen = *reads;
        *RwLockUpgradableReadGuard::upgrade(reads) += 10;
        thread.join().unwrap();
        assert_eq!(*table.read(), 11);
        outcome(seen);
    });
    let report = loom(|| {
        let table = Arc::new(RwLock::new(0));
        let other = Arc::clone(&table);
        let _reads = table.upgradable_read();
        thread::spawn(move || drop(other.upgradable_read()))
            .join()
            .unwrap();
    });
    fails(&report, FailureKind::Deadlock);
}

#[test]
fn a_condition_variable_and_a_lock_of_lock_api_are_explored() {
    agree(|| {
        let pair = Arc::new((Mutex::new(0), Condvar::new()));
        let other = Arc::clone(&pair);
        let thread = thread::spawn(move || {
            *other.0.lock() = 1;
            outcome(other.1.notify_one());
        });
        pair.1.wait_while(&mut pair.0.lock(), |value| *value == 0);
        thread.join().unwrap();
        let sum = Arc::new(lock_api::Mutex::<RawMutex, u32>::new(0));
        let other = Arc::clone(&sum);
        let thread = thread::spawn(move || *other.lock() += 1);
        outcome(*sum.lock());
        thread.join().unwrap();
    });
}
