//! Counts traces: executions that differ in more than the order of independent steps.

use rustc_hash::FxHashSet;

use crate::engine::Point;
use crate::execution::{Ending, Execution};
use crate::trace::{Choice, ThreadId};

use super::dependence::{Announced, Dependence};
use super::identity::ThreadKey;

/// The traces of the executions of a depth-first search.
#[derive(Debug, Default)]
pub(super) struct Traces {
    done: Dependence,
    /// The step that was chosen last.
    chosen: Option<Announced>,
    seen: FxHashSet<u128>,
}

impl Traces {
    /// How many there were.
    pub(super) fn count(&self) -> u64 {
        self.seen.len() as u64
    }

    /// The first step whose touches are to be recorded.
    pub(super) fn records_from(&self) -> usize {
        self.done.steps.len()
    }

    /// Goes back to the first `steps` steps.
    pub(super) fn go_back_to(&mut self, steps: usize) {
        self.done.truncate(steps);
        self.chosen = None;
    }

    /// Looks at a moment at which the search has to choose, and returns what stands for the trace
    /// up to there.
    pub(super) fn arrive(&mut self, point: &Point<'_>) -> u128 {
        self.complete(point.execution);
        self.done.identities.meet(point.execution);
        self.done.hash()
    }

    /// The name of a thread in all executions.
    pub(super) fn key_of(&self, thread: ThreadId) -> ThreadKey {
        self.done.identities.thread(thread)
    }

    /// Hears what was chosen.
    pub(super) fn chose(&mut self, point: &Point<'_>, choice: Choice) {
        if point.step == self.done.steps.len() {
            self.chosen = self.done.announced(point.execution, choice.thread);
        }
    }

    /// Counts an execution that is over, if it came to its end and its trace was not there yet.
    pub(super) fn finished(&mut self, execution: &Execution) {
        self.complete(execution);
        let is_complete = !matches!(
            execution.ending(),
            Some(
                Ending::Abandoned
                    | Ending::OutOfSteps
                    | Ending::Unsupported(_)
                    | Ending::Misused(_)
            )
        );
        if is_complete {
            self.seen.insert(self.done.hash());
        }
    }

    fn complete(&mut self, execution: &Execution) {
        if self.done.steps.len() < execution.schedule().len()
            && let Some(announced) = self.chosen.take()
        {
            self.done.add(execution, announced);
        }
    }
}
