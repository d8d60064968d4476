//! `racelab run`: the program that a variant goes back to, once, on real threads.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;

use crate::exhibits::{Kind, Terminal, Variant};
use crate::report::{in_words, one_line, printable};
use crate::{Engine, Explorer, Reason, Report, Verdict};

use super::child::{self, Guarded, OnInterrupt};
use super::console::{Console, LastLine};
use super::error::{Error, Exit};
use super::options::Format;
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
        if matches!(variant.kind, Kind::Undefined { .. }) && !child::is_child() {
            self.run_in_child(variant, output)
        } else {
            self.run_here(variant, output)
        }
    }

    fn run_here(&self, variant: &Variant, output: &Output) -> Result<Exit, Error> {
        let console = Arc::new(match output.format {
            Format::Text => Console::printing(),
            Format::Json => Console::keeping(),
        });
        // There is nothing to report of half a run.
        let _ = ctrlc::set_handler(|| std::process::exit(130));
        let start = Instant::now();
        let report = self.watched(variant, &console)?;
        let ended = RunReport {
            output: console.kept(),
            seconds: start.elapsed().as_secs_f64(),
            ..self.ended(variant, report.as_ref())
        };
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
            Error::Usage(format!(
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
    fn run_in_child(&self, variant: &Variant, output: &Output) -> Result<Exit, Error> {
        let start = Instant::now();
        let internal = |error: io::Error| Error::Internal(format!("the child process: {error}"));
        let refused = |error: io::Error| child::refused(&error);
        let mut command = child::same_command().map_err(refused)?;
        let child = Guarded::spawn(&mut command, OnInterrupt::Kill).map_err(refused)?;
        // With a person at the keyboard only the child knows how much time counts.
        let limit = self.time_limit.checked_add(GRACE);
        let limit = limit.filter(|_| !io::stdin().is_terminal());
        let status = child.wait(limit).map_err(internal)?;
        if let Some(exit) = status.and_then(Exit::of_child) {
            return Ok(exit);
        }
        drop(child);
        let mut ended = self.ended(variant, None);
        if let Some(status) = status {
            ended.result = RunResult::Crashed;
            ended.reason = Some(child::crash(status));
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
    out
}
