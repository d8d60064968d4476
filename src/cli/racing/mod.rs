//! Runs on real threads in child processes, which are counted here: what they came to, how they
//! crashed, and which did not end.

mod counted;
mod lines;
#[cfg(all(test, unix))]
mod tests;

use std::io;
use std::ops::Range;
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Progress;
use crate::report::grouped;

use super::child;
use super::error::Error;
use super::progress::Stage;
use super::runs::{Job, Message, Told};

pub(super) use counted::{Bad, Counted, Stop};
use lines::{Line, start};

/// How often it is looked whether the runs are to stop.
const TICK: Duration = Duration::from_millis(10);

/// How much longer than a run the first one may take, for the start of its process.
const START: Duration = Duration::from_secs(30);

/// How long a child may take to end that has closed its output.
const LAST: Duration = Duration::from_secs(1);

/// Runs that do not end are not waited for any more after this time in all, and this number of
/// them.
const WAITED: (Duration, u64) = (Duration::from_secs(30), 3);

/// Crashes cost a process each, so that there is an end to them.
const MOST_CRASHES: u64 = 10_000;

/// Runs that are to be made.
pub(super) struct Racing<'a> {
    /// All of them. The first is number 0.
    pub(super) job: Job,
    /// How many are made at once, each in a process of its own.
    pub(super) at_once: usize,
    /// How long a run may take.
    pub(super) stall_limit: Duration,
    /// When to stop.
    pub(super) deadline: Option<Instant>,
    /// The command that makes the runs of a job.
    pub(super) command: &'a (dyn Fn(&Job) -> io::Result<Command> + Sync),
}

impl Racing<'_> {
    /// Makes the runs, until all are made or something ends them. Each run is counted once; one that
    /// was under way when they were ended is not.
    ///
    /// # Errors
    ///
    /// On an error of the lab itself. What the system refuses is the end of the runs, but no error:
    /// those that were made before are counted.
    pub(super) fn run(&self, progress: &Progress, stage: &Stage) -> Result<Counted, Error> {
        let counting = Counting {
            racing: self,
            progress,
            stage,
            counted: Mutex::default(),
        };
        let shares = shares(self.job.runs, self.at_once);
        let result = thread::scope(|scope| {
            let workers: Vec<_> = shares
                .into_iter()
                .enumerate()
                .map(|(worker, share)| {
                    let counting = &counting;
                    // Each has cores of its own as long as there are enough.
                    let first_core = worker.saturating_mul(self.job.threads);
                    let make = move || counting.make(share, first_core);
                    let worker = thread::Builder::new().spawn_scoped(scope, make);
                    worker.map_err(|error| counting.stop(refused("start a thread", &error)))
                })
                .collect();
            let results = workers.into_iter().flatten().map(|worker| {
                let panicked =
                    |_| Err(Error::Internal("a thread that counts runs panicked".into()));
                worker.join().map_or_else(panicked, Ok)
            });
            // All are waited for.
            results.fold(Ok(()), Result::and)
        });
        let counted = counting.counted.into_inner();
        result.map(|()| counted.unwrap_or_else(PoisonError::into_inner))
    }
}

/// Divides the numbers of runs evenly.
fn shares(runs: u64, at_once: usize) -> Vec<Range<u64>> {
    let workers = (at_once as u64).clamp(1, runs.max(1));
    let (each, more) = (runs / workers, runs % workers);
    let start = |worker: u64| worker * each + worker.min(more);
    (0..workers)
        .map(|worker| start(worker)..start(worker + 1))
        .collect()
}

/// Runs while they are counted.
struct Counting<'a> {
    racing: &'a Racing<'a>,
    progress: &'a Progress,
    stage: &'a Stage,
    counted: Mutex<Counted>,
}

/// How a child came to its end.
enum ChildEnd {
    /// All of its runs are made.
    Done,
    /// It ended in a run.
    Crashed(ExitStatus),
    /// It was ended in a run that took too long.
    Endless,
    /// It was ended, or has ended itself, and its last run does not count.
    Stopped,
    /// As `Stopped`, and there can be no more runs.
    Last(Stop),
}

/// What is known of a child.
#[derive(Default)]
struct Heard {
    told: Told,
    is_ready: bool,
    /// How many runs it has made.
    runs: u64,
    together: Option<usize>,
    /// The first thing it said that is not for the count.
    said: Option<String>,
    unable: Option<String>,
}

impl Counting<'_> {
    /// Makes some of the runs, in as many processes as it takes.
    fn make(&self, share: Range<u64>, first_core: usize) {
        let mut next = share.start;
        let mut together = self.racing.job.together;
        while next < share.end && !self.is_stopped() {
            let job = Job {
                first: next,
                runs: share.end - next,
                together,
                first_core,
                ..self.racing.job.clone()
            };
            let mut heard = Heard::default();
            let end = self.follow(&job, &mut heard);
            let end = end.unwrap_or_else(|error| {
                ChildEnd::Last(refused("start a process for the runs", &error))
            });
            let is_counted = self.note_end(end, &heard);
            next += heard.runs + u64::from(is_counted);
            together = together.or(heard.together);
        }
    }

    /// Follows a child to its end. An error is that it cannot be started or waited for.
    fn follow(&self, job: &Job, heard: &mut Heard) -> io::Result<ChildEnd> {
        let (child, lines) = start((self.racing.command)(job)?)?;
        let limit = self.racing.stall_limit;
        let tick = TICK.min(limit / 4).max(Duration::from_millis(1));
        // Counted in ticks: while this process does not run, neither does the time.
        let mut silent = Duration::ZERO;
        loop {
            if self.is_stopped() {
                return Ok(ChildEnd::Stopped);
            }
            match lines.recv_timeout(tick) {
                Ok(lines) => {
                    if self.hear(lines, heard) {
                        silent = Duration::ZERO;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    silent += tick;
                    let start = if heard.is_ready {
                        Duration::ZERO
                    } else {
                        START
                    };
                    if silent >= limit.saturating_add(start) {
                        drop(child);
                        return Ok(self.given_up(job, heard, &lines));
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if heard.unable.is_some() {
            return Ok(ChildEnd::Stopped);
        }
        if heard.runs >= job.runs {
            return Ok(ChildEnd::Done);
        }
        Ok(match child.wait(Some(LAST))? {
            // A child that has closed its output and goes on does not come to anything.
            None => ChildEnd::Endless,
            Some(status) => match child::killed_from_outside(status) {
                Some(signal) => ChildEnd::Last(Stop::Killed(signal)),
                None if heard.is_ready => ChildEnd::Crashed(status),
                None => ChildEnd::Last(not_begun(&child::crash(status), heard)),
            },
        })
    }

    /// What becomes of a child that was silent for too long, and has been killed.
    fn given_up(&self, job: &Job, heard: &mut Heard, lines: &Receiver<Vec<Line>>) -> ChildEnd {
        let mut is_silent = true;
        while let Ok(lines) = lines.recv_timeout(LAST) {
            is_silent &= !self.hear(lines, heard);
        }
        match heard.is_ready {
            false => ChildEnd::Last(not_begun("did not come to its first run", heard)),
            true if heard.runs >= job.runs => ChildEnd::Done,
            // It went on at the last moment: the run that was under way is made again.
            true if !is_silent => ChildEnd::Stopped,
            true => ChildEnd::Endless,
        }
    }

    /// Counts what a child has said. Returns whether a run has ended or begun.
    fn hear(&self, lines: Vec<Line>, heard: &mut Heard) -> bool {
        let mut goes_on = false;
        let mut counted = self.counted();
        for line in lines {
            let message = match line {
                Line::Message(message) => message,
                Line::Text(text) => {
                    heard.said.get_or_insert(text);
                    continue;
                }
            };
            goes_on = true;
            match message {
                Message::Ready => heard.is_ready = true,
                Message::Together(together) => heard.together = Some(together),
                Message::Unable(why) => heard.unable = Some(why),
                Message::Ended(ended) => {
                    heard.told.add(&ended);
                    heard.runs += 1;
                    counted.add(&ended);
                }
                Message::Again(place) => {
                    // A child that is damaged can say anything.
                    if let Some(ended) = heard.told.get(place) {
                        heard.runs += 1;
                        counted.add(ended);
                    }
                }
            }
        }
        self.show(&counted);
        goes_on
    }

    /// Counts the run in which a child ended. Returns whether it counts.
    fn note_end(&self, end: ChildEnd, heard: &Heard) -> bool {
        let mut counted = self.counted();
        if let Some(why) = &heard.unable {
            counted.stop.get_or_insert(Stop::Unable(why.clone()));
        }
        let bad = match end {
            ChildEnd::Done | ChildEnd::Stopped => return false,
            ChildEnd::Last(stop) => {
                counted.stop.get_or_insert(stop);
                return false;
            }
            ChildEnd::Crashed(status) => {
                let of_kind = counted.crashes.entry(child::signal(status)).or_default();
                of_kind.0 += 1;
                if of_kind.1.is_none() {
                    of_kind.1.clone_from(&heard.said);
                }
                Bad::Crashed(child::crash(status))
            }
            ChildEnd::Endless => {
                counted.timeouts += 1;
                Bad::Endless
            }
        };
        counted.runs += 1;
        counted.bad += 1;
        counted.first_bad.get_or_insert(bad);
        self.show(&counted);
        true
    }

    fn show(&self, counted: &Counted) {
        self.progress.show(counted.runs);
        self.stage.set_in_full(format!(
            "{} of {} runs on real threads, {} bad",
            grouped(counted.runs),
            grouped(self.racing.job.runs),
            grouped(counted.bad)
        ));
    }

    /// Whether the runs are to stop, for whichever reason.
    fn is_stopped(&self) -> bool {
        let mut counted = self.counted();
        if counted.stop.is_some() {
            return true;
        }
        let crashes: u64 = counted.crashes.values().map(|(crashes, _)| crashes).sum();
        let waited = u32::try_from(counted.timeouts).unwrap_or(u32::MAX);
        let waited = self.racing.stall_limit.saturating_mul(waited);
        let deadline = self.racing.deadline;
        counted.stop = if self.progress.is_interrupted() {
            Some(Stop::Interrupted)
        } else if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            Some(Stop::TimeLimit)
        } else if crashes >= MOST_CRASHES {
            Some(Stop::Crashes)
        } else if waited >= WAITED.0 && counted.timeouts >= WAITED.1 {
            Some(Stop::Timeouts)
        } else {
            None
        };
        counted.stop.is_some()
    }

    /// Lets the runs stop, unless they do already.
    fn stop(&self, stop: Stop) {
        self.counted().stop.get_or_insert(stop);
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        let counted = self.counted.lock();
        counted.unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_begun(how: &str, heard: &Heard) -> Stop {
    let said = heard.said.as_ref().map(|said| format!(": {said}"));
    Stop::NotBegun(format!(
        "the process for the runs {how} before the first of them{}",
        said.unwrap_or_default()
    ))
}

fn refused(what: &str, error: &io::Error) -> Stop {
    Stop::Refused(format!(
        "cannot {what}: {error}; allow more open files or processes (`ulimit`), or make fewer \
         runs at once (`--oversubscribe`)"
    ))
}
