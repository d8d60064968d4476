//! From a failing trace to the reason why it fails.

mod data_race;
mod early_stop;
mod late_message;
mod lost_update;
mod publication;
mod stale_read;
mod standstill;
mod torn;
mod unshared;
mod wake_up;

use crate::trace::Trace;
use crate::verdict::{Failure, FailureKind};

/// Why an execution fails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Explanation {
    /// The reason in one sentence, if one was recognised.
    pub(crate) why: Option<String>,
    /// Remarks on single events, by their index in the trace.
    pub(crate) notes: Vec<(usize, String)>,
}

/// Looks for the reason of a failure in its trace.
pub(crate) fn explain(failure: &Failure) -> Explanation {
    match failure.kind {
        FailureKind::Panic => lost_update::explain(&failure.trace)
            .or_else(|| stale_read::explain(failure))
            .or_else(|| wake_up::stolen(failure))
            .or_else(|| torn::explain(failure))
            .or_else(|| early_stop::explain(&failure.trace))
            .or_else(|| late_message::explain(&failure.trace))
            .or_else(|| unshared::explain(&failure.trace))
            .unwrap_or_default(),
        FailureKind::DataRace => data_race::explain(failure).unwrap_or_default(),
        FailureKind::Deadlock | FailureKind::Livelock => standstill::explain(failure),
        // Of these nothing is known but that they happened.
        FailureKind::Crash | FailureKind::Timeout => Explanation::default(),
    }
}

/// How an event is referred to: `step 3`, or the place of one that is not a step.
fn step_of(trace: &Trace, index: usize) -> String {
    let event = &trace.events[index];
    match event.step {
        Some(step) => format!("step {step}"),
        None => place(event.at),
    }
}

/// How several events are referred to: `step 3`, `steps 3 and 5`, `steps 3, 5 and 8`.
fn steps_of(trace: &Trace, indices: &[usize]) -> String {
    let steps = indices.iter().filter_map(|&index| trace.events[index].step);
    let steps: Vec<String> = steps.map(|step| step.to_string()).collect();
    match steps.as_slice() {
        [] => "no step".to_owned(),
        [step] => format!("step {step}"),
        [before @ .., last] => format!("steps {} and {last}", before.join(", ")),
    }
}

fn place(at: &std::panic::Location<'_>) -> String {
    format!("{}:{}", at.file(), at.line())
}
