//! The start and the end of a thread, which are no steps themselves: to start one and to wait for
//! its end is one each.

use crate::execution::{Alternatives, Execution, NextStep};
use crate::trace::{Event, EventResult, ThreadId};

/// A new thread knows what the one knew that has started it.
pub(crate) fn order_spawn(execution: &mut Execution, child: ThreadId) {
    let known = execution.current_mut().knowledge.clock.clone();
    execution.thread_mut(child).knowledge.clock = known;
}

/// Who joins a thread learns all that it knew. To see that it has finished orders nothing, as with
/// std.
pub(crate) fn order_join(execution: &mut Execution, event: &Event, next: &NextStep) {
    let only_looks = matches!(next.alternatives, Alternatives::Unfinished);
    if only_looks || event.result == Some(EventResult::Failed) {
        return;
    }
    if let Some(child) = event.target {
        let known = execution.thread(child).knowledge.clock.clone();
        execution.current_mut().knowledge.clock.join(&known);
    }
}
