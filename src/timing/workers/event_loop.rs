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
    let runtime = Builder::new_current_thread()
        .enable_all()
        .on_thread_park(move || resting.rests())
        .on_thread_unpark(move || recorder.goes_on())
        .build();
    runtime.map_err(|error| refused(&error))
}

fn refused(error: &io::Error) -> Failed {
    Failed::Refused(format!("the system gives no event loop: {error}"))
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
