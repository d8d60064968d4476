//! Tasks on one event loop, which one thread runs.

use std::io;
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

use crate::timing::{Failed, Timeline};

/// An event loop of the calling thread.
///
/// # Errors
///
/// If the system gives none.
pub(in crate::timing) fn event_loop() -> Result<Runtime, Failed> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| refused(&error))
}

/// An event loop of the calling thread, of which it is recorded when it works and when it waits.
///
/// # Errors
///
/// As [`event_loop`].
pub(in crate::timing) fn recorded_event_loop(timeline: &Timeline) -> Result<Runtime, Failed> {
    let Some(recorder) = timeline.thread_of_tasks() else {
        return event_loop();
    };
    let recorder = Arc::new(recorder);
    let resting = Arc::clone(&recorder);
    let mut builder = Builder::new_current_thread();
    builder.enable_all();
    on_rest(
        &mut builder,
        move || resting.rests(),
        move || recorder.goes_on(),
    );
    let runtime = builder.build();
    runtime.map_err(|error| refused(&error))
}

/// Sets what is called when the thread of the event loop rests, and when it goes on.
#[cfg(network)]
fn on_rest(
    builder: &mut Builder,
    rests: impl Fn() + Send + Sync + 'static,
    goes_on: impl Fn() + Send + Sync + 'static,
) {
    builder.on_thread_park(rests).on_thread_unpark(goes_on);
}

/// Does nothing: under `--cfg loom`, tokio has no such hooks.
#[cfg(not(network))]
fn on_rest(
    _builder: &mut Builder,
    _rests: impl Fn() + Send + Sync + 'static,
    _goes_on: impl Fn() + Send + Sync + 'static,
) {
}

fn refused(error: &io::Error) -> Failed {
    Failed::NotGiven(format!(
        "the system gives no event loop: {error}; allow more open files (`ulimit -n`)"
    ))
}

/// Starts a task for each piece of a work, and waits for all of them. The answers are in the order
/// of the pieces.
///
/// # Errors
///
/// If a task fails or panics.
pub(in crate::timing) fn on_event_loop<A: Send + 'static>(
    runtime: &Runtime,
    tasks: impl IntoIterator<Item = impl Future<Output = Result<A, Failed>> + Send + 'static>,
) -> Result<Vec<A>, Failed> {
    runtime.block_on(async {
        let started: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
        let mut answers = Vec::with_capacity(started.len());
        for task in started {
            let answer = task.await;
            answers.push(answer.map_err(|_| Failed::Broken("a task panicked".to_owned()))??);
        }
        Ok(answers)
    })
}
