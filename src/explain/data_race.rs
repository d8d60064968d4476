//! Two accesses that nothing orders.

use crate::trace::Operation;
use crate::verdict::Failure;

use super::publication::too_weak;
use super::{Explanation, place};

/// Names both accesses, and the message from one thread to the other, if there was one that was
/// too weak to order them.
pub(super) fn explain(failure: &Failure) -> Option<Explanation> {
    let race = failure.race?;
    let trace = &failure.trace;
    let (first, second) = (race.first, race.second);
    let (one, other) = (
        trace.thread_name(first.thread),
        trace.thread_name(second.thread),
    );
    let noun = |operation| {
        if operation == Operation::CellWrite {
            "write"
        } else {
            "read"
        }
    };
    let mut why = format!(
        "data race: nothing orders {one}'s {} at {} before {other}'s {} at {}.",
        noun(first.operation),
        place(first.at),
        noun(second.operation),
        place(second.at),
    );
    let accessed = trace.events.iter().rposition(|event| {
        event.thread == first.thread && event.object == Some(race.object) && event.at == first.at
    });
    let between = accessed.map_or(0, |index| index + 1)..trace.events.len();
    if let Some(hint) = too_weak(trace, between, first.thread, second.thread) {
        why = format!("{why} {hint}");
    }
    let notes = accessed.map(|index| (index, "races with the last row".to_owned()));
    Some(Explanation {
        why: Some(why),
        notes: notes.into_iter().collect(),
    })
}
