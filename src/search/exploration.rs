//! A search within its limits, and what it counts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::engine::{Conduct, Point, Scheduler, Search};
use crate::execution::{Ending, Execution, Pulse, intrusion};
use crate::trace::{Choice, LeftOutSet};
use crate::verdict::{Loop, Sharing};

use super::rounds::loops;
use super::use_of_lab::sharing;
use super::{FailingExecution, size};

/// After this number of executions that did not end within their steps, a search of single runs gives up.
pub(super) const MAX_ENDLESS: u64 = 100;

/// When what executions have left behind, stacks of threads and values of statics, takes this number of bytes, a search ends.
pub(super) const MAX_LEFT_BEHIND: usize = 256 << 20;

/// How many steps a search of everything goes on after an execution was cut: behind a loop that counts
/// its rounds there are always more executions, which end or are cut.
const MAX_STEPS_AFTER_CUT: u64 = 300_000;

/// An execution of this number of steps has a loop in it that can go on for long.
const MANY_STEPS: usize = 1_000;

/// Each time after this number of executions it is said how much is done.
const SHARE_EVERY: u64 = 256;

/// A search as an exploration runs it, and what it knows beyond what is counted.
pub(crate) trait Strategy: Search {
    /// Begins again from the start if the execution that is over shows that too much was pruned.
    /// Returns whether it has.
    fn begins_again(&mut self, _execution: &Execution) -> bool {
        false
    }

    /// How much of the search is done with the last execution, from 0 to 1, if that is known. An
    /// estimate, unless nothing is left.
    fn share_done(&self) -> Option<f64> {
        None
    }

    /// The first step, from 1 on, at which two executions went apart that made the same choices.
    fn nondeterminism(&self) -> Option<usize> {
        None
    }

    /// Whether it has left executions out that have too many preemptions.
    fn was_bounded(&self) -> bool {
        false
    }

    /// What it leaves out that no execution knows of.
    fn left_out(&self) -> LeftOutSet {
        LeftOutSet::default()
    }

    /// How many traces it has seen, if it counts them.
    fn traces(&self) -> Option<u64> {
        None
    }
}

/// When a search has to stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_executions: Option<u64>,
    pub(crate) deadline: Option<Instant>,
    /// Whether it goes on after a failure.
    pub(crate) past_failures: bool,
    /// Whether it runs until everything is explored. If an execution was cut it then gives up after
    /// [`MAX_STEPS_AFTER_CUT`] more steps, otherwise after [`MAX_ENDLESS`] such executions.
    pub(crate) exhaustive: bool,
    /// When it has to stop if an execution was as long as those of loops that may never end, so that
    /// there is time for another search.
    pub(crate) deadline_of_loops: Option<Instant>,
    /// Whether it stops if a thread that the lab does not run uses an object of an execution.
    pub(crate) refuses_intrusion: bool,
}

/// Why a search stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// There was nothing left to explore.
    Exhausted,
    /// A failure was found.
    Failure,
    MaxExecutions,
    TimeLimit,
    Interrupted,
    /// An execution hit the bound on its steps.
    OutOfSteps,
    /// A part of a divided search is not deterministic.
    NotDeterministic {
        /// The first step that differs, from 1 on.
        step: usize,
    },
    /// A run on real threads did not end.
    Endless {
        /// Which one it was, from 1 on.
        run: u64,
    },
    /// An execution did what the lab cannot run.
    Unsupported(String),
    /// An execution used the lab wrongly.
    Misused(String),
}

/// What a search has found so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Executions that were begun.
    pub(crate) begun: u64,
    /// Executions that came to an end of their own.
    pub(crate) executions: u64,
    /// Executions that were abandoned, since what they lead to is seen in others.
    pub(crate) blocked: u64,
    /// Executions that hit the bound on their steps.
    pub(crate) truncated: u64,
    pub(crate) violations: u64,
    /// The traces, if they are counted.
    pub(crate) traces: Option<u64>,
    /// Whether executions were left out that have too many preemptions.
    pub(crate) was_bounded: bool,
    /// Whether a failure ended an execution while there were threads that could have gone on.
    pub(crate) cut_failures: bool,
    pub(crate) outcomes: BTreeMap<String, u64>,
    /// What was possible and is not explored.
    pub(crate) left_out: LeftOutSet,
    /// The most cells in one execution whose accesses were not all checked.
    pub(crate) unchecked_cells: u64,
    /// Executions that waited for another search.
    pub(crate) waited: u64,
    /// The smallest failing execution.
    pub(crate) smallest: Option<FailingExecution>,
    /// Executions of which it is in doubt that they are possible.
    pub(crate) doubted: u64,
    /// A failing one of them.
    pub(crate) doubtful: Option<FailingExecution>,
    /// What the executions have used of the lab, if that is known.
    pub(crate) sharing: Option<Sharing>,
    /// What a thread that the lab does not run has done to an object of an execution.
    pub(crate) intrusion: Option<String>,
    /// The loops in which the threads of the first execution were that hit the bound on its steps.
    pub(crate) loops: Vec<Loop>,
    pub(crate) stop: Option<Stop>,
}

impl Limits {
    /// The limit that is reached after this number of executions, if any is.
    pub(crate) fn reached(&self, executions: u64, pulse: &Pulse) -> Option<Stop> {
        if self.max_executions.is_some_and(|max| executions >= max) {
            return Some(Stop::MaxExecutions);
        }
        if self
            .deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
        {
            return Some(Stop::TimeLimit);
        }
        if pulse.left_behind() >= MAX_LEFT_BEHIND {
            return Some(Stop::Unsupported(format!(
                "what executions have left behind takes {} MiB: the stacks of threads whose \
                 destructors wait for ever, and the values of statics",
                pulse.left_behind() >> 20
            )));
        }
        pulse.is_interrupted().then_some(Stop::Interrupted)
    }
}

impl Tally {
    /// Counts an execution that ended with this outcome.
    pub(crate) fn count_outcome(&mut self, outcome: &str) {
        // Looked up first, since almost all outcomes were seen before.
        match self.outcomes.get_mut(outcome) {
            Some(count) => *count += 1,
            None => {
                self.outcomes.insert(outcome.to_owned(), 1);
            }
        }
    }
}

impl Tally {
    /// Adds what another part of the same search has found, which comes after this one. Why it
    /// stopped is left to the caller.
    pub(crate) fn merge(&mut self, other: Tally) {
        let Tally {
            begun,
            executions,
            blocked,
            truncated,
            violations,
            traces,
            was_bounded,
            cut_failures,
            outcomes,
            left_out,
            unchecked_cells,
            waited,
            smallest,
            doubted,
            doubtful,
            sharing,
            intrusion,
            loops,
            stop: _,
        } = other;
        self.begun += begun;
        self.executions += executions;
        self.blocked += blocked;
        self.truncated += truncated;
        self.violations += violations;
        self.traces = match (self.traces, traces) {
            (Some(here), Some(there)) => Some(here + there),
            (here, there) => here.or(there),
        };
        self.was_bounded |= was_bounded;
        self.cut_failures |= cut_failures;
        for (outcome, count) in outcomes {
            *self.outcomes.entry(outcome).or_default() += count;
        }
        self.left_out.add_all(left_out);
        self.unchecked_cells = self.unchecked_cells.max(unchecked_cells);
        self.waited += waited;
        self.smallest = match (self.smallest.take(), smallest) {
            (Some(here), Some(there)) if there.size() < here.size() => Some(there),
            (here, there) => here.or(there),
        };
        self.doubted += doubted;
        self.doubtful = self.doubtful.take().or(doubtful);
        self.sharing = self.sharing.max(sharing);
        self.intrusion = self.intrusion.take().or(intrusion);
        if self.loops.is_empty() {
            self.loops = loops;
        }
    }
}

/// A strategy within limits.
pub(crate) struct Exploration<S> {
    pub(crate) strategy: S,
    pub(crate) limits: Limits,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) tally: Tally,
    /// Whether an execution was as long as those of loops that may never end.
    pub(super) has_loops: bool,
    /// The steps that were made since an execution was cut, if one was.
    pub(super) steps_after_cut: Option<u64>,
}

impl<S: Strategy> Exploration<S> {
    pub(crate) fn new(strategy: S, limits: Limits, pulse: Arc<Pulse>) -> Self {
        Exploration {
            strategy,
            limits,
            pulse,
            tally: Tally::default(),
            has_loops: false,
            steps_after_cut: None,
        }
    }

    /// What it has come to.
    pub(crate) fn end(self) -> Tally {
        let Exploration {
            strategy, tally, ..
        } = self;
        let nondeterminism = strategy.nondeterminism();
        let nondeterministic = nondeterminism.map(|step| Stop::NotDeterministic { step });
        Tally {
            traces: strategy.traces(),
            was_bounded: strategy.was_bounded(),
            stop: nondeterministic.or(tally.stop),
            ..tally
        }
    }

    /// How much of it is done, as far as is known.
    fn share_done(&self) -> Option<f64> {
        let run = self.tally.executions + self.tally.truncated;
        #[expect(
            clippy::cast_precision_loss,
            reason = "it is an estimate, in which the last digits mean nothing"
        )]
        let of_limit = self
            .limits
            .max_executions
            .map(|max| run as f64 / max as f64);
        match (self.strategy.share_done(), of_limit) {
            // Whichever comes first ends the search.
            (Some(share), Some(of_limit)) => Some(share.max(of_limit)),
            (share, of_limit) => share.or(of_limit),
        }
    }

    /// Counts the executions for who watches.
    fn publish(&self) {
        let executions = self.tally.executions;
        self.pulse.count(executions);
        if executions.is_multiple_of(SHARE_EVERY) {
            self.pulse.publish_share(self.share_done());
        }
    }

    /// Whether a thread that the lab does not run has used an object of the execution, and the search
    /// ends with that.
    ///
    /// An object that outlives the execution can be used by somebody else by chance, once. So it has
    /// to come again, unless the execution has failed of it, or nothing else was explored.
    fn is_intruded(&mut self, execution: &Execution) -> bool {
        let Some(intrusion) = intrusion() else {
            return false;
        };
        let again = self.tally.intrusion.is_some();
        let is_sure = again || execution.failure().is_some() || execution.thread_count() == 1;
        let ends = is_sure && self.limits.refuses_intrusion;
        if ends {
            self.tally.stop = Some(Stop::Misused(intrusion.clone()));
        }
        self.tally.intrusion.get_or_insert(intrusion);
        ends
    }

    fn found(&self, execution: &Execution) -> Option<FailingExecution> {
        let number = self.tally.begun;
        let found = FailingExecution::new(execution);
        found.map(|found| FailingExecution { number, ..found })
    }

    fn count_failure(&mut self, execution: &Execution) {
        self.tally.violations += 1;
        self.tally.cut_failures |= execution.was_cut();
        let smaller = match &self.tally.smallest {
            Some(found) => size(execution) < found.size(),
            None => true,
        };
        if smaller {
            self.tally.smallest = self.found(execution);
        }
        if !self.limits.past_failures {
            self.tally.stop = Some(Stop::Failure);
        }
    }
}

impl<S: Strategy> Search for Exploration<S> {
    fn wants_execution(&mut self) -> bool {
        if self.tally.stop.is_some() {
            return false;
        }
        // Asked first: a search that is exhausted was not cut by a limit that it reached as well.
        if !self.strategy.wants_execution() {
            self.tally.stop = Some(Stop::Exhausted);
            return false;
        }
        let run = self.tally.executions + self.tally.truncated;
        self.tally.stop = self.limits.reached(run, &self.pulse);
        let after_cut = self.steps_after_cut.filter(|_| self.limits.exhaustive);
        if after_cut.is_some_and(|steps| steps > MAX_STEPS_AFTER_CUT) {
            self.tally.stop.get_or_insert(Stop::OutOfSteps);
        }
        let deadline = self.limits.deadline_of_loops.filter(|_| self.has_loops);
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            let is_cut = self.tally.truncated > 0;
            let stop = if is_cut {
                Stop::OutOfSteps
            } else {
                Stop::TimeLimit
            };
            self.tally.stop.get_or_insert(stop);
        }
        let wants = self.tally.stop.is_none();
        self.tally.begun += u64::from(wants);
        wants
    }

    fn finished(&mut self, execution: &Execution) {
        let steps = execution.schedule().len();
        self.has_loops |= steps >= MANY_STEPS;
        if let Some(after) = &mut self.steps_after_cut {
            *after += steps as u64;
        } else if matches!(execution.ending(), Some(Ending::OutOfSteps)) {
            self.steps_after_cut = Some(0);
        }
        self.strategy.finished(execution);
        let goes_on = execution.failure().is_none() || self.limits.past_failures;
        if goes_on && self.strategy.begins_again(execution) {
            self.tally = Tally::default();
            self.steps_after_cut = None;
            return;
        }
        self.tally.left_out.add_all(execution.left_out());
        self.tally.left_out.add_all(self.strategy.left_out());
        let unchecked = &mut self.tally.unchecked_cells;
        *unchecked = execution.unchecked_cells.max(*unchecked);
        self.tally.waited += u64::from(execution.has_waited);
        self.tally.sharing = sharing(execution, self.tally.sharing);
        if self.is_intruded(execution) {
            return;
        }
        if execution.is_doubtful()
            && (execution.ending().is_none() || execution.failure().is_some())
        {
            self.tally.executions += 1;
            self.tally.doubted += 1;
            self.tally.cut_failures |= execution.was_cut();
            if self.tally.doubtful.is_none() {
                self.tally.doubtful = self.found(execution);
            }
            self.publish();
            return;
        }
        let is_cut = matches!(
            execution.ending(),
            Some(Ending::OutOfSteps | Ending::Unsupported(_))
        );
        if is_cut && execution.failure().is_some() {
            // It failed before, and went on.
            self.tally.executions += 1;
            self.count_failure(execution);
        }
        match execution.ending() {
            None
            | Some(
                Ending::Panicked { .. }
                | Ending::Raced(_)
                | Ending::Deadlocked
                | Ending::Livelocked,
            ) => {
                self.tally.executions += 1;
                if execution.failure().is_some() {
                    self.count_failure(execution);
                }
            }
            Some(Ending::OutOfSteps) => {
                self.tally.truncated += 1;
                if self.tally.truncated == 1 {
                    self.tally.loops = loops(&execution.trace());
                }
                if !self.limits.exhaustive && self.tally.truncated >= MAX_ENDLESS {
                    self.tally.stop = Some(Stop::OutOfSteps);
                }
                // An execution up to the bound takes its time, which must not be taken for a stall.
                self.publish();
                return;
            }
            Some(Ending::Unsupported(what)) => {
                self.tally.stop = Some(Stop::Unsupported(what.clone()));
                return;
            }
            Some(Ending::Misused(what)) => {
                self.tally.stop = Some(Stop::Misused(what.clone()));
                return;
            }
            Some(Ending::Abandoned) => {
                self.tally.blocked += 1;
                return;
            }
        }
        if let Some(outcome) = execution.outcome() {
            self.tally.count_outcome(&outcome);
        }
        self.publish();
    }
}

impl<S: Strategy + Scheduler> Scheduler for Exploration<S> {
    fn choose(&mut self, point: &Point<'_>) -> Option<Choice> {
        self.strategy.choose(point)
    }

    fn repeats(&self, execution: &Execution) -> Option<Choice> {
        self.strategy.repeats(execution)
    }

    fn conduct(&self) -> Conduct {
        let conduct = self.strategy.conduct();
        Conduct {
            // Nothing is learned from the execution that ends the search.
            runs_on: self.limits.past_failures && conduct.runs_on,
            ..conduct
        }
    }
}
