//! Two accesses of a thread that belonged together, and another thread's between them.

use crate::trace::{Event, EventResult, Operation, Trace};
use crate::verdict::Failure;

use super::{Explanation, step_of, steps_of};

/// Looks for two accesses of one object that a thread did one after the other, and between which
/// it was preempted by a thread that used the object as well. Of several the last pair counts: it
/// is nearest to the failure.
///
/// In a smallest failing execution no preemption is without need, so that such a pair has to do
/// with the failure.
pub(super) fn explain(failure: &Failure) -> Option<Explanation> {
    if failure.preemptions.is_none_or(|count| count == 0) {
        return None;
    }
    let trace = &failure.trace;
    (0..trace.events.len())
        .rev()
        .find_map(|second| torn_before(trace, second))
}

/// How the accesses of an object go together.
struct Pair {
    first: &'static str,
    second: &'static str,
    /// What another thread does to the object that comes between.
    between: &'static str,
    comes_between: fn(&Event) -> bool,
}

fn torn_before(trace: &Trace, second: usize) -> Option<Explanation> {
    let events = &trace.events;
    let Event { thread, object, .. } = events[second];
    let object = object?;
    let first = (0..second)
        .rev()
        .find(|&index| events[index].thread == thread)?;
    let pair = pair(&events[first], &events[second])?;
    let between = (first + 1..second).filter(|&index| {
        let event = &events[index];
        event.object == Some(object) && (pair.comes_between)(event)
    });
    let mut between: Vec<usize> = between.collect();
    let other = events[*between.first()?].thread;
    between.retain(|&index| events[index].thread == other);
    let (name, thread) = (trace.object_name(object), trace.thread_name(thread));
    let both = if pair.first == pair.second {
        format!(
            "{} {name} at {}",
            pair.first,
            steps_of(trace, &[first, second])
        )
    } else {
        format!(
            "{} {name} at {} and {} it at {}",
            pair.first,
            step_of(trace, first),
            pair.second,
            step_of(trace, second),
        )
    };
    let why = format!(
        "atomicity violation: {thread} {both}; {} {} it at {} in between.",
        trace.thread_name(other),
        pair.between,
        steps_of(trace, &between),
    );
    let note = "comes between".to_owned();
    Some(Explanation {
        why: Some(why),
        notes: vec![(between[0], note)],
    })
}

fn pair(first: &Event, second: &Event) -> Option<Pair> {
    if first.object != second.object {
        return None;
    }
    match (first.operation, second.operation) {
        (Operation::Unlock, Operation::Lock) => Some(Pair {
            first: "released",
            second: "acquired",
            between: "acquired",
            comes_between: |event| event.operation == Operation::Lock,
        }),
        (Operation::Send, Operation::Send) => Some(Pair {
            first: "sent to",
            second: "sent to",
            between: "sent to",
            comes_between: |event| event.operation == Operation::Send,
        }),
        // What it sent it wanted to see again, or an answer to it.
        (Operation::Send, Operation::Receive) if has_received(second) => Some(Pair {
            first: "sent to",
            second: "received from",
            between: "received from",
            comes_between: has_received,
        }),
        (Operation::Load, Operation::Rmw | Operation::Cas | Operation::Store)
            if second.result != Some(EventResult::Failed) =>
        {
            Some(Pair {
                first: "read",
                second: "wrote",
                between: "wrote",
                comes_between: |event| event.written.is_some(),
            })
        }
        _ => None,
    }
}

fn has_received(event: &Event) -> bool {
    let redundant = [
        EventResult::Failed,
        EventResult::Disconnected,
        EventResult::Pending,
    ]
    .map(Some);
    event.operation == Operation::Receive && !redundant.contains(&event.result)
}
