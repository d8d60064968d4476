//! Who holds what, and who waits for what, at the end of an execution.

use crate::execution::{Execution, State};
use crate::trace::ThreadId;
use crate::verdict::{Blocked, Held};

/// The threads that have not finished, with what they wait for and what they hold.
pub(super) fn blocked(execution: &Execution) -> Vec<Blocked> {
    let unfinished = execution.threads().filter(|(_, thread)| !thread.finished);
    let blocked = unfinished.filter_map(|(thread, state)| {
        let next = state.next?;
        Some(Blocked {
            thread,
            operation: next.operation,
            object: next.object,
            target: next.target,
            at: next.at,
            holds: held_by(execution, thread),
        })
    });
    blocked.collect()
}

fn held_by(execution: &Execution, thread: ThreadId) -> Vec<Held> {
    let held = execution
        .objects()
        .filter_map(|(id, object)| match object.state {
            State::Mutex { held: Some(hold) } if hold.thread == thread => Some(Held {
                object: id,
                at: hold.at,
            }),
            _ => None,
        });
    held.collect()
}
