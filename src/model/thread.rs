//! The start and the end of a thread, which are no steps themselves: to start one and to wait for
//! its end is one each.

use smallvec::SmallVec;

use crate::execution::{Alternatives, Execution, Mode, NextStep, Spot, Touches};
use crate::trace::{Event, EventResult, Operation, ThreadId};

use super::{Announced, Before, Done, Primitive};

/// What threads do with each other and with the scheduler, without an object.
#[derive(Debug)]
pub(super) struct Threads;

impl Primitive for Threads {
    fn announce(&self, at: &Announced<'_>, touches: &mut Touches) {
        if at.next.operation != Operation::Join {
            return;
        }
        // To be told that it has finished changes what others are told.
        let mode = if may_be_unfinished(at.next) {
            Mode::Write
        } else {
            Mode::Read
        };
        if let Some(thread) = at.next.target {
            touches.push((Spot::End(thread), mode));
        }
    }

    /// A thread that has done all of its steps may not quite have ended yet, as long as nobody was
    /// told that it has.
    fn ways(&self, at: &Announced<'_>) -> u32 {
        let target = at.next.target.filter(|_| may_be_unfinished(at.next));
        let seems_unfinished = target.is_some_and(|target| {
            let thread = at.execution.thread(target);
            thread.finished && !thread.seen_finished
        });
        if seems_unfinished { 2 } else { 1 }
    }

    fn touched(&self, done: &Done<'_>, _spot: Spot, _before: &Before) -> Option<Mode> {
        let is_told = may_be_unfinished(done.next) && done.has_succeeded();
        Some(if is_told { Mode::Write } else { Mode::Read })
    }

    fn allowed(&self, done: &Done<'_>) -> SmallVec<[Spot; 2]> {
        let spawns = done.event.operation == Operation::Spawn;
        let child = done.event.target.filter(|_| spawns);
        child.map(Spot::Start).into_iter().collect()
    }

    fn has_changed(&self, done: &Done<'_>) -> bool {
        done.event.operation == Operation::Spawn
    }

    fn changes(&self, _done: &Done<'_>) -> [Option<Spot>; 2] {
        [None, None]
    }

    fn looks(&self, done: &Done<'_>) -> [Option<Spot>; 2] {
        let target = done.event.target.filter(|_| may_be_unfinished(done.next));
        [target.map(Spot::End), None]
    }
}

fn may_be_unfinished(next: &NextStep) -> bool {
    matches!(next.alternatives, Alternatives::Unfinished)
}

/// A new thread knows what the one knew that has started it.
pub(crate) fn order_spawn(execution: &mut Execution, child: ThreadId) {
    let known = execution.current_mut().knowledge.clock.clone();
    execution.thread_mut(child).knowledge.clock = known;
}

/// Who joins a thread learns all that it knew. To see that it has finished orders nothing, as with
/// std.
pub(crate) fn order_join(execution: &mut Execution, event: &Event, next: &NextStep) {
    if may_be_unfinished(next) || event.result == Some(EventResult::Failed) {
        return;
    }
    if let Some(child) = event.target {
        let known = execution.thread(child).knowledge.clock.clone();
        execution.current_mut().knowledge.clock.join(&known);
    }
}
