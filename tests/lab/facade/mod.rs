//! The façade promises what std promises, in every world that its objects can belong to.

mod barrier;
mod behind_writers;
mod borrowing;
mod channel;
mod counted;
mod crossbeam_utils;
mod endings;
mod future;
mod interleavings;
mod old_names;
mod once;
mod parking_lot;
mod plain;
mod queue;
mod running_on;
mod rwlock;
mod same_as_std;
mod select;
mod tasks;
mod thread_local;
mod tokio;
mod worlds;

use racelab::{Engine, Explorer, Failure, FailureKind, Report, Verdict};

/// Explores every interleaving, past failures.
/// Far more steps than these bodies have, so that more would only make livelocks longer.
const MAX_STEPS: usize = 3_000;

fn explore(body: impl Fn() + Send + Sync + 'static) -> Report {
    let explorer = Explorer::new(Engine::Dfs).max_steps(MAX_STEPS);
    explorer.past_failures().explore(body)
}

/// Explores a body that must hold, and returns what it recorded, in the order of the text.
fn outcomes(body: impl Fn() + Send + Sync + 'static) -> Vec<String> {
    let report = explore(body);
    assert!(matches!(report.verdict, Verdict::Holds), "{report:?}");
    report
        .outcomes
        .into_iter()
        .map(|outcome| outcome.value)
        .collect()
}

/// Explores a body that must hold.
fn holds(body: impl Fn() + Send + Sync + 'static) {
    outcomes(body);
}

/// Explores a body that must fail, in this way.
fn fails(kind: FailureKind, body: impl Fn() + Send + Sync + 'static) -> Failure {
    match explore(body).verdict {
        Verdict::Violated(failure) if failure.kind == kind => *failure,
        other => panic!("not a {kind}: {other:?}"),
    }
}
