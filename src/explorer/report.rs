//! What a search has come to: how far it came, why it proves nothing, and its report.

use std::time::Duration;

use crate::search::{Stop, Tally};
use crate::verdict::{Bound, Coverage, Engine, Outcome, Reason, Report, SpuriousWakeUps, Verdict};

use super::Explorer;

impl Explorer {
    /// The report of what was counted, in which the time that it took is not filled in yet.
    pub(crate) fn report(&self, verdict: Verdict, coverage: Coverage, tally: Tally) -> Report {
        let outcomes = tally.outcomes.into_iter();
        Report {
            verdict,
            engine: Some(self.engine),
            memory_model: self.engine.memory_model(),
            spurious: if self.engine.wakes_spuriously() {
                self.wake_ups()
            } else {
                SpuriousWakeUps::LeftOut
            },
            seed: self.seed,
            executions: tally.executions,
            blocked: tally.blocked,
            traces: tally.traces,
            truncated: tally.truncated,
            doubted: tally.doubted,
            violations: tally.violations,
            outcomes: outcomes
                .map(|(value, executions)| Outcome { value, executions })
                .collect(),
            coverage,
            max_steps: self.max_steps,
            left_out: tally.left_out.to_vec(),
            unchecked_cells: tally.unchecked_cells,
            waited: tally.waited,
            division: None,
            replayed: None,
            sharing: tally.sharing,
            intrusion: tally.intrusion,
            loops: tally.loops,
            difference: None,
            elapsed: Duration::ZERO,
        }
    }

    /// The report of an exploration of which only that is known: why there is nothing to tell.
    pub(crate) fn not_explored(&self, reason: Reason) -> Report {
        let verdict = Verdict::Inconclusive(reason);
        self.report(verdict, Coverage::Ended, Tally::default())
    }

    pub(super) fn coverage(&self, tally: &Tally) -> Coverage {
        let shard = self.fan_out.shard.filter(|_| self.is_divided());
        match (&tally.stop, shard) {
            // What follows in an execution that was cut was not seen.
            (Some(Stop::Exhausted), _) if tally.truncated > 0 => {
                Coverage::Bounded(Bound::MaxSteps(self.max_steps))
            }
            (Some(Stop::Exhausted), Some(shard)) => Coverage::Bounded(Bound::Shard(shard)),
            (Some(Stop::Exhausted), None) => {
                match (tally.left_out.bound(), self.preemption_bound) {
                    (Some(kind), _) => Coverage::Bounded(Bound::LeftOut(kind)),
                    (None, Some(bound)) if tally.was_bounded => {
                        Coverage::Bounded(Bound::Preemptions(bound))
                    }
                    (None, _) => Coverage::Complete,
                }
            }
            (Some(Stop::Failure), _) => Coverage::FirstFailure,
            (Some(stop), _) => self.bound(stop).map_or(Coverage::Ended, Coverage::Bounded),
            (None, _) => Coverage::Ended,
        }
    }

    fn bound(&self, stop: &Stop) -> Option<Bound> {
        match stop {
            Stop::MaxExecutions if self.engine == Engine::Threads => {
                self.max_executions.map(Bound::Runs)
            }
            Stop::MaxExecutions => self.max_executions.map(Bound::MaxExecutions),
            Stop::TimeLimit => self.time_limit.map(Bound::TimeLimit),
            Stop::OutOfSteps => Some(Bound::MaxSteps(self.max_steps)),
            Stop::Interrupted => Some(Bound::Interrupted),
            Stop::Exhausted
            | Stop::Failure
            | Stop::NotDeterministic { .. }
            | Stop::Endless { .. }
            | Stop::Unsupported(_)
            | Stop::Misused(_) => None,
        }
    }
}

/// Why a search without a failure proves nothing.
pub(super) fn why_inconclusive(tally: &Tally, coverage: &Coverage) -> Reason {
    match (&tally.stop, coverage) {
        (Some(Stop::Unsupported(what)), _) => Reason::Unsupported(what.clone()),
        (Some(Stop::Misused(what)), _) => Reason::Misused(what.clone()),
        (Some(Stop::NotDeterministic { step }), _) => Reason::NotDeterministic { step: *step },
        (_, Coverage::Bounded(bound)) => Reason::Bound(*bound),
        _ => Reason::Bound(Bound::Interrupted),
    }
}
