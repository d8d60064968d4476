//! Primes below a number: processor work whose pieces are not equally heavy, and whose results have
//! to be brought together.

mod division;
mod in_processes;
mod trial_division;

use std::fmt;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};

pub(crate) use self::in_processes::FindPrimes;

use self::division::{same_length, same_weight, share_of_busiest};
use self::trial_division::primes_in;
use crate::report::{grouped, plural};
use crate::timing::processes::Finished;
use crate::timing::workers::on_rayon;
use crate::timing::workers::on_threads;
use crate::timing::workers::{on_event_loop, recorded_event_loop};
use crate::timing::workloads::Lines;
use crate::timing::{Done, Failed, Method, Recorder, Timeline, Way, Workload};

/// Three ranges, of which the primes are thrown away.
const RANGES_DISCARDED: &str = "three ranges, discarded";
/// Three ranges, of which each prime is appended to a list that a manager process holds.
const RANGES_MANAGER: &str = "three ranges, manager";
/// Three ranges, each with a list of its own, which is added to the shared one once.
const RANGES_MERGED: &str = "three ranges, merged once";
/// As many ranges as workers, equally heavy.
const EVEN: &str = "even";
/// Many short ranges, of which each worker takes the next one when it is done with one.
const DYNAMIC: &str = "dynamic";

/// How many ranges of the same length there are in the ways that are called so.
const RANGES: usize = 3;

/// Into how many pieces the numbers are divided where workers take the next one.
const CHUNKS: usize = 200;

/// The primes below a number.
pub(crate) struct Primes {
    below: u64,
    /// What a sieve says.
    expected: CountAndSum,
    ways: Vec<Way>,
    cores: usize,
    lines: Option<Lines>,
}

/// The ways in which these methods can find primes, with so many workers where the number is not
/// that of the three ranges.
pub(crate) fn ways(methods: &[Method], workers: &[usize]) -> Vec<Way> {
    let of_ranges = |variant| (Some(variant), vec![RANGES]);
    let of_workers = |variant| (Some(variant), workers.to_vec());
    let variants = |method| match method {
        Method::Sync => vec![(None, vec![1])],
        Method::Async | Method::AsyncBlocking => vec![(None, vec![RANGES])],
        Method::Threads => vec![
            of_ranges(RANGES_MERGED),
            of_workers(EVEN),
            of_workers(DYNAMIC),
        ],
        Method::Processes => vec![
            of_ranges(RANGES_DISCARDED),
            of_ranges(RANGES_MANAGER),
            of_ranges(RANGES_MERGED),
            of_workers(EVEN),
            of_workers(DYNAMIC),
        ],
        Method::Rayon => vec![of_workers(DYNAMIC)],
    };
    let mut ways = Vec::new();
    for &method in methods {
        for (variant, workers) in variants(method) {
            ways.extend(workers.into_iter().map(|workers| Way {
                method,
                variant,
                workers,
            }));
        }
    }
    ways
}

/// What primes come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CountAndSum {
    count: u64,
    sum: u64,
}

impl Primes {
    /// The primes below a number. What is told of each range that is done, if anything:
    /// `process 1: 78,498 primes from 0 to 1,000,000`.
    ///
    /// # Errors
    ///
    /// If there is no memory for the sieve that says what is to be found.
    pub(crate) fn new(
        below: u64,
        ways: Vec<Way>,
        cores: usize,
        lines: Option<Lines>,
    ) -> Result<Self, Failed> {
        Ok(Primes {
            below,
            expected: CountAndSum::by_sieve(below)?,
            ways,
            cores,
            lines,
        })
    }

    /// Tells of a range that is done.
    fn tell(lines: Option<&Lines>, worker: &str, range: &Range<u64>, count: u64) {
        if let Some(lines) = lines {
            let [start, end] = [range.start, range.end].map(grouped);
            let primes = plural(count, "prime");
            lines(&format!("{worker}: {primes} from {start} to {end}"));
        }
    }

    /// The ranges of a way.
    fn ranges(&self, way: &Way) -> Vec<Range<u64>> {
        match way.variant {
            None => same_length(self.below, 1),
            Some(EVEN) => same_weight(self.below, way.workers),
            Some(DYNAMIC) => same_length(self.below, CHUNKS),
            Some(_) => same_length(self.below, RANGES),
        }
    }
}

impl Workload for Primes {
    fn name(&self) -> &'static str {
        "primes"
    }

    fn parameters(&self) -> Map<String, Value> {
        Map::from_iter([("below".to_owned(), json!(self.below))])
    }

    fn ways(&self) -> Vec<Way> {
        self.ways.clone()
    }

    fn items(&self) -> u64 {
        self.below
    }

    /// What `sync` takes, shared out among the workers that have a core; whole ranges, where each is
    /// left to one worker.
    fn ideal(&self, way: &Way, sync: Option<Duration>) -> Option<Duration> {
        let at_once = way.workers.min(self.cores);
        let share = match (way.method, way.variant) {
            (Method::Sync | Method::Async | Method::AsyncBlocking, _) => 1.0,
            (_, Some(DYNAMIC)) => share_of_busiest_of_many(at_once),
            _ => share_of_busiest(&self.ranges(way), at_once),
        };
        Some(sync?.mul_f64(share))
    }

    fn run(&self, way: &Way, timeline: &Timeline) -> Result<Done, Failed> {
        let ranges = self.ranges(way);
        let lines = self.lines.as_ref();
        let (found, finished) = match way.method {
            Method::Sync => (
                CountAndSum::of(&one_after_another(&ranges, lines, timeline)),
                Finished::default(),
            ),
            Method::Async => (
                CountAndSum::of(&on_tasks(self.below, lines, timeline)?),
                Finished::default(),
            ),
            Method::Threads => {
                let list = Mutex::new(Vec::new());
                on_threads(way.workers, &ranges, timeline, Ok, |_, range, lane| {
                    let count = lane.work(|| extend(&list, primes_in(range.clone())));
                    Self::tell(lines, lane.name(), range, count);
                    Ok(())
                })?;
                (CountAndSum::of(&into_inner(list)), Finished::default())
            }
            Method::AsyncBlocking => return Err(Failed::no_method("primes", way.method)),
            Method::Rayon => {
                let lists = on_rayon(way.workers, &ranges, timeline, |range, lane| {
                    Ok(find(range, lane, lines))
                })?;
                (CountAndSum::of(&lists.concat()), Finished::default())
            }
            Method::Processes => in_processes::run(way, ranges, lines, timeline)?,
        };
        if found != self.expected {
            return Err(Failed::Broken(format!(
                "there are {} primes below {}, which add up to {}; {} that add up to {} came out",
                self.expected.count, self.below, self.expected.sum, found.count, found.sum
            )));
        }
        Ok(Done {
            checksum: found.count.to_string(),
            found: Some(found.count),
            memory_of_processes: finished.memory,
            lost_workers: finished.lost_workers,
            ..Done::default()
        })
    }
}

impl fmt::Debug for Primes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Primes")
            .field("below", &self.below)
            .field("ways", &self.ways)
            .finish_non_exhaustive()
    }
}

impl CountAndSum {
    fn of(primes: &[u64]) -> Self {
        CountAndSum {
            count: primes.len() as u64,
            sum: primes.iter().sum(),
        }
    }

    /// What there is to find, by the sieve of Eratosthenes.
    fn by_sieve(below: u64) -> Result<Self, Failed> {
        let below = usize::try_from(below).unwrap_or(usize::MAX);
        let mut is_crossed_out = Vec::new();
        is_crossed_out.try_reserve_exact(below).map_err(|_| {
            Failed::NotGiven(format!(
                "there is no memory for a sieve of {below} numbers: take fewer with `--below`"
            ))
        })?;
        is_crossed_out.resize(below, false);
        let mut found = CountAndSum { count: 0, sum: 0 };
        for n in 2..below {
            if is_crossed_out[n] {
                continue;
            }
            found.count += 1;
            found.sum += n as u64;
            for multiple in (n * n..below).step_by(n) {
                is_crossed_out[multiple] = true;
            }
        }
        Ok(found)
    }
}

fn one_after_another(
    ranges: &[Range<u64>],
    lines: Option<&Lines>,
    timeline: &Timeline,
) -> Vec<u64> {
    let mut lane = timeline.lane(0, "main");
    let lists = ranges.iter().map(|range| find(range, &mut lane, lines));
    lists.flatten().collect()
}

/// Finds the primes of a range, and tells how many there are.
fn find(range: &Range<u64>, lane: &mut Recorder, lines: Option<&Lines>) -> Vec<u64> {
    let primes = lane.work(|| primes_in(range.clone()));
    Primes::tell(lines, lane.name(), range, primes.len() as u64);
    primes
}

/// A task for each of the three ranges. As each computes without a break, none starts before the one
/// before it is through.
fn on_tasks(below: u64, lines: Option<&Lines>, timeline: &Timeline) -> Result<Vec<u64>, Failed> {
    let ranges = same_length(below, RANGES).into_iter().enumerate();
    let tasks = ranges.map(|(place, range)| {
        let (timeline, lines) = (timeline.clone(), lines.cloned());
        async move {
            let mut lane = timeline.lane(place, format!("task {}", place + 1));
            Ok(find(&range, &mut lane, lines.as_ref()))
        }
    });
    Ok(on_event_loop(&recorded_event_loop(timeline)?, tasks)?.concat())
}

/// Adds primes to the list: how many.
fn extend(list: &Mutex<Vec<u64>>, primes: Vec<u64>) -> u64 {
    let count = primes.len() as u64;
    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
    list.extend(primes);
    count
}

fn into_inner(list: Mutex<Vec<u64>>) -> Vec<u64> {
    list.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The share of the busiest core where the pieces are so many that it hardly matters which core has
/// the last one.
#[expect(clippy::cast_precision_loss, reason = "numbers of cores are small")]
fn share_of_busiest_of_many(cores: usize) -> f64 {
    1.0 / cores.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sieve_finds_as_many_primes_as_are_known() {
        for (below, count) in [(0, 0), (2, 0), (3, 1), (100, 25), (3_000_000, 216_816)] {
            assert_eq!(
                CountAndSum::by_sieve(below).map(|found| found.count),
                Ok(count),
                "below {below}"
            );
        }
    }
}
