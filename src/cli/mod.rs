//! The `racelab` command: one file per subcommand.
//!
//! Results go to stdout or to the file of `-o`, progress and diagnostics to stderr.

mod bench;
mod checkpoint;
mod completions;
mod console;
mod diff;
mod division;
mod error;
mod explore;
mod isolated;
mod lessons;
mod list;
mod man;
mod memory;
mod merge;
mod odds;
mod options;
mod output;
mod progress;
mod racing;
mod replay;
mod run;
mod runs;
mod select;
mod show;
mod signals;
mod test;
mod time;
mod verify;
mod worker;

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::panic::catch_unwind;
use std::path::Path;
use std::process::ExitCode;

use anstyle::AnsiColor;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::child::end_with_parent;
use crate::execution::message_of;

pub use self::memory::Memory;

use self::error::{Error, Exit};
use self::options::FormatChoice;
use self::output::Output;

/// Shows the smallest interleaving that breaks concurrent code, why, and a line that replays it.
#[derive(Debug, Parser)]
#[command(name = "racelab", version, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    output: options::Output,
}

const AFTER_HELP: &str = "\
Exit codes: 0 as expected; 1 a violation, or an expectation that was not met; 2 usage;
3 inconclusive; 4 nothing selected; 70 internal error; 130 interrupted.

Try: racelab explore counter";

#[derive(Debug, Subcommand)]
enum Command {
    /// List the exhibits and their variants
    List(list::List),
    /// Show the source of a variant
    Show(show::Show),
    /// Show what differs between two variants of an exhibit
    Diff(diff::Diff),
    /// Run the program of a variant once, on real threads
    Run(run::Run),
    /// Search the interleavings of a variant for one that breaks it
    Explore(explore::Explore),
    /// Put the reports of all shards of a search together
    Merge(merge::Merge),
    /// Run one interleaving again, as a schedule says
    Replay(replay::Replay),
    /// Run variants under engines, and compare the verdicts with what is expected
    Verify(verify::Verify),
    /// Measure how many executions engines need to find the bugs of programs
    Bench(bench::Bench),
    /// Run the tests of a project, and show what each check explored
    Test(test::Test),
    /// Do the same work in several ways, and time them side by side
    Time(time::Time),
    /// Print a script by which a shell completes the arguments of racelab
    Completions(completions::Completions),
    /// Write the pages of the manual, one for each command, into a folder
    Man(man::Man),
    // Each process of `time`, and of the exhibits across processes.
    #[command(hide = true)]
    Worker(worker::Worker),
    /// Run a variant on real threads, and tell what each run came to
    #[command(hide = true)]
    Runs(runs::Runs),
}

/// The command line. Each command offers the formats that it has.
fn command() -> clap::Command {
    Cli::command().mut_subcommands(|command| {
        let formats = match command.get_name() {
            "bench" | "time" => return command,
            "completions" | "man" | "worker" | "runs" => &[FormatChoice::Text][..],
            _ => &[FormatChoice::Text, FormatChoice::Json],
        };
        command.arg(options::format(formats))
    })
}

/// Runs the command that the arguments of the process name.
pub fn main() -> ExitCode {
    let matches = command().try_get_matches_from(arguments());
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            return print(&error).unwrap_or_else(|error| fail(&error)).into();
        }
    };
    let result = catch_unwind(|| run(&cli));
    let result = result.unwrap_or_else(|payload| Err(Error::Internal(message_of(&*payload))));
    result.unwrap_or_else(|error| fail(&error)).into()
}

/// The arguments of the process. cargo hands the name of its subcommand over as the first one.
fn arguments() -> impl Iterator<Item = OsString> {
    let mut arguments: Vec<_> = env::args_os().collect();
    let is_subcommand =
        |path: &OsString| Path::new(path).file_stem() == Some(OsStr::new("cargo-racelab"));
    if arguments.first().is_some_and(is_subcommand)
        && arguments.get(1).is_some_and(|name| name == "racelab")
    {
        arguments.remove(1);
    }
    arguments.into_iter()
}

/// Prints a help text to stdout, or to stderr what is wrong with the arguments.
fn print(error: &clap::Error) -> Result<Exit, Error> {
    let printed = error.print();
    if error.use_stderr() {
        return Ok(Exit::Usage);
    }
    printed.map_err(Error::of_stdout)?;
    Ok(Exit::Success)
}

/// Says what went wrong, in the way of clap, which reports the arguments.
fn fail(error: &Error) -> Exit {
    if !matches!(error, Error::ClosedPipe) {
        let red = AnsiColor::Red.on_default().bold();
        // Where nobody can be told, the exit code has to do.
        let _ = writeln!(anstream::stderr(), "{red}error:{red:#} {error}");
    }
    error.exit()
}

/// Says what went wrong and ends the process, from whichever thread.
fn end_process(error: &Error) -> ! {
    std::process::exit(fail(error).code().into())
}

fn run(cli: &Cli) -> Result<Exit, Error> {
    let format = cli.output.format;
    let has_markdown = matches!(cli.command, Command::Bench(_) | Command::Time(_));
    let is_script = matches!(cli.command, Command::Completions(_) | Command::Man(_));
    if format != FormatChoice::Text && is_script {
        return Err(Error::Usage(
            "--format is not for completions and man: shells and man read what they write"
                .to_owned(),
        ));
    }
    if format == FormatChoice::Markdown && !has_markdown {
        return Err(Error::Usage(
            "--format markdown is for bench and time only: the other commands have text and json"
                .to_owned(),
        ));
    }
    // A worker finds that out when it reads what it is to do.
    if !matches!(cli.command, Command::Worker(_)) {
        match (end_with_parent(), &cli.command) {
            (Ok(()), _) => {}
            // The process that has started this one reads it.
            (Err(error), Command::Runs(_)) => return runs::unable(&error),
            (Err(error), _) => return Err(Error::Refused(error.to_string())),
        }
    }
    let output = Output::open(&cli.output)?;
    match &cli.command {
        Command::List(list) => list.run(&output),
        Command::Show(show) => show.run(&output),
        Command::Diff(diff) => diff.run(&output),
        Command::Run(run) => run.run(&output),
        Command::Explore(explore) => explore.run(&output),
        Command::Merge(merge) => merge.run(&output),
        Command::Replay(replay) => replay.run(&output),
        Command::Verify(verify) => verify.run(&output),
        Command::Bench(bench) => bench.run(&output, format),
        Command::Test(test) => test.run(&output),
        Command::Time(time) => time.run(&output, format),
        Command::Completions(completions) => completions.run(&output),
        Command::Man(man) => man.run(),
        Command::Worker(worker) => worker.run(),
        Command::Runs(runs) => runs.run(),
    }
}

#[cfg(test)]
mod tests {
    use super::command;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }
}
