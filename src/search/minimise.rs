//! From a failing execution to the smallest one: fewest preemptions, then fewest steps.
//!
//! First the schedule that was found is simplified by replaying variations of it, and the first
//! executions with 0, 1, 2, … preemptions are run, for a small failure that is near. Then all
//! executions with fewer preemptions are enumerated, and at the smallest number with a failure all
//! that are not longer. Only if that enumeration came to its end is the result called minimal.

use std::sync::Arc;
use std::time::Instant;

use crate::engine::{Conduct, Coroutines, Point, Scheduler, Search};
use crate::execution::{Ending, Execution, Pulse};
use crate::trace::{Choice, LeftOut};

use super::exploration::{MAX_LEFT_BEHIND, Strategy};
use super::{Dfs, FailingExecution, Size, size};

/// How many executions minimisation may cost. A number, not a time, so that the same search has
/// the same result everywhere.
const MAX_EXECUTIONS: u64 = 100_000;

/// How many steps minimisation may cost.
const MAX_STEPS: u64 = 5_000_000;

/// What part of the rest each of the first stages may cost.
const SHARE: u64 = 8;

/// The smallest failing execution that was found.
pub(crate) struct Minimised {
    pub(crate) found: FailingExecution,
    /// Whether all smaller executions were seen not to fail.
    pub(crate) minimal: bool,
    /// The executions that it cost.
    pub(crate) executions: u64,
    /// Whether the failure did not come again when its own schedule was replayed.
    pub(crate) is_nondeterministic: bool,
}

/// Looks for the smallest failing execution, from a failing one on.
pub(crate) fn minimise(
    engine: &Coroutines,
    found: FailingExecution,
    deadline: Option<Instant>,
) -> Minimised {
    let budget = Budget::new(deadline, Arc::clone(&engine.pulse));
    let simplify = engine.run(Simplify::new(found, budget.share(SHARE)));
    let is_nondeterministic = !simplify.replayed;
    let Simplify {
        mut best,
        mut budget,
        ..
    } = simplify;
    let mut minimal = false;
    if !is_nondeterministic {
        // A look into each bound, for a small failure that is near.
        for bound in 0..best.preemptions {
            let look = engine.run(Enumerate::new(bound, best, budget.share(SHARE)));
            let has_failed = look.has_failed;
            Enumerate { best, budget, .. } = look;
            if has_failed {
                break;
            }
        }
        // The proof, with all that is left.
        for bound in 0..=best.preemptions {
            let below = engine.run(Enumerate::new(bound, best, budget.share(1)));
            let done = below.is_done();
            let has_failed = below.has_failed;
            Enumerate { best, budget, .. } = below;
            if has_failed || !done {
                minimal = has_failed && done;
                break;
            }
        }
    }
    Minimised {
        found: best,
        minimal,
        executions: budget.executions,
        is_nondeterministic,
    }
}

/// What was spent, and what may be.
pub(super) struct Budget {
    executions: u64,
    steps: u64,
    max_executions: u64,
    max_steps: u64,
    deadline: Option<Instant>,
    pulse: Arc<Pulse>,
}

impl Budget {
    pub(super) fn new(deadline: Option<Instant>, pulse: Arc<Pulse>) -> Self {
        Budget {
            executions: 0,
            steps: 0,
            max_executions: MAX_EXECUTIONS,
            max_steps: MAX_STEPS,
            deadline,
            pulse,
        }
    }

    /// Allows to spend at most this number of executions.
    pub(super) fn limited(self, max_executions: u64) -> Self {
        Budget {
            max_executions,
            ..self
        }
    }

    /// The executions that were spent.
    pub(super) fn executions(&self) -> u64 {
        self.executions
    }

    /// Allows to spend one of `parts` equal parts of what is left.
    fn share(self, parts: u64) -> Self {
        Budget {
            max_executions: self.executions + (MAX_EXECUTIONS - self.executions) / parts,
            max_steps: self.steps + MAX_STEPS.saturating_sub(self.steps) / parts,
            ..self
        }
    }

    pub(super) fn count(&mut self, execution: &Execution) {
        self.executions += 1;
        self.steps += execution.schedule().len() as u64;
        self.pulse.touch();
    }

    pub(super) fn is_spent(&self) -> bool {
        self.executions >= self.max_executions
            || self.steps >= self.max_steps
            || self.pulse.is_interrupted()
            || self.pulse.left_behind() >= MAX_LEFT_BEHIND
            || self
                .deadline
                .is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// Replays variations of the smallest failing schedule, in each of which one run of a thread has
/// another place, until none of them gets smaller.
struct Simplify {
    best: FailingExecution,
    budget: Budget,
    /// Whether the schedule that was found fails again.
    replayed: bool,
    started: bool,
    /// Which variation comes next.
    next_variation: usize,
    /// The choices to be made, as far as they are possible.
    plan: Vec<Choice>,
    /// Which of them were made.
    done: Vec<bool>,
    /// Where in the plan the first choice is that was not made.
    first_left: usize,
}

impl Simplify {
    fn new(found: FailingExecution, budget: Budget) -> Self {
        Simplify {
            best: found,
            budget,
            replayed: false,
            started: false,
            next_variation: 0,
            plan: Vec::new(),
            done: Vec::new(),
            first_left: 0,
        }
    }

    /// The schedule with the runs of one thread in another order: in three ways for each run, which
    /// are that it goes on at once where its thread was left before, that its thread goes on with
    /// what it does next, and that it changes places with the next run. `None` if there are no more.
    fn variation(&self, index: usize) -> Option<Vec<Choice>> {
        let choices = self.best.schedule.choices();
        let mut runs: Vec<&[Choice]> = choices.chunk_by(|a, b| a.thread == b.thread).collect();
        let (run, way) = (index / 3, index % 3);
        let thread = runs.get(run)?[0].thread;
        let is_same = |other: &&[Choice]| other[0].thread == thread;
        let place = match way {
            0 => runs[..run]
                .iter()
                .rposition(is_same)
                .map(|before| before + 1),
            1 => runs[run + 1..]
                .iter()
                .position(is_same)
                .map(|next| run + next),
            _ => Some((run + 1).min(runs.len() - 1)),
        };
        let moved = runs.remove(run);
        // Where there is no such run, this is the schedule itself.
        runs.insert(place.unwrap_or(run), moved);
        Some(runs.concat())
    }
}

impl Search for Simplify {
    fn wants_execution(&mut self) -> bool {
        if !self.started {
            self.started = true;
            self.plan = self.best.schedule.choices().to_vec();
        } else if !self.replayed || self.budget.is_spent() {
            return false;
        } else {
            let Some(plan) = self.variation(self.next_variation) else {
                return false;
            };
            self.plan = plan;
            self.next_variation += 1;
        }
        self.done.clear();
        self.done.resize(self.plan.len(), false);
        self.first_left = 0;
        true
    }

    fn finished(&mut self, execution: &Execution) {
        self.budget.count(execution);
        if execution.failure().is_none() {
            return;
        }
        if !self.replayed {
            self.replayed = execution.schedule() == self.best.schedule.choices();
        } else if size(execution) < self.best.size()
            && let Some(found) = FailingExecution::new(execution)
        {
            self.best = found;
            self.next_variation = 0;
        }
    }
}

impl Scheduler for Simplify {
    fn conduct(&self) -> Conduct {
        Conduct {
            prunes: false,
            ..Conduct::default()
        }
    }

    fn choose(&mut self, point: &Point<'_>) -> Option<Choice> {
        if point.step >= self.best.schedule.len() {
            // It cannot become smaller any more.
            return None;
        }
        while self.done.get(self.first_left) == Some(&true) {
            self.first_left += 1;
        }
        let planned = (self.first_left..self.plan.len())
            .find(|&index| !self.done[index] && point.choices.contains(&self.plan[index]));
        match planned {
            Some(index) => {
                self.done[index] = true;
                Some(self.plan[index])
            }
            None => Some(point.default_choice()),
        }
    }
}

/// Enumerates the executions within a bound on preemptions that are not longer than the best one,
/// for the first of the smallest.
struct Enumerate {
    dfs: Dfs,
    bound: u32,
    best: FailingExecution,
    has_failed: bool,
    budget: Budget,
    is_cut: bool,
    /// Whether there are executions that are not enumerated at all.
    is_incomplete: bool,
}

impl Enumerate {
    fn new(bound: u32, best: FailingExecution, budget: Budget) -> Self {
        let max_steps = if bound < best.preemptions {
            usize::MAX
        } else {
            best.schedule.len()
        };
        let dfs = Dfs::bounded(bound, max_steps);
        Enumerate {
            dfs,
            bound,
            best,
            has_failed: false,
            budget,
            is_cut: false,
            is_incomplete: false,
        }
    }

    /// Whether all executions within the bound were seen.
    fn is_done(&self) -> bool {
        !self.is_cut && !self.is_incomplete && self.dfs.nondeterminism().is_none()
    }

    fn is_better(&self, size: Size) -> bool {
        if self.has_failed {
            size < self.best.size()
        } else {
            size <= self.best.size()
        }
    }
}

impl Search for Enumerate {
    fn wants_execution(&mut self) -> bool {
        if self.is_cut || !self.dfs.wants_execution() {
            return false;
        }
        self.is_cut = self.budget.is_spent();
        !self.is_cut
    }

    fn finished(&mut self, execution: &Execution) {
        self.dfs.finished(execution);
        self.budget.count(execution);
        // A thread that takes such a way once more can fail with fewer preemptions.
        let mut left_out = LeftOut::ALL.into_iter().filter(|kind| kind.is_repetition());
        self.is_incomplete |= left_out.any(|kind| execution.left_out().has(kind));
        self.dfs.begins_again(execution);
        // What lies behind the end of such an execution is unknown.
        self.is_cut |= execution.ending().is_some_and(|ending| {
            !matches!(ending, Ending::Abandoned) && execution.failure().is_none()
        });
        if execution.failure().is_some()
            && self.is_better(size(execution))
            && let Some(found) = FailingExecution::new(execution)
        {
            debug_assert!(found.preemptions <= self.bound);
            self.best = found;
            self.has_failed = true;
            // From now on only shorter ones are of interest.
            self.dfs
                .limit_steps(self.best.schedule.len().saturating_sub(1));
        }
    }
}

impl Scheduler for Enumerate {
    fn choose(&mut self, point: &Point<'_>) -> Option<Choice> {
        self.dfs.choose(point)
    }

    fn repeats(&self, execution: &Execution) -> Option<Choice> {
        self.dfs.repeats(execution)
    }

    fn conduct(&self) -> Conduct {
        self.dfs.conduct()
    }
}
