//! A read of an older value than the newest one, which only a weak memory model has.

use std::sync::atomic::Ordering;

use crate::trace::{ThreadId, Trace};
use crate::verdict::Failure;

use super::publication::too_weak;
use super::{Explanation, step_of};

/// Says of the last stale read of the thread that failed, or else of the last one at all, what it
/// has not seen, and which message between the two threads would have to be stronger.
pub(super) fn explain(failure: &Failure) -> Option<Explanation> {
    let trace = &failure.trace;
    let of_failing = failure.thread.and_then(|thread| last_of(trace, thread));
    let read = of_failing.or_else(|| last(trace, |_| true))?;
    Some(Explanation {
        why: Some(sentence(trace, read)?),
        notes: Vec::new(),
    })
}

/// The same for a thread that waits forever, if what it read last was stale.
pub(super) fn before_waiting(trace: &Trace, waiter: ThreadId) -> Option<String> {
    let mut reads = trace.events.iter().enumerate().rev();
    let (read, event) = reads.find(|(_, event)| event.thread == waiter && event.read.is_some())?;
    event.stale?;
    let sentence = sentence(trace, read)?;
    Some(sentence.replacen("stale", "Stale", 1))
}

fn last_of(trace: &Trace, thread: ThreadId) -> Option<usize> {
    last(trace, |other| other == thread)
}

fn last(trace: &Trace, is_it: impl Fn(ThreadId) -> bool) -> Option<usize> {
    let is_stale = |event: &crate::trace::Event| event.stale.is_some() && is_it(event.thread);
    trace.events.iter().rposition(is_stale)
}

fn sentence(trace: &Trace, read: usize) -> Option<String> {
    let events = &trace.events;
    let event = &events[read];
    let newest = usize::try_from(event.stale?).ok()?;
    let object = event.object?;
    let is_seqcst = |index: usize| events[index].ordering == Some(Ordering::SeqCst);
    let is_first = !events[..newest]
        .iter()
        .any(|event| event.object == Some(object) && event.written.is_some());
    let (writer, reader) = (events[newest].thread, event.thread);
    let why = format!(
        "stale read: {} read at {} {} value that {} had before {}",
        trace.thread_name(reader),
        step_of(trace, read),
        if is_first { "the" } else { "a" },
        trace.object_name(object),
        step_of(trace, newest),
    );
    if is_seqcst(read) && is_seqcst(newest) {
        return Some(format!(
            "{why}. Both are SeqCst, which loom takes for less than it is: this can be a false \
             alarm."
        ));
    }
    let why = format!(
        "{why}; nothing orders {}'s {} before it.",
        trace.thread_name(writer),
        events[newest].operation,
    );
    Some(match too_weak(trace, newest + 1..read, writer, reader) {
        Some(hint) => format!("{why} {hint}"),
        None => why,
    })
}
