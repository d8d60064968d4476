//! Sums of squares: work that needs nothing but the processor.

use std::hint::black_box;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::timing::processes::{Finished, Pool, Work};
use crate::timing::workers::on_rayon;
use crate::timing::workers::on_threads;
use crate::timing::workers::{on_event_loop, recorded_event_loop};
use crate::timing::{Done, Failed, Method, Recorder, Timeline, Way, Workload};

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
            Method::Sync | Method::Async | Method::AsyncBlocking => 1,
            Method::Threads | Method::Processes | Method::Rayon => way.workers.min(self.cores),
        };
        let rounds = self.limits.len().div_ceil(at_once);
        Some(sync?.mul_f64(ratio(rounds, self.limits.len())))
    }

    fn run(&self, way: &Way, timeline: &Timeline) -> Result<Done, Failed> {
        let mut finished = Finished::default();
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
                on_event_loop(&recorded_event_loop(timeline)?, tasks)?
            }
            Method::AsyncBlocking => return Err(Failed::no_method("cpu", way.method)),
            Method::Rayon => on_rayon(way.workers, &self.limits, timeline, |limit, lane| {
                lane.work(|| checked_sum(*limit))
            })?,
            Method::Processes => {
                let mut pool = Pool::<Adder>::start(way.workers, (), timeline)?;
                let sums = pool.map(self.limits.iter().copied())?;
                finished = pool.finish()?;
                sums
            }
        };
        let total: u128 = sums.iter().sum();
        Ok(Done {
            checksum: total.to_string(),
            memory_of_processes: finished.memory,
            lost_workers: finished.lost_workers,
            ..Done::default()
        })
    }
}

/// A worker that adds squares.
#[derive(Debug)]
pub(crate) struct Adder;

impl Work for Adder {
    const NAME: &'static str = "squares";
    type Setup = ();
    type Task = u64;
    type Answer = u128;

    fn start((): (), _name: &str) -> Result<Self, String> {
        Ok(Adder)
    }

    fn run(&mut self, limit: u64, lane: &mut Recorder) -> Result<u128, String> {
        lane.work(|| checked_sum(limit))
            .map_err(|failed| failed.to_string())
    }
}

/// The sum of the squares below a number, held against the formula.
///
/// # Errors
///
/// If the sum is wrong.
fn checked_sum(limit: u64) -> Result<u128, Failed> {
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_loop_comes_to_what_the_formula_says(limit in 0..10_000_u64) {
            prop_assert_eq!(sum_of_squares(limit), closed_form(limit));
        }
    }

    #[test]
    fn sums_pass_64_bits() {
        assert_eq!(closed_form(5_000_000), 41_666_654_166_667_500_000);
        assert!(closed_form(5_000_000) > u128::from(u64::MAX));
    }

    #[test]
    fn the_time_grows_with_the_number_so_that_the_loop_is_run() {
        let time = |limit| {
            let once = || {
                let start = Instant::now();
                black_box(sum_of_squares(black_box(limit)));
                start.elapsed()
            };
            (0..5).map(|_| once()).min().expect("it was run")
        };
        // A formula would take the same time for both.
        let (short, long) = (time(50_000), time(50_000 * 64));
        assert!(long > short * 8, "{long:?} for 64 times of {short:?}");
    }
}
