//! Messages from one thread to another that are too weak to order what was done before them.

use std::ops::Range;
use std::sync::atomic::Ordering;

use crate::trace::{Event, Operation, ThreadId, Trace};

use super::step_of;

/// Looks between two events for a store of `writer` that `reader` has read: had both been strong
/// enough, what the first thread did before would happen before what the second one did then. Says
/// what is to be made stronger.
pub(super) fn too_weak(
    trace: &Trace,
    between: Range<usize>,
    writer: ThreadId,
    reader: ThreadId,
) -> Option<String> {
    let events = &trace.events;
    let mut reads = between.clone().rev().filter(|&index| {
        let event = &events[index];
        // Which store a stale read has seen is not known.
        event.thread == reader && event.read.is_some() && event.stale.is_none()
    });
    let (written, read) = reads.find_map(|read| {
        let written = (between.start..read).rev().find(|&index| {
            events[index].object == events[read].object && events[index].written.is_some()
        })?;
        (events[written].thread == writer).then_some((written, read))
    })?;
    let fence = |range: Range<usize>, thread: ThreadId, strong: &[Ordering]| {
        events[range].iter().any(|event| {
            event.thread == thread && event.operation == Operation::Fence && is(event, strong)
        })
    };
    let publishes =
        is(&events[written], RELEASES) || fence(between.start..written, writer, RELEASES);
    let sees = is(&events[read], ACQUIRES) || fence(read + 1..between.end, reader, ACQUIRES);
    let (weak, strong) = match (publishes, sees) {
        (false, _) => (written, "Release, so that it publishes"),
        (true, false) => (read, "Acquire, so that it sees"),
        (true, true) => return None,
    };
    Some(format!(
        "The {} of {} at {} is {:?}; make it {strong} what was done before.",
        events[weak].operation,
        trace.object_name(events[weak].object?),
        step_of(trace, weak),
        events[weak].ordering?,
    ))
}

const RELEASES: &[Ordering] = &[Ordering::Release, Ordering::AcqRel, Ordering::SeqCst];
const ACQUIRES: &[Ordering] = &[Ordering::Acquire, Ordering::AcqRel, Ordering::SeqCst];

fn is(event: &Event, orderings: &[Ordering]) -> bool {
    event
        .ordering
        .is_some_and(|ordering| orderings.contains(&ordering))
}
