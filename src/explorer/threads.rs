//! Explorations on real threads.

#[cfg(feature = "cli")]
use std::collections::BTreeMap;
use std::sync::Arc;
#[cfg(feature = "cli")]
use std::time::Duration;
use std::time::Instant;

use crate::engine::Threads;
use crate::execution::{Conditions, Panic};
use crate::search::{Runs, Stop, run_again_and_again};
use crate::trace::Trace;
use crate::verdict::{Bound, Failure, FailureKind, Reason, Report, Verdict};
#[cfg(feature = "cli")]
use crate::{search::Tally, verdict::Coverage};

use super::Explorer;
use super::report::why_inconclusive;

/// Runs that were made in other processes.
#[cfg(feature = "cli")]
#[derive(Debug)]
pub(crate) struct RunsElsewhere {
    /// All of them.
    pub(crate) runs: u64,
    /// Those that failed, crashed or did not end.
    pub(crate) bad: u64,
    pub(crate) outcomes: BTreeMap<String, u64>,
    /// The first that was bad: in which way, what it said, and where.
    pub(crate) failure: Option<(FailureKind, String, Option<String>)>,
    /// What ended them: a bound, or why there could be no more.
    pub(crate) end: Result<Bound, String>,
    pub(crate) elapsed: Duration,
}

impl Explorer {
    /// The report of runs that were made elsewhere.
    #[cfg(feature = "cli")]
    pub(crate) fn report_of(&self, made: RunsElsewhere) -> Report {
        let tally = Tally {
            executions: made.runs,
            violations: made.bad,
            outcomes: made.outcomes,
            ..Tally::default()
        };
        let coverage = match &made.end {
            Ok(bound) => Coverage::Bounded(*bound),
            Err(_) => Coverage::Ended,
        };
        let verdict = match (made.failure, made.end) {
            (Some((kind, message, at)), _) => Verdict::Violated(Box::new(Failure {
                kind,
                ..failure_of((message, at))
            })),
            (None, Ok(bound)) => Verdict::Inconclusive(why_ended(bound, made.runs)),
            (None, Err(why)) => Verdict::Inconclusive(Reason::Unsupported(why)),
        };
        Report {
            elapsed: made.elapsed,
            ..self.report(verdict, coverage, tally)
        }
    }

    pub(super) fn threads(&self, body: impl Fn() + Send + Sync + 'static) -> Threads {
        Threads {
            body: Arc::new(body),
            limit: self.stall_limit,
            conditions: Conditions::default(),
        }
    }

    /// Runs the body again and again. It needs no watch, since it looks after each run itself.
    pub(super) fn run_threads(&self, engine: &Threads) -> Report {
        let pulse = &self.progress.0;
        pulse.begin();
        let start = Instant::now();
        let Runs { tally, failure } = run_again_and_again(engine, self.limits(false), pulse);
        let coverage = self.coverage(&tally);
        let verdict = match (failure, &tally.stop) {
            (Some(panic), _) => Verdict::Violated(Box::new(failure_of(panic))),
            (None, Some(Stop::Endless { run })) => Verdict::Inconclusive(Reason::Endless {
                run: *run,
                waited: self.stall_limit,
            }),
            (None, _) => Verdict::Inconclusive(match why_inconclusive(&tally, &coverage) {
                Reason::Bound(bound) => why_ended(bound, tally.executions),
                reason => reason,
            }),
        };
        Report {
            elapsed: start.elapsed(),
            ..self.report(verdict, coverage, tally)
        }
    }
}

/// Why runs prove nothing of which none failed.
fn why_ended(bound: Bound, made: u64) -> Reason {
    match bound {
        Bound::Runs(_) => Reason::Bound(bound),
        bound => Reason::Runs { made, bound },
    }
}

/// A failure of which nothing is known but what it says.
fn failure_of((message, at): Panic) -> Failure {
    Failure {
        kind: FailureKind::Panic,
        message,
        at,
        thread: None,
        trace: Trace {
            threads: Vec::new(),
            objects: Vec::new(),
            events: Vec::new(),
        },
        schedule: None,
        preemptions: None,
        minimal: None,
        minimise_executions: 0,
        is_nondeterministic: false,
        blocked: Vec::new(),
        race: None,
        why: None,
        notes: Vec::new(),
    }
}
