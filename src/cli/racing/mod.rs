//! Runs on real threads in child processes, which are counted here: what they came to, how they
//! crashed, and which did not end.

mod counted;
mod lines;
#[cfg(all(test, unix))]
mod tests;

use std::io;
use std::ops::Range;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use crate::Progress;
use crate::child::{self, Event, Supervisor};
use crate::report::grouped;

use super::memory::NO_MORE;
use super::progress::Stage;
use super::runs::{Job, Message, Told};

pub(super) use counted::{Bad, Counted, Stop};
use lines::{Line, read, start};

/// How often it is looked whether the runs are to stop.
const TICK: Duration = Duration::from_millis(10);

/// How much longer than a run the first one may take, for the start of its process.
const START: Duration = Duration::from_secs(30);

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
    pub(super) command: &'a dyn Fn(&Job) -> io::Result<Command>,
}

impl Racing<'_> {
    /// Makes the runs, until all are made or something ends them. Each run is counted once; one that
    /// was under way when they were ended is not. What the system refuses is the end of the runs:
    /// those that were made before are counted.
    pub(super) fn run(&self, progress: &Progress, stage: &Stage) -> Counted {
        let shares = shares(self.job.runs, self.at_once);
        let mut counting = Counting {
            racing: self,
            progress,
            stage,
            counted: Counted::default(),
            children: Supervisor::of(shares.len()),
        };
        counting.make(shares);
        counting.counted
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
    counted: Counted,
    children: Supervisor<Vec<Line>>,
}

/// The runs of one place, made by a child and by those that take its place.
struct Share {
    /// Those of the present child.
    job: Job,
    heard: Heard,
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
    /// Whether it went on at the last moment, when it was given up.
    went_on: bool,
}

impl Counting<'_> {
    /// Makes all shares of the runs, each in as many processes as it takes, one after another.
    fn make(&mut self, shares: Vec<Range<u64>>) {
        let mut left = shares.len();
        let share = |(place, share): (usize, Range<u64>)| Share {
            job: Job {
                first: share.start,
                runs: share.end - share.start,
                // Each has cores of its own as long as there are enough.
                first_core: place.saturating_mul(self.racing.job.threads),
                ..self.racing.job.clone()
            },
            heard: Heard::default(),
        };
        let mut shares: Vec<Share> = shares.into_iter().enumerate().map(share).collect();
        for (place, share) in shares.iter().enumerate() {
            self.start(place, &share.job);
        }
        while left > 0 && !self.is_stopped() {
            let event = self.children.next(TICK).unwrap_or_else(|error| {
                self.stop(refused(&error));
                None
            });
            let Some((place, event)) = event else {
                continue;
            };
            let Share { job, heard } = &mut shares[place];
            match event {
                Event::Said(lines) => {
                    if self.hear(lines, heard) {
                        heard.went_on = self.children.was_killed(place);
                        self.allow_a_run(place, heard.is_ready);
                    }
                }
                Event::Ended(status) => {
                    let is_counted = self.note_end(status, job, heard);
                    let made = heard.runs + u64::from(is_counted);
                    job.first += made;
                    job.runs = job.runs.saturating_sub(made);
                    job.together = job.together.or(heard.together);
                    *heard = Heard::default();
                    if job.runs == 0 {
                        left -= 1;
                    } else {
                        self.start(place, job);
                    }
                }
            }
        }
    }

    /// Starts a child in a place, unless the runs are to stop.
    fn start(&mut self, place: usize, job: &Job) {
        if self.is_stopped() {
            return;
        }
        let started = (self.racing.command)(job).and_then(start);
        let watched = started.and_then(|(child, output)| {
            let children = &mut self.children;
            children.watch(place, child, move |tell| read(output, tell))
        });
        match watched {
            Ok(()) => self.allow_a_run(place, false),
            Err(error) => self.stop(refused(&error)),
        }
    }

    /// From now on, the child in a place has the time of one run.
    fn allow_a_run(&mut self, place: usize, is_ready: bool) {
        let start = if is_ready { Duration::ZERO } else { START };
        let limit = self.racing.stall_limit.saturating_add(start);
        self.children.allow_silence(place, Some(limit));
    }

    /// Counts what a child has said. Returns whether a run has ended or begun.
    fn hear(&mut self, lines: Vec<Line>, heard: &mut Heard) -> bool {
        let mut goes_on = false;
        let counted = &mut self.counted;
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
        self.show();
        goes_on
    }

    /// Counts the run in which a child ended. Returns whether it counts.
    fn note_end(&mut self, status: Option<ExitStatus>, job: &Job, heard: &Heard) -> bool {
        if let Some(why) = &heard.unable {
            self.stop(Stop::Unable(why.clone()));
            return false;
        }
        if let Some(why) = heard.said.as_ref().filter(|said| said.starts_with(NO_MORE)) {
            self.stop(Stop::Unable(why.trim_start_matches("error: ").to_owned()));
            return false;
        }
        // All of its runs are made, or the one that was under way is made again.
        if heard.runs >= job.runs || heard.went_on {
            return false;
        }
        if let Some(signal) = status.and_then(child::killed_from_outside) {
            self.stop(Stop::Killed(signal));
            return false;
        }
        if !heard.is_ready {
            let silent = "did not come to its first run".to_owned();
            self.stop(not_begun(&status.map_or(silent, child::crash), heard));
            return false;
        }
        let counted = &mut self.counted;
        let bad = match status {
            None => {
                counted.timeouts += 1;
                Bad::Endless
            }
            Some(status) => {
                let of_kind = counted.crashes.entry(child::signal(status)).or_default();
                of_kind.0 += 1;
                if of_kind.1.is_none() {
                    of_kind.1.clone_from(&heard.said);
                }
                Bad::Crashed(child::crash(status))
            }
        };
        counted.runs += 1;
        counted.bad += 1;
        counted.first_bad.get_or_insert(bad);
        self.show();
        true
    }

    fn show(&self) {
        let counted = &self.counted;
        self.progress.show(counted.runs);
        self.stage.set_in_full(format!(
            "{} of {} runs on real threads, {} bad",
            grouped(counted.runs),
            grouped(self.racing.job.runs),
            grouped(counted.bad)
        ));
    }

    /// Whether the runs are to stop, for whichever reason.
    fn is_stopped(&mut self) -> bool {
        let counted = &mut self.counted;
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
    fn stop(&mut self, stop: Stop) {
        self.counted.stop.get_or_insert(stop);
    }
}

fn not_begun(how: &str, heard: &Heard) -> Stop {
    let said = heard.said.as_ref().map(|said| format!(": {said}"));
    Stop::NotBegun(format!(
        "the process for the runs {how} before the first of them{}",
        said.unwrap_or_default()
    ))
}

fn refused(error: &io::Error) -> Stop {
    Stop::Refused(format!(
        "cannot start a process for the runs: {error}; allow more open files or processes \
         (`ulimit`), or make fewer runs at once (`--oversubscribe`)"
    ))
}
