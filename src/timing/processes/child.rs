//! One worker process, seen from its pool.

use std::env;
use std::io::{self, BufReader};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::messages::{Answer, Request, receive, send};
use super::{Message, Work};

/// How long a worker that has closed its end may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// How often it is looked whether it has ended.
const TICK: Duration = Duration::from_millis(1);

/// The command that is a worker.
pub(super) fn command_of<W: Work>() -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["worker", W::NAME]);
    Ok(command)
}

/// A worker process. It is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Worker<W: Work> {
    child: Child,
    requests: Sender<Request<W::Setup, W::Task>>,
}

/// What is heard of a worker.
#[derive(Debug)]
pub(super) struct Heard<A> {
    /// The number that it was started with.
    pub(super) worker: u64,
    /// What it said. `None` if nothing will be heard of it any more.
    pub(super) said: Option<Answer<A>>,
}

impl<W: Work> Worker<W> {
    /// Starts a worker of this number. What is heard of it is sent to `heard`.
    pub(super) fn spawn(
        mut command: Command,
        number: u64,
        heard: Sender<Heard<W::Answer>>,
    ) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C on a terminal is for the parent, which decides what becomes of its workers.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let stdin = child.stdin.take().expect("it is piped");
        let stdout = child.stdout.take().expect("it is piped");
        let (requests, to_send) = channel();
        let talk = move || {
            let said = |said| Heard {
                worker: number,
                said,
            };
            talk(stdin, stdout, &to_send, |answer| {
                heard.send(said(Some(answer))).is_ok()
            });
            // Nobody listens if the pool is gone.
            let _ = heard.send(said(None));
        };
        let started = thread::Builder::new().spawn(talk);
        if let Err(error) = started {
            kill(&mut child);
            return Err(error);
        }
        Ok(Worker { child, requests })
    }

    /// Asks for something. The answer, or that there is none, will be heard.
    pub(super) fn ask(&self, request: Request<W::Setup, W::Task>) {
        // It cannot be sent if the worker has ended, and then that is heard.
        let _ = self.requests.send(request);
    }

    /// Ends the worker, whatever it does. That is heard.
    pub(super) fn kill(&mut self) {
        // It fails for a process that has ended, and then there is nothing to do.
        let _ = self.child.kill();
    }

    /// How it ended, after it was heard that nothing will be heard any more.
    pub(super) fn ended(&mut self) -> io::Result<ExitStatus> {
        let start = Instant::now();
        while start.elapsed() < GRACE {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            thread::sleep(TICK);
        }
        self.kill();
        self.child.wait()
    }
}

impl<W: Work> Drop for Worker<W> {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}

fn kill(child: &mut Child) {
    // Neither can fail but for a child that has ended, and then there is nothing to do.
    let _ = child.kill();
    let _ = child.wait();
}

/// Sends requests and hands over the answers, in turns, up to the end of one of the sides.
fn talk<S: Message, T: Message, A: Message>(
    mut stdin: ChildStdin,
    stdout: ChildStdout,
    requests: &Receiver<Request<S, T>>,
    mut hand_over: impl FnMut(Answer<A>) -> bool,
) {
    let mut stdout = BufReader::new(stdout);
    for request in requests {
        // What goes wrong here is that the worker is gone, and how that was, its status says.
        if send(&mut stdin, &request).is_err() {
            return;
        }
        let Ok(Some(answer)) = receive(&mut stdout) else {
            return;
        };
        let is_last = matches!(answer, Answer::Panicked(_) | Answer::Ended { .. });
        if !hand_over(answer) || is_last {
            return;
        }
    }
}
