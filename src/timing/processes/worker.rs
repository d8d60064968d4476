//! The side of the worker: takes tasks from its pool, and answers.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, SystemTime};
use std::{process, thread};

use crate::execution::message_of;
use crate::timing::resources::peak_memory;

use super::messages::{Answer, Request, receive, send};
use super::{Timeline, Work};

/// The exit code of a worker that has lost its pool, or whose pool has lost it.
const LOST: i32 = 70;

/// The exit code of a worker to which the system has not given what it needs to begin.
pub(super) const NOT_GIVEN: i32 = 3;

/// The exit code of a worker in which something panicked, as Rust has it.
const PANICKED: i32 = 101;

type RequestTo<W> = Request<<W as Work>::Setup, <W as Work>::Task>;

/// Does work as the pool asks for it on standard input, up to the end of that, and then ends the
/// process.
pub fn serve<W: Work>() -> ! {
    note_panics();
    let code = match catch_panic(|| PoolSide::<W>::connect()?.serve()) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => LOST,
        // The pool says so.
        Ok(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => NOT_GIVEN,
        // Nobody can be told but whoever watches standard error.
        Ok(Err(error)) => {
            eprintln!("error: the worker process for {}: {error}", W::NAME);
            LOST
        }
        Err(panic) => {
            eprintln!("error: the worker process for {}: {panic}", W::NAME);
            PANICKED
        }
    };
    process::exit(code)
}

/// The way to the pool.
struct PoolSide<W: Work> {
    requests: Receiver<RequestTo<W>>,
    answers: File,
}

impl<W: Work> PoolSide<W> {
    fn connect() -> io::Result<Self> {
        let answers = standard_output()?;
        let (sender, requests) = channel();
        thread::Builder::new().spawn(move || {
            let mut stdin = BufReader::new(io::stdin());
            while let Ok(Some(request)) = receive(&mut stdin) {
                let is_last = matches!(request, Request::End);
                if sender.send(request).is_err() {
                    break;
                }
                if is_last {
                    // The process is about to end by itself.
                    return;
                }
            }
            // The pool is gone, and whatever runs in this process is for nobody.
            process::exit(LOST);
        })?;
        Ok(PoolSide { requests, answers })
    }

    /// Serves up to the last request: the exit code.
    fn serve(&mut self) -> io::Result<i32> {
        let Ok(Request::Start { name, began, setup }) = self.requests.recv() else {
            return Ok(LOST);
        };
        let timeline = match began {
            None => Timeline::off(),
            Some(began) => Timeline::recording_since(since(began)),
        };
        let mut lane = timeline.lane(0, &*name);
        let mut work = match catch_panic(|| W::start(setup, &name)) {
            Ok(Ok(work)) => work,
            Ok(Err(error)) => {
                self.answer(&Answer::Refused(error))?;
                return Ok(LOST);
            }
            Err(panic) => return self.panicked(panic),
        };
        self.answer(&Answer::Ready)?;
        loop {
            let answer = match self.requests.recv() {
                Ok(Request::Run(task)) => match catch_panic(|| work.run(task, &mut lane)) {
                    Ok(Ok(answer)) => Answer::Done {
                        answer,
                        spans: lane.take_spans(),
                    },
                    Ok(Err(error)) => Answer::Failed(error),
                    Err(panic) => return self.panicked(panic),
                },
                Ok(Request::End) => {
                    let peak_memory = peak_memory().unwrap_or(0);
                    self.answer(&Answer::Ended { peak_memory })?;
                    return Ok(0);
                }
                Ok(Request::Start { .. }) | Err(_) => return Ok(LOST),
            };
            self.answer(&answer)?;
        }
    }

    fn answer(&mut self, answer: &Answer<W::Answer>) -> io::Result<()> {
        send(&mut self.answers, answer)
    }

    fn panicked(&mut self, panic: String) -> io::Result<i32> {
        self.answer(&Answer::Panicked(panic))?;
        Ok(PANICKED)
    }
}

/// The moment that is this many nanoseconds after 1970.
fn since(nanoseconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanoseconds)
}

/// Runs something on the main thread. If it panics, what the panic says and where it was.
fn catch_panic<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| {
        let message = message_of(&*payload);
        match PLACE.take() {
            Some(place) => format!("{message}, at {place}"),
            None => message,
        }
    })
}

thread_local! {
    /// Where the last panic of this thread was.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps panics of the main thread quiet, which the pool is told of. Those of others are said in
/// one line.
fn note_panics() {
    let main = thread::current().id();
    set_hook(Box::new(move |info| {
        let place = info.location();
        let place = place.map(|at| format!("{}:{}", at.file(), at.line()));
        if thread::current().id() == main {
            PLACE.set(place);
        } else {
            let message = message_of(info.payload());
            let place = place.unwrap_or_default();
            eprintln!("error: a thread of a worker process panicked: {message}, at {place}");
        }
    }));
}

/// Standard output as it was given to the process. What the process prints goes to standard error
/// from now on, so that it cannot come between two messages.
#[cfg(unix)]
fn standard_output() -> io::Result<File> {
    use std::os::fd::{AsFd, AsRawFd};
    io::stdout().flush()?;
    let given = io::stdout().as_fd().try_clone_to_owned()?;
    replace(io::stdout().as_raw_fd(), io::stderr().as_raw_fd())?;
    Ok(File::from(given))
}

/// Lets a descriptor of this process mean what another one means.
#[cfg(unix)]
#[expect(unsafe_code, reason = "std does not replace a descriptor")]
fn replace(descriptor: std::os::fd::RawFd, replacement: std::os::fd::RawFd) -> io::Result<()> {
    // SAFETY: `dup2` takes two numbers and touches no memory. The descriptor that it closes is that
    // of standard output, which nobody owns: `io::stdout` uses whatever has its number.
    match unsafe { libc::dup2(replacement, descriptor) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[cfg(windows)]
fn standard_output() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    let given = io::stdout().as_handle().try_clone_to_owned()?;
    Ok(File::from(given))
}
