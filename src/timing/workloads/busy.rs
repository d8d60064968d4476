//! Loops that do nothing but keep a core busy: what one of them leaves of a machine with several
//! cores, and on which cores the system lets it run.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::timing::resources::cpu_time_of_this_thread;
use crate::timing::workers::on_threads;
use crate::timing::{Done, Failed, Method, Recorder, Timeline, Way, Workload};

/// How many rounds a loop makes between two looks at the clock and at the core: some 20
/// microseconds.
const ROUNDS: u64 = 20_000;

/// Busy loops, one for each worker, for some time.
#[derive(Debug)]
pub(crate) struct Busy {
    /// How long each loop goes on.
    pub(crate) length: Duration,
    /// The ways to do it.
    pub(crate) ways: Vec<Way>,
}

impl Workload for Busy {
    fn name(&self) -> &'static str {
        "busy"
    }

    fn parameters(&self) -> Map<String, Value> {
        Map::from_iter([("seconds".to_owned(), json!(self.length.as_secs_f64()))])
    }

    fn ways(&self) -> Vec<Way> {
        self.ways.clone()
    }

    fn items(&self) -> u64 {
        1
    }

    /// All loops go on at once, for the same time.
    fn ideal(&self, _way: &Way, _sync: Option<Duration>) -> Option<Duration> {
        Some(self.length)
    }

    fn run(&self, way: &Way, timeline: &Timeline) -> Result<Done, Failed> {
        let end = Instant::now() + self.length;
        let loops = match way.method {
            Method::Sync => {
                let mut lane = timeline.lane(0, "main");
                vec![lane_of(&mut lane, end)]
            }
            Method::Threads => {
                let loops = vec![end; way.workers];
                on_threads(way.workers, &loops, timeline, Ok, |_, end, lane| {
                    Ok(lane_of(lane, *end))
                })?
            }
            method => return Err(Failed::no_method("busy", method)),
        };
        let mut seconds_on_cores: Vec<f64> = Vec::new();
        for of_loop in &loops {
            let cores = seconds_on_cores.len().max(of_loop.len());
            seconds_on_cores.resize(cores, 0.0);
            for (all, seconds) in seconds_on_cores.iter_mut().zip(of_loop) {
                *all += seconds;
            }
        }
        Ok(Done {
            checksum: loops.len().to_string(),
            seconds_on_cores,
            ..Done::default()
        })
    }
}

fn lane_of(lane: &mut Recorder, end: Instant) -> Vec<f64> {
    lane.work(|| keep_busy(end))
}

/// Keeps a core busy up to a moment: the seconds of processor time on each core, by the number of
/// the core. Empty where the system does not tell.
fn keep_busy(end: Instant) -> Vec<f64> {
    let mut seconds: Vec<f64> = Vec::new();
    let mut used = cpu_time_of_this_thread();
    while Instant::now() < end {
        black_box((0..ROUNDS).map(black_box).sum::<u64>());
        let now = cpu_time_of_this_thread();
        if let (Some(core), Some(used), Some(now)) = (current_core(), used, now) {
            if core >= seconds.len() {
                seconds.resize(core + 1, 0.0);
            }
            seconds[core] += now.saturating_sub(used).as_secs_f64();
        }
        used = now;
    }
    seconds
}

/// The core on which the calling thread runs. `None` where the system does not tell.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "std does not tell the core")]
fn current_core() -> Option<usize> {
    // SAFETY: the call takes nothing and touches no memory of ours.
    usize::try_from(unsafe { libc::sched_getcpu() }).ok()
}

#[cfg(not(target_os = "linux"))]
fn current_core() -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_loop_is_on_some_core_for_all_of_its_time() {
        let start = Instant::now();
        let seconds = keep_busy(start + Duration::from_millis(5));
        let time = start.elapsed().as_secs_f64();
        let sum: f64 = seconds.iter().sum();
        assert!(sum > 0.0 && sum <= time, "{sum} of {time}");
    }
}
