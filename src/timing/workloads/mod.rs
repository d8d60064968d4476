//! What is timed: the same work done one after another, by threads, by tasks and by processes.
//!
//! A `Workload` does all of its work once in one `Way`, while a `Timeline` records when each
//! worker is at work. How often, in which order, and what follows from the times is not its matter.

mod busy;
mod cpu;
#[cfg(network)]
pub mod io;
pub(super) mod pipe;
pub(super) mod primes;
mod sleep;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Method, Timeline, Way};

pub(crate) use busy::Busy;
pub(crate) use cpu::{Adder, Cpu};
pub(crate) use pipe::{Pipe, Talker};
pub(crate) use primes::{FindPrimes, Primes};
pub(crate) use sleep::{Sleep, Waiter};

/// Takes a line that tells of a piece of work, at once. It is called while the time is taken, by
/// whoever did the piece.
pub(crate) type Lines = Arc<dyn Fn(&str) + Send + Sync>;

/// Work that can be done in several ways, all of which come to the same.
pub(crate) trait Workload: Send + Sync {
    /// The name on the command line, as `io`.
    fn name(&self) -> &'static str;

    /// What it was given, by the names of the flags.
    fn parameters(&self) -> Map<String, Value>;

    /// The ways in which it can be done, in the order in which they are best read, `sync` first.
    fn ways(&self) -> Vec<Way>;

    /// Whether it only waits, so that it matters what a worker costs that waits.
    fn is_waiting(&self) -> bool {
        false
    }

    /// How many pieces of work there are.
    fn items(&self) -> u64;

    /// How long a way takes if it loses no time, where `sync` took so long. `None` if that cannot
    /// be told.
    fn ideal(&self, way: &Way, sync: Option<Duration>) -> Option<Duration>;

    /// Does all of the work once, and checks what it came to.
    ///
    /// # Errors
    ///
    /// If the work could not be done, or its result is wrong.
    fn run(&self, way: &Way, timeline: &Timeline) -> Result<Done, Failed>;
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Done {
    /// The same for every way.
    pub(crate) checksum: String,
    /// The most requests or waits that were under way at once, if that was counted.
    pub(crate) peak_in_flight: Option<u64>,
    /// How many of what was looked for were found, where something was.
    pub(crate) found: Option<u64>,
    /// For how many seconds the work was on each core, by the number of the core. Empty where that
    /// is not looked at.
    pub(crate) seconds_on_cores: Vec<f64>,
    /// The processor time of this process that was not spent on the work: that of a server in it.
    pub(crate) cpu_of_others: Duration,
    /// The most memory that the worker processes had, added up, in bytes.
    pub(crate) memory_of_processes: u64,
    /// The worker processes that were lost and replaced, in sentences.
    pub(crate) lost_workers: Vec<String>,
    /// Messages a second, where that is what is measured.
    pub(crate) messages_per_second: Option<f64>,
    /// How long a message is on its way, where that is what is measured.
    pub(crate) latency: Option<Duration>,
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// It was not begun: what was asked for is not possible here, and what to do.
    #[error("{0}")]
    Refused(String),
    /// The system did not give it a thread, a process, a file or memory: which, and what to do.
    #[error("{0}")]
    NotGiven(String),
    /// Something went wrong on the way.
    #[error("{0}")]
    Broken(String),
}

impl Failed {
    /// The error that a workload is not done by this method.
    fn no_method(workload: &str, method: Method) -> Self {
        Failed::Refused(format!("`{workload}` has no method `{method}`"))
    }
}
