//! Work for tests: workers that answer, and workers with every fault that a worker can have.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{process, thread};

use serde::{Deserialize, Serialize};

use super::{Recorder, Work};

/// How often it is looked whether a file is there.
const TICK: Duration = Duration::from_millis(1);

/// A worker that does as it is told.
#[derive(Debug)]
pub(crate) struct Drill {
    name: String,
    log: PathBuf,
}

/// What the initialiser does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// The file to which each worker appends `start PROCESS` in its initialiser, and `done NUMBER`
    /// before it answers with a square.
    pub(crate) log: PathBuf,
    /// What goes wrong in the initialiser.
    pub(crate) fault: Option<Fault>,
}

/// What a worker is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Order {
    /// The square of a number.
    Square(u64),
    /// To wait until a file is there.
    Await(PathBuf),
    /// To make a file.
    Make(PathBuf),
    /// To print a text on standard output.
    Print(String),
    /// To fail in this way.
    Fault(Fault),
    /// To fail in this way if a file can be made, and so only once.
    Once(PathBuf, Fault),
}

/// How a worker fails.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fault {
    /// It says that it cannot.
    Error,
    /// It panics.
    Panic,
    /// It never answers.
    Hang,
    /// It ends by itself, with exit code 7.
    Exit,
    /// It is ended by a signal.
    Abort,
}

/// What a worker answers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// The square, or 0.
    value: u64,
    /// The name of the worker.
    name: String,
    /// The number of its process.
    process: u32,
}

impl Work for Drill {
    const NAME: &'static str = "drill";
    type Setup = Setup;
    type Task = Order;
    type Answer = Answer;

    fn start(setup: Setup, name: &str) -> Result<Self, String> {
        append(&setup.log, &format!("start {}", process::id())).map_err(|e| e.to_string())?;
        setup.fault.map_or(Ok(()), fail)?;
        Ok(Drill {
            name: name.to_owned(),
            log: setup.log,
        })
    }

    fn run(&mut self, order: Order, lane: &mut Recorder) -> Result<Answer, String> {
        let value = match order {
            Order::Square(number) => {
                let square = lane.work(|| number * number);
                append(&self.log, &format!("done {number}")).map_err(|e| e.to_string())?;
                square
            }
            Order::Await(file) => {
                lane.wait(|| {
                    while !file.exists() {
                        thread::sleep(TICK);
                    }
                });
                0
            }
            Order::Make(file) => {
                fs::write(file, "").map_err(|error| error.to_string())?;
                0
            }
            Order::Print(text) => {
                println!("{text}");
                0
            }
            Order::Fault(fault) => {
                fail(fault)?;
                0
            }
            Order::Once(file, fault) => {
                if OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .open(file)
                    .is_ok()
                {
                    fail(fault)?;
                }
                0
            }
        };
        Ok(Answer {
            value,
            name: self.name.clone(),
            process: process::id(),
        })
    }
}

/// Appends a line to a file.
///
/// # Errors
///
/// If the file cannot be written.
pub(crate) fn append(file: &Path, line: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(file)?;
    // In one piece, so that lines of several processes do not mix.
    file.write_all(format!("{line}\n").as_bytes())
}

fn fail(fault: Fault) -> Result<(), String> {
    match fault {
        Fault::Error => Err("it was told to fail".to_owned()),
        Fault::Panic => panic!("it was told to panic"),
        Fault::Hang => loop {
            thread::park();
        },
        Fault::Exit => process::exit(7),
        Fault::Abort => process::abort(),
    }
}
