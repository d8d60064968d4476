//! Who holds what and who waits for what, when nobody can go on.

use crate::trace::{Blocked, Operation, Trace};
use crate::verdict::{Failure, FailureKind};

use super::{Explanation, place};

pub(super) fn explain(failure: &Failure) -> Explanation {
    let trace = &failure.trace;
    let threads = failure
        .blocked
        .iter()
        .map(|blocked| sentence(trace, blocked));
    let threads: Vec<String> = threads.collect();
    if threads.is_empty() {
        return Explanation::default();
    }
    let why = format!("{}: {}.", failure.kind, threads.join("; "));
    let why = match failure.kind {
        FailureKind::Livelock => format!("{why} Nobody writes what they wait for."),
        _ => why,
    };
    Explanation {
        why: Some(why),
        notes: Vec::new(),
    }
}

/// What one thread holds and waits for.
fn sentence(trace: &Trace, blocked: &Blocked) -> String {
    let thread = trace.thread_name(blocked.thread);
    let object = blocked
        .object
        .map(|object| trace.object_name(object))
        .unwrap_or_default();
    let target = blocked
        .target
        .map(|thread| trace.thread_name(thread))
        .unwrap_or_default();
    let waits = match blocked.operation {
        Operation::Lock => format!("waits for {object}"),
        Operation::Join => format!("waits for {target} to finish"),
        Operation::Wake => format!("waits to be notified on {object}"),
        Operation::Receive => format!("waits for a message on {object}"),
        Operation::Send => format!("waits for room in {object}"),
        Operation::Park => "is parked".to_owned(),
        operation => format!("is about to {operation} {object}")
            .trim_end()
            .to_owned(),
    };
    let at = place(blocked.at);
    let holds = blocked.holds.iter().map(|held| {
        format!(
            "{} (acquired at {})",
            trace.object_name(held.object),
            place(held.at)
        )
    });
    let holds: Vec<String> = holds.collect();
    if holds.is_empty() {
        format!("{thread} {waits}, at {at}")
    } else {
        format!(
            "{thread} holds {} and {waits}, at {at}",
            holds.join(" and ")
        )
    }
}
