//! From a failing execution to what is reported of it.

use crate::execution::Ending;
use crate::explain::{Explanation, explain};
use crate::search::FailingExecution;
use crate::trace::{Access, Operation, Race, Trace};
use crate::verdict::{Failure, FailureKind};

/// What a failing execution is in a report.
pub(super) fn failure(
    found: FailingExecution,
    minimal: Option<bool>,
    minimise_executions: u64,
    is_nondeterministic: bool,
) -> Failure {
    let FailingExecution {
        ending,
        schedule,
        preemptions,
        trace,
        blocked,
        number: _,
    } = found;
    let race = match &ending {
        Ending::Raced(race) => Some(*race),
        _ => None,
    };
    let (kind, message, at, thread) = match ending {
        Ending::Panicked {
            thread,
            message,
            at,
        } => (FailureKind::Panic, message, at, Some(thread)),
        Ending::Raced(race) => {
            let message = race_message(&race, &trace);
            let at = format!("{}:{}", race.second.at.file(), race.second.at.line());
            (
                FailureKind::DataRace,
                message,
                Some(at),
                Some(race.second.thread),
            )
        }
        Ending::Livelocked => {
            let message =
                "livelock: every thread that can go on only waits by reading again".to_owned();
            (FailureKind::Livelock, message, None, None)
        }
        _ => {
            let message = "deadlock: no thread can go on".to_owned();
            (FailureKind::Deadlock, message, None, None)
        }
    };
    let failure = Failure {
        kind,
        message,
        at,
        thread,
        trace,
        schedule: Some(schedule),
        preemptions: Some(preemptions),
        minimal,
        minimise_executions,
        is_nondeterministic,
        blocked,
        race,
        why: None,
        notes: Vec::new(),
    };
    let Explanation { why, notes } = explain(&failure);
    Failure {
        why,
        notes,
        ..failure
    }
}

/// Both threads and both places of a data race.
fn race_message(race: &Race, trace: &Trace) -> String {
    let access = |access: &Access| {
        let thread = trace.thread_name(access.thread);
        let does = match access.operation {
            Operation::CellWrite => "writes",
            _ => "reads",
        };
        format!(
            "{thread} {does} at {}:{}",
            access.at.file(),
            access.at.line()
        )
    };
    let cell = trace.object_name(race.object);
    format!(
        "data race on {cell}: {}, {}",
        access(&race.first),
        access(&race.second)
    )
}
