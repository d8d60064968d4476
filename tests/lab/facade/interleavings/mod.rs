//! What std promises of several threads, under every interleaving of small programs.

mod condvar;
mod mpsc;
mod mutex;
mod spinning;
mod threads;

use std::time::Duration;

use racelab::Failure;
use racelab::trace::Operation;

const MOMENT: Duration = Duration::from_millis(1);

/// What was done in a failing execution.
fn operations(failure: &Failure) -> Vec<Operation> {
    failure
        .trace
        .events
        .iter()
        .map(|event| event.operation)
        .collect()
}
