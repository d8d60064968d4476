//! Bodies that do not do the same in each execution.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize as RealAtomicUsize, Ordering::SeqCst};

use racelab::sync::Arc;
use racelab::sync::atomic::AtomicUsize;
use racelab::{Coverage, Engine, Explorer, Reason, thread};

use super::{expect_failure, expect_reason};

/// Does one thing in one execution and another in the next.
fn alternating(executions: &RealAtomicUsize) -> bool {
    executions.fetch_add(1, SeqCst).is_multiple_of(2)
}

#[test]
fn dfs_notices_that_a_body_branches_on_state_that_outlives_it() {
    static EXECUTIONS: RealAtomicUsize = RealAtomicUsize::new(0);
    let report = Explorer::new(Engine::Dfs).explore(|| {
        let n = Arc::new(AtomicUsize::new(0));
        let other = thread::spawn({
            let n = Arc::clone(&n);
            move || n.store(1, SeqCst)
        });
        if alternating(&EXECUTIONS) {
            n.load(SeqCst);
        } else {
            n.store(2, SeqCst);
        }
        other.join().unwrap();
    });
    assert_eq!(
        expect_reason(&report),
        &Reason::NotDeterministic { step: 2 }
    );
    assert_ne!(report.coverage, Coverage::Complete);
}

#[test]
fn dfs_notices_that_a_body_follows_the_order_of_a_hash_map() {
    let report = Explorer::new(Engine::Dfs).explore(|| {
        let atomics: HashMap<_, _> = (0..16).map(|key| (key, AtomicUsize::new(key))).collect();
        let atomics = Arc::new(atomics);
        let other = thread::spawn({
            let atomics = Arc::clone(&atomics);
            move || {
                atomics[&0].load(SeqCst);
            }
        });
        for atomic in atomics.values() {
            atomic.fetch_add(1, SeqCst);
        }
        other.join().unwrap();
    });
    assert!(matches!(
        expect_reason(&report),
        Reason::NotDeterministic { .. }
    ));
    assert_ne!(report.coverage, Coverage::Complete);
}

#[test]
fn a_failure_that_does_not_come_again_is_said_to_be_nondeterministic() {
    for engine in [
        Engine::Dfs,
        Engine::Random,
        #[cfg(feature = "shuttle")]
        Engine::Shuttle,
    ] {
        let executions = RealAtomicUsize::new(0);
        let report = Explorer::new(engine).explore(move || {
            let n = AtomicUsize::new(0);
            n.load(SeqCst);
            assert!(!alternating(&executions));
        });
        let failure = expect_failure(&report);
        assert!(failure.is_nondeterministic, "under {engine}");
        assert_eq!(failure.minimal, Some(false), "under {engine}");
    }
}

#[test]
fn what_a_thread_local_of_std_holds_does_not_outlive_its_search() {
    thread_local! {
        static EXECUTIONS: Cell<u64> = const { Cell::new(0) };
    }
    let first = Arc::new(RealAtomicUsize::new(0));
    for _ in 0..3 {
        let first = Arc::clone(&first);
        let report = Explorer::new(Engine::Random)
            .max_executions(5)
            .explore(move || {
                let before = EXECUTIONS.replace(EXECUTIONS.get() + 1);
                first.fetch_add(usize::from(before == 0), SeqCst);
            });
        assert_eq!(report.executions, 5);
    }
    assert_eq!(first.load(SeqCst), 3);
}
