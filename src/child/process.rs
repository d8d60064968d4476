//! One child process: this binary, started again.

use std::env;
use std::io::{self, PipeWriter};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::lifeline::{tie, tie_by_input};

/// How often it is looked whether a child has ended.
const TICK: Duration = Duration::from_millis(5);

/// This command, to be run in a child process with other arguments.
pub(crate) fn command() -> io::Result<Command> {
    Ok(Command::new(env::current_exe()?))
}

/// What Ctrl-C does to a child on the terminal of its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnInterrupt {
    /// It is killed, and this process ends.
    Kill,
    /// It is told, and reports what it knows.
    Tell,
}

/// A child process that does not outlive its parent. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Arc<Mutex<Child>>,
    /// What the child reads to its end, if that is not its standard input.
    _lifeline: Option<PipeWriter>,
}

impl Process {
    /// Starts a child whose standard input is a pipe from here. Ctrl-C on a terminal is for this
    /// process only, which decides what becomes of it.
    ///
    /// # Errors
    ///
    /// If the system starts no more processes.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        tie_by_input(&mut command);
        leave_terminal(&mut command);
        let child = command.stdin(Stdio::piped()).spawn()?;
        Ok(Process {
            child: Arc::new(Mutex::new(child)),
            _lifeline: None,
        })
    }

    /// Starts a child that has the standard input of this process, where somebody may type.
    ///
    /// # Errors
    ///
    /// If the system starts no more processes, or has no more pipes.
    pub(crate) fn start_at_terminal(
        mut command: Command,
        on_interrupt: OnInterrupt,
    ) -> io::Result<Self> {
        let (reader, lifeline) = tie(&mut command)?;
        if on_interrupt == OnInterrupt::Tell {
            leave_terminal(&mut command);
        }
        let child = Arc::new(Mutex::new(command.spawn()?));
        drop(reader);
        let interrupted = Arc::clone(&child);
        // Without a handler Ctrl-C ends this process, and so the child as well.
        let _ = match on_interrupt {
            OnInterrupt::Kill => ctrlc::set_handler(move || {
                let mut child = lock(&interrupted);
                kill(&mut child);
                // With the lock still held, so that nobody takes this for a crash of the child.
                std::process::exit(130);
            }),
            OnInterrupt::Tell => ctrlc::set_handler(move || interrupt(&mut lock(&interrupted))),
        };
        Ok(Process {
            child,
            _lifeline: Some(lifeline),
        })
    }

    /// The standard input of the child. With its end the child ends.
    pub(crate) fn take_input(&self) -> Option<ChildStdin> {
        lock(&self.child).stdin.take()
    }

    /// The standard output of the child, if it is a pipe.
    pub(crate) fn take_output(&self) -> Option<ChildStdout> {
        lock(&self.child).stdout.take()
    }

    /// Waits until the child has ended. `None` if it has not within the limit.
    ///
    /// # Errors
    ///
    /// If the system does not tell.
    pub(crate) fn wait(&self, limit: Option<Duration>) -> io::Result<Option<ExitStatus>> {
        let start = Instant::now();
        loop {
            let ended = self.ended()?;
            if ended.is_some() || limit.is_some_and(|limit| start.elapsed() >= limit) {
                return Ok(ended);
            }
            thread::sleep(TICK);
        }
    }

    /// How the child has ended, if it has.
    pub(super) fn ended(&self) -> io::Result<Option<ExitStatus>> {
        lock(&self.child).try_wait()
    }

    /// Ends the child, whatever it does.
    pub(super) fn kill(&self) {
        // It fails for a child that has ended, and then there is nothing to do.
        let _ = lock(&self.child).kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        kill(&mut lock(&self.child));
    }
}

/// Lets Ctrl-C on a terminal reach this process only.
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

fn lock(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, unix))]
mod tests {
    use super::super::crash;
    use super::*;

    #[test]
    fn a_child_that_does_not_end_is_killed_with_its_guard() {
        let mut command = Command::new("sh");
        command.args(["-c", "exec sleep 1000"]);
        let child = Process::start(command).unwrap();
        assert_eq!(child.wait(Some(Duration::from_millis(20))).unwrap(), None);
        let process = Arc::clone(&child.child);
        drop(child);
        let status = lock(&process).try_wait().unwrap();
        assert_eq!(crash(status.unwrap()), "ended by signal 9 (SIGKILL)");
    }
}
