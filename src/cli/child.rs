//! A child process, for what can do anything to the process that it runs in.

use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often it is looked whether the child has ended.
const TICK: Duration = Duration::from_millis(5);

/// A child process that does not outlive its parent: it is killed when this is dropped, or on
/// Ctrl-C.
#[derive(Debug)]
pub(super) struct Guarded(Arc<Mutex<Child>>);

impl Guarded {
    /// Starts the child.
    pub(super) fn spawn(command: &mut Command) -> io::Result<Self> {
        let child = Arc::new(Mutex::new(command.spawn()?));
        let killed = Arc::clone(&child);
        // Without a handler Ctrl-C ends this process, and the child as well on a terminal.
        let _ = ctrlc::set_handler(move || {
            let mut child = lock(&killed);
            kill(&mut child);
            // With the lock still held, so that nobody takes this for a crash of the child.
            std::process::exit(130);
        });
        Ok(Guarded(child))
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

fn kill(child: &mut Child) {
    // Neither can fail but for a child that has ended, and then there is nothing to do.
    let _ = child.kill();
    let _ = child.wait();
}

fn lock(child: &Mutex<Child>) -> std::sync::MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a process ended that did not end by itself: `ended by signal 11 (SIGSEGV)`.
pub(super) fn crash(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return match signal_name(signal) {
            Some(name) => format!("ended by signal {signal} ({name})"),
            None => format!("ended by signal {signal}"),
        };
    }
    match status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => "ended without an exit code".to_owned(),
    }
}

#[cfg(unix)]
fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGILL => "SIGILL",
        libc::SIGFPE => "SIGFPE",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGKILL => "SIGKILL",
        libc::SIGTERM => "SIGTERM",
        libc::SIGINT => "SIGINT",
        libc::SIGXCPU => "SIGXCPU",
        _ => return None,
    })
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
    fn a_crash_is_put_into_words() {
        for (script, words) in [
            ("kill -SEGV $$", "ended by signal 11 (SIGSEGV)"),
            ("kill -ABRT $$", "ended by signal 6 (SIGABRT)"),
            ("kill -USR1 $$", "ended by signal 10"),
            ("exit 7", "ended with exit code 7"),
        ] {
            let status = sh(script).status().unwrap();
            assert_eq!(crash(status), words);
        }
    }

    #[test]
    fn a_child_that_does_not_end_is_killed_with_its_guard() {
        let child = Guarded::spawn(&mut sh("exec sleep 1000")).unwrap();
        assert_eq!(child.wait(Some(Duration::from_millis(20))).unwrap(), None);
        let process = Arc::clone(&child.0);
        drop(child);
        let status = lock(&process).try_wait().unwrap();
        assert_eq!(crash(status.unwrap()), "ended by signal 9 (SIGKILL)");
    }
}
