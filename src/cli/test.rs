//! `racelab test`: runs the tests of a project, and tells what each of their checks explored.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::report::CheckLine;
use crate::report::checks::{Checks, text};
use crate::{Engine, Progress};

use super::error::{Error, Exit};
use super::options::{self, Format};
use super::output::Output;
use super::signals::stop_on_signal;

const AFTER_HELP: &str = "\
The arguments behind -- are those of `cargo test`: `cargo racelab test -- --test queue pops_once`.
What cargo and the tests print goes to stderr, the table to stdout. Each option sets the variable of
the same name for the tests, as RACELAB_ENGINE. nextest runs no documentation tests.

Exit codes: 0 all tests passed; 1 a test failed; 2 usage, outside of a project, or tests that do not
compile; 4 no test has made a check; 130 interrupted.

Examples:
  cargo racelab test
  cargo racelab test --engine dpor --engine random --time-limit 2s
  cargo racelab test --require complete -- --lib";

/// How often it is looked whether the tests have ended.
const LOOK: Duration = Duration::from_millis(20);

/// The variable by which checks are told where to add their lines.
const SUMMARY: &str = "RACELAB_SUMMARY";

/// A failure must not hide what the tests after it have explored.
const NO_FAIL_FAST: &str = "--no-fail-fast";

/// Run the tests of a project, and show what each check explored.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Test {
    /// Check under this engine; given several times, the tests are run under each [default: what
    /// each check says itself]
    #[arg(long = "engine", value_name = "ENGINE", value_parser = options::engine())]
    engines: Vec<Engine>,

    /// Stop each check after this time: 20ms, 10s; a bare number is seconds [default: what each check
    /// says itself]
    #[arg(
        long,
        value_name = "TIME",
        value_parser = crate::parse_duration,
        allow_hyphen_values = true,
    )]
    time_limit: Option<Duration>,

    /// Let a check fail unless it has explored everything
    #[arg(long, value_enum, value_name = "WHAT")]
    require: Option<Require>,

    /// What runs the tests
    #[arg(long, value_enum, value_name = "RUNNER", default_value_t = Runner::Auto)]
    runner: Runner,

    /// Arguments of `cargo test`, or of `cargo nextest run`
    #[arg(last = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

/// What a check needs to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Require {
    // Everything was explored.
    Complete,
}

/// What runs tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Runner {
    // nextest if it is installed.
    Auto,
    Cargo,
    Nextest,
}

/// What the tests came to.
#[derive(Default)]
struct Ran {
    lines: Vec<CheckLine>,
    /// Whether tests failed.
    has_failed: bool,
    interrupted: bool,
}

impl Test {
    pub(super) fn run(&self, output: &Output) -> Result<Exit, Error> {
        find_project(&self.arguments)?;
        let runner = self.runner()?;
        let progress = Progress::default();
        stop_on_signal(progress.clone());
        let Some(built) = wait_for(runner.build(&self.arguments), &progress)? else {
            return Ok(Exit::Interrupted);
        };
        if !built.success() {
            return Err(Error::Usage(
                "the tests were not built: cargo says why above".to_owned(),
            ));
        }
        let ran = self.run_tests(runner, &progress)?;
        match output.format {
            Format::Json => output.write_json(&Checks::new(&ran.lines))?,
            Format::Text if ran.lines.is_empty() => {}
            Format::Text => output.write(&text(&ran.lines, &output.plain_style()))?,
        }
        if ran.interrupted {
            return Ok(Exit::Interrupted);
        }
        if ran.lines.is_empty() {
            let why = "no test has made a check: call `racelab::check` in a test (README.md of racelab \
                       shows the lines of Cargo.toml), or select others behind --";
            return Err(if ran.has_failed {
                Error::Failed(format!("tests failed, and {why}"))
            } else {
                Error::Nothing(why.to_owned())
            });
        }
        Ok(if ran.has_failed {
            Exit::Violation
        } else {
            Exit::Success
        })
    }

    /// Which one runs the tests, of which [`Runner::Auto`] is none.
    fn runner(&self) -> Result<Runner, Error> {
        let is_there = || {
            let mut nextest = cargo();
            nextest.args(["nextest", "--version"]).stdin(Stdio::null());
            nextest.output().is_ok_and(|output| output.status.success())
        };
        match self.runner {
            Runner::Auto if is_there() => Ok(Runner::Nextest),
            Runner::Auto => Ok(Runner::Cargo),
            Runner::Nextest if !is_there() => Err(Error::Usage(
                "nextest was not found: install cargo-nextest, or take `--runner cargo`".to_owned(),
            )),
            runner => Ok(runner),
        }
    }

    /// Runs the tests once for each engine.
    fn run_tests(&self, runner: Runner, progress: &Progress) -> Result<Ran, Error> {
        let mut ran = Ran::default();
        let engines = self.engines.iter().copied().map(Some);
        let engines: Vec<_> = if self.engines.is_empty() {
            vec![None]
        } else {
            engines.collect()
        };
        for engine in engines {
            let summary = Summary::new()?;
            let mut tests = runner.run(&self.arguments);
            tests.env(SUMMARY, &summary.0);
            if let Some(engine) = engine {
                tests.env("RACELAB_ENGINE", engine.name());
            }
            if let Some(limit) = self.time_limit {
                tests.env("RACELAB_TIME_LIMIT", limit.as_secs_f64().to_string());
            }
            if self.require == Some(Require::Complete) {
                tests.env("RACELAB_REQUIRE", "complete");
            }
            let status = wait_for(tests, progress)?;
            ran.lines.extend(summary.lines()?);
            match status {
                Some(status) => ran.has_failed |= !runner.has_passed(status),
                None => {
                    ran.interrupted = true;
                    break;
                }
            }
        }
        Ok(ran)
    }
}

/// Runs a command up to its end, with what it prints on stderr. `None` if it was interrupted.
fn wait_for(mut command: Command, progress: &Progress) -> Result<Option<ExitStatus>, Error> {
    command.stdout(io::stderr());
    let refused = |error: io::Error| Error::Refused(format!("cannot run cargo: {error}"));
    let mut child = command.spawn().map_err(refused)?;
    loop {
        if let Some(status) = child.try_wait().map_err(refused)? {
            return Ok((!progress.is_interrupted()).then_some(status));
        }
        if progress.is_interrupted() {
            // Ctrl-C on a terminal has reached it as well.
            let _ = child.kill();
            child.wait().map_err(refused)?;
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
}

impl Runner {
    fn build(self, arguments: &[OsString]) -> Command {
        self.command("--no-run", arguments)
    }

    fn run(self, arguments: &[OsString]) -> Command {
        self.command(NO_FAIL_FAST, arguments)
    }

    /// Whether no test failed.
    fn has_passed(self, status: ExitStatus) -> bool {
        // nextest has an exit code of its own for a selection of no test.
        status.success() || self == Runner::Nextest && status.code() == Some(4)
    }

    fn command(self, flag: &str, arguments: &[OsString]) -> Command {
        let mut command = cargo();
        command.args(match self {
            Runner::Nextest => &["nextest", "run"][..],
            Runner::Auto | Runner::Cargo => &["test"],
        });
        // Which is on in any case, and refused if it is given twice.
        let arguments = arguments
            .iter()
            .filter(|argument| *argument != NO_FAIL_FAST);
        command.arg(flag).args(arguments);
        command
    }
}

/// The cargo that has started this command, or the one that is found.
fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Refuses to work outside of a project, in one sentence.
fn find_project(arguments: &[OsString]) -> Result<(), Error> {
    let is_named = |argument: &OsString| {
        argument
            .to_str()
            .is_some_and(|argument| argument.starts_with("--manifest-path"))
    };
    // Then it is for cargo to say.
    if arguments.iter().any(is_named) {
        return Ok(());
    }
    let found = cargo().arg("locate-project").stdin(Stdio::null()).output();
    match found {
        Ok(found) if found.status.success() => Ok(()),
        Ok(_) => Err(Error::Usage(format!(
            "there is no project here: neither {} nor a folder above it has a Cargo.toml",
            env::current_dir().unwrap_or_default().display()
        ))),
        Err(error) => Err(Error::Usage(format!("cargo cannot be run: {error}"))),
    }
}

/// A file for the lines of the checks, which is removed in the end.
struct Summary(PathBuf);

impl Summary {
    fn new() -> Result<Self, Error> {
        let path = env::temp_dir().join(format!("racelab-test-{}.summary", std::process::id()));
        let made = fs::write(&path, "");
        made.map_err(|source| Error::File {
            path: path.clone(),
            source,
        })?;
        Ok(Summary(path))
    }

    /// The lines that the checks have added. Where the variable of the user named another file, they are
    /// added to that one, too.
    fn lines(&self) -> Result<Vec<CheckLine>, Error> {
        let text = fs::read_to_string(&self.0)
            .map_err(|error| Error::Usage(format!("cannot read {}: {error}", self.0.display())))?;
        if let Some(other) = env::var_os(SUMMARY).filter(|other| !other.is_empty()) {
            append(Path::new(&other), &text).map_err(|source| Error::File {
                path: other.into(),
                source,
            })?;
        }
        let lines = text.lines().map(str::parse);
        lines.collect::<Result<_, _>>().map_err(Error::Usage)
    }
}

impl Drop for Summary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)?;
    file.write_all(text.as_bytes())
}
