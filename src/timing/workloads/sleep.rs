//! Waits for a time to pass: nothing is done, so that all of it can overlap.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::timing::processes::{Pool, Work};
use crate::timing::workers::InFlight;
use crate::timing::workers::on_threads;
use crate::timing::workers::{on_event_loop, recorded_event_loop};
use crate::timing::{Done, Failed, Method, Recorder, Timeline, Way, Workload};

/// Waits of the same length.
#[derive(Debug)]
pub(crate) struct Sleep {
    waits: usize,
    length: Duration,
    ways: Vec<Way>,
}

impl Sleep {
    /// So many waits, each so long.
    pub(crate) fn new(waits: usize, length: Duration, ways: Vec<Way>) -> Self {
        Sleep {
            waits,
            length,
            ways,
        }
    }
}

impl Workload for Sleep {
    fn name(&self) -> &'static str {
        "sleep"
    }

    fn parameters(&self) -> Map<String, Value> {
        Map::from_iter([
            ("items".to_owned(), json!(self.waits)),
            ("seconds".to_owned(), json!(self.length.as_secs_f64())),
        ])
    }

    fn ways(&self) -> Vec<Way> {
        self.ways.clone()
    }

    fn items(&self) -> u64 {
        self.waits as u64
    }

    /// The waits that come one after the other, each of its full length.
    fn ideal(&self, way: &Way, _sync: Option<Duration>) -> Option<Duration> {
        let rounds = self.waits.div_ceil(way.workers);
        Some(self.length * u32::try_from(rounds).ok()?)
    }

    fn run(&self, way: &Way, timeline: &Timeline) -> Result<Done, Failed> {
        let in_flight = Arc::new(InFlight::default());
        let waits = vec![self.length; self.waits];
        let waited = match way.method {
            Method::Sync => {
                let mut lane = timeline.lane(0, "main");
                for length in &waits {
                    let _flight = in_flight.begin();
                    lane.wait(|| thread::sleep(*length));
                }
                waits.len()
            }
            Method::Threads | Method::Rayon => {
                on_threads(way.workers, &waits, timeline, Ok, |_, length, lane| {
                    let _flight = in_flight.begin();
                    lane.wait(|| thread::sleep(*length));
                    Ok(())
                })?
                .len()
            }
            Method::Async => {
                let tasks = waits.iter().enumerate().map(|(place, &length)| {
                    let timeline = timeline.clone();
                    let in_flight = Arc::clone(&in_flight);
                    async move {
                        let mut lane = timeline.lane(place, format!("task {}", place + 1));
                        let _flight = in_flight.begin();
                        lane.wait_for(tokio::time::sleep(length)).await;
                        Ok(())
                    }
                });
                on_event_loop(&recorded_event_loop(timeline)?, tasks)?.len()
            }
            Method::Processes => return in_processes(way.workers, &waits, timeline),
        };
        Ok(Done {
            checksum: waited.to_string(),
            peak_in_flight: Some(in_flight.peak()),
            ..Done::default()
        })
    }
}

/// A worker that waits.
#[derive(Debug)]
pub(crate) struct Waiter;

impl Work for Waiter {
    const NAME: &'static str = "wait";
    type Setup = ();
    type Task = Duration;
    type Answer = ();

    fn start((): (), _name: &str) -> Result<Self, String> {
        Ok(Waiter)
    }

    fn run(&mut self, length: Duration, lane: &mut Recorder) -> Result<(), String> {
        lane.wait(|| thread::sleep(length));
        Ok(())
    }
}

fn in_processes(workers: usize, waits: &[Duration], timeline: &Timeline) -> Result<Done, Failed> {
    let mut pool = Pool::<Waiter>::start(workers, (), timeline)?;
    let waited = pool.map(waits.iter().copied())?.len();
    let finished = pool.finish()?;
    Ok(Done {
        checksum: waited.to_string(),
        peak_in_flight: timeline.most_waits_at_once(),
        memory_of_processes: finished.memory,
        lost_workers: finished.lost_workers,
        ..Done::default()
    })
}
