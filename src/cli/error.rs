//! What can go wrong on the command line, and the exit codes.

use std::io;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};

use super::signals;

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// All is as expected.
    Success,
    /// A violation was found, or an expectation was not met.
    Violation,
    /// The arguments make no sense, or the output cannot be written.
    Usage,
    /// Nothing failed, but not everything was explored.
    Inconclusive,
    /// What was asked for selects nothing.
    Nothing,
    /// The lab itself failed.
    Internal,
    /// A signal asked for the end of the search.
    Interrupted,
}

impl Exit {
    /// How a child process ended that ended by itself and has said how.
    pub(super) fn of_child(status: ExitStatus) -> Option<Self> {
        let code = status.code()?;
        let said = [
            Exit::Success,
            Exit::Violation,
            Exit::Usage,
            Exit::Inconclusive,
            Exit::Internal,
            Exit::Interrupted,
        ];
        said.into_iter().find(|exit| i32::from(exit.code()) == code)
    }

    /// The exit code of the process.
    pub(super) fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Violation => 1,
            Exit::Usage => 2,
            Exit::Inconclusive => 3,
            Exit::Nothing => 4,
            Exit::Internal => 70,
            Exit::Interrupted => signals::exit_code(),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

/// An error of the command line. Its message names the thing and what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("{0}")]
    Usage(String),
    /// The arguments make sense, but there is nothing to do.
    #[error("{0}")]
    Nothing(String),
    /// What was asked for makes sense, and the system does not let it be done.
    #[error("{0}")]
    Refused(String),
    /// The work of the user was begun and failed, or its result is wrong.
    #[error("{0}")]
    Failed(String),
    #[error("cannot write to {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("cannot write to standard output: {0}")]
    Stdout(io::Error),
    /// Nobody reads the output any more.
    #[error("standard output was closed")]
    ClosedPipe,
    #[error("{0}\nThis is a bug in racelab. Please report it, with the command that led to it.")]
    Internal(String),
}

impl Error {
    /// A failed write to standard output.
    pub(super) fn of_stdout(source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::BrokenPipe => Error::ClosedPipe,
            _ => Error::Stdout(source),
        }
    }

    pub(super) fn exit(&self) -> Exit {
        match self {
            Error::Usage(_) | Error::File { .. } | Error::Stdout(_) => Exit::Usage,
            Error::Nothing(_) => Exit::Nothing,
            Error::Refused(_) => Exit::Inconclusive,
            Error::Failed(_) => Exit::Violation,
            Error::ClosedPipe => Exit::Success,
            Error::Internal(_) => Exit::Internal,
        }
    }
}
