//! The random walk: its probabilities, its seeds and its numbers of executions.

use std::collections::BTreeSet;

use proptest::prelude::*;
use racelab::{Bound, Coverage, Engine, Explorer, Reason, Report, Verdict};

use super::{FETCH_ADD, essence, expect_failure, expect_reason, explore, outcomes, varied};
#[cfg(feature = "cli")]
use crate::known_bugs::KnownBug;
use crate::oracle::{Program, failing_programs};

#[cfg(feature = "cli")]
#[test]
fn a_random_walk_hits_known_bugs_with_their_exact_probabilities() {
    const EXECUTIONS: u32 = 8_000;
    for bug in KnownBug::ALL {
        let explorer = Explorer::new(Engine::Random)
            .max_executions(EXECUTIONS.into())
            .seed(1);
        let report = explorer.past_failures().explore(bug.body);
        // The published probabilities are rounded to their last digit.
        assert_hits(bug.name, &report, EXECUTIONS, bug.probability, bug.rounding);
    }
}

/// Holds the share of violations against its probability, within five standard deviations.
fn assert_hits(name: &str, report: &Report, executions: u32, probability: f64, rounding: f64) {
    let hits = f64::from(u32::try_from(report.violations).unwrap());
    let executions = f64::from(executions);
    let deviation = (probability * (1.0 - probability) / executions).sqrt();
    let share = hits / executions;
    assert!(
        (share - probability).abs() <= 5.0 * deviation + rounding,
        "{name}: {share} of the executions fail, expected {probability}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_random_walk_is_uniform_over_the_possible_steps(
        mut program in failing_programs(1_000), seed: u64
    ) {
        const EXECUTIONS: u32 = 5_000;
        program.forbidden = None;
        let explorer = Explorer::new(Engine::Random).max_executions(EXECUTIONS.into()).seed(seed);
        let report = explore(&explorer.past_failures(), &program);
        let probability = program.failure_probability();
        assert_hits("the program", &report, EXECUTIONS, probability, 0.0);
    }
}

#[test]
fn the_same_seed_makes_the_same_report() {
    let explorer = Explorer::new(Engine::Random).seed(11).max_executions(2_000);
    for explorer in [explorer.clone(), explorer.past_failures()] {
        let (first, second) = (explore(&explorer, &varied()), explore(&explorer, &varied()));
        let counts = |r: &Report| (r.executions, r.violations, r.truncated, outcomes(r), r.seed);
        assert_eq!(counts(&first), counts(&second));
        assert_eq!(
            essence(expect_failure(&first)),
            essence(expect_failure(&second))
        );
    }
}

#[test]
fn different_seeds_choose_differently() {
    let reports: BTreeSet<_> = (0..8)
        .map(|seed| {
            let explorer = Explorer::new(Engine::Random).seed(seed).max_executions(500);
            outcomes(&explore(&explorer.past_failures(), &varied()))
        })
        .collect();
    assert_eq!(reports.len(), 8);
}

#[test]
fn a_random_walk_makes_as_many_executions_as_asked_and_is_never_complete() {
    for executions in [0, 1, 2, 777] {
        let explorer = Explorer::new(Engine::Random).max_executions(executions);
        let report = explore(&explorer, &Program::alike(2, 1, &FETCH_ADD));
        assert_eq!(report.executions, executions);
        let bound = Bound::MaxExecutions(executions);
        assert_eq!(report.coverage, Coverage::Bounded(bound));
        assert_eq!(expect_reason(&report), &Reason::Bound(bound));
        let report = explore(&explorer.past_failures(), &varied());
        assert_eq!(report.executions, executions);
        assert_eq!(report.coverage, Coverage::Bounded(bound));
    }
}

#[test]
fn a_random_walk_makes_ten_thousand_executions_unless_told_otherwise() {
    let report = Explorer::new(Engine::Random).explore(|| {});
    assert_eq!(report.executions, 10_000);
    assert!(matches!(report.verdict, Verdict::Inconclusive(_)));
}
