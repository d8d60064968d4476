//! Whether the failure that is reported is the smallest one, and said to be.

use std::sync::atomic::Ordering::SeqCst;

use proptest::prelude::*;
use racelab::sync::Arc;
use racelab::sync::atomic::AtomicUsize;
use racelab::{Coverage, Engine, Explorer, Progress, thread};

use super::{count, expect_failure, explore, schedule_of};
#[cfg(feature = "cli")]
use crate::known_bugs::KnownBug;
use crate::oracle::{Op, Program, failing_programs};

/// Holds the failure that each engine reports against the smallest that enumeration finds.
fn assert_smallest(program: &Program) {
    let truth = program.truth();
    for explorer in [
        Explorer::new(Engine::Dpor),
        Explorer::new(Engine::Dfs),
        // Enough to hit what is not extremely rare.
        Explorer::new(Engine::Random).max_executions(20_000),
    ] {
        let report = explore(&explorer, program);
        let Some(smallest) = truth.smallest else {
            assert!(report.failure().is_none());
            continue;
        };
        if report.failure().is_none() && report.engine == Some(Engine::Random) {
            continue;
        }
        let failure = expect_failure(&report);
        assert_eq!(
            (failure.preemptions, schedule_of(failure).len()),
            (Some(smallest.0), smallest.1)
        );
        assert_eq!(failure.minimal, Some(true));
        assert!(!failure.is_nondeterministic);
        assert_eq!(report.coverage, Coverage::FirstFailure);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_reported_failure_is_the_smallest_of_all(program in failing_programs(3_000)) {
        assert_smallest(&program);
    }
}

/// A random program on which the search was wrong once.
#[test]
fn a_failure_beside_a_lock_that_nobody_else_takes_is_the_smallest() {
    let mut program = Program::new(vec![vec![Op::Load(0)], vec![Op::Lock(0, vec![])]]);
    program.forbidden = Some((vec![vec![0], vec![]], [0, 0]));
    assert!(program.truth().smallest.is_some());
    assert_smallest(&program);
}

/// With a second spurious failure in a row, which is left out, it would fail without a preemption.
#[test]
fn a_failure_is_not_called_minimal_where_repeated_failures_are_left_out() {
    let body = || {
        let n = Arc::new(AtomicUsize::new(0));
        let other = {
            let n = Arc::clone(&n);
            thread::spawn(move || n.store(7, SeqCst))
        };
        let mut failures = 0;
        let mut current = 0;
        while let Err(now) = n.compare_exchange_weak(current, 1, SeqCst, SeqCst) {
            failures += 1;
            assert!(failures < 2, "two failures");
            current = now;
        }
        other.join().unwrap();
    };
    for engine in [Engine::Dpor, Engine::Dfs] {
        let report = Explorer::new(engine).explore(body);
        let failure = expect_failure(&report);
        assert_eq!(failure.preemptions, Some(1), "{engine}: {report}");
        assert_eq!(failure.minimal, Some(false), "{engine}: {report}");
    }
}

#[cfg(feature = "cli")]
#[test]
fn known_bugs_are_reported_with_their_fewest_preemptions() {
    for bug in KnownBug::ALL {
        for engine in [Engine::Dpor, Engine::Dfs, Engine::Random] {
            if bug.is_large && engine == Engine::Dfs {
                continue;
            }
            let report = Explorer::new(engine)
                .max_executions(50_000)
                .explore(bug.body);
            let failure = expect_failure(&report);
            assert_eq!(
                failure.preemptions,
                Some(bug.preemptions),
                "{} under {engine}",
                bug.name
            );
            assert_eq!(failure.minimal, Some(true), "{} under {engine}", bug.name);
            assert_eq!(failure.kind, bug.kind, "{} under {engine}", bug.name);
            assert_eq!(report.coverage, Coverage::FirstFailure);
        }
    }
}

#[test]
fn a_failure_that_was_not_minimised_is_not_called_minimal() {
    let progress = Progress::default();
    let inside = progress.clone();
    let report = Explorer::new(Engine::Random)
        .progress(progress)
        .explore(move || {
            let total = count(2, 1, |n| {
                let value = n.load(SeqCst);
                n.store(value + 1, SeqCst);
            });
            if total != 2 {
                inside.interrupt();
            }
            assert_eq!(total, 2);
        });
    let failure = expect_failure(&report);
    assert_eq!(failure.minimal, Some(false));
    assert!(!failure.is_nondeterministic);
}
