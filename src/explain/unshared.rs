//! Threads that have nothing in common.

use crate::trace::Trace;

use super::Explanation;

/// Says so if no two threads have touched the same object: then their order cannot matter.
pub(super) fn explain(trace: &Trace) -> Option<Explanation> {
    let events = &trace.events;
    let is_shared = events.iter().enumerate().any(|(index, event)| {
        let earlier = &events[..index];
        event.object.is_some()
            && earlier
                .iter()
                .any(|other| other.object == event.object && other.thread != event.thread)
    });
    if trace.threads.len() < 2 || is_shared {
        return None;
    }
    Some(Explanation {
        why: Some(
            "no interleaving is to blame: no two threads used the same object, so that none \
             could see what another one did."
                .to_owned(),
        ),
        notes: Vec::new(),
    })
}
