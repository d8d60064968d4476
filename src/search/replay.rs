//! One execution, as a schedule says.

use std::borrow::Cow;
use std::fmt;

use crate::engine::{Conduct, Point, Scheduler, Search};
use crate::execution::{Ending, Execution};
use crate::trace::{Choice, LeftOutSet, Schedule, ThreadId};

use super::FailingExecution;

/// Runs one execution along a schedule.
#[derive(Debug)]
pub(crate) struct Replay {
    schedule: Schedule,
    started: bool,
    divergence: Option<Divergence>,
    end: Option<End>,
}

/// What there is at the end of a replay.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) found: Option<FailingExecution>,
    pub(crate) ending: Option<Ending>,
    pub(crate) trace: crate::trace::Trace,
    pub(crate) outcome: Option<String>,
    pub(crate) left_out: LeftOutSet,
    pub(crate) unchecked_cells: u64,
    /// Whether it is in doubt that the execution is possible.
    pub(crate) is_doubtful: bool,
}

impl End {
    pub(crate) fn new(execution: &Execution) -> Self {
        End {
            found: FailingExecution::new(execution),
            ending: execution.ending().cloned(),
            trace: execution.trace(),
            outcome: execution.outcome().map(Cow::into_owned),
            left_out: execution.left_out(),
            unchecked_cells: execution.unchecked_cells,
            is_doubtful: execution.is_doubtful(),
        }
    }
}

/// Where a replay left its schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Divergence {
    /// The step, from 1 on.
    pub(crate) step: usize,
    pub(crate) cause: Cause,
}

/// Why a replay could not follow its schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    NoSuchThread { thread: ThreadId, threads: usize },
    HasFinished { thread: ThreadId },
    CannotGoOn { thread: ThreadId, next: String },
    NoSuchAlternative { choice: Choice, next: String },
    ScheduleEnds { next: String },
    ExecutionEnds { steps: usize },
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Divergence { step, cause } = self;
        match cause {
            Cause::NoSuchThread { thread, threads } => {
                let last = threads - 1;
                write!(
                    f,
                    "step {step} names thread {}, but at that point ",
                    thread.0
                )?;
                match last {
                    0 => write!(f, "there is only thread 0"),
                    _ => write!(f, "the threads are 0 to {last}"),
                }
            }
            Cause::HasFinished { thread } => {
                write!(
                    f,
                    "step {step} names thread {}, which has finished",
                    thread.0
                )
            }
            Cause::CannotGoOn { thread, next } => {
                write!(
                    f,
                    "step {step} names thread {}, which cannot go on: {next}",
                    thread.0
                )
            }
            Cause::NoSuchAlternative { choice, next } => {
                write!(
                    f,
                    "step {step} is {choice}, but there is no such way to go on: {next}"
                )
            }
            Cause::ScheduleEnds { next } => {
                write!(
                    f,
                    "the schedule ends before step {step}, but the program goes on: {next}"
                )
            }
            Cause::ExecutionEnds { steps } => {
                write!(
                    f,
                    "the program ends after {steps} steps, but the schedule goes on"
                )
            }
        }
    }
}

impl Replay {
    pub(crate) fn new(schedule: Schedule) -> Self {
        Replay {
            schedule,
            started: false,
            divergence: None,
            end: None,
        }
    }

    /// Where the execution left the schedule, or else what there was at the end.
    pub(crate) fn result(self) -> Result<End, Divergence> {
        match self.divergence {
            Some(divergence) => Err(divergence),
            None => Ok(self.end.expect("the execution was run")),
        }
    }

    fn diverge(&mut self, point: &Point<'_>) -> Cause {
        let Some(&choice) = self.schedule.choices().get(point.step) else {
            let next = describe(point, point.default_choice().thread);
            return Cause::ScheduleEnds { next };
        };
        let thread = choice.thread;
        let threads = point.execution.thread_count();
        if thread.index() >= threads {
            return Cause::NoSuchThread { thread, threads };
        }
        if point.execution.thread(thread).finished {
            return Cause::HasFinished { thread };
        }
        let next = describe(point, thread);
        if point
            .choices
            .iter()
            .any(|possible| possible.thread == thread)
        {
            Cause::NoSuchAlternative { choice, next }
        } else {
            Cause::CannotGoOn { thread, next }
        }
    }
}

impl Search for Replay {
    fn wants_execution(&mut self) -> bool {
        !std::mem::replace(&mut self.started, true)
    }

    fn finished(&mut self, execution: &Execution) {
        let steps = execution.schedule().len();
        if self.divergence.is_none() && steps < self.schedule.len() {
            let cause = Cause::ExecutionEnds { steps };
            self.divergence = Some(Divergence {
                step: steps + 1,
                cause,
            });
        }
        self.end = Some(End::new(execution));
    }
}

impl Scheduler for Replay {
    fn conduct(&self) -> Conduct {
        Conduct {
            prunes: false,
            ..Conduct::default()
        }
    }

    fn choose(&mut self, point: &Point<'_>) -> Option<Choice> {
        let choice = self.schedule.choices().get(point.step).copied();
        if let Some(choice) = choice.filter(|choice| point.choices.contains(choice)) {
            return Some(choice);
        }
        let cause = self.diverge(point);
        self.divergence = Some(Divergence {
            step: point.step + 1,
            cause,
        });
        None
    }
}

/// What a thread is about to do, as `T1 is at lock m, src/lib.rs:7`.
fn describe(point: &Point<'_>, thread: ThreadId) -> String {
    let Some(next) = point.execution.next_of(thread) else {
        return format!("{thread} is not at an operation");
    };
    let object = match next.object {
        Some(object) => format!(" {}", point.execution.object_info(object)),
        None => next
            .target
            .map(|target| format!(" {target}"))
            .unwrap_or_default(),
    };
    format!(
        "{thread} is at {}{object}, {}:{}",
        next.operation,
        next.at.file(),
        next.at.line()
    )
}
