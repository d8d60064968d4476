//! A report as JSON. The types here are the format: what they hold is what others read.

use serde::Serialize;

use crate::trace::{Event, EventResult, Operation, Trace, Value};
use crate::verdict::{Bound, Coverage, Failure, Report, Verdict};

use super::odds::{self, Odds, OddsValue};

/// One exploration or replay, as `racelab/explore/1`.
#[derive(Debug, Serialize)]
pub struct Explore {
    schema: &'static str,
    exhibit: String,
    parameters: Parameters,
    /// The engine, null for a replay.
    engine: Option<&'static str>,
    memory_model: &'static str,
    seed: u64,
    verdict: &'static str,
    executions: u64,
    blocked: u64,
    /// Executions that differ in more than the order of independent steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    traces: Option<u64>,
    /// Executions of loom whose failures and outcomes do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    doubted: Option<u64>,
    /// Executions that hit the bound on their steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    truncated: Option<u64>,
    complete: bool,
    bound: Option<BoundValue>,
    /// Why the verdict is inconclusive.
    reason: Option<String>,
    seconds: f64,
    /// What the program could have done as well, and what is not explored.
    left_out: Vec<&'static str>,
    failure: Option<FailureValue>,
    #[serde(flatten)]
    counts: Option<Counts>,
    /// Which share of a search this is, with what tells that search from others.
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<ShardValue>,
}

/// One of several shares of a search.
#[derive(Debug, Serialize)]
struct ShardValue {
    index: usize,
    of: usize,
    /// That of racelab.
    version: &'static str,
    max_steps: usize,
    /// Whether the search went on past failures.
    all: bool,
    /// In how many parts the search is divided.
    parts: usize,
    /// Most likely another one if the parts are others.
    digest: String,
}

/// The size of the exhibit.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Parameters {
    /// The number of threads.
    pub threads: usize,
    /// The operations of each.
    pub ops: usize,
}

/// What cut the search.
#[derive(Debug, Serialize)]
struct BoundValue {
    kind: &'static str,
    value: serde_json::Value,
}

/// What a search past failures has counted.
#[derive(Debug, Serialize)]
struct Counts {
    violations: u64,
    outcomes: Vec<OutcomeValue>,
}

#[derive(Debug, Serialize)]
struct OutcomeValue {
    value: String,
    executions: u64,
}

#[derive(Debug, Serialize)]
struct FailureValue {
    kind: &'static str,
    message: String,
    at: Option<String>,
    /// Null on real threads, as the next two.
    schedule: Option<String>,
    preemptions: Option<u32>,
    /// Null as well if it was not looked into.
    minimal: Option<bool>,
    minimise_executions: u64,
    why: Option<String>,
    steps: Vec<StepValue>,
}

/// An event. One that is not a step has no number.
#[derive(Debug, Serialize)]
struct StepValue {
    step: Option<u32>,
    thread: u32,
    thread_name: String,
    op: &'static str,
    object: Option<String>,
    /// What was written, or else what was read.
    value: Option<serde_json::Value>,
    ordering: Option<String>,
    at: String,
    /// What a read-modify-write or a compare-and-swap found.
    #[serde(skip_serializing_if = "Option::is_none")]
    read: Option<serde_json::Value>,
    /// For a read of a value that is not the newest: the step that stored the newest one.
    #[serde(skip_serializing_if = "Option::is_none")]
    stale: Option<u32>,
    /// How an operation ended that can end in two ways.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'static str>,
    /// The other thread of a spawn, join, unpark or notification.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<u32>,
}

/// Puts a report into its JSON form. `with_counts` adds the violations and outcomes, which only a
/// search past failures has counted.
pub fn explore(
    report: &Report,
    exhibit: String,
    parameters: Parameters,
    with_counts: bool,
) -> Explore {
    let counts = || Counts {
        violations: report.violations,
        outcomes: report
            .outcomes
            .iter()
            .map(|o| OutcomeValue {
                value: o.value.clone(),
                executions: o.executions,
            })
            .collect(),
    };
    Explore {
        schema: "racelab/explore/1",
        exhibit,
        parameters,
        engine: report.engine.map(crate::Engine::name),
        memory_model: report.memory_model.name(),
        seed: report.seed,
        verdict: report.verdict.name(),
        executions: report.executions,
        blocked: report.blocked,
        traces: report.traces,
        doubted: Some(report.doubted).filter(|doubted| *doubted > 0),
        truncated: Some(report.truncated).filter(|truncated| *truncated > 0),
        complete: report.coverage == Coverage::Complete,
        bound: match report.coverage {
            Coverage::Bounded(bound) => Some(bound_value(bound)),
            Coverage::Complete | Coverage::FirstFailure | Coverage::Ended => None,
        },
        reason: match &report.verdict {
            Verdict::Inconclusive(reason) => Some(reason.to_string()),
            Verdict::Holds | Verdict::Violated(_) => None,
        },
        seconds: report.elapsed.as_secs_f64(),
        left_out: report.left_out.iter().map(|kind| kind.name()).collect(),
        failure: report.failure().map(failure_value),
        counts: with_counts.then(counts),
        shard: report.division.and_then(|division| {
            let shard = division.shard?;
            Some(ShardValue {
                index: shard.index,
                of: shard.of,
                version: env!("CARGO_PKG_VERSION"),
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

fn bound_value(bound: Bound) -> BoundValue {
    let value = match bound {
        Bound::MaxExecutions(count)
        | Bound::Runs(count)
        | Bound::Crashes(count)
        | Bound::Timeouts(count) => count.into(),
        Bound::TimeLimit(limit) => limit.as_secs_f64().into(),
        Bound::MaxSteps(steps) => steps.into(),
        Bound::Preemptions(preemptions) => preemptions.into(),
        Bound::Shard(shard) => shard.index.into(),
        Bound::Interrupted | Bound::LeftOut(_) | Bound::CutFailures | Bound::OneExecution => {
            serde_json::Value::Null
        }
    };
    BoundValue {
        kind: bound.name(),
        value,
    }
}

fn failure_value(failure: &Failure) -> FailureValue {
    FailureValue {
        kind: failure.kind.name(),
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
        op: event.operation.name(),
        object: event.object.map(|object| trace.object_name(object)),
        value: event.written.or(event.read).map(value),
        ordering: event.ordering.map(|ordering| format!("{ordering:?}")),
        at: format!("{}:{}", event.at.file(), event.at.line()),
        read: event.read.filter(|_| changes).map(value),
        stale: event
            .stale
            .and_then(|newest| trace.events.get(newest as usize)?.step),
        result: event.result.map(|result| match result {
            EventResult::Succeeded => "succeeded",
            EventResult::Failed => "failed",
            EventResult::FailedSpuriously => "failed-spuriously",
            EventResult::Disconnected => "disconnected",
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
