//! What workloads have taken: the figures of every way to do the same work, and when each worker
//! was at work.
//!
//! This is plain data.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::origin::Origin;

/// What was measured, as `racelab/time/1`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Timing {
    schema: String,
    /// The name of the workload, as `io`.
    pub(crate) workload: String,
    /// What the workload was given, by the names of the flags.
    pub(crate) parameters: Map<String, Value>,
    /// How many cores the machine offers to the process.
    pub(crate) cores: usize,
    /// A row for each way that was measured at least once, in the order of the first runs.
    pub(crate) rows: Vec<TimedWay>,
    /// What a thread and a task cost on this machine, where both do the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) costs: Option<Costs>,
    /// What follows from the rows, in sentences, of which the first is the answer. Empty if there
    /// is nothing to compare.
    pub(crate) conclusion: Vec<String>,
    /// Whether Ctrl-C ended the measuring.
    pub(crate) interrupted: bool,
    /// Where and when it was measured. `None` if nobody has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<Origin>,
}

/// One way to do the work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TimedWay {
    /// `sync`, `threads`, `async`, `processes` or `rayon`.
    pub(crate) method: String,
    /// How the work is divided, or what is done with the results, where a method has several ways.
    pub(crate) variant: Option<String>,
    /// How many workers there are. For `async`, the tasks.
    pub(crate) workers: usize,
    /// How many pieces of work were done in each run.
    pub(crate) items: u64,
    /// The median of the runs, in seconds: of an even number the lower one, so that it is a run.
    pub(crate) seconds: f64,
    /// The seconds of each run, in their order.
    pub(crate) runs: Vec<f64>,
    /// The seconds that this way takes if it loses no time: for its waits, its workers and the
    /// cores. `None` if that is not known.
    pub(crate) ideal_seconds: Option<f64>,
    /// The seconds of `sync`, divided by these. `None` without such a row.
    pub(crate) speedup: Option<f64>,
    /// The seconds of processor time in the median run, children included and the embedded server
    /// not. `None` where the system does not tell.
    pub(crate) cpu_seconds: Option<f64>,
    /// The most requests, or waits, that were under way at once in the median run. `None` where
    /// nothing is waited for.
    pub(crate) peak_in_flight: Option<u64>,
    /// The most memory that was resident in the median run, in bytes. With worker processes, the sum
    /// of what each process had at most, this one included: pages that they share, as those of the
    /// program, count once for each, and they need not have had their most at the same time. `None`
    /// where the system does not tell.
    pub(crate) peak_memory_bytes: Option<u64>,
    /// What the work came to, so that it can be compared.
    pub(crate) checksum: String,
    /// The worker processes that were lost and replaced in any of the runs, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) lost_workers: Vec<String>,
    /// For `primes`: how many were found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) found: Option<u64>,
    /// For `busy`: how many seconds the loops of the median run were on each core, by its number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) seconds_on_cores: Vec<f64>,
    /// For `pipe`: messages a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) messages_per_second: Option<f64>,
    /// For `pipe`: half of the time from a message to its answer, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) latency_seconds: Option<f64>,
    /// For `pipe`: the messages a second of each run, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) messages_per_second_of_runs: Vec<f64>,
    /// For `pipe`: the latency of each run, in seconds, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) latency_seconds_of_runs: Vec<f64>,
    /// When each worker was at work, in the median run.
    #[serde(skip)]
    pub(crate) lanes: Vec<Lane>,
    /// When the one thread was at work on which the tasks took turns. `None` if there are none.
    #[serde(skip)]
    pub(crate) thread_of_tasks: Option<Lane>,
}

/// What workers cost before they have done anything.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Costs {
    /// A thread.
    pub(crate) thread: Cost,
    /// A task of an event loop.
    pub(crate) task: Cost,
}

/// What one worker costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// The seconds from the order to start it to its first step, many being started one after
    /// another.
    pub(crate) start_seconds: f64,
    /// The memory that is resident for it while it waits, in bytes. What the kernel keeps for a
    /// thread is not known.
    pub(crate) memory_bytes: u64,
}

/// What one worker did, and when.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lane {
    /// The name of the worker, as `thread 1`.
    pub name: String,
    /// In the order of time. What is between two spans was spent neither on the work nor waiting
    /// for what the work needs.
    pub spans: Vec<Span>,
}

/// Something that a worker did for a while. Times are seconds since the run began.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// When it began.
    pub(crate) start: f64,
    /// When it was over.
    pub(crate) end: f64,
    /// What it was.
    pub(crate) activity: Activity,
    /// The processor time that the thread of the worker took in it, in seconds. Where many short
    /// waits were added up, theirs counts as that of the work. `None` where the system does not
    /// tell, and while tasks take turns on the thread.
    pub(crate) cpu: Option<f64>,
    /// Whether an item of the work begins here.
    pub(crate) begins_item: bool,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Activity {
    /// It computes. The machine may have given its core to another for a while.
    Work,
    /// It waits for an answer, or for a time to pass.
    Wait,
}

impl Lane {
    /// The items of the work that its worker has done, each by its spans. What is before the first
    /// item is part of none.
    pub(crate) fn items(&self) -> impl Iterator<Item = &[Span]> + Clone {
        let parts = self.spans.chunk_by(|_, next| !next.begins_item);
        parts.filter(|spans| spans[0].begins_item)
    }
}

impl Span {
    /// How long it took, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.end - self.start
    }
}

impl Timing {
    /// What was measured of a workload.
    pub(crate) fn new(workload: &str, parameters: Map<String, Value>, cores: usize) -> Self {
        Timing {
            schema: "racelab/time/1".to_owned(),
            workload: workload.to_owned(),
            parameters,
            cores,
            rows: Vec::new(),
            costs: None,
            conclusion: Vec::new(),
            interrupted: false,
            origin: None,
        }
    }
}

impl TimedWay {
    /// The name of the way: `threads`, or `processes, manager`.
    pub(crate) fn name(&self) -> String {
        match &self.variant {
            None => self.method.clone(),
            Some(variant) => format!("{}, {variant}", self.method),
        }
    }

    /// What sentences call the way: `sync`, `30 threads`, or `3 processes (dynamic)`.
    pub(crate) fn label(&self) -> String {
        let count = crate::report::grouped(self.workers as u64);
        let one = self.workers == 1;
        let who = match self.method.as_str() {
            "sync" => "sync".to_owned(),
            "threads" if one => "1 thread".to_owned(),
            "threads" => format!("{count} threads"),
            "async" if one => "1 async task".to_owned(),
            "async" => format!("{count} async tasks"),
            "async-blocking" if one => "1 async task that blocks".to_owned(),
            "async-blocking" => format!("{count} async tasks that block"),
            "processes" if one => "1 process".to_owned(),
            "processes" => format!("{count} processes"),
            method => format!(
                "{method} with {}",
                crate::report::plural(self.workers as u64, "worker")
            ),
        };
        match &self.variant {
            None => who,
            Some(variant) => format!("{who} ({variant})"),
        }
    }

    /// When the last of its workers was through, in seconds since the run began.
    pub(crate) fn end(&self) -> f64 {
        let spans = self.lanes.iter().flat_map(|lane| &lane.spans);
        let ends = spans.map(|span| span.end).filter(|end| end.is_finite());
        ends.fold(self.seconds, f64::max)
    }

    /// How far the runs lie apart: half of the time between the quickest and the slowest, divided
    /// by the median. `None` if there are fewer than two runs.
    pub(crate) fn spread(&self) -> Option<f64> {
        let is_known = self.runs.len() > 1 && self.seconds > 0.0;
        is_known.then(|| (self.max() - self.min()) / 2.0 / self.seconds)
    }

    /// The quickest run, in seconds.
    pub(crate) fn min(&self) -> f64 {
        self.runs.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The slowest run, in seconds.
    pub(crate) fn max(&self) -> f64 {
        self.runs.iter().copied().fold(0.0, f64::max)
    }

    /// How much of the time in which its workers worked or waited they worked. `None` if nothing
    /// of that was recorded.
    pub(crate) fn share_of_work(&self) -> Option<f64> {
        let (mut work, mut wait) = (0.0, 0.0);
        for span in self.lanes.iter().flat_map(|lane| &lane.spans) {
            match span.activity {
                Activity::Work => work += span.seconds(),
                Activity::Wait => wait += span.seconds(),
            }
        }
        Some(work / (work + wait)).filter(|share| share.is_finite())
    }

    /// How many times the ideal time it took. `None` if there is no ideal time.
    pub(crate) fn ratio_to_ideal(&self) -> Option<f64> {
        let ideal = self.ideal_seconds.filter(|ideal| *ideal > 0.0)?;
        Some(self.seconds / ideal)
    }

    /// How many cores were busy on the average of the median run.
    pub(crate) fn cores_busy(&self) -> Option<f64> {
        let cpu = self.cpu_seconds.filter(|_| self.seconds > 0.0)?;
        Some(cpu / self.seconds)
    }
}
