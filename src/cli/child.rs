//! A child process, for what can do anything to the process that it runs in.

use std::env;
use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Progress;

use super::error::Error;

pub(super) use crate::timing::processes::{crash, killed_from_outside, signal};

/// How often it is looked whether the child has ended.
const TICK: Duration = Duration::from_millis(5);

/// How often it is looked for an interrupt while a child process works.
const LOOK: Duration = Duration::from_millis(100);

/// Set in the environment of a child process: whatever happens, happens there.
const IS_CHILD: &str = "RACELAB_IS_CHILD";

/// Whether this process is the child of another one of this command.
pub(super) fn is_child() -> bool {
    env::var_os(IS_CHILD).is_some()
}

/// This command, to be run in a child process with other arguments.
pub(super) fn command() -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.env(IS_CHILD, "1");
    Ok(command)
}

/// This command, to be run in a child process with the same arguments.
pub(super) fn same_command() -> io::Result<Command> {
    let mut command = command()?;
    command.args(env::args_os().skip(1));
    Ok(command)
}

/// What Ctrl-C does to a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnInterrupt {
    /// It is killed, and this process ends.
    Kill,
    /// It is told, and reports what it knows.
    Tell,
    /// Nothing: who waits for the child sees to that.
    Nothing,
}

/// A child process that does not outlive its parent: it is killed when this is dropped, or on
/// Ctrl-C.
#[derive(Debug)]
pub(super) struct Guarded(Arc<Mutex<Child>>);

impl Guarded {
    /// Starts the child.
    pub(super) fn spawn(command: &mut Command, on_interrupt: OnInterrupt) -> io::Result<Self> {
        if on_interrupt != OnInterrupt::Kill {
            leave_terminal(command);
        }
        let child = Arc::new(Mutex::new(command.spawn()?));
        let interrupted = Arc::clone(&child);
        // Without a handler Ctrl-C ends this process, and the child as well on a terminal.
        let _ = match on_interrupt {
            OnInterrupt::Kill => ctrlc::set_handler(move || {
                let mut child = lock(&interrupted);
                kill(&mut child);
                // With the lock still held, so that nobody takes this for a crash of the child.
                std::process::exit(130);
            }),
            OnInterrupt::Tell => ctrlc::set_handler(move || interrupt(&mut lock(&interrupted))),
            OnInterrupt::Nothing => Ok(()),
        };
        Ok(Guarded(child))
    }

    /// What the child has printed, to its end. It is not read before the child has ended, so that
    /// it must not be more than a pipe holds.
    fn printed(&self) -> io::Result<String> {
        let mut text = String::new();
        match &mut lock(&self.0).stdout {
            Some(stdout) => stdout.read_to_string(&mut text)?,
            None => 0,
        };
        Ok(text)
    }

    /// Waits until the child has ended. `None` if it has not within the limit.
    pub(super) fn wait(&self, limit: Option<Duration>) -> io::Result<Option<ExitStatus>> {
        let start = Instant::now();
        loop {
            let ended = lock(&self.0).try_wait()?;
            if ended.is_some() || limit.is_some_and(|limit| start.elapsed() >= limit) {
                return Ok(ended);
            }
            thread::sleep(TICK);
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        kill(&mut lock(&self.0));
    }
}

/// Runs this command in a child process with other arguments, up to its end: what it has printed,
/// which must not be more than a pipe holds, and how it ended. `None` if that was interrupted.
pub(super) fn printed_by(
    arguments: &[String],
    progress: &Progress,
) -> Result<Option<(String, ExitStatus)>, Error> {
    let internal = |error: io::Error| Error::Internal(format!("the child process: {error}"));
    let mut command = command().map_err(|error| refused(&error))?;
    command.args(arguments).stdout(Stdio::piped());
    let child = Guarded::spawn(&mut command, OnInterrupt::Nothing);
    let child = child.map_err(|error| refused(&error))?;
    loop {
        if progress.is_interrupted() {
            return Ok(None);
        }
        if let Some(status) = child.wait(Some(LOOK)).map_err(internal)? {
            let printed = child.printed().map_err(internal)?;
            return Ok(Some((printed, status)));
        }
    }
}

/// The error that the system starts no child process.
pub(super) fn refused(error: &io::Error) -> Error {
    Error::Usage(format!(
        "cannot start a child process: {error}; allow more open files or processes (`ulimit`)"
    ))
}

/// Lets Ctrl-C on a terminal reach this process only, which decides what becomes of the child.
fn leave_terminal(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

/// Sends Ctrl-C on.
#[cfg(unix)]
#[expect(unsafe_code, reason = "a signal is sent by a system call")]
fn interrupt(child: &mut Child) {
    // Not to another process that has got the number since.
    if let (Ok(None), Ok(id)) = (child.try_wait(), child.id().try_into()) {
        // SAFETY: `kill` takes two numbers and touches no memory.
        unsafe { libc::kill(id, libc::SIGINT) };
    }
}

#[cfg(not(unix))]
fn interrupt(child: &mut Child) {
    kill(child);
}

fn kill(child: &mut Child) {
    // Neither can fail but for a child that has ended, and then there is nothing to do.
    let _ = child.kill();
    let _ = child.wait();
}

fn lock(child: &Mutex<Child>) -> std::sync::MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_child_that_does_not_end_is_killed_with_its_guard() {
        let child = Guarded::spawn(&mut sh("exec sleep 1000"), OnInterrupt::Kill).unwrap();
        assert_eq!(child.wait(Some(Duration::from_millis(20))).unwrap(), None);
        let process = Arc::clone(&child.0);
        drop(child);
        let status = lock(&process).try_wait().unwrap();
        assert_eq!(crash(status.unwrap()), "ended by signal 9 (SIGKILL)");
    }
}
