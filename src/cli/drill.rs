//! `racelab drill`: a pool of worker processes that work and fail as they are told, for tests.

use std::io;
use std::time::Duration;

use clap::Args;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::timing::processes::{Drill, Order, Pool, PoolSettings, Setup, append};
use crate::timing::{Failed, Timeline};

use super::error::{Error, Exit};
use super::output::Output;

/// Let worker processes do what standard input says: an order in a line, as JSON.
#[derive(Debug, Args)]
pub(super) struct Drilled {
    /// How many processes
    #[arg(long)]
    workers: usize,

    /// How long one may take to answer
    #[arg(long, value_parser = crate::parse_duration)]
    limit: Option<Duration>,

    /// What each is started with, as JSON
    #[arg(value_parser = parse::<Setup>)]
    setup: Setup,
}

impl Drilled {
    pub(super) fn run(&self, output: &Output) -> Result<Exit, Error> {
        let drilled = self.drill().unwrap_or_else(|failed| match failed {
            Failed::Refused(error) => json!({ "refused": error }),
            Failed::Broken(error) => json!({ "broken": error }),
        });
        output.write_json(&drilled)?;
        Ok(Exit::Success)
    }

    fn drill(&self) -> Result<Value, Failed> {
        let timeline = Timeline::recording();
        let mut settings = PoolSettings::workers(self.workers);
        if let Some(limit) = self.limit {
            settings.time = limit;
        }
        let setup = self.setup.clone();
        let log = setup.log.clone();
        let orders = io::stdin().lines().map_while(Result::ok).map(|line| {
            let order = parse::<Order>(&line).expect("a line is an order");
            append(&log, "take").expect("the file can be written");
            order
        });
        let mut pool = Pool::<Drill>::start_with(settings, setup, &timeline)?;
        let answers = pool.map(orders)?;
        let finished = pool.finish()?;
        let lanes = timeline.take_lanes().into_iter();
        Ok(json!({
            "answers": answers,
            "memory": finished.memory,
            "lost": finished.lost_workers,
            "seconds": timeline.began().elapsed().as_secs_f64(),
            "lanes": lanes.map(|lane| json!({ "name": lane.name, "spans": lane.spans })).collect::<Vec<_>>(),
        }))
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(text)
}
