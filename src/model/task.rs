//! The task: a thread that polls a future.

use crate::execution::{Binding, Execution, NextStep, Requirement, step};
use crate::trace::{Clock, Event, ObjectId, Operation, ThreadId};

use super::State;

/// A task, or a `block_on`: a thread that polls a future.
#[derive(Debug)]
pub(crate) struct Task {
    /// Whether it was woken since its last poll, or was not polled yet.
    pub(crate) woken: bool,
    /// Whether its result is there.
    pub(crate) done: bool,
    /// The thread that polls it, from the first poll on.
    pub(crate) thread: Option<ThreadId>,
}

/// What can be seen of a task: whether it was woken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glimpse {
    woken: bool,
}

impl Glimpse {
    /// A poll is possible first at once, and then when the task was woken since the last one began.
    pub(super) fn allows(self) -> bool {
        self.woken
    }
}

impl Task {
    pub(super) fn glimpse(&self) -> Glimpse {
        Glimpse { woken: self.woken }
    }
}

/// Binds a new task, which can be polled at once.
#[track_caller]
pub(crate) fn bind() -> Binding {
    let task = Task {
        woken: true,
        done: false,
        thread: None,
    };
    Binding::new("Task", |_| State::Task(task))
}

/// What a poll of the task requires.
pub(crate) fn poll(task: ObjectId) -> NextStep {
    NextStep::new(Operation::Poll)
        .on(task)
        .requires(Requirement::Roused(task))
}

/// Begins a poll, as the step `poll`.
pub(crate) fn begin_poll(task: ObjectId, poll: NextStep) {
    step(poll, |execution, _| {
        let me = execution.me();
        let state = state(execution, task);
        state.woken = false;
        state.thread = Some(me);
    });
}

/// Wakes the task, as the step `next`.
pub(crate) fn wake(task: ObjectId, next: NextStep) {
    step(next.on(task), |execution, _| {
        let state = state(execution, task);
        state.woken = true;
        let thread = state.thread;
        execution.note(|event| event.target = thread);
    });
}

/// Who polls learns what those knew who woke the task.
pub(super) fn order(released: &mut Clock, known: &mut Clock, event: &Event) {
    match event.operation {
        Operation::Wake => released.join(known),
        Operation::Poll => known.join(released),
        _ => {}
    }
}

pub(crate) fn state(execution: &mut Execution, task: ObjectId) -> &mut Task {
    match &mut execution.object_mut(task).state {
        State::Task(task) => task,
        other => unreachable!("{other:?} is no task"),
    }
}
