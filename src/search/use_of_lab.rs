//! How much of the lab the executions of a search have used, which says what the search can have seen.

use crate::execution::Execution;
use crate::trace::{Event, Operation, ThreadId};
use crate::verdict::Sharing;

/// What is known to be used, with what this execution has used.
pub(super) fn sharing(execution: &Execution, known: Option<Sharing>) -> Option<Sharing> {
    // Looked at no further once all is known, since most executions come after that.
    if known == Some(Sharing::Objects) {
        return known;
    }
    let events = execution.events();
    let seen = match execution.thread_count() {
        1 if events.is_empty() => Sharing::Unused,
        1 => Sharing::OneThread,
        _ if share_objects(events) => Sharing::Objects,
        _ => Sharing::Nothing,
    };
    known.max(Some(seen))
}

/// Whether two threads have used the same object, or one has woken another.
fn share_objects(events: &[Event]) -> bool {
    let mut users: Vec<Option<ThreadId>> = Vec::new();
    events.iter().any(|event| {
        let Some(object) = event.object else {
            return event.operation == Operation::Unpark;
        };
        if users.len() <= object.index() {
            users.resize(object.index() + 1, None);
        }
        *users[object.index()].get_or_insert(event.thread) != event.thread
    })
}
