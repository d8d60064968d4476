//! A pool whose workers do as they are told: they answer, or have every fault that a worker can have.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{process, thread};

use racelab::timing::{Failed, Pool, PoolSettings, Recorder, Timeline, Work};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How often it is looked whether a file is there.
const TICK: Duration = Duration::from_millis(1);

/// A pool that is to be.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// How many workers it has.
    pub(crate) workers: usize,
    /// How long one may take to answer, in seconds.
    pub(crate) limit: u64,
    /// What each is started with.
    pub(crate) setup: Setup,
}

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

/// Lets a pool do what standard input says, an order in a line: what came of it.
pub(crate) fn drill(plan: Plan) -> Value {
    drilled(plan).unwrap_or_else(|failed| match failed {
        Failed::Refused(error) => json!({ "refused": error }),
        Failed::Broken(error) => json!({ "broken": error }),
        Failed::NotGiven(error) => json!({ "not-given": error }),
    })
}

fn drilled(plan: Plan) -> Result<Value, Failed> {
    let timeline = Timeline::recording();
    let mut settings = PoolSettings::workers(plan.workers);
    settings.time = Duration::from_secs(plan.limit);
    let log = plan.setup.log.clone();
    let orders = io::stdin().lines().map_while(Result::ok).map(|line| {
        append(&log, "take").expect("the file can be written");
        parse(&line)
    });
    let mut pool = Pool::<Drill>::start_with(settings, plan.setup, &timeline)?;
    let answers = pool.map(orders)?;
    let finished = pool.finish()?;
    let lanes = timeline.take_lanes().into_iter();
    Ok(json!({
        "answers": answers,
        "memory": finished.memory,
        "lost": finished.lost_workers,
        "seconds": timeline.began().elapsed().as_secs_f64(),
        "lanes": lanes
            .map(|lane| json!({ "name": lane.name, "spans": lane.spans }))
            .collect::<Vec<_>>(),
    }))
}

/// What a text says, which is JSON.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).expect("what the tests write is understood")
}

/// Appends a line to a file.
fn append(file: &Path, line: &str) -> io::Result<()> {
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
