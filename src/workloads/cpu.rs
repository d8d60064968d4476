//! Sums of squares: work that needs nothing but the processor.

use std::hint::black_box;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::event_loop::{event_loop, on_event_loop};
use super::thread_pool::on_threads;
use super::work_stealing::on_rayon;
use super::{Done, Failed, Method, Timeline, Way, Workload};

/// The sums of the squares below each of some numbers.
#[derive(Debug)]
pub(crate) struct Cpu {
    /// The numbers.
    limits: Vec<u64>,
    ways: Vec<Way>,
    cores: usize,
}

impl Cpu {
    /// The 20 numbers of the tutorials: 5,000,000 and the 19 after it, or from another one on.
    pub(crate) fn new(from: u64, ways: Vec<Way>, cores: usize) -> Self {
        Cpu {
            limits: (from..from + 20).collect(),
            ways,
            cores,
        }
    }
}

impl Workload for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn parameters(&self) -> Map<String, Value> {
        Map::from_iter([("numbers".to_owned(), json!(self.limits[0]))])
    }

    fn ways(&self) -> Vec<Way> {
        self.ways.clone()
    }

    fn items(&self) -> u64 {
        self.limits.len() as u64
    }

    /// What `sync` takes, shared out among the workers that have a core. Whole sums only: the last
    /// ones are left to some of the workers.
    fn ideal(&self, way: &Way, sync: Option<Duration>) -> Option<Duration> {
        let at_once = match way.method {
            Method::Sync | Method::Async => 1,
            Method::Threads | Method::Processes | Method::Rayon => way.workers.min(self.cores),
        };
        let rounds = self.limits.len().div_ceil(at_once);
        Some(sync?.mul_f64(ratio(rounds, self.limits.len())))
    }

    fn run(&self, way: &Way, timeline: &Timeline) -> Result<Done, Failed> {
        let sums = match way.method {
            Method::Sync => {
                let mut lane = timeline.lane(0, "main");
                let limits = self.limits.iter();
                limits
                    .map(|limit| lane.work(|| checked_sum(*limit)))
                    .collect::<Result<_, _>>()?
            }
            Method::Threads => {
                on_threads(way.workers, &self.limits, timeline, Ok, |_, limit, lane| {
                    lane.work(|| checked_sum(*limit))
                })?
            }
            Method::Async => {
                let tasks = self.limits.iter().enumerate().map(|(place, &limit)| {
                    let timeline = timeline.clone();
                    async move {
                        let mut lane = timeline.lane(place, format!("task {}", place + 1));
                        lane.work(|| checked_sum(limit))
                    }
                });
                on_event_loop(&event_loop()?, tasks)?
            }
            Method::Rayon => on_rayon(way.workers, &self.limits, timeline, checked_sum)?,
            Method::Processes => {
                todo!()
            }
        };
        let total: u128 = sums.iter().sum();
        Ok(Done {
            checksum: total.to_string(),
            ..Done::default()
        })
    }
}

/// The sum of the squares below a number, held against the formula.
///
/// # Errors
///
/// If the sum is wrong.
pub(super) fn checked_sum(limit: u64) -> Result<u128, Failed> {
    let sum = sum_of_squares(limit);
    let expected = closed_form(limit);
    if sum == expected {
        return Ok(sum);
    }
    Err(Failed::Broken(format!(
        "the sum of the squares below {limit} is {expected}, and {sum} came out"
    )))
}

/// Adds the squares one by one. The sums pass 2^64.
///
/// The compiler knows the formula and would use it in place of the loop. It cannot where it does not
/// know what `i` is.
fn sum_of_squares(limit: u64) -> u128 {
    let mut sum = 0;
    for i in 0..limit {
        let i = black_box(i);
        sum += u128::from(i) * u128::from(i);
    }
    sum
}

/// (n − 1) n (2n − 1) / 6.
fn closed_form(limit: u64) -> u128 {
    let n = u128::from(limit);
    n.saturating_sub(1) * n * (2 * n).saturating_sub(1) / 6
}

#[expect(
    clippy::cast_precision_loss,
    reason = "numbers of pieces of work are small"
)]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}
