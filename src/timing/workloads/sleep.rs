//! Waits for a time to pass: nothing is done, so that all of it can overlap.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::timing::processes::{Pool, Work};
use crate::timing::workers::InFlight;
use crate::timing::workers::on_threads;
use crate::timing::workers::{on_event_loop, recorded_event_loop};
use crate::timing::workloads::Lines;
use crate::timing::{Done, Failed, Method, Recorder, Timeline, Way, Workload};

/// Waits of the same length.
pub(crate) struct Sleep {
    /// How many.
    pub(crate) waits: usize,
    /// How long each is.
    pub(crate) length: Duration,
    /// The ways to do it.
    pub(crate) ways: Vec<Way>,
    /// What is told at the end of each wait, if anything: `thread 1: after 1s`.
    pub(crate) lines: Option<Lines>,
}

impl Sleep {
    /// Tells that a wait of a worker is over.
    fn tell(lines: Option<&Lines>, worker: &str, length: Duration) {
        if let Some(lines) = lines {
            lines(&format!("{worker}: after {length:?}"));
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("waits", &self.waits)
            .field("length", &self.length)
            .field("ways", &self.ways)
            .finish_non_exhaustive()
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

    fn is_waiting(&self) -> bool {
        true
    }

    fn items(&self) -> u64 {
        self.waits as u64
    }

    /// The waits that come one after the other, each of its full length.
    fn ideal(&self, way: &Way, _sync: Option<Duration>) -> Option<Duration> {
        let at_once = match way.method {
            Method::AsyncBlocking => 1,
            _ => way.workers,
        };
        let rounds = self.waits.div_ceil(at_once);
        Some(self.length * u32::try_from(rounds).ok()?)
    }

    fn run(&self, way: &Way, timeline: &Timeline) -> Result<Done, Failed> {
        let in_flight = Arc::new(InFlight::default());
        let lines = self.lines.as_ref();
        let waits = vec![self.length; self.waits];
        let waited = match way.method {
            Method::Sync => {
                let mut lane = timeline.lane(0, "main");
                for length in &waits {
                    {
                        let _flight = in_flight.begin();
                        lane.wait(|| thread::sleep(*length));
                    }
                    Self::tell(lines, lane.name(), *length);
                }
                waits.len()
            }
            Method::Rayon => return Err(Failed::no_method("sleep", way.method)),
            Method::Threads => on_threads(way.workers, &waits, timeline, Ok, |_, length, lane| {
                {
                    let _flight = in_flight.begin();
                    lane.wait(|| thread::sleep(*length));
                }
                Self::tell(lines, lane.name(), *length);
                Ok(())
            })?
            .len(),
            Method::Async | Method::AsyncBlocking => {
                let blocks = way.method == Method::AsyncBlocking;
                let tasks = waits.iter().enumerate().map(|(place, &length)| {
                    let timeline = timeline.clone();
                    let in_flight = Arc::clone(&in_flight);
                    let lines = self.lines.clone();
                    async move {
                        let mut lane = timeline.lane(place, format!("task {}", place + 1));
                        let flight = in_flight.begin();
                        if blocks {
                            lane.wait(|| thread::sleep(length));
                        } else {
                            lane.wait_for(tokio::time::sleep(length)).await;
                        }
                        drop(flight);
                        Self::tell(lines.as_ref(), lane.name(), length);
                        Ok(())
                    }
                });
                on_event_loop(&recorded_event_loop(timeline)?, tasks)?.len()
            }
            Method::Processes => return in_processes(way.workers, &waits, lines, timeline),
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
    /// How long it has waited.
    type Answer = Duration;

    fn start((): (), _name: &str) -> Result<Self, String> {
        Ok(Waiter)
    }

    fn run(&mut self, length: Duration, lane: &mut Recorder) -> Result<Duration, String> {
        lane.wait(|| thread::sleep(length));
        Ok(length)
    }
}

fn in_processes(
    workers: usize,
    waits: &[Duration],
    lines: Option<&Lines>,
    timeline: &Timeline,
) -> Result<Done, Failed> {
    let mut pool = Pool::<Waiter>::start(workers, (), timeline)?;
    let waited = pool.map_and_tell(waits.iter().copied(), |worker, length| {
        Sleep::tell(lines, worker, *length);
    })?;
    let waited = waited.len();
    let finished = pool.finish()?;
    Ok(Done {
        checksum: waited.to_string(),
        peak_in_flight: timeline.most_waits_at_once(),
        memory_of_processes: finished.memory,
        lost_workers: finished.lost_workers,
        ..Done::default()
    })
}
