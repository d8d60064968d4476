//! How executions run.
//!
//! A model engine runs the body again and again, and hands a [`Search`] each finished execution. On
//! our own coroutines it asks it for every choice ([`Scheduler`]); loom and shuttle make theirs, and
//! on real threads there is nothing to choose. An engine returns data and prints nothing.

mod coroutines;
#[cfg(feature = "loom")]
mod loom;
#[cfg(test)]
mod nested;
mod panic_hook;
#[cfg(feature = "shuttle")]
mod shuttle;
mod stack_overflow;
mod stacks;
mod threads;
mod turnstile;
mod watch;

use std::sync::atomic::{AtomicU64, Ordering};

use crate::execution::{self, Execution};
use crate::trace::{Choice, ThreadId};

pub(crate) use coroutines::Coroutines;
#[cfg(feature = "loom")]
pub(crate) use loom::{Looked, Loom, LoomSearch};
#[cfg(feature = "shuttle")]
pub(crate) use shuttle::{Itself, ShuttleScheduler, run_on_shuttle};
pub(crate) use threads::Threads;
pub(crate) use watch::{Watched, watch};

/// What wants executions and looks at them. Asked between them only.
pub(crate) trait Search: Send {
    /// Whether another execution is wanted. Asked before each one, the first included.
    fn wants_execution(&mut self) -> bool;

    /// Looks at an execution that is over.
    fn finished(&mut self, execution: &Execution);
}

/// A search that chooses the steps of its executions itself. loom and shuttle choose for the others.
pub(crate) trait Scheduler: Search {
    /// Chooses the next step, or `None` to abandon the execution.
    fn choose(&mut self, point: &Point<'_>) -> Option<Choice>;

    /// The next step, if the execution repeats one that came before, in which everything was the same
    /// up to now: it is not looked at then what else would be possible.
    fn repeats(&self, _execution: &Execution) -> Option<Choice> {
        None
    }

    /// How its executions are to be run. Asked before each one.
    fn conduct(&self) -> Conduct {
        Conduct::default()
    }
}

/// How a search wants its executions to be run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conduct {
    /// Whether choices that lead nowhere new are left out.
    pub(crate) prunes: bool,
    /// Whether an execution is abandoned in which a thread that spins went on alone and did not leave its loop: all
    /// that can follow also follows in an execution in which it did not.
    pub(crate) abandons_redundant: bool,
    /// Whether the threads that have not failed go on after a failure.
    pub(crate) runs_on: bool,
    /// The number of the first step, from 0 on, of which it is recorded what it touches.
    pub(crate) records_from: Option<usize>,
}

impl Default for Conduct {
    fn default() -> Self {
        Conduct {
            prunes: true,
            abandons_redundant: false,
            runs_on: false,
            records_from: None,
        }
    }
}

/// The stack of a thread under test, in bytes.
const STACK_SIZE: usize = 2 << 20;

/// Begins an execution, in the memory of the last one if there was one.
fn begin(idle: Option<Box<Execution>>, new: impl FnOnce(u64) -> Execution) {
    /// Executions are numbered over the whole process, so that an object can tell its own.
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    execution::enter(match idle {
        Some(mut execution) => {
            execution.reset(number);
            execution
        }
        None => Box::new(new(number)),
    });
}

/// A moment of an execution at which the scheduler has to choose.
pub(crate) struct Point<'a> {
    /// How many steps were made.
    pub(crate) step: usize,
    /// The possible steps, in the order of the threads. Never empty.
    pub(crate) choices: &'a [Choice],
    /// The thread that did the last step.
    pub(crate) last: Option<ThreadId>,
    /// The thread that did the last step, if it could go on: to leave it is a preemption.
    pub(crate) running: Option<ThreadId>,
    /// How many preemptions there were.
    pub(crate) preemptions: u32,
    /// The execution so far.
    pub(crate) execution: &'a Execution,
}

impl Point<'_> {
    /// Whether the choice leaves a thread that could go on.
    pub(crate) fn preempts(&self, choice: Choice) -> bool {
        let leaves = self.running.is_some_and(|running| running != choice.thread);
        leaves && !self.execution.is_behind_writers(choice)
    }

    /// Whether the thread of the choice spins, and can only go on to see whether it leaves its loop.
    #[inline]
    pub(crate) fn rests(&self, choice: Choice) -> bool {
        self.execution.rests(self.execution.thread(choice.thread))
    }

    /// The order in which a search tries the choices: the running thread first; then in turn, from
    /// the thread behind the last one on, with the main thread at the end. So it joins late, and
    /// executions have few switches.
    pub(crate) fn turn(&self, choice: Choice) -> impl Ord + use<> {
        let last = self.last.map_or(0, |last| last.0);
        let thread = choice.thread.0;
        let waits = self.running != Some(choice.thread);
        (waits, thread == 0, thread <= last, choice)
    }

    /// The choice that goes on with the running thread, or the first one.
    pub(crate) fn default_choice(&self) -> Choice {
        let running = self.running.map(Choice::of);
        let running = running.filter(|choice| self.choices.contains(choice));
        running.unwrap_or(self.choices[0])
    }
}
