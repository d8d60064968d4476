//! How many executions searches need: trials of an engine on a body.

use crate::explorer::{Explorer, Progress};
use crate::report::bench::{BenchRow, Exhaust, Spread};
use crate::report::plural;
use crate::verdict::{Bound, Coverage, Engine, Reason, Report, SpuriousWakeUps, Verdict};

/// How trials are run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trials {
    /// How many there are. Trial k, from 1 on, has the seed k. An exhaustive engine is
    /// deterministic and has one.
    pub(crate) count: u64,
    /// How many executions a trial has at most.
    pub(crate) cap: u64,
    /// How many executions an exhaustive engine has at most to come to its end.
    pub(crate) exhaust_cap: u64,
}

impl Trials {
    /// Runs the trials of an engine on a body, of which `on_trial` hears the numbers. `None` if they
    /// were interrupted.
    ///
    /// No failure is minimised: what counts is the execution that fails first. A trial that was
    /// ended by anything but its cap or its end is the last one, and the row says why.
    pub(crate) fn run(
        &self,
        program: String,
        engine: Engine,
        spurious: SpuriousWakeUps,
        body: impl Fn() + Send + Sync + Copy + 'static,
        progress: &Progress,
        mut on_trial: impl FnMut(u64),
    ) -> Option<BenchRow> {
        let explorer = Explorer::new(engine)
            .spurious(spurious)
            .without_minimisation()
            .progress(progress.clone());
        let count = if engine.is_exhaustive() {
            1
        } else {
            self.count
        };
        let mut executions = Vec::new();
        let mut exhaust = None;
        let mut reason = None;
        for trial in 1..=count {
            on_trial(trial);
            let explorer = explorer.clone().seed(trial).max_executions(self.cap);
            let report = explorer.explore(body);
            if is_interrupted(&report) {
                return None;
            }
            let found = report.failure().map(|_| report.executions);
            executions.push(found);
            reason = why_ended(&report).map(|reason| format!("trial {trial}: {reason}"));
            if reason.is_some() {
                break;
            }
            if report.coverage == Coverage::Complete {
                exhaust = Some(end_of(&report));
            }
        }
        if engine.is_exhaustive() && exhaust.is_none() && reason.is_none() {
            let explorer = explorer.past_failures().max_executions(self.exhaust_cap);
            let report = explorer.explore(body);
            if is_interrupted(&report) {
                return None;
            }
            exhaust = Some(end_of(&report));
            reason = why_incomplete(&report);
        }
        Some(BenchRow {
            program,
            engine: engine.name().to_owned(),
            exhaustive: engine.is_exhaustive(),
            trials: executions.len() as u64,
            found: executions.iter().flatten().count() as u64,
            first_bug: Spread::of(&executions),
            executions,
            exhaust,
            reason,
        })
    }
}

/// The row of an engine that did not run.
pub(crate) fn not_run(program: String, engine: Engine, reason: String) -> BenchRow {
    BenchRow {
        program,
        engine: engine.name().to_owned(),
        exhaustive: engine.is_exhaustive(),
        trials: 0,
        found: 0,
        first_bug: None,
        executions: Vec::new(),
        exhaust: None,
        reason: Some(reason),
    }
}

fn is_interrupted(report: &Report) -> bool {
    report.coverage == Coverage::Bounded(Bound::Interrupted)
}

/// Why a trial ended that neither found a bug nor came to its cap or its end.
fn why_ended(report: &Report) -> Option<String> {
    match &report.verdict {
        Verdict::Inconclusive(Reason::Bound(Bound::MaxExecutions(_) | Bound::Runs(_)))
        | Verdict::Violated(_)
        | Verdict::Holds => None,
        Verdict::Inconclusive(reason) => Some(reason.to_string()),
    }
}

fn end_of(report: &Report) -> Exhaust {
    Exhaust {
        executions: report.executions,
        blocked: report.blocked,
        complete: report.coverage == Coverage::Complete,
        capped: is_capped(report),
    }
}

fn is_capped(report: &Report) -> bool {
    matches!(report.coverage, Coverage::Bounded(Bound::MaxExecutions(_)))
}

/// Why a search past all bugs is incomplete, if it was not its cap.
fn why_incomplete(report: &Report) -> Option<String> {
    match (&report.coverage, &report.verdict) {
        (Coverage::Complete, _) => None,
        _ if is_capped(report) => None,
        (_, Verdict::Inconclusive(reason)) => Some(reason.to_string()),
        (Coverage::Bounded(bound), _) => Some(format!(
            "not exhausted after {}, because of {bound}",
            plural(report.executions, "execution")
        )),
        (_, _) => Some("not exhausted".to_owned()),
    }
}
