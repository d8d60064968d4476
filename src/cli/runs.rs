//! The hidden command `racelab runs`: the runs of a variant on real threads, in a process that may
//! be lost. `odds.rs` starts it, and counts what it says.
//!
//! What each run came to is written at once, so that a crash loses the record of the run that was
//! under way and of no other.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::engine::Threads;
use crate::execution::{Conditions, Record};
use crate::exhibits::{Size, Variant};
use crate::search::not_run;

use super::error::{Error, Exit};
use super::select;

/// How many results the child remembers to have told. Others it tells in full again.
const REMEMBERED: usize = 256;

/// Run a variant on real threads, and tell what each run came to.
#[derive(Debug, Args)]
pub(super) struct Runs {
    /// The runs, as JSON
    job: String,
}

/// Runs that are to be made in one process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Job {
    /// The full name of the variant.
    pub(super) variant: String,
    pub(super) threads: usize,
    pub(super) ops: usize,
    /// The number of the first run, on which its delays depend.
    pub(super) first: u64,
    pub(super) runs: u64,
    /// How many threads begin together. `None` if that is to be learned from the first run.
    pub(super) together: Option<usize>,
    /// The place of the core for the first thread of each run.
    pub(super) first_core: usize,
    /// The seed of random delays at operations.
    pub(super) delays: Option<u64>,
}

/// What the child says, one in a line.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Message {
    /// The first run begins.
    Ready,
    /// A run has ended in a way that was not told before.
    Ended(RunEnd),
    /// A run has ended as an earlier one, by the place of that among those told.
    Again(usize),
    /// So many threads begin together.
    Together(usize),
    /// There can be no more runs: why.
    Unable(String),
}

/// What a run came to that has come to its end.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct RunEnd {
    /// What it recorded as its result.
    pub(super) outcome: Option<String>,
    pub(super) failure: Option<Panic>,
}

/// How a run failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Panic {
    pub(super) message: String,
    pub(super) at: Option<String>,
}

impl Runs {
    pub(super) fn run(&self) -> Result<Exit, Error> {
        let job: Job = serde_json::from_str(&self.job)
            .map_err(|error| Error::Usage(format!("the runs are not understood: {error}")))?;
        let variant = select::variant(&job.variant)?;
        leave_no_dump();
        match run_all(variant, &job) {
            Ok(()) => Ok(Exit::Success),
            // The parent is gone.
            Err(error) => Err(Error::of_stdout(error)),
        }
    }
}

/// Says that the system does not let this process make runs.
pub(super) fn unable(error: &io::Error) -> Result<Exit, Error> {
    let told = tell(&Message::Unable(error.to_string()));
    told.map(|()| Exit::Success).map_err(Error::of_stdout)
}

fn run_all(variant: &Variant, job: &Job) -> io::Result<()> {
    let size = Size {
        threads: job.threads,
        ops: job.ops,
    };
    let body = variant.body;
    let mut engine = Threads {
        body: Arc::new(move || body(size)),
        // The parent sees to that.
        limit: Duration::MAX,
        conditions: Conditions {
            together: job.together.unwrap_or(0),
            first_core: Some(job.first_core),
            delays: None,
        },
    };
    let mut told = HashMap::new();
    tell(&Message::Ready)?;
    for run in job.first..job.first + job.runs {
        // Each run has other delays, whichever process it is in.
        engine.conditions.delays = job.delays.map(|seed| mixed(seed, run));
        let record = match engine.run_once() {
            Ok(record) => record.expect("it was waited for without a limit"),
            Err(error) => {
                let why = format!(
                    "the system cannot start a thread: {error}; allow more processes and threads \
                     (`ulimit -u`)"
                );
                return tell(&Message::Unable(why));
            }
        };
        if let Some(what) = &record.refused {
            return tell(&Message::Unable(not_run(what)));
        }
        if job.together.is_none() && run == job.first {
            engine.conditions.together = record.together;
            tell(&Message::Together(record.together))?;
        }
        let ended = RunEnd::of(record);
        if let Some(place) = told.get(&ended) {
            tell(&Message::Again(*place))?;
        } else {
            let place = told.len();
            let message = Message::Ended(ended);
            tell(&message)?;
            if let Message::Ended(ended) = message
                && place < REMEMBERED
            {
                told.insert(ended, place);
            }
        }
    }
    Ok(())
}

impl RunEnd {
    fn of(record: Record) -> Self {
        RunEnd {
            outcome: record.recorded.outcome().map(Cow::into_owned),
            failure: record.failure.map(|(message, at)| Panic { message, at }),
        }
    }
}

/// Keeps the results that a child refers to, in the way in which the child does.
#[derive(Debug, Default)]
pub(super) struct Told(Vec<RunEnd>);

impl Told {
    /// Takes note of a result that was told in full.
    pub(super) fn add(&mut self, ended: &RunEnd) {
        if self.0.len() < REMEMBERED {
            self.0.push(ended.clone());
        }
    }

    /// The result in this place.
    pub(super) fn get(&self, place: usize) -> Option<&RunEnd> {
        self.0.get(place)
    }
}

/// Writes a message, in one piece if it is short.
fn tell(message: &Message) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}

/// A seed for a run. Multiples of this odd number are spread over all numbers.
fn mixed(seed: u64, run: u64) -> u64 {
    seed ^ run.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Lets the system write no image of the process if it crashes, which takes long and is a file.
#[cfg(unix)]
#[expect(unsafe_code, reason = "limits are set by a system call")]
fn leave_no_dump() {
    let none = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the call reads one structure, which lives longer than the call.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
}

#[cfg(not(unix))]
fn leave_no_dump() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_understood() {
        let ended = RunEnd {
            outcome: Some("\"a\nb\"".to_owned()),
            failure: Some(Panic {
                message: "left: 1\n right: 2".to_owned(),
                at: None,
            }),
        };
        let messages = [
            Message::Ready,
            Message::Ended(ended),
            Message::Again(3),
            Message::Together(2),
            Message::Unable("no more threads".to_owned()),
        ];
        for message in messages {
            let line = serde_json::to_string(&message).unwrap();
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(serde_json::from_str::<Message>(&line).unwrap(), message);
        }
    }

    #[test]
    fn the_delays_of_each_run_are_others() {
        let seeds: std::collections::HashSet<u64> = (0..1_000).map(|run| mixed(7, run)).collect();
        assert_eq!(seeds.len(), 1_000);
        assert_ne!(mixed(7, 1), mixed(8, 1));
    }
}
