//! A report as JSON, in the format of [`schema`](super::schema).

use serde::Serialize;

use crate::trace::{Event, EventResult, Operation, Trace, Value};
use crate::verdict::{Coverage, Failure, Report, Sharing, SpuriousWakeUps, Verdict};

use super::odds::{self, Odds, OddsValue};
use super::schema::{
    EXPLORE, Explore, FailureValue, OutcomeValue, Parameters, ShardValue, StepValue,
};

/// Puts a report into its JSON form. `with_counts` adds the violations and outcomes, which only a
/// search past failures has counted.
pub fn explore(
    report: &Report,
    exhibit: String,
    parameters: Parameters,
    with_counts: bool,
) -> Explore {
    let outcomes = || {
        let outcomes = report.outcomes.iter().map(|outcome| OutcomeValue {
            value: outcome.value.clone(),
            executions: outcome.executions,
        });
        outcomes.collect()
    };
    Explore {
        schema: EXPLORE.to_owned(),
        exhibit,
        parameters,
        engine: report.engine.map(|engine| engine.name().to_owned()),
        memory_model: report.memory_model.name().to_owned(),
        spurious: (report.spurious == SpuriousWakeUps::Explored).then(|| "on".to_owned()),
        seed: report.seed,
        verdict: report.verdict.name().to_owned(),
        executions: report.executions,
        blocked: report.blocked,
        traces: report.traces,
        doubted: Some(report.doubted).filter(|doubted| *doubted > 0),
        truncated: Some(report.truncated).filter(|truncated| *truncated > 0),
        complete: report.coverage == Coverage::Complete,
        bound: match report.coverage {
            Coverage::Bounded(bound) => Some(bound.into()),
            Coverage::Complete | Coverage::FirstFailure | Coverage::Ended => None,
        },
        reason: match &report.verdict {
            Verdict::Inconclusive(reason) => Some(reason.to_string()),
            Verdict::Holds | Verdict::Violated(_) => None,
        },
        seconds: report.elapsed.as_secs_f64(),
        left_out: {
            let kinds = report.left_out.iter();
            kinds.map(|kind| kind.name().to_owned()).collect()
        },
        unchecked_cells: Some(report.unchecked_cells).filter(|cells| *cells > 0),
        sharing: report
            .sharing
            .filter(|sharing| *sharing != Sharing::Objects),
        intrusion: report.intrusion.clone(),
        loops: report.loops.clone(),
        waited: Some(report.waited).filter(|executions| *executions > 0),
        failure: report.failure().map(failure_value),
        violations: with_counts.then_some(report.violations),
        outcomes: with_counts.then(outcomes),
        shard: report.division.and_then(|division| {
            let shard = division.shard?;
            Some(ShardValue {
                index: shard.index,
                of: shard.of,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                max_steps: report.max_steps,
                all: with_counts,
                parts: division.parts,
                digest: format!("{:016x}", division.digest),
            })
        }),
    }
}

/// Runs on real threads: the keys of [`Explore`], and those of the odds.
#[derive(Debug, Serialize)]
pub struct Raced {
    #[serde(flatten)]
    explored: Explore,
    #[serde(flatten)]
    odds: OddsValue,
}

/// Puts the report of runs on real threads into its JSON form.
pub fn raced(report: &Report, odds: &Odds, exhibit: String, parameters: Parameters) -> Raced {
    Raced {
        explored: explore(report, exhibit, parameters, true),
        odds: odds::json(report, odds),
    }
}

fn failure_value(failure: &Failure) -> FailureValue {
    FailureValue {
        kind: failure.kind.name().to_owned(),
        message: failure.message.clone(),
        at: failure.at.clone(),
        schedule: failure.schedule.as_ref().map(ToString::to_string),
        preemptions: failure.preemptions,
        minimal: failure.minimal,
        minimise_executions: failure.minimise_executions,
        why: failure.why.clone(),
        steps: failure
            .trace
            .events
            .iter()
            .map(|event| step_value(&failure.trace, event))
            .collect(),
    }
}

fn step_value(trace: &Trace, event: &Event) -> StepValue {
    let changes = matches!(event.operation, Operation::Rmw | Operation::Cas);
    StepValue {
        step: event.step,
        thread: event.thread.0,
        thread_name: trace.thread_name(event.thread),
        op: event.operation.name().to_owned(),
        object: event.object.map(|object| trace.object_name(object)),
        value: event.written.or(event.read).map(value),
        ordering: event.ordering.map(|ordering| format!("{ordering:?}")),
        at: format!("{}:{}", event.at.file(), event.at.line()),
        read: event.read.filter(|_| changes).map(value),
        stale: event
            .stale
            .and_then(|newest| trace.events.get(newest as usize)?.step),
        result: event.result.map(|result| {
            let result = match result {
                EventResult::Succeeded => "succeeded",
                EventResult::Failed => "failed",
                EventResult::FailedSpuriously => "failed-spuriously",
                EventResult::Spurious => "spurious",
                EventResult::Disconnected => "disconnected",
                EventResult::Pending => "pending",
                EventResult::Waits => "waits",
            };
            result.to_owned()
        }),
        target: event.target.map(|target| target.0),
    }
}

fn value(value: Value) -> serde_json::Value {
    match value {
        Value::Unsigned(value) => value.into(),
        Value::Signed(value) => value.into(),
        Value::Bool(value) => value.into(),
        Value::Pointer(_) => value.to_string().into(),
    }
}
