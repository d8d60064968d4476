//! The ways to do a work: who does it, how it is divided, and how many workers there are.

use std::fmt;

use crate::report::plural;

use super::Failed;
use super::workers::{
    refuse_too_many_of_rayon, refuse_too_many_processes, refuse_too_many_threads,
};

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Method {
    /// One thread, one piece after another.
    Sync,
    /// Threads.
    Threads,
    /// Tasks on one event loop, which is one thread.
    Async,
    /// Tasks on one event loop, whose library blocks its thread.
    AsyncBlocking,
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
    /// Whether it is one after another: the first of these is the one that the others are compared
    /// with.
    pub(crate) fn is_sync(&self) -> bool {
        self.method == Method::Sync
    }

    /// Refuses more workers than the machine can have, before anything is begun.
    ///
    /// # Errors
    ///
    /// If there are too many: how many there may be.
    pub(crate) fn refuse_if_too_large(&self) -> Result<(), Failed> {
        match self.method {
            Method::Sync | Method::Async | Method::AsyncBlocking => Ok(()),
            Method::Threads => refuse_too_many_threads(self.workers),
            Method::Rayon => refuse_too_many_of_rayon(self.workers),
            Method::Processes => refuse_too_many_processes(self.workers),
        }
    }
}

impl Method {
    /// The name on the command line and in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Method::Sync => "sync",
            Method::Threads => "threads",
            Method::Async => "async",
            Method::AsyncBlocking => "async-blocking",
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
            (Method::Async | Method::AsyncBlocking, tasks) => {
                write!(f, ", {}", plural(tasks as u64, "task"))
            }
            (_, workers) => write!(f, ", {}", plural(workers as u64, "worker")),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
