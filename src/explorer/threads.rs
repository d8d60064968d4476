//! Explorations on real threads.

use std::sync::Arc;
use std::time::Instant;

use crate::engine::Threads;
use crate::execution::Panic;
use crate::search::{Runs, Stop, run_again_and_again};
use crate::trace::Trace;
use crate::verdict::{Failure, FailureKind, Reason, Report, Verdict};

use super::{Explorer, outcomes, why_inconclusive};

impl Explorer {
    pub(super) fn threads(&self, body: impl Fn() + Send + Sync + 'static) -> Threads {
        Threads {
            body: Arc::new(body),
            limit: self.stall_limit,
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
            (None, _) => Verdict::Inconclusive(why_inconclusive(&tally, &coverage)),
        };
        Report {
            engine: Some(self.engine),
            executions: tally.executions,
            violations: tally.violations,
            outcomes: outcomes(&tally),
            coverage,
            elapsed: start.elapsed(),
            ..self.report(verdict)
        }
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
        preemptions: 0,
        minimal: None,
        minimise_executions: 0,
        is_nondeterministic: false,
        blocked: Vec::new(),
        race: None,
    }
}
