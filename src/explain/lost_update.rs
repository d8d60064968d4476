//! A write that is overwritten by a value which was computed without it.

use crate::trace::{Event, Operation, Trace};

use super::{Explanation, step_of};

/// Looks for a store whose thread had loaded the same object before, with a write of another
/// thread between its load and its store. Of several the last one counts: it is nearest to the
/// failure.
pub(super) fn explain(trace: &Trace) -> Option<Explanation> {
    let events = &trace.events;
    let mut stores = (0..events.len())
        .rev()
        .filter(|&index| events[index].operation == Operation::Store);
    stores.find_map(|store| lost_by(trace, store))
}

fn lost_by(trace: &Trace, store: usize) -> Option<Explanation> {
    let events = &trace.events;
    let Event { thread, object, .. } = events[store];
    let earlier = |matches: &dyn Fn(&Event) -> bool| {
        (0..store)
            .rev()
            .find(|&index| events[index].object == object && matches(&events[index]))
    };
    let own = earlier(&|event| event.thread == thread)?;
    if events[own].operation != Operation::Load {
        return None;
    }
    let lost = earlier(&|event| event.thread != thread && event.written.is_some())?;
    if lost < own {
        return None;
    }
    let (name, other) = (
        trace.thread_name(thread),
        trace.thread_name(events[lost].thread),
    );
    let why = format!(
        "lost update: {name} wrote at {} a value computed from its load at {}; {other}'s {} at {} \
         came between.",
        step_of(trace, store),
        step_of(trace, own),
        events[lost].operation,
        step_of(trace, lost),
    );
    let note = format!("overwrites {}", step_of(trace, lost));
    Some(Explanation {
        why: Some(why),
        notes: vec![(store, note)],
    })
}
