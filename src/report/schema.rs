//! The JSON of explorations, replays and shards: these types are the format, and both who writes it
//! and who reads it (`racelab merge`) use them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::parse_duration;
use crate::verdict::{Bound, Loop, Sharing};

/// The name of the format.
pub(crate) const EXPLORE: &str = "racelab/explore/1";

/// One exploration or replay, as `racelab/explore/1`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Explore {
    pub(crate) schema: String,
    pub(crate) exhibit: String,
    pub(crate) parameters: Parameters,
    /// The engine, null for a replay.
    pub(crate) engine: Option<String>,
    pub(crate) memory_model: String,
    /// `on` where spurious wake-ups are explored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) spurious: Option<String>,
    pub(crate) seed: u64,
    pub(crate) verdict: String,
    pub(crate) executions: u64,
    pub(crate) blocked: u64,
    /// Executions that differ in more than the order of independent steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) traces: Option<u64>,
    /// Executions of loom whose failures and outcomes do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) doubted: Option<u64>,
    /// Executions that hit the bound on their steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) truncated: Option<u64>,
    pub(crate) complete: bool,
    pub(crate) bound: Option<BoundValue>,
    /// Why the verdict is inconclusive.
    pub(crate) reason: Option<String>,
    pub(crate) seconds: f64,
    /// What the program could have done as well, and what is not explored.
    pub(crate) left_out: Vec<String>,
    /// The most cells in one execution to which `UnsafeCell::get` gave a pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unchecked_cells: Option<u64>,
    /// What the executions have used of racelab, if that is less than objects that threads share.
    #[serde(
        default,
        with = "crate::search::kept::sharing",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) sharing: Option<Sharing>,
    /// What a thread that racelab did not start has done to an object of an execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) intrusion: Option<String>,
    /// The loops in which threads were when an execution hit the bound on its steps.
    #[serde(
        default,
        with = "crate::search::kept::loops",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(crate) loops: Vec<Loop>,
    /// The executions that waited for another search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) waited: Option<u64>,
    pub(crate) failure: Option<FailureValue>,
    /// The executions that failed, which only a search past failures has counted, as the outcomes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) violations: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outcomes: Option<Vec<OutcomeValue>>,
    /// Which share of a search this is, with what tells that search from others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shard: Option<ShardValue>,
}

/// One of several shares of a search.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShardValue {
    pub(crate) index: usize,
    pub(crate) of: usize,
    /// That of racelab.
    pub(crate) version: String,
    pub(crate) max_steps: usize,
    /// Whether the search went on past failures.
    pub(crate) all: bool,
    /// In how many parts the search is divided.
    pub(crate) parts: usize,
    /// Most likely another one if the parts are others.
    pub(crate) digest: String,
}

/// The size of the exhibit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// The number of threads.
    pub threads: usize,
    /// The operations of each.
    pub ops: usize,
}

/// What cut the search.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BoundValue {
    pub(crate) kind: String,
    pub(crate) value: Value,
}

/// A result, and in how many executions it was recorded.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OutcomeValue {
    pub(crate) value: String,
    pub(crate) executions: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FailureValue {
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) at: Option<String>,
    /// Null on real threads, as the next two.
    pub(crate) schedule: Option<String>,
    pub(crate) preemptions: Option<u32>,
    /// Null as well if it was not looked into.
    pub(crate) minimal: Option<bool>,
    pub(crate) minimise_executions: u64,
    pub(crate) why: Option<String>,
    pub(crate) steps: Vec<StepValue>,
}

/// An event. One that is not a step has no number.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StepValue {
    pub(crate) step: Option<u32>,
    pub(crate) thread: u32,
    pub(crate) thread_name: String,
    pub(crate) op: String,
    pub(crate) object: Option<String>,
    /// What was written, or else what was read.
    pub(crate) value: Option<Value>,
    pub(crate) ordering: Option<String>,
    pub(crate) at: String,
    /// What a read-modify-write or a compare-and-swap found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) read: Option<Value>,
    /// For a read of a value that is not the newest: the step that stored the newest one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stale: Option<u32>,
    /// How an operation ended that can end in two ways.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) result: Option<String>,
    /// The other thread of a spawn, join, unpark or notification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<u32>,
}

impl From<Bound> for BoundValue {
    fn from(bound: Bound) -> Self {
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
                Value::Null
            }
        };
        BoundValue {
            kind: bound.name().to_owned(),
            value,
        }
    }
}

impl BoundValue {
    /// The bound again, if a shard can be cut by it.
    pub(crate) fn of_shard(&self) -> Option<Bound> {
        match self.kind.as_str() {
            "max-executions" => Some(Bound::MaxExecutions(self.value.as_u64()?)),
            "time-limit" => {
                let limit = parse_duration(&self.value.to_string());
                Some(Bound::TimeLimit(limit.ok()?))
            }
            "max-steps" => Some(Bound::MaxSteps(usize::try_from(self.value.as_u64()?).ok()?)),
            _ => None,
        }
    }
}
