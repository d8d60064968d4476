//! Enumeration, held against an oracle, closed formulas and what is proved of counters.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering::SeqCst;

use proptest::prelude::*;
use racelab::sync::{Arc, Mutex};
use racelab::{Coverage, Engine, Explorer, Verdict, thread};

use super::{
    FETCH_ADD, LOAD_STORE, count, enumerate, expect_failure, locked_increment, outcomes,
    schedule_of,
};
use crate::oracle::{Program, failing_programs, pausing_programs};

#[test]
fn dfs_runs_as_many_executions_of_two_threads_as_the_closed_formula_says() {
    // Of the first thread's `k` steps, `i` come before the second spawn. The others, and then the
    // first join, interleave with the `k` steps of the second thread; the second join is last.
    let formula = |k: u64| (0..=k).map(|i| choose(2 * k + 1 - i, k)).sum::<u64>();
    assert_eq!(formula(2), 10 + 6 + 3);
    for k in 1..7 {
        let program = Program::alike(2, k, &FETCH_ADD);
        assert_eq!(program.interleavings(), formula(k as u64));
        assert_eq!(enumerate(&program).executions, formula(k as u64));
    }
}

/// The number of ways to choose `k` of `n`.
fn choose(n: u64, k: u64) -> u64 {
    (0..k).fold(1, |ways, i| ways * (n - i) / (i + 1))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn dfs_runs_as_many_executions_of_a_counter_as_there_are_interleavings(
        threads in 1usize..4, times in 1usize..4,
        op in prop_oneof![Just(LOAD_STORE), Just(FETCH_ADD), Just(locked_increment())],
    ) {
        let program = Program::alike(threads, times, &op);
        let expected = program.interleavings();
        prop_assume!(expected < 15_000);
        let report = enumerate(&program);
        prop_assert_eq!(report.executions, expected);
        prop_assert_eq!(report.coverage, Coverage::Complete);
        prop_assert_eq!((report.blocked, report.truncated), (0, 0));
    }
}

proptest! {
    // Each of them is explored again and again, until it is known which yields wait for nobody.
    #![proptest_config(ProptestConfig::with_cases(25))]

    #[test]
    fn yields_change_no_outcome(program in pausing_programs(60)) {
        let truth = program.truth();
        let expected: Vec<String> = truth.outcomes.into_keys().collect();
        let report = enumerate(&program);
        let found: Vec<String> = outcomes(&report).into_iter().map(|(value, _)| value).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(report.violations > 0, truth.violations > 0);
        prop_assert_eq!(&report.coverage, &Coverage::Complete);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn dfs_reports_the_outcomes_and_violations_of_every_interleaving(
        program in failing_programs(3_000)
    ) {
        let truth = program.truth();
        prop_assert_eq!(truth.executions, program.interleavings());
        let report = enumerate(&program);
        prop_assert_eq!(report.executions, truth.executions);
        prop_assert_eq!(report.violations, truth.violations);
        prop_assert_eq!(outcomes(&report), truth.outcomes.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(&report.coverage, &Coverage::Complete);
        match truth.smallest {
            None => prop_assert!(matches!(report.verdict, Verdict::Holds)),
            Some(smallest) => {
                let failure = expect_failure(&report);
                prop_assert_eq!((failure.preemptions, schedule_of(failure).len()), (Some(smallest.0), smallest.1));
                prop_assert_eq!(failure.minimal, Some(true));
            }
        }
    }
}

#[test]
fn a_load_store_counter_ends_with_every_proved_value_and_no_other() {
    for (threads, times) in [(1, 1), (1, 4), (2, 1), (2, 2), (2, 3), (3, 1)] {
        let seen = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
        let report = Explorer::new(Engine::Dfs).past_failures().explore({
            let seen = Arc::clone(&seen);
            move || {
                let total = count(threads, times, |n| {
                    let value = n.load(SeqCst);
                    n.store(value + 1, SeqCst);
                });
                seen.lock().unwrap().insert(total);
            }
        });
        assert_eq!(report.coverage, Coverage::Complete);
        let lowest = match (threads, times) {
            (1, times) => times,
            (_, 1) => 1,
            _ => 2,
        };
        let proved: BTreeSet<_> = (lowest..=threads * times).collect();
        assert_eq!(
            *seen.lock().unwrap(),
            proved,
            "{threads} threads, {times} times"
        );
    }
}

#[test]
fn a_fetch_add_counter_holds_in_every_interleaving() {
    for (threads, times) in [(2, 1), (2, 3), (3, 2), (4, 1)] {
        let report = Explorer::new(Engine::Dfs).explore(move || {
            let total = count(threads, times, |n| {
                n.fetch_add(1, SeqCst);
            });
            assert_eq!(total, threads * times);
        });
        assert!(
            matches!(report.verdict, Verdict::Holds),
            "{threads} threads, {times} times"
        );
    }
}

#[test]
fn a_mutex_counter_holds_in_every_interleaving() {
    for (threads, times) in [(2, 1), (2, 2), (3, 1)] {
        let report = Explorer::new(Engine::Dfs).explore(move || {
            let n = Arc::new(Mutex::new(0));
            let workers = (0..threads).map(|_| {
                let n = Arc::clone(&n);
                thread::spawn(move || (0..times).for_each(|_| *n.lock().unwrap() += 1))
            });
            workers
                .collect::<Vec<_>>()
                .into_iter()
                .for_each(|worker| worker.join().unwrap());
            assert_eq!(*n.lock().unwrap(), threads * times);
        });
        assert!(
            matches!(report.verdict, Verdict::Holds),
            "{threads} threads, {times} times"
        );
    }
}
