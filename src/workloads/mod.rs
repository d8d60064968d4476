//! What is timed: the same work done one after another, by threads, by tasks and by processes.
//!
//! A `Workload` does all of its work once in one `Way`, while a `Timeline` records when each
//! worker is at work. How often, in which order, and what follows from the times is not its matter.

mod cpu;
mod event_loop;
mod in_flight;
#[cfg(network)]
pub mod io;
mod measure;
pub(crate) mod pipe;
pub(crate) mod primes;
pub(crate) mod processes;
mod resources;
mod sleep;
mod thread_limit;
mod thread_pool;
mod timeline;
mod work_stealing;

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::report::plural;

use self::thread_limit::{
    refuse_too_many_of_rayon, refuse_too_many_processes, refuse_too_many_threads,
};

pub(crate) use cpu::{Adder, Cpu};
pub(crate) use measure::{Event, Lanes, Measurements, Plan, measure};
pub(crate) use pipe::{Pipe, Talker};
pub(crate) use primes::{FindPrimes, Primes};
pub(crate) use sleep::{Sleep, Waiter};
pub(crate) use timeline::{Recorder, Timeline, Waits};

/// Work that can be done in several ways, all of which come to the same.
pub(crate) trait Workload: Send + Sync {
    /// The name on the command line, as `io`.
    fn name(&self) -> &'static str;

    /// What it was given, by the names of the flags.
    fn parameters(&self) -> Map<String, Value>;

    /// The ways in which it can be done, in the order in which they are best read, `sync` first.
    fn ways(&self) -> Vec<Way>;

    /// How many pieces of work there are.
    fn items(&self) -> u64;

    /// How long a way takes if it loses no time, where `sync` took so long. `None` if that cannot
    /// be told.
    fn ideal(&self, way: &Way, sync: Option<Duration>) -> Option<Duration>;

    /// Does all of the work once, and checks what it came to.
    ///
    /// # Errors
    ///
    /// If the work could not be done, or came to something else than it should.
    fn run(&self, way: &Way, timeline: &Timeline) -> Result<Done, Failed>;
}

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Method {
    /// One thread, one piece after another.
    Sync,
    /// Threads.
    Threads,
    /// Tasks on one event loop, which is one thread.
    Async,
    /// Processes.
    Processes,
    /// The threads of rayon, which take work from each other.
    Rayon,
}

/// One way to do a work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// Who does it.
    pub(crate) method: Method,
    /// How the work is divided, or what becomes of the results, where a method has several ways.
    pub(crate) variant: Option<&'static str>,
    /// How many workers there are.
    pub(crate) workers: usize,
}

impl Way {
    /// Whether it is the way with which the others are compared.
    pub(crate) fn is_sync(&self) -> bool {
        self.method == Method::Sync && self.variant.is_none()
    }

    /// Refuses more workers than the machine can have, before anything is begun.
    ///
    /// # Errors
    ///
    /// If there are too many: how many there may be.
    pub(crate) fn refuse_if_too_large(&self) -> Result<(), Failed> {
        match self.method {
            Method::Sync | Method::Async => Ok(()),
            Method::Threads => refuse_too_many_threads(self.workers),
            Method::Rayon => refuse_too_many_of_rayon(self.workers),
            Method::Processes => refuse_too_many_processes(self.workers),
        }
    }
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Done {
    /// The same for every way.
    pub(crate) checksum: String,
    /// The most requests or waits that were under way at once, if that was counted.
    pub(crate) peak_in_flight: Option<u64>,
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

/// Why a run came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// It was not begun: what was asked for is not possible here, and what to do.
    #[error("{0}")]
    Refused(String),
    /// Something went wrong on the way.
    #[error("{0}")]
    Broken(String),
}

impl Method {
    /// All methods, in the order in which they are best read.
    pub(crate) const ALL: &[Method] = &[
        Method::Sync,
        Method::Threads,
        Method::Async,
        Method::Processes,
        Method::Rayon,
    ];

    /// The name on the command line and in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Method::Sync => "sync",
            Method::Threads => "threads",
            Method::Async => "async",
            Method::Processes => "processes",
            Method::Rayon => "rayon",
        }
    }
}

/// How many cores the machine offers to this process.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl fmt::Display for Way {
    /// `threads, 5 workers` or `processes, even, 2 workers`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.method)?;
        if let Some(variant) = self.variant {
            write!(f, ", {variant}")?;
        }
        match (self.method, self.workers) {
            (Method::Sync, _) => Ok(()),
            (Method::Async, tasks) => write!(f, ", {}", plural(tasks as u64, "task")),
            (_, workers) => write!(f, ", {}", plural(workers as u64, "worker")),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
