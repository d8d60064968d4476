//! Runs the search on an OS thread of its own and watches that it goes on.

use std::any::Any;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::execution::{Pulse, Refusal};

/// How a watched piece of work ended.
pub(crate) enum Watched<T> {
    /// With a result.
    Done(T),
    /// With a panic of its own, which is an error of the lab, or a [`Refusal`].
    Panicked(Box<dyn Any + Send>),
    /// Not at all: there was no step for the whole limit. Its OS thread goes on by itself.
    Stuck,
}

/// Runs `work` on another OS thread, until it ends or the pulse has stood still for `limit`.
pub(crate) fn watch<T: Send + 'static>(
    pulse: &Pulse,
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Watched<T> {
    let (sender, receiver) = channel();
    let worker = thread::Builder::new().name("racelab".to_owned());
    let worker = worker.spawn(move || {
        // Nobody listens any more if the work was taken for stuck.
        let _ = sender.send(work());
    });
    let worker = match worker {
        Ok(worker) => worker,
        Err(error) => {
            return Watched::Panicked(Box::new(Refusal::of_thread(&error)));
        }
    };
    let mut beats = pulse.beats();
    let mut last_beat = Instant::now();
    let tick = limit / 10;
    loop {
        match receiver.recv_timeout(tick) {
            Ok(result) => {
                // The result was the last thing that the worker had to do.
                let _ = worker.join();
                return Watched::Done(result);
            }
            Err(RecvTimeoutError::Disconnected) => {
                let payload = worker.join().err().unwrap_or_else(|| Box::new("no result"));
                return Watched::Panicked(payload);
            }
            Err(RecvTimeoutError::Timeout) => {
                if pulse.beats() != beats {
                    beats = pulse.beats();
                    last_beat = Instant::now();
                } else if last_beat.elapsed() >= limit {
                    return Watched::Stuck;
                }
            }
        }
    }
}
