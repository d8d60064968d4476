//! What can do anything to the process that it runs in: this command runs it in a child process.

use std::env;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use crate::Progress;
use crate::child::{self, Event, OnInterrupt, Process, Supervisor};

use super::error::Error;

/// How often it is looked for an interrupt while a child process works.
const LOOK: Duration = Duration::from_millis(100);

/// Runs this command in a child process with the same arguments and streams, up to its end or the
/// limit. `None` if it was killed at that.
pub(super) fn same_command(
    on_interrupt: OnInterrupt,
    limit: Option<Duration>,
) -> Result<Option<ExitStatus>, Error> {
    let mut command = child::command().map_err(|error| refused(&error))?;
    command.args(env::args_os().skip(1));
    let child = Process::start_at_terminal(command, on_interrupt);
    let child = child.map_err(|error| refused(&error))?;
    child.wait(limit).map_err(|error| internal(&error))
}

/// Runs this command in a child process with other arguments, up to its end: what it has printed, and
/// how it ended. `None` if that was interrupted.
pub(super) fn printed_by(
    arguments: &[String],
    progress: &Progress,
) -> Result<Option<(String, ExitStatus)>, Error> {
    let mut children = Supervisor::of(1);
    let mut start = || {
        let mut command = child::command()?;
        command.args(arguments).stdout(Stdio::piped());
        let child = Process::start(command)?;
        let output = child.take_output().expect("it is piped");
        children.watch(0, child, move |tell| {
            tell(io::read_to_string(output));
        })
    };
    start().map_err(|error| refused(&error))?;
    let mut printed = String::new();
    while !progress.is_interrupted() {
        match children.next(LOOK).map_err(|error| internal(&error))? {
            Some((_, Event::Said(text))) => printed = text.map_err(|error| internal(&error))?,
            Some((_, Event::Ended(Some(status)))) => return Ok(Some((printed, status))),
            Some((_, Event::Ended(None))) => {
                return Err(internal(&io::Error::other("it has not ended by itself")));
            }
            None => {}
        }
    }
    Ok(None)
}

fn internal(error: &io::Error) -> Error {
    Error::Internal(format!("the child process: {error}"))
}

/// The error that the system starts no child process.
fn refused(error: &io::Error) -> Error {
    Error::Refused(format!(
        "cannot start a child process: {error}; allow more open files or processes (`ulimit`)"
    ))
}
