//! A thread of an execution that polls a future.

use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::execution::{Binding, NextStep, with};
use crate::model::task;
use crate::trace::{Operation, ThreadId};

/// Gives a task the name of its thread.
pub(super) fn name(task: &Binding, thread: ThreadId) {
    task.name(thread.to_string().into());
}

/// Runs a future on the current thread.
#[track_caller]
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    let at = Location::caller();
    assert!(
        !is_inside(),
        "racelab: `block_on` inside of `block_on` or of a task: its thread could not poll anything else"
    );
    let task = task::bind();
    name(&task, with(|execution| execution.me()));
    run(task, at, future)
}

/// Whether the current thread runs futures.
pub(super) fn is_inside() -> bool {
    with(|execution| execution.current_mut().polls)
}

/// Polls a future on the current thread until it has ended, and drops it.
///
/// A poll is a step, which is possible first at once and then when the task was woken since the
/// last one began: so no wake-up during a poll is lost.
pub(super) fn run<F: Future>(
    binding: Binding,
    at: &'static Location<'static>,
    future: F,
) -> F::Output {
    let _inside = Inside::enter();
    let object = binding.object().expect("the task was made in here");
    let waker = Waker::from(Arc::new(Wakes(binding)));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    let mut next = task::poll(object).at(at);
    loop {
        task::begin_poll(object, next);
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        // It waits where it has found last that it has to.
        next = next.at(with(|execution| execution.place()).unwrap_or(at));
    }
}

/// What is behind the waker of a task.
struct Wakes(Binding);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(task) = self.0.object() else { return };
        let at = with(|execution| execution.place()).unwrap_or(self.0.made_at());
        task::wake(task, NextStep::new(Operation::Wake).at(at));
    }
}

/// The time in which a thread runs futures.
struct Inside;

impl Inside {
    fn enter() -> Self {
        with(|execution| execution.current_mut().polls = true);
        Inside
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        with(|execution| execution.current_mut().polls = false);
    }
}
