//! Two accesses that nothing orders.

use std::sync::atomic::Ordering;

use crate::trace::{Event, Operation, Trace};
use crate::verdict::Failure;

use super::{Explanation, place, step_of};

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
    let from = accessed.map_or(0, |index| index + 1);
    if let Some(hint) = weak_message(trace, from, failure) {
        why = format!("{why} {hint}");
    }
    let notes = accessed.map(|index| (index, "races with the last row".to_owned()));
    Some(Explanation {
        why: Some(why),
        notes: notes.into_iter().collect(),
    })
}

/// A store of the first thread behind its access, and a load of the second one that has read from
/// it: had both been strong enough, there would be no race.
fn weak_message(trace: &Trace, from: usize, failure: &Failure) -> Option<String> {
    let race = failure.race?;
    let events = &trace.events;
    let read = (from..events.len()).rev().find(|&index| {
        let event = &events[index];
        event.thread == race.second.thread && event.read.is_some()
    })?;
    let object = events[read].object?;
    let written = (from..read).rev().find(|&index| {
        let event = &events[index];
        event.object == Some(object) && event.written.is_some()
    })?;
    if events[written].thread != race.first.thread {
        return None;
    }
    let name = trace.object_name(object);
    let publishes = is(
        &events[written],
        &[Ordering::Release, Ordering::AcqRel, Ordering::SeqCst],
    );
    let sees = is(
        &events[read],
        &[Ordering::Acquire, Ordering::AcqRel, Ordering::SeqCst],
    );
    let (step, ordering, strong) = match (publishes, sees) {
        (false, _) => (
            written,
            events[written].ordering?,
            "Release, so that it publishes",
        ),
        (true, false) => (read, events[read].ordering?, "Acquire, so that it sees"),
        (true, true) => return None,
    };
    Some(format!(
        "The {} of {name} at {} is {ordering:?}; make it {strong} what was done before.",
        events[step].operation,
        step_of(trace, step),
    ))
}

fn is(event: &Event, orderings: &[Ordering]) -> bool {
    event
        .ordering
        .is_some_and(|ordering| orderings.contains(&ordering))
}
