//! Whose turn it is: what the driver of our own coroutines and that of shuttle's have in common.

use crate::execution::{Ending, Execution, Offer, Runtime};
use crate::trace::{Choice, ThreadId};

use super::{Conduct, Coroutines, Point, Search};

/// A search at its executions, of which it lets one thread after another go on.
pub(super) struct Turnstile<S> {
    pub(super) search: S,
    /// How the execution is run.
    conduct: Conduct,
    /// Whether the search was told how the execution has ended.
    is_told: bool,
    choices: Vec<Choice>,
}

impl<S: Search> Turnstile<S> {
    /// Before the first execution.
    pub(super) fn new(search: S) -> Self {
        Turnstile {
            search,
            conduct: Conduct::default(),
            is_told: true,
            choices: Vec::new(),
        }
    }

    /// Begins an execution, in the memory of an earlier one if there was one.
    pub(super) fn begin(
        &mut self,
        program: &Coroutines,
        runtime: &'static dyn Runtime,
        conduct: Conduct,
        idle: Option<Box<Execution>>,
    ) {
        self.conduct = conduct;
        self.is_told = false;
        program.begin(runtime, conduct, idle);
    }

    /// The thread that goes on, or `None` if all have ended. Where there is a choice, `choose` makes
    /// it, or abandons the execution.
    #[inline]
    pub(super) fn next(
        &mut self,
        execution: &mut Execution,
        mut choose: impl FnMut(&mut S, &Point<'_>) -> Option<Choice>,
    ) -> Option<ThreadId> {
        loop {
            // At once, while everything is as it was when the execution ended.
            if execution.is_settled() {
                self.tell(execution);
            }
            match execution.offer(&mut self.choices) {
                Offer::Over => return None,
                Offer::Ended => {}
                Offer::Continue(thread) => return Some(thread),
                Offer::Redundant => {
                    if self.conduct.abandons_redundant {
                        execution.end(Ending::Abandoned);
                    }
                }
                Offer::Choose { running } => {
                    let point = Point {
                        step: execution.schedule().len(),
                        choices: &self.choices,
                        last: execution.schedule().last().map(|choice| choice.thread),
                        running,
                        preemptions: execution.preemptions(),
                        execution,
                    };
                    let Some(choice) = choose(&mut self.search, &point) else {
                        execution.end(Ending::Abandoned);
                        continue;
                    };
                    execution.take(choice, running);
                    if execution.is_explored() {
                        return Some(choice.thread);
                    }
                }
            }
        }
    }

    /// Tells the search how the execution has ended, if it was not told yet.
    pub(super) fn tell(&mut self, execution: &Execution) {
        if !self.is_told {
            self.is_told = true;
            self.search.finished(execution);
        }
    }
}
