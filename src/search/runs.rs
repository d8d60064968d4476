//! Runs on real threads, within limits: no schedule is chosen, runs are only counted.

use crate::engine::Threads;
use crate::execution::{Panic, Pulse};

use super::{Limits, Stop, Tally};

/// What runs on real threads have shown.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    pub(crate) tally: Tally,
    /// The first failure.
    pub(crate) failure: Option<Panic>,
}

/// Runs the body until a run fails, or a limit is reached.
pub(crate) fn run_again_and_again(engine: &Threads, limits: Limits, pulse: &Pulse) -> Runs {
    let mut runs = Runs::default();
    loop {
        let tally = &mut runs.tally;
        if tally.stop.is_none() {
            tally.stop = limits.reached(tally.executions, pulse);
        }
        if tally.stop.is_some() {
            return runs;
        }
        let record = match engine.run_once() {
            Ok(Some(record)) => record,
            Ok(None) => {
                tally.stop = Some(Stop::Endless {
                    run: tally.executions + 1,
                });
                continue;
            }
            Err(error) => {
                tally.stop = Some(Stop::Unsupported(format!(
                    "the system cannot start a thread: {error}; allow more processes and threads \
                     (`ulimit -u`)"
                )));
                continue;
            }
        };
        if let Some(what) = record.refused {
            tally.stop = Some(Stop::Unsupported(not_run(&what)));
            continue;
        }
        tally.executions += 1;
        if let Some(outcome) = record.recorded.outcome() {
            tally.count_outcome(&outcome);
        }
        if let Some(failure) = record.failure {
            tally.violations += 1;
            runs.failure.get_or_insert(failure);
            if !limits.past_failures {
                tally.stop = Some(Stop::Failure);
            }
        }
        pulse.count(tally.executions);
    }
}

/// Why a run came to nothing in which the system refused something.
pub(crate) fn not_run(what: &str) -> String {
    format!("the machine does not let the program run: {what}")
}
