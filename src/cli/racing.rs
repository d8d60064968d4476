//! Runs on real threads in child processes, which are counted here: what they came to, how they
//! crashed, and which did not end.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, PipeReader, Read, pipe};
use std::ops::Range;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Progress;
use crate::verdict::grouped;

use super::child::{self, Guarded, OnInterrupt};
use super::error::Error;
use super::progress::Stage;
use super::runs::{Ended, Job, Message, Told};

/// How long what a child says is gathered before it is read: to be woken for each run would take
/// the cores from the runs.
const GATHER: Duration = Duration::from_millis(5);

/// How often it is looked whether the runs are to stop.
const TICK: Duration = Duration::from_millis(10);

/// How much longer than a run the first one may take, for the start of its process.
const START: Duration = Duration::from_secs(30);

/// How long a child may take to end that has closed its output.
const LAST: Duration = Duration::from_secs(1);

/// Runs that do not end are not waited for any more after so long in all, and so many of them.
const WAITED: (Duration, u64) = (Duration::from_secs(30), 3);

/// Crashes cost a process each, so that there is an end to them.
const MOST_CRASHES: u64 = 10_000;

/// The longest line of a child that is kept.
const LONGEST: usize = 1 << 24;

/// How much is kept of what a child said before it crashed.
const LONGEST_SAID: usize = 200;

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

/// What runs came to.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) runs: u64,
    /// Those that failed, crashed or did not end.
    pub(super) bad: u64,
    pub(super) ended: HashMap<Ended, u64>,
    /// By how the process ended: how often, and what it said the first time.
    pub(super) crashes: BTreeMap<String, (u64, Option<String>)>,
    pub(super) timeouts: u64,
    pub(super) first_bad: Option<Bad>,
    /// What ended them before all were made.
    pub(super) stop: Option<Stop>,
}

/// How a run was bad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    Failed(Ended),
    /// How its process ended, as `ended by signal 11 (SIGSEGV)`.
    Crashed(String),
    Endless,
}

/// What ended the runs before all were made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    TimeLimit,
    Interrupted,
    Crashes,
    Timeouts,
    /// The system cannot make them: why.
    Unable(String),
}

impl Racing<'_> {
    /// Makes the runs, until all are made or something ends them. Each run is counted once; one that
    /// was under way when they were ended is not.
    ///
    /// # Errors
    ///
    /// If a process cannot be started, or does not come to its first run.
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
                    scope.spawn(move || counting.make(share, first_core))
                })
                .collect();
            let results = workers.into_iter().map(|worker| {
                let panicked =
                    |_| Err(Error::Internal("a thread that counts runs panicked".into()));
                worker.join().unwrap_or_else(panicked)
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
enum End {
    /// All of its runs are made.
    Done,
    /// It ended in a run.
    Crashed(ExitStatus),
    /// It was ended in a run that took too long.
    Endless,
    /// It was ended, or has ended itself, and its last run does not count.
    Stopped,
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
    fn make(&self, share: Range<u64>, first_core: usize) -> Result<(), Error> {
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
            if end.is_err() {
                // The others need not go on.
                self.counted().stop.get_or_insert(Stop::Interrupted);
            }
            let is_counted = self.note_end(end?, &heard);
            next += heard.runs + u64::from(is_counted);
            together = together.or(heard.together);
        }
        Ok(())
    }

    /// Follows a child to its end.
    fn follow(&self, job: &Job, heard: &mut Heard) -> Result<End, Error> {
        let internal = |error: io::Error| Error::Internal(format!("the child process: {error}"));
        let command = (self.racing.command)(job).map_err(internal)?;
        let (child, lines) = start(command).map_err(internal)?;
        let limit = self.racing.stall_limit;
        let tick = TICK.min(limit / 4).max(Duration::from_millis(1));
        // Counted in ticks: while this process does not run, neither does the time.
        let mut silent = Duration::ZERO;
        loop {
            if self.is_stopped() {
                return Ok(End::Stopped);
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
                        return self.given_up(job, heard, &lines);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if heard.unable.is_some() {
            return Ok(End::Stopped);
        }
        if heard.runs >= job.runs {
            return Ok(End::Done);
        }
        match child.wait(Some(LAST)).map_err(internal)? {
            // A child that has closed its output and goes on does not come to anything.
            None => Ok(End::Endless),
            Some(status) if heard.is_ready => Ok(End::Crashed(status)),
            Some(status) => Err(not_begun(&child::crash(status), heard)),
        }
    }

    /// What becomes of a child that was silent for too long, and has been killed.
    fn given_up(
        &self,
        job: &Job,
        heard: &mut Heard,
        lines: &Receiver<Vec<Line>>,
    ) -> Result<End, Error> {
        let mut is_silent = true;
        while let Ok(lines) = lines.recv_timeout(LAST) {
            is_silent &= !self.hear(lines, heard);
        }
        Ok(match heard.is_ready {
            false => return Err(not_begun("did not come to its first run", heard)),
            true if heard.runs >= job.runs => End::Done,
            // It went on at the last moment: the run that was under way is made again.
            true if !is_silent => End::Stopped,
            true => End::Endless,
        })
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
    fn note_end(&self, end: End, heard: &Heard) -> bool {
        let mut counted = self.counted();
        if let Some(why) = &heard.unable {
            counted.stop.get_or_insert(Stop::Unable(why.clone()));
        }
        let bad = match end {
            End::Done | End::Stopped => return false,
            End::Crashed(status) => {
                let of_kind = counted.crashes.entry(child::signal(status)).or_default();
                of_kind.0 += 1;
                if of_kind.1.is_none() {
                    of_kind.1.clone_from(&heard.said);
                }
                Bad::Crashed(child::crash(status))
            }
            End::Endless => {
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
        self.stage.set(format!(
            "{} runs on real threads, {} bad",
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

    fn counted(&self) -> MutexGuard<'_, Counted> {
        let counted = self.counted.lock();
        counted.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn add(&mut self, ended: &Ended) {
        self.runs += 1;
        if ended.failure.is_some() {
            self.bad += 1;
            if self.first_bad.is_none() {
                self.first_bad = Some(Bad::Failed(ended.clone()));
            }
        }
        match self.ended.get_mut(ended) {
            Some(runs) => *runs += 1,
            None => {
                self.ended.insert(ended.clone(), 1);
            }
        }
    }
}

fn not_begun(how: &str, heard: &Heard) -> Error {
    let said = heard.said.as_ref().map(|said| format!(": {said}"));
    Error::Internal(format!(
        "the process for the runs {how} before the first of them{}",
        said.unwrap_or_default()
    ))
}

/// A line of what a child says.
enum Line {
    Message(Message),
    /// What the system or the runtime said.
    Text(String),
}

/// Starts a child that ends when its input is closed, and what it says, on both outputs.
fn start(mut command: Command) -> io::Result<(Guarded, Receiver<Vec<Line>>)> {
    let (reader, writer) = pipe()?;
    command
        .stdin(Stdio::piped())
        .stderr(writer.try_clone()?)
        .stdout(writer);
    let child = Guarded::spawn(&mut command, OnInterrupt::Nothing)?;
    // It holds the other end of the pipe.
    drop(command);
    let (sender, lines) = channel();
    thread::Builder::new().spawn(move || read_lines(reader, &sender))?;
    Ok((child, lines))
}

/// Reads lines to the end, those of a while at once.
fn read_lines(mut reader: PipeReader, lines: &Sender<Vec<Line>>) {
    let mut chunk = vec![0; 1 << 16];
    let mut rest: Vec<u8> = Vec::new();
    loop {
        let read = match reader.read(&mut chunk) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => 0,
        };
        rest.extend_from_slice(&chunk[..read]);
        let whole = match rest.iter().rposition(|&byte| byte == b'\n') {
            _ if read == 0 => rest.len(),
            Some(last) => last + 1,
            // Not to fill the memory with what a damaged child says.
            None if rest.len() > LONGEST => rest.len(),
            None => 0,
        };
        let texts = rest[..whole].split(|&byte| byte == b'\n');
        let found: Vec<Line> = texts.filter_map(line).collect();
        rest.drain(..whole);
        if !found.is_empty() && lines.send(found).is_err() {
            return;
        }
        if read == 0 {
            return;
        }
        thread::sleep(GATHER);
    }
}

fn line(bytes: &[u8]) -> Option<Line> {
    if let Ok(message) = serde_json::from_slice(bytes) {
        return Some(Line::Message(message));
    }
    let text = String::from_utf8_lossy(bytes);
    let text: String = text.trim().chars().take(LONGEST_SAID).collect();
    (!text.is_empty()).then_some(Line::Text(text))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"Ended":{"outcome":"2","failure":null}}"#;

    fn job(runs: u64) -> Job {
        Job {
            variant: "a/b".to_owned(),
            threads: 2,
            ops: 1,
            first: 0,
            runs,
            together: None,
            first_core: 0,
            delays: None,
        }
    }

    /// Makes runs by a script, which is made from the job.
    fn raced(
        runs: u64,
        stall_limit: Duration,
        script: &(dyn Fn(&Job) -> String + Sync),
    ) -> Result<Counted, Error> {
        let racing = Racing {
            job: job(runs),
            at_once: 1,
            stall_limit,
            deadline: None,
            command: &|job| {
                let mut command = Command::new("sh");
                command.args(["-c", &script(job)]);
                Ok(command)
            },
        };
        racing.run(&Progress::default(), &Stage::default())
    }

    /// Says all of it at once.
    fn say(lines: &[&str]) -> String {
        format!("printf '%s\\n' '{}'", lines.join("' '"))
    }

    fn outcomes(counted: &Counted) -> u64 {
        counted.ended.values().sum()
    }

    #[test]
    fn each_run_of_a_child_is_counted_once() {
        let bad = r#"{"Ended":{"outcome":"1","failure":{"message":"no","at":null}}}"#;
        let lines = [
            r#""Ready""#,
            GOOD,
            r#"{"Together":2}"#,
            bad,
            r#"{"Again":0}"#,
            r#"{"Again":1}"#,
            r#"{"Again":0}"#,
        ];
        let counted = raced(5, Duration::MAX, &|_| say(&lines)).unwrap();
        assert_eq!((counted.runs, counted.bad), (5, 2));
        let runs = |outcome: &str| {
            let mut ended = counted.ended.iter();
            *ended
                .find(|(ended, _)| ended.outcome.as_deref() == Some(outcome))
                .unwrap()
                .1
        };
        assert_eq!((runs("2"), runs("1")), (3, 2));
        assert!(matches!(counted.first_bad, Some(Bad::Failed(_))));
        assert_eq!(counted.stop, None);
    }

    #[test]
    fn a_crash_is_counted_by_its_signal_and_the_next_child_makes_the_rest() {
        // A good run, and then a crash in the next one, if there is one.
        let script = |job: &Job| {
            let crash = match job.runs {
                1 => "",
                _ => "; echo 'double free' >&2; echo 'more' >&2; kill -SEGV $$",
            };
            say(&[r#""Ready""#, GOOD]) + crash
        };
        let counted = raced(5, Duration::MAX, &script).unwrap();
        assert_eq!((counted.runs, counted.bad), (5, 2));
        assert_eq!(outcomes(&counted), 3);
        let crashes: Vec<_> = counted.crashes.into_iter().collect();
        let said = Some("double free".to_owned());
        assert_eq!(crashes, [("SIGSEGV".to_owned(), (2, said))]);
        let how = "ended by signal 11 (SIGSEGV)".to_owned();
        assert_eq!(counted.first_bad, Some(Bad::Crashed(how)));
    }

    #[test]
    fn a_record_that_a_crash_has_cut_is_no_run() {
        let script = |job: &Job| match job.runs {
            1 => say(&[r#""Ready""#, GOOD]),
            _ => r#"printf '"Ready"\n{"Ended":{"outcome":'; kill -ABRT $$"#.to_owned(),
        };
        let counted = raced(2, Duration::MAX, &script).unwrap();
        assert_eq!((counted.runs, counted.bad, outcomes(&counted)), (2, 1, 1));
        assert_eq!(counted.crashes["SIGABRT"].0, 1);
    }

    #[test]
    fn a_child_that_ends_by_itself_before_its_runs_are_made_has_crashed() {
        let counted = raced(1, Duration::MAX, &|_| say(&[r#""Ready""#]) + "; exit 7").unwrap();
        assert_eq!(counted.crashes["exit code 7"].0, 1);
        assert_eq!((counted.runs, counted.bad), (1, 1));
    }

    #[test]
    fn a_run_that_does_not_end_is_a_time_out_and_its_child_is_killed() {
        let script = |job: &Job| match job.first {
            0 => say(&[r#""Ready""#, GOOD]) + "; exec sleep 1000",
            _ => say(&[r#""Ready""#, GOOD]),
        };
        let limit = Duration::from_millis(100);
        let counted = raced(3, limit, &script).unwrap();
        assert_eq!((counted.runs, counted.bad, counted.timeouts), (3, 1, 1));
        assert_eq!(outcomes(&counted), 2);
        assert_eq!(counted.first_bad, Some(Bad::Endless));
    }

    #[test]
    fn runs_that_never_end_are_given_up() {
        let limit = Duration::from_millis(20);
        let hangs = |_: &Job| say(&[r#""Ready""#]) + "; exec sleep 1000";
        // As if it had been waited for long enough.
        let progress = Progress::default();
        let stage = Stage::default();
        let racing = Racing {
            job: job(1_000_000),
            at_once: 2,
            stall_limit: limit,
            deadline: None,
            command: &|job| {
                let mut command = Command::new("sh");
                command.args(["-c", &hangs(job)]);
                Ok(command)
            },
        };
        let counting = Counting {
            racing: &racing,
            progress: &progress,
            stage: &stage,
            counted: Mutex::new(Counted {
                timeouts: 1_499,
                ..Counted::default()
            }),
        };
        counting.make(0..1_000, 0).unwrap();
        let counted = counting.counted.into_inner().unwrap();
        assert_eq!(counted.stop, Some(Stop::Timeouts));
        assert_eq!((counted.runs, counted.timeouts), (1, 1_500));
    }

    #[test]
    fn a_child_that_does_not_begin_is_an_error_with_what_it_said() {
        let error = raced(3, Duration::MAX, &|_| {
            "echo 'no such thing' >&2; exit 3".to_owned()
        });
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("ended with exit code 3 before the first of them: no such thing"),
            "{error}"
        );
    }

    #[test]
    fn a_child_that_can_make_no_runs_says_why() {
        let lines = [r#""Ready""#, GOOD, r#"{"Unable":"no threads"}"#];
        let counted = raced(3, Duration::MAX, &|_| say(&lines)).unwrap();
        assert_eq!((counted.runs, counted.bad), (1, 0));
        assert_eq!(counted.stop, Some(Stop::Unable("no threads".to_owned())));
    }

    #[test]
    fn nothing_is_begun_after_an_interrupt_or_the_time_limit() {
        let progress = Progress::default();
        let stage = Stage::default();
        let mut racing = Racing {
            job: job(3),
            at_once: 2,
            stall_limit: Duration::MAX,
            deadline: Some(Instant::now()),
            command: &|_| Err(io::Error::other("it was begun")),
        };
        let counted = racing.run(&progress, &stage).unwrap();
        assert_eq!((counted.runs, counted.stop), (0, Some(Stop::TimeLimit)));
        racing.deadline = None;
        progress.interrupt();
        let counted = racing.run(&progress, &stage).unwrap();
        assert_eq!((counted.runs, counted.stop), (0, Some(Stop::Interrupted)));
    }

    #[test]
    fn runs_are_divided_evenly_and_none_is_left() {
        assert_eq!(shares(7, 3), [0..3, 3..5, 5..7]);
        assert_eq!(shares(2, 8), [0..1, 1..2]);
        assert_eq!(shares(u64::MAX, 1), [0..u64::MAX]);
    }
}
