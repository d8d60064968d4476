//! Primes by worker processes, and what becomes of the results.

use std::io;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::trial_division::{is_prime, primes_in};
use super::{CountAndSum, Primes, RANGES_DISCARDED, RANGES_MANAGER, RANGES_MERGED};
use crate::timing::processes::{Finished, Manager, Pool, Proxy, Work};
use crate::timing::workloads::Lines;
use crate::timing::{Failed, Recorder, Timeline, Way};

/// How many numbers are looked at between two spans of a lane, where each prime is waited for: there
/// are too many waits to draw.
const SLICE: usize = 1_000;

/// A worker that finds primes.
#[derive(Debug)]
pub(crate) struct FindPrimes {
    results: Results,
    /// The list of the manager, if the results belong there.
    list: Option<Proxy>,
}

/// What becomes of the primes that a worker finds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Results {
    /// They are counted and thrown away.
    Discarded,
    /// Each is appended to the list at this address.
    Appended(String),
    /// All that a range has are appended to the list at this address at once.
    Merged(String),
    /// They are the answer.
    Returned,
}

/// What a range came to.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OfRange {
    range: Range<u64>,
    count: u64,
    sum: u64,
    /// The primes, if they are to be the answer.
    primes: Vec<u64>,
}

impl Work for FindPrimes {
    const NAME: &'static str = "primes";
    // What was appended to the list must not be appended again.
    type Setup = Results;
    type Task = Range<u64>;
    type Answer = OfRange;

    /// What was appended to a list must not be appended again.
    fn tries(results: &Results) -> u32 {
        match results {
            Results::Appended(_) | Results::Merged(_) => 1,
            Results::Discarded | Results::Returned => Self::TRIES,
        }
    }

    fn start(results: Results, _name: &str) -> Result<Self, String> {
        let list = match &results {
            Results::Appended(address) | Results::Merged(address) => Some(Proxy::connect(address)),
            Results::Discarded | Results::Returned => None,
        };
        let list = list.transpose().map_err(|error| error.to_string())?;
        Ok(FindPrimes { results, list })
    }

    fn run(&mut self, range: Range<u64>, lane: &mut Recorder) -> Result<OfRange, String> {
        if let (Results::Appended(_), Some(list)) = (&self.results, &mut self.list) {
            return append_each(range, list, lane);
        }
        let primes = lane.work(|| primes_in(range.clone()));
        let CountAndSum { count, sum } = CountAndSum::of(&primes);
        let mut answer = OfRange {
            range,
            count,
            sum,
            primes: Vec::new(),
        };
        match (&self.results, &mut self.list) {
            (Results::Returned, _) => answer.primes = primes,
            (Results::Merged(_), Some(list)) => {
                let extended = lane.wait(|| list.extend(primes));
                extended.map_err(|error| error.to_string())?;
            }
            _ => {}
        }
        Ok(answer)
    }
}

/// Each append is a message to the manager and an answer.
fn append_each(
    range: Range<u64>,
    list: &mut Proxy,
    lane: &mut Recorder,
) -> Result<OfRange, String> {
    let mut found = OfRange {
        range: range.clone(),
        count: 0,
        sum: 0,
        primes: Vec::new(),
    };
    for start in range.clone().step_by(SLICE) {
        let slice = start..range.end.min(start + SLICE as u64);
        lane.work_with_waits(|waits| {
            for prime in slice.filter(|n| is_prime(*n)) {
                waits.wait(|| list.append(prime))?;
                found.count += 1;
                found.sum += prime;
            }
            Ok(())
        })
        .map_err(|error: io::Error| error.to_string())?;
    }
    Ok(found)
}

/// Finds the primes of some ranges: what they come to, and what is known of the processes.
pub(super) fn run(
    way: &Way,
    ranges: Vec<Range<u64>>,
    lines: Option<&Lines>,
    timeline: &Timeline,
) -> Result<(CountAndSum, Finished), Failed> {
    let tell = |worker: &str, found: &OfRange| {
        Primes::tell(lines, worker, &found.range, found.count);
    };
    match way.variant {
        Some(RANGES_MANAGER | RANGES_MERGED) => through_manager(way, ranges, lines, timeline),
        Some(RANGES_DISCARDED) => {
            let mut pool = Pool::<FindPrimes>::start(way.workers, Results::Discarded, timeline)?;
            let answers = pool.map_and_tell(ranges, tell)?;
            Ok((counted(&answers), pool.finish()?))
        }
        _ => {
            let mut pool = Pool::<FindPrimes>::start(way.workers, Results::Returned, timeline)?;
            let answers = pool.map_and_tell(ranges, tell)?;
            let primes: Vec<u64> = answers.into_iter().flat_map(|range| range.primes).collect();
            Ok((CountAndSum::of(&primes), pool.finish()?))
        }
    }
}

/// The results are what is in the list of the manager in the end.
fn through_manager(
    way: &Way,
    ranges: Vec<Range<u64>>,
    lines: Option<&Lines>,
    timeline: &Timeline,
) -> Result<(CountAndSum, Finished), Failed> {
    let manager = Manager::start()?;
    let address = manager.address().to_owned();
    let results = match way.variant {
        Some(RANGES_MANAGER) => Results::Appended(address),
        _ => Results::Merged(address),
    };
    let mut pool = Pool::<FindPrimes>::start(way.workers, results, timeline)?;
    pool.map_and_tell(ranges, |worker, found: &OfRange| {
        Primes::tell(lines, worker, &found.range, found.count);
    })?;
    let mut finished = pool.finish()?;
    let primes = Proxy::connect(manager.address()).and_then(|mut list| list.list());
    let primes = primes.map_err(|error| Failed::Broken(format!("the manager: {error}")))?;
    finished.memory += manager.finish()?.memory;
    Ok((CountAndSum::of(&primes), finished))
}

fn counted(answers: &[OfRange]) -> CountAndSum {
    CountAndSum {
        count: answers.iter().map(|range| range.count).sum(),
        sum: answers.iter().map(|range| range.sum).sum(),
    }
}
