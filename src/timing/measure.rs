//! Runs every way to do a work, again and again, and keeps what each run has taken.

use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use crate::timing::{Costs, Lane, TimedWay, Timing};

use super::resources::Usage;
use super::workers::costs;
use super::{Done, Failed, Method, Timeline, Way, Workload};

/// How a work is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// How often each way is run.
    pub(crate) rounds: u32,
    /// Whether it is recorded when each worker was at work.
    pub(crate) lanes: Lanes,
}

/// Whether it is recorded when each worker was at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lanes {
    /// It is.
    Recorded,
    /// It is not, to see what recording costs.
    Off,
}

/// What happens while a work is measured.
#[derive(Debug)]
pub(crate) enum Event {
    /// What workers cost, which is seen before the first run.
    Costs(Costs),
    /// A run begins: the how-manieth of its way, from 1 on.
    Begins { round: u32, way: Way },
    /// A run is over.
    Ended(Box<Run>),
    /// A run failed, after which there is none.
    Failed { way: Way, why: Failed },
}

/// A run of a way.
#[derive(Debug)]
pub(crate) struct Run {
    way: Way,
    /// How long it took.
    pub(crate) time: Duration,
    /// The processor time that the work took. `None` where the system does not tell.
    cpu: Option<Duration>,
    /// The most memory that was resident, in bytes. `None` where the system does not tell.
    peak_memory: Option<u64>,
    done: Done,
    lanes: Vec<Lane>,
    thread_of_tasks: Option<Lane>,
}

/// Runs each way once, then each a second time, and so on, so that what disturbs the machine for a
/// while disturbs all ways alike.
///
/// Ends early at the first run that fails.
pub(crate) fn measure(workload: &dyn Workload, plan: Plan, mut on_event: impl FnMut(Event)) {
    let has = |method| workload.ways().iter().any(|way| way.method == method);
    if workload.is_waiting() && has(Method::Threads) && has(Method::Async) {
        costs()
            .map(Event::Costs)
            .into_iter()
            .for_each(&mut on_event);
    }
    for round in 1..=plan.rounds {
        for way in workload.ways() {
            on_event(Event::Begins { round, way });
            match run_once(workload, way, plan.lanes) {
                Ok(run) => on_event(Event::Ended(Box::new(run))),
                Err(why) => return on_event(Event::Failed { way, why }),
            }
        }
    }
}

fn run_once(workload: &dyn Workload, way: Way, lanes: Lanes) -> Result<Run, Failed> {
    let before = Usage::begin();
    let timeline = match lanes {
        Lanes::Recorded => Timeline::recording(),
        Lanes::Off => Timeline::off(),
    };
    let start = Instant::now();
    let done = workload.run(&way, &timeline)?;
    let time = start.elapsed();
    let used = before.until_now();
    Ok(Run {
        way,
        time,
        cpu: used.cpu.map(|cpu| cpu.saturating_sub(done.cpu_of_others)),
        peak_memory: used
            .peak_memory
            .map(|memory| memory + done.memory_of_processes),
        lanes: timeline.take_lanes(),
        thread_of_tasks: timeline.take_thread_of_tasks(),
        done,
    })
}

/// What the runs of a work have taken, as they come in.
#[derive(Debug)]
pub(crate) struct Measurements {
    name: &'static str,
    parameters: Map<String, Value>,
    items: u64,
    cores: usize,
    costs: Option<Costs>,
    /// Of each way that was run, in the order of the first runs.
    ways: Vec<(Way, Vec<Run>)>,
}

impl Measurements {
    /// No runs yet of a work, on a machine with this many cores.
    pub(crate) fn new(workload: &dyn Workload, cores: usize) -> Self {
        Measurements {
            name: workload.name(),
            parameters: workload.parameters(),
            items: workload.items(),
            cores,
            costs: None,
            ways: Vec::new(),
        }
    }

    /// Notes what workers cost.
    pub(crate) fn note_costs(&mut self, costs: Costs) {
        self.costs = Some(costs);
    }

    /// Adds a run.
    pub(crate) fn add(&mut self, run: Run) {
        let known = self.ways.iter_mut().find(|(way, _)| *way == run.way);
        match known {
            Some((_, runs)) => runs.push(run),
            None => self.ways.push((run.way, vec![run])),
        }
    }

    /// What was measured so far. The conclusion is left to the report.
    pub(crate) fn timing(self, workload: &dyn Workload) -> Timing {
        let mut timing = Timing::new(self.name, self.parameters, self.cores);
        timing.costs = self.costs;
        let sync = self.ways.iter().find(|(way, _)| way.is_sync());
        let sync = sync.map(|(_, runs)| runs[median(runs)].time);
        for (way, mut runs) in self.ways {
            let seconds = runs.iter().map(|run| run.time.as_secs_f64()).collect();
            let lost_workers = runs.iter().flat_map(|run| run.done.lost_workers.clone());
            let lost_workers = lost_workers.collect();
            let rates = runs.iter().filter_map(|run| run.done.messages_per_second);
            let rates = rates.collect();
            let latencies = runs.iter().filter_map(|run| run.done.latency);
            let latencies = latencies.map(|latency| latency.as_secs_f64()).collect();
            let run = runs.swap_remove(median(&runs));
            let ideal = workload.ideal(&way, sync);
            timing.rows.push(TimedWay {
                method: way.method.name().to_owned(),
                variant: way.variant.map(str::to_owned),
                workers: way.workers,
                items: self.items,
                seconds: run.time.as_secs_f64(),
                runs: seconds,
                ideal_seconds: ideal.map(|ideal| ideal.as_secs_f64()),
                speedup: sync.map(|sync| sync.as_secs_f64() / run.time.as_secs_f64()),
                cpu_seconds: run.cpu.map(|cpu| cpu.as_secs_f64()),
                peak_in_flight: run.done.peak_in_flight,
                peak_memory_bytes: run.peak_memory,
                checksum: run.done.checksum,
                found: run.done.found,
                seconds_on_cores: run.done.seconds_on_cores,
                lost_workers,
                messages_per_second: run.done.messages_per_second,
                latency_seconds: run.done.latency.map(|latency| latency.as_secs_f64()),
                messages_per_second_of_runs: rates,
                latency_seconds_of_runs: latencies,
                lanes: run.lanes,
                thread_of_tasks: run.thread_of_tasks,
            });
        }
        timing
    }
}

/// The place of the run that took the median time: of an even number the lower one.
fn median(runs: &[Run]) -> usize {
    let mut places: Vec<usize> = (0..runs.len()).collect();
    places.sort_by_key(|place| runs[*place].time);
    places[(places.len() - 1) / 2]
}
