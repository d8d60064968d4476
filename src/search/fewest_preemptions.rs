//! From a failing execution of loom's to one with fewer preemptions, by loom's own bound on them.
//!
//! loom chooses its schedules itself, so that its failures cannot be minimised by replaying
//! variations of them. Its search is run again from the start with the bounds 0, 1, 2, … up to the
//! preemptions of the smallest failing execution that is known.
//!
//! A preemption is what [`Execution::preemptions`] counts: a step of another thread than the last
//! one, which could have gone on. loom counts more: to let a thread begin before its first step is
//! wanted, and to come back from it, are preemptions as well. It counts less only where a thread
//! ends without a step, or waits by yielding. So apart from these an execution that loom allows
//! within a bound has no more preemptions than that, and every interleaving with so many can be run
//! within the bound.
//!
//! That a search with the bound `k` comes to its end proves less than it seems, since loom tries
//! nothing once `k` preemptions were made, not even which thread goes on when the last one cannot.
//! But up to there it is a search with a smaller bound that tries everything (Coons, Musuvathi,
//! `McKinley`, OOPSLA 2013). So if none of its failing executions has fewer than `k` preemptions, no
//! interleaving with fewer fails.

use std::sync::Arc;
use std::time::Instant;

use crate::engine::{Looked, Loom, LoomSearch, Search};
use crate::execution::{Ending, Execution};
use crate::trace::LeftOut;

use super::minimise::Budget;
use super::{FailingExecution, Size, size};

/// How many executions of loom's minimisation may cost: fewer than of other engines, since loom is
/// slower.
const MAX_EXECUTIONS: u64 = 10_000;

/// The failing execution with the fewest preemptions that was found.
pub(crate) struct Fewest {
    pub(crate) found: FailingExecution,
    /// The bound of the search that has it.
    pub(crate) preemption_bound: Option<u8>,
    /// Whether no failing execution has fewer preemptions. One with as many can have fewer steps.
    pub(crate) minimal: bool,
    /// The executions that it cost.
    pub(crate) executions: u64,
}

/// Looks for the failing execution with the fewest preemptions, within the bound of the engine.
pub(crate) fn fewest_preemptions(
    engine: &Loom,
    found: FailingExecution,
    deadline: Option<Instant>,
) -> Fewest {
    let pulse = Arc::clone(&engine.pulse);
    let mut budget = Budget::new(deadline, pulse).limited(MAX_EXECUTIONS);
    let mut best = found;
    let mut preemption_bound = engine.preemption_bound;
    // By the bound: whether all executions within it were seen.
    let mut complete = Vec::new();
    for bound in 0..=engine.preemption_bound.unwrap_or(u8::MAX) {
        if u32::from(bound) > best.preemptions {
            break;
        }
        let bounded = Loom {
            preemption_bound: Some(bound),
            ..engine.clone()
        };
        let Looked {
            search,
            is_exhausted,
        } = bounded.run(Bounded::new(bound, best.size(), budget));
        complete.push(is_exhausted && !search.is_incomplete);
        let smaller;
        Bounded {
            smaller,
            budget,
            ..
        } = search;
        if let Some(smaller) = smaller {
            best = smaller;
            preemption_bound = Some(bound);
        }
    }
    // A search with a larger bound has fewer preemptions only if it was not complete.
    let is_proved = usize::try_from(best.preemptions).is_ok_and(|k| complete.get(k) == Some(&true));
    Fewest {
        minimal: best.preemptions == 0 || is_proved,
        found: best,
        preemption_bound,
        executions: budget.executions(),
    }
}

/// One search within a bound on preemptions, for a smaller failing execution.
struct Bounded {
    bound: u32,
    /// The size of the smallest failing execution that is known.
    best: Size,
    /// The smallest one of this search, if it is smaller.
    smaller: Option<FailingExecution>,
    /// The number of the execution, from 1 on.
    begun: u64,
    /// Whether there are failing executions that can have been missed.
    is_incomplete: bool,
    budget: Budget,
}

impl Bounded {
    fn new(bound: u8, best: Size, budget: Budget) -> Self {
        Bounded {
            bound: u32::from(bound),
            best,
            smaller: None,
            begun: 0,
            is_incomplete: false,
            budget,
        }
    }

    fn size(&self) -> Size {
        self.smaller
            .as_ref()
            .map_or(self.best, FailingExecution::size)
    }

    /// Whether it has come to what can be learned from it.
    fn is_over(&self) -> bool {
        let (preemptions, _) = self.size();
        // That there are none with fewer is known from the smaller bounds, or not at all.
        preemptions < self.bound || (self.is_incomplete && self.smaller.is_some())
    }
}

impl Search for Bounded {
    fn wants_execution(&mut self) -> bool {
        let wants = !self.is_over() && !self.budget.is_spent();
        self.begun += u64::from(wants);
        wants
    }

    fn finished(&mut self, execution: &Execution) {
        self.budget.count(execution);
        self.is_incomplete |= can_have_missed(execution);
        if execution.failure().is_some()
            && !execution.is_doubtful()
            && size(execution) < self.size()
        {
            let number = self.begun;
            self.smaller =
                FailingExecution::new(execution).map(|found| FailingExecution { number, ..found });
        }
    }
}

impl LoomSearch for Bounded {
    fn begin_again(&mut self) {
        self.smaller = None;
        self.is_incomplete = false;
    }
}

/// Whether an execution shows that loom does not see, within a bound, every failing one.
fn can_have_missed(execution: &Execution) -> bool {
    let left_out = execution.left_out();
    let steps = execution.schedule();
    // loom does not count a switch that the end of such a thread has made possible.
    let ended_without_step = execution
        .threads()
        .any(|(id, thread)| thread.finished && steps.iter().all(|choice| choice.thread != id));
    let has_not_failed = || execution.failure().is_none();
    execution
        .ending()
        .is_some_and(|ending| !matches!(ending, Ending::Abandoned) && has_not_failed())
        || left_out.bound().is_some()
        || left_out.has(LeftOut::Yields)
        || execution.is_doubtful()
        || execution.was_cut()
        || ended_without_step
}
