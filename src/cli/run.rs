//! `racelab run`: the program that a variant goes back to, once, on real threads.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;

use crate::child::{OnInterrupt, crash, is_child};
use crate::exhibits::{Kind, Settings, Terminal, Variant};
use crate::report::{in_words, one_line, printable};
use crate::{Engine, Explorer, Progress, Reason, Report, Verdict};

use super::console::{Console, LastLine, Timed};
use super::error::{Error, Exit};
use super::isolated;
use super::odds::{Raising, Runs};
use super::options::{self, Format};
use super::output::Output;
use super::select;

const AFTER_HELP: &str = "\
What the program prints goes to standard output at once; with --format json it is in the result.
A variant with undefined behaviour is run in a child process.

Exit codes: 0 it came out right; 1 it failed or crashed; 3 it did not end within the time limit, or
the machine did not let it run.";

/// How much longer than its limit a child may take: it looks at the limit itself.
const GRACE: Duration = Duration::from_secs(1);

/// How often a program that waits for a person is looked at.
const TICK: Duration = Duration::from_millis(50);

/// How many items are asked for.
const ITEMS: usize = 9;

/// How long a sum is computed beside which keys are answered.
const COMPUTING: Duration = Duration::from_secs(4);

/// In how many runs it is counted how often undefined behaviour goes wrong that did not in one.
const COUNTED_RUNS: u64 = 200;

/// The variants that update a file.
const FILES: &[&str] = &[
    "processes/file-read-change-write",
    "processes/file-lock",
    "processes/file-append",
];

/// Run the program of a variant once, on real threads.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Run {
    /// exhibit/variant, or an exhibit for its first unsafe variant
    exhibit: String,

    /// End it after so long, time at the keyboard not counted: 20ms, 10s; a bare number is seconds
    #[arg(
        long,
        value_name = "TIME",
        default_value = "60s",
        value_parser = crate::parse_duration,
        allow_hyphen_values = true,
    )]
    time_limit: Duration,

    /// Ask for N items (queue-consumer) [default: 9]
    #[arg(
        long,
        value_name = "N",
        value_parser = options::items,
        allow_negative_numbers = true,
    )]
    items: Option<usize>,

    /// How long to compute (event-loop) [default: 4s], or to wait before each line (print-lock)
    /// [default: 1s]
    #[arg(
        long,
        value_name = "TIME",
        value_parser = crate::parse_duration,
        allow_hyphen_values = true,
    )]
    seconds: Option<Duration>,

    /// Show who has each turn of the loop, who is ready and who waits (event-loop)
    #[arg(short, long)]
    verbose: bool,

    /// Update this file, which must be empty or not be there (processes/file-…) [default: one that
    /// is removed in the end]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// How a run ended. In JSON, `output` is what the program printed.
#[derive(Debug, Serialize)]
struct RunReport {
    schema: &'static str,
    exhibit: String,
    result: RunResult,
    outcome: Option<String>,
    failure: Option<FailureOfRun>,
    /// How it crashed, that it did not end, or what it was refused.
    reason: Option<String>,
    /// Null if it was lost in a crash.
    output: Option<String>,
    seconds: f64,
    /// How long the parts of the program took, if it has any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
    /// How long each key waited for its answer, if the program answers keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    answers: Vec<Answered>,
    /// How often undefined behaviour goes wrong that did not this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    counted: Option<CountedRuns>,
    /// What neither source nor output say by themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Part {
    part: String,
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct Answered {
    key: String,
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct CountedRuns {
    runs: u64,
    bad: u64,
    threads: usize,
    ops: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum RunResult {
    Passed,
    Failed,
    Crashed,
    Endless,
    /// The system did not give it what it needs.
    Refused,
}

#[derive(Debug, Serialize)]
struct FailureOfRun {
    message: String,
    at: Option<String>,
}

impl Run {
    pub(super) fn run(&self, output: &Output) -> Result<Exit, Error> {
        let variant = select::variant(&self.exhibit)?;
        self.is_for(variant)?;
        if matches!(variant.kind, Kind::Undefined { .. }) && !is_child() {
            self.run_in_child(variant, output)
        } else {
            self.run_here(variant, output)
        }
    }

    /// Refuses what the program of the variant does not look at.
    fn is_for(&self, variant: &Variant) -> Result<(), Error> {
        let flags: [(&str, bool, &[&str]); 4] = [
            ("--items", self.items.is_some(), &["queue-consumer"]),
            (
                "--seconds",
                self.seconds.is_some(),
                &["event-loop", "print-lock"],
            ),
            ("--verbose", self.verbose, &["event-loop"]),
            ("--file", self.file.is_some(), FILES),
        ];
        let name = variant.to_string();
        for (flag, is_given, exhibits) in flags {
            let is_looked_at = exhibits.iter().any(|exhibit| name.starts_with(exhibit));
            if is_given && !is_looked_at {
                return Err(Error::Usage(format!(
                    "{flag} is not for {name}: it is for {}",
                    exhibits.join(", ")
                )));
            }
        }
        Ok(())
    }

    fn settings(&self, variant: &Variant) -> Settings {
        let seconds = match variant.exhibit {
            "event-loop" => Some(self.seconds.unwrap_or(COMPUTING)),
            _ => self.seconds,
        };
        Settings {
            items: Some(self.items.unwrap_or(ITEMS)),
            seconds,
            verbose: self.verbose,
            file: self.file.clone(),
        }
    }

    fn run_here(&self, variant: &'static Variant, output: &Output) -> Result<Exit, Error> {
        let settings = self.settings(variant);
        let console = Arc::new(match output.format {
            Format::Text => Console::printing(settings),
            Format::Json => Console::keeping(settings),
        });
        // There is nothing to report of half a run.
        let _ = ctrlc::set_handler(|| std::process::exit(130));
        let start = Instant::now();
        let report = self.watched(variant, &console)?;
        let Timed { parts, keys } = console.timed();
        let part = |(part, time): (String, Duration)| Part {
            part,
            seconds: time.as_secs_f64(),
        };
        let key = |(key, waited): (String, Duration)| Answered {
            key,
            seconds: waited.as_secs_f64(),
        };
        let mut ended = RunReport {
            output: console.kept(),
            seconds: start.elapsed().as_secs_f64(),
            parts: parts.into_iter().map(part).collect(),
            answers: keys.into_iter().map(key).collect(),
            ..self.ended(variant, report.as_ref())
        };
        if ended.result == RunResult::Passed && matches!(variant.kind, Kind::Undefined { .. }) {
            ended.counted = self.counted(variant, start.elapsed())?;
        }
        write(output, variant, &ended, &console.end())
    }

    /// Runs the program to its end. `None` if that takes longer than the limit.
    fn watched(&self, variant: &Variant, console: &Arc<Console>) -> Result<Option<Report>, Error> {
        let program = variant.program;
        let terminal: Arc<dyn Terminal> = Arc::<Console>::clone(console);
        let (sender, receiver) = channel();
        let once = Explorer::new(Engine::Threads)
            .max_executions(1)
            .stall_limit(Duration::MAX);
        let watched = thread::Builder::new().spawn(move || {
            let report = once.explore(move || program(Arc::clone(&terminal)));
            // Nobody listens any more if it took too long.
            let _ = sender.send(report);
        });
        watched.map_err(|error| {
            Error::Refused(format!(
                "cannot start a thread: {error}; allow more processes (`ulimit`)"
            ))
        })?;
        let start = Instant::now();
        loop {
            let (waited, is_waiting) = console.waited();
            let used = start.elapsed().saturating_sub(waited);
            let left = self.time_limit.saturating_sub(used);
            if left.is_zero() && !is_waiting {
                return Ok(None);
            }
            let pause = if is_waiting { left.max(TICK) } else { left };
            match receiver.recv_timeout(pause) {
                Ok(report) => return Ok(Some(report)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::Internal("the run was lost".to_owned()));
                }
            }
        }
    }

    /// Runs the body again and again, in processes of their own: how often it goes wrong. `None` if
    /// no time is left for that.
    fn counted(
        &self,
        variant: &'static Variant,
        used: Duration,
    ) -> Result<Option<CountedRuns>, Error> {
        let size = variant.size_on_real_threads(select::default_size(variant));
        let runs = Runs {
            variant,
            size,
            runs: Some(COUNTED_RUNS),
            time_limit: Some(self.time_limit.saturating_sub(used)),
            seed: 0,
            raising: &Raising::default(),
        };
        let explorer = Explorer::new(Engine::Threads);
        let report = runs.report(&explorer, &Progress::default())?;
        Ok((report.executions > 0).then_some(CountedRuns {
            runs: report.executions,
            bad: report.violations,
            threads: size.threads,
            ops: size.ops,
        }))
    }

    fn ended(&self, variant: &Variant, report: Option<&Report>) -> RunReport {
        let mut ended = RunReport {
            schema: "racelab/run/1",
            exhibit: variant.to_string(),
            result: RunResult::Passed,
            outcome: None,
            failure: None,
            reason: None,
            output: None,
            seconds: 0.0,
            parts: Vec::new(),
            answers: Vec::new(),
            counted: None,
            note: variant.note,
        };
        let Some(report) = report else {
            ended.result = RunResult::Endless;
            ended.reason = Some(format!(
                "did not end within {}: a deadlock, a livelock, an endless loop, or a program \
                 that needs longer (`--time-limit`)",
                in_words(self.time_limit)
            ));
            return ended;
        };
        let outcome = report.outcomes.first();
        ended.outcome = outcome.map(|outcome| outcome.value.clone());
        match &report.verdict {
            Verdict::Violated(failure) => {
                ended.result = RunResult::Failed;
                ended.failure = Some(FailureOfRun {
                    message: failure.message.clone(),
                    at: failure.at.clone(),
                });
            }
            Verdict::Inconclusive(reason @ Reason::Unsupported(_)) => {
                ended.result = RunResult::Refused;
                ended.reason = Some(reason.to_string());
            }
            Verdict::Holds | Verdict::Inconclusive(_) => {}
        }
        ended
    }

    /// Runs this command again in a child process, which reports by itself unless it crashes.
    fn run_in_child(&self, variant: &'static Variant, output: &Output) -> Result<Exit, Error> {
        let start = Instant::now();
        // With a person at the keyboard only the child knows how much time counts.
        let limit = self.time_limit.checked_add(GRACE);
        let limit = limit.filter(|_| !io::stdin().is_terminal());
        let status = isolated::same_command(OnInterrupt::Kill, limit)?;
        if let Some(exit) = status.and_then(Exit::of_child) {
            return Ok(exit);
        }
        let mut ended = self.ended(variant, None);
        if let Some(status) = status {
            ended.result = RunResult::Crashed;
            ended.reason = Some(crash(status));
        }
        ended.seconds = start.elapsed().as_secs_f64();
        // What the child has printed may end anywhere.
        write(output, variant, &ended, &LastLine::Open)
    }
}

fn write(
    output: &Output,
    variant: &Variant,
    ended: &RunReport,
    end: &LastLine,
) -> Result<Exit, Error> {
    match output.format {
        Format::Json => output.write_json(ended)?,
        Format::Text => {
            // What the program printed stands apart from what is said of it.
            let gap = match end {
                _ if !output.is_stdout() => "",
                LastLine::Empty => "",
                LastLine::Line => "\n",
                LastLine::Open => "\n\n",
            };
            output.write(&(gap.to_owned() + &text(variant, ended)))?;
        }
    }
    Ok(match ended.result {
        RunResult::Passed => Exit::Success,
        RunResult::Failed | RunResult::Crashed => Exit::Violation,
        RunResult::Endless | RunResult::Refused => Exit::Inconclusive,
    })
}

fn text(variant: &Variant, ended: &RunReport) -> String {
    let mut out = String::new();
    if let Some(outcome) = &ended.outcome {
        out += &format!("outcome  {}\n", printable(outcome));
    }
    if let Some(FailureOfRun { message, at }) = &ended.failure {
        let at = at.as_ref().map(|at| format!(", at {at}"));
        out += &format!("failed   {}{}\n", one_line(message), at.unwrap_or_default());
    }
    if !ended.parts.is_empty() {
        let part = |part: &Part| format!("{:.3} s {}", part.seconds, part.part);
        let parts: Vec<_> = ended.parts.iter().map(part).collect();
        out += &format!("time     {}\n", parts.join(", "));
    }
    let reason = ended.reason.as_deref().unwrap_or_default();
    match ended.result {
        RunResult::Crashed => out += &format!("crashed  {reason}\n"),
        RunResult::Endless => out += &format!("endless  {reason}\n"),
        RunResult::Refused => out += &format!("refused  {reason}\n"),
        RunResult::Passed if variant.kind != Kind::Safe => {
            out += &format!(
                "passed   this time, which proves nothing: `racelab explore {variant}` searches\n"
            );
        }
        RunResult::Passed | RunResult::Failed => {}
    }
    if let Some(CountedRuns {
        runs,
        bad,
        threads,
        ops,
    }) = ended.counted
    {
        out += &format!(
            "counted  {bad} of {runs} runs went wrong whose threads began together \
             (--threads {threads} --ops {ops})\n"
        );
    }
    if let Some(note) = ended.note {
        out += &format!("note     {note}\n");
    }
    out
}
