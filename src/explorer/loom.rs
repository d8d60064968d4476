//! Explorations and replays with loom.

use std::sync::Arc;

use crate::engine::{Looked, Loom};
use crate::search::{self, Exploration, Fewest, InOrder, Nth, Stop, Tally};
use crate::trace::{LeftOut, LeftOutSet, LoomExecution, Schedule};
use crate::verdict::{
    Bound, Coverage, Engine, Failure, FailureKind, MemoryModel, Reason, Report, Verdict,
};

use super::Explorer;
use super::failure::failure;
use super::report::why_inconclusive;

/// How many executions a search under sequential consistency may take that is to confirm a failure.
const CONFIRMING_EXECUTIONS: u64 = 100_000;

impl Explorer {
    pub(super) fn run_loom(&self, engine: &Loom) -> Report {
        let limits = self.limits(true);
        let deadline = limits.deadline;
        let exploration = Exploration::new(InOrder, limits, Arc::clone(&engine.pulse));
        let Looked {
            search,
            is_exhausted,
        } = engine.run(exploration);
        let mut tally = search.end();
        if is_exhausted {
            tally.stop.get_or_insert(Stop::Exhausted);
        }
        let coverage = self.loom_coverage(&tally);
        let verdict = match (tally.smallest.take(), tally.doubtful.take()) {
            (Some(found), _) if !self.minimises => {
                let fewest = Fewest {
                    found,
                    preemption_bound: engine.preemption_bound,
                    minimal: false,
                    executions: 0,
                };
                Verdict::Violated(Box::new(Failure {
                    minimal: None,
                    ..loom_failure(fewest)
                }))
            }
            (Some(found), _) => {
                let fewest = search::fewest_preemptions(engine, found, deadline);
                Verdict::Violated(Box::new(loom_failure(fewest)))
            }
            (None, Some(found)) => match self.confirm(engine, &failure(found, None, 0, false)) {
                Ok(failure) => Verdict::Violated(failure),
                Err(reason) => Verdict::Inconclusive(reason),
            },
            (None, None) => match &coverage {
                Coverage::Complete => Verdict::Holds,
                coverage => Verdict::Inconclusive(why_inconclusive(&tally, coverage)),
            },
        };
        let tally = Tally {
            left_out: left_out(tally.left_out),
            ..tally
        };
        self.report(verdict, coverage, tally)
    }

    pub(super) fn replay_loom(&self, engine: &Loom, execution: LoomExecution) -> Report {
        let end = match engine.run(Nth::new(execution.number)).search.result() {
            Ok(end) => end,
            Err(executions) => {
                let reason = Reason::Diverged(format!(
                    "there is no execution {}: loom has {executions} of this program",
                    execution.number
                ));
                return Report {
                    memory_model: MemoryModel::C11,
                    ..self.not_explored(reason)
                };
            }
        };
        let is_doubtful = end.is_doubtful;
        let report = self.replayed(end);
        let left_out = report.left_out.iter().copied();
        Report {
            left_out: left_out
                .filter(|kind| *kind != LeftOut::StaleValues)
                .collect(),
            doubted: u64::from(is_doubtful),
            violations: if is_doubtful { 0 } else { report.violations },
            verdict: match report.verdict {
                Verdict::Violated(failure) if is_doubtful => {
                    let message = what_fails(&failure);
                    Verdict::Inconclusive(Reason::Doubtful { message })
                }
                Verdict::Violated(failure) => Verdict::Violated(Box::new(Failure {
                    schedule: Some(Schedule::from(execution)),
                    ..*failure
                })),
                verdict => verdict,
            },
            memory_model: MemoryModel::C11,
            ..report
        }
    }

    fn loom_coverage(&self, tally: &Tally) -> Coverage {
        match &tally.stop {
            // What is left out is said of all interleavings but those, so that it comes second.
            Some(Stop::Exhausted) if tally.truncated == 0 => {
                match (self.preemption_bound, tally.left_out.bound()) {
                    (Some(bound), _) => Coverage::Bounded(Bound::Preemptions(bound)),
                    (None, Some(kind)) => Coverage::Bounded(Bound::LeftOut(kind)),
                    (None, None) if tally.cut_failures => Coverage::Bounded(Bound::CutFailures),
                    (None, None) => Coverage::Complete,
                }
            }
            _ => self.coverage(tally),
        }
    }

    /// A failure of the same kind without stale values, or why there is none, for one with a stale
    /// value in a program in which every access is `SeqCst`: loom takes such accesses for less than
    /// they are.
    fn confirm(&self, engine: &Loom, failure: &Failure) -> Result<Box<Failure>, Reason> {
        let body = Arc::clone(&engine.body);
        let search = Explorer {
            engine: Engine::Dpor,
            max_executions: Some(CONFIRMING_EXECUTIONS),
            past_failures: false,
            ..self.clone()
        };
        let report = search.explore_here(move || body());
        let searched = match report.verdict {
            Verdict::Violated(confirmed) if confirmed.kind == failure.kind => return Ok(confirmed),
            Verdict::Holds => Ok(report.executions),
            Verdict::Violated(_) | Verdict::Inconclusive(_) => Err(report.executions),
        };
        let message = what_fails(failure);
        Err(Reason::NotConfirmed { message, searched })
    }
}

fn loom_failure(fewest: Fewest) -> Failure {
    let Fewest {
        found,
        preemption_bound,
        minimal,
        executions,
    } = fewest;
    let schedule = Schedule::from(LoomExecution {
        number: found.number,
        preemption_bound,
    });
    // loom does not notice it if the failure does not come again.
    Failure {
        schedule: Some(schedule),
        ..failure(found, Some(minimal), executions, false)
    }
}

/// What a failure says, or of which kind it is.
fn what_fails(failure: &Failure) -> String {
    match failure.kind {
        FailureKind::Panic => failure.message.clone(),
        kind => kind.to_string(),
    }
}

/// What loom does not explore. It reads stale values, but not all that there can be.
fn left_out(mut seen: LeftOutSet) -> LeftOutSet {
    if seen.has(LeftOut::StaleValues) {
        seen.remove(LeftOut::StaleValues);
        seen.add(LeftOut::LoadBuffering);
    }
    seen
}
