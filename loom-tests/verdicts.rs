//! Explorations with the engine loom, and what they must come to.

use racelab::trace::LeftOut;
use racelab::{
    Bound, Coverage, Engine, Explorer, Failure, FailureKind, MemoryModel, Report, Verdict,
};

/// Explores a body up to its first failure, or to the end.
pub(crate) fn explore(body: impl Fn() + Send + Sync + 'static) -> Report {
    let report = Explorer::new(Engine::Loom).explore(body);
    assert_eq!(report.memory_model, MemoryModel::C11);
    report
}

/// Asserts that no execution fails, and that all were explored.
#[track_caller]
pub(crate) fn assert_holds(report: &Report) {
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
    assert_eq!(report.coverage, Coverage::Complete, "{report}");
    assert_eq!((report.violations, report.doubted), (0, 0), "{report}");
}

/// Asserts that no execution fails, though loom's reduction can have missed some.
#[track_caller]
pub(crate) fn assert_none_fails(report: &Report) {
    let forgotten = Bound::LeftOut(LeftOut::ForgottenLoads);
    assert_eq!(report.coverage, Coverage::Bounded(forgotten), "{report}");
    assert_eq!((report.violations, report.doubted), (0, 0), "{report}");
}

/// Asserts that an execution fails in this way, and returns the failure.
#[track_caller]
pub(crate) fn assert_fails(report: &Report, kind: FailureKind) -> &Failure {
    let Verdict::Violated(failure) = &report.verdict else {
        panic!("{report}");
    };
    assert_eq!(failure.kind, kind, "{report}");
    failure
}
