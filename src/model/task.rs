//! The task: a thread that polls a future.

use crate::execution::{Binding, Execution, Mode, NextStep, Requirement, Spot, Touches, step};
use crate::trace::{ObjectId, Operation, ThreadId};

use super::{Announced, Before, Done, Order, Primitive, State};

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

impl Primitive for Task {
    /// Who waits for a task also looks at its thread.
    fn announce(&self, at: &Announced<'_>, touches: &mut Touches) {
        touches.extend(at.next.object.map(|task| (Spot::Object(task), Mode::Write)));
        touches.extend(at.next.target.map(|thread| (Spot::End(thread), Mode::Read)));
    }

    fn touched(&self, _done: &Done<'_>, spot: Spot, _before: &Before) -> Option<Mode> {
        Some(match spot {
            Spot::End(_) => Mode::Read,
            // Who waits leaves a waker.
            _ => Mode::Write,
        })
    }

    /// Nobody else sees that a task asks to be polled again, or is polled.
    fn has_changed(&self, done: &Done<'_>) -> bool {
        match done.event.operation {
            Operation::Wake => done.event.target != Some(done.event.thread),
            Operation::Poll | Operation::Join => false,
            _ => true,
        }
    }

    fn looks(&self, done: &Done<'_>) -> [Option<Spot>; 2] {
        let polls = done.event.operation == Operation::Poll;
        let task = done.event.object.filter(|_| !polls);
        [task.map(Spot::Object), None]
    }

    fn glimpse(&self, _thread: ThreadId) -> Option<super::Glimpse> {
        Some(super::Glimpse::Task(Glimpse { woken: self.woken }))
    }

    fn before(&self) -> Before {
        Before::Task(Glimpse { woken: self.woken })
    }

    /// Who polls learns what those knew who woke the task.
    fn order(&mut self, order: &mut Order<'_>) {
        let known = &mut order.knowledge.clock;
        match order.event.operation {
            Operation::Wake => order.released.join(known),
            Operation::Poll => known.join(order.released),
            _ => {}
        }
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

pub(crate) fn state(execution: &mut Execution, task: ObjectId) -> &mut Task {
    match &mut execution.object_mut(task).state {
        State::Task(task) => task,
        other => unreachable!("{other:?} is no task"),
    }
}
