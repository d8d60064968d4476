//! The search under test, in one place.

use racelab::{Coverage, Engine, Explorer, Report};

/// A search with reduction.
pub(crate) fn reduced() -> Explorer {
    Explorer::new(Engine::Dpor)
}

/// The number of distinct traces that a search has seen.
pub(crate) fn traces(report: &Report) -> u64 {
    report
        .traces
        .expect("a search of all interleavings counts traces")
}

/// A search without reduction.
pub(crate) fn enumeration() -> Explorer {
    Explorer::new(Engine::Dfs)
}

/// Asserts that a search with reduction is complete and has run each of so many traces once, and
/// nothing in vain.
#[track_caller]
pub(crate) fn expect_each_trace_once(report: &Report, expected: u64, program: &str) {
    assert_eq!(report.coverage, Coverage::Complete, "{program}: {report}");
    let run = (traces(report), report.executions, report.blocked);
    assert_eq!(
        run,
        (expected, expected, 0),
        "traces, executions and blocked ones of {program}"
    );
}

/// The outcomes of a search, without how often they were seen.
pub(crate) fn outcomes(report: &Report) -> Vec<&str> {
    let outcomes = report.outcomes.iter();
    outcomes.map(|outcome| outcome.value.as_str()).collect()
}
