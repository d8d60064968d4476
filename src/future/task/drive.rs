//! A thread of an execution that polls a future.

use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::execution::{Binding, NextStep, with};
use crate::model::task;
use crate::trace::{ObjectId, Operation, ThreadId};

/// Gives a task the name of its thread.
pub(in crate::future) fn name(task: &Binding, thread: ThreadId) {
    task.name(thread.to_string().into());
}

/// Runs a future on the current thread.
#[track_caller]
pub(in crate::future) fn block_on<F: Future>(future: F) -> F::Output {
    let at = Location::caller();
    assert_outside();
    let task = task::bind(None);
    name(&task, with(|execution| execution.me()));
    drive(task, at, future).expect("nobody can abort it")
}

/// Panics if the current thread runs a task.
#[track_caller]
pub(in crate::future) fn assert_outside() {
    assert!(
        current().is_none(),
        "racelab: `block_on` inside of `block_on` or of a task: its thread could not poll anything else"
    );
}

/// The task that the current thread runs.
pub(in crate::future) fn current() -> Option<ObjectId> {
    with(|execution| execution.current_mut().task)
}

/// Polls a future on the current thread until it has ended, and drops it. `None` if the task was
/// aborted first.
///
/// A poll is a step, which is possible first at once and then when the task was woken since the
/// last one began: so no wake-up during a poll is lost.
pub(in crate::future) fn drive<F: Future>(
    binding: Binding,
    at: &'static Location<'static>,
    future: F,
) -> Option<F::Output> {
    let object = binding.object().expect("the task was made in here");
    let _inside = Inside::enter(object);
    let waker = Waker::from(Arc::new(Wakes(binding)));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    let mut place = at;
    while task::begin_poll(object, task::poll(object).at(place)) {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Some(value);
        }
        // It waits where it has found last that it has to.
        place = with(|execution| execution.place()).unwrap_or(at);
    }
    None
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

/// The time in which a thread runs a task.
pub(super) struct Inside;

impl Inside {
    pub(super) fn enter(task: ObjectId) -> Self {
        with(|execution| execution.current_mut().task = Some(task));
        Inside
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        with(|execution| execution.current_mut().task = None);
    }
}
