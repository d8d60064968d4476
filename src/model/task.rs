//! The task: a thread that polls a future.
//!
//! Whether a timer has expired is asked where its future is polled, and is a way of that step. A task
//! that waits with timers can also be woken by one of them: it times out.

use std::collections::VecDeque;

use smallvec::SmallVec;

use crate::execution::{
    Alternatives, Binding, Execution, Mode, NextStep, Requirement, Spot, Touches, step,
    step_in_drop, with,
};
use crate::trace::{Clock, EventResult, ObjectId, ObjectInfo, Operation, ThreadId, Value};

use super::{Announced, Before, Done, Order, Primitive, State};

/// A task, or a `block_on`: a thread that polls a future.
#[derive(Debug)]
pub(crate) struct Task {
    /// Whether it was woken since its last poll, or was not polled yet.
    woken: bool,
    /// Whether it is to be cancelled where it waits next.
    aborted: bool,
    /// When its thread has left its result, by its own clock.
    done_at: Option<u32>,
    /// The thread that polls it, from the first poll on.
    thread: Option<ThreadId>,
    timers: Timers,
    /// The set that it belongs to.
    set: Option<ObjectId>,
}

/// A set of tasks, which hands them out in the order in which they have ended.
#[derive(Debug, Default)]
pub(crate) struct TaskSet {
    ended: VecDeque<ThreadId>,
    /// What those knew that have ended.
    released: Clock,
}

impl Primitive for TaskSet {
    /// Who finds nothing leaves a waker.
    fn touched(&self, _done: &Done<'_>, _spot: Spot, _before: &Before) -> Option<Mode> {
        Some(Mode::Write)
    }

    fn order(&mut self, order: &mut Order<'_>) {
        if order.event.result != Some(EventResult::Pending) {
            order.knowledge.clock.join(&self.released);
        }
    }
}

/// The timers that a task waits for, by their numbers.
#[derive(Debug, Default)]
struct Timers {
    /// How many it has had.
    made: u32,
    running: SmallVec<[u32; 2]>,
    /// Of which one has woken the task, as long as it is not known which one.
    due: SmallVec<[u32; 2]>,
}

impl Timers {
    /// Whether this timer must be the one that has woken the task.
    fn is_due(&self, timer: u32) -> bool {
        self.due.as_slice() == [timer]
    }

    fn stop(&mut self, timer: u32) {
        self.running.retain(|&mut other| other != timer);
        self.due.retain(|&mut other| other != timer);
    }
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
    /// Who waits for a task also looks at its thread. Nobody else sees what a task learns of its
    /// timers.
    fn announce(&self, at: &Announced<'_>, touches: &mut Touches) {
        if at.next.operation == Operation::Timeout {
            return;
        }
        touches.extend(at.next.object.map(|task| (Spot::Object(task), Mode::Write)));
        touches.extend(at.next.target.map(|thread| (Spot::End(thread), Mode::Read)));
        let set = self.set.filter(|_| at.next.operation == Operation::Send);
        touches.extend(set.map(|set| (Spot::Object(set), Mode::Write)));
    }

    fn ways(&self, at: &Announced<'_>) -> u32 {
        match at.next.alternatives {
            Alternatives::Expiry(timer) if !self.timers.is_due(timer) => 2,
            _ => 1,
        }
    }

    fn touched(&self, _done: &Done<'_>, spot: Spot, _before: &Before) -> Option<Mode> {
        Some(match spot {
            Spot::End(_) => Mode::Read,
            // Who waits leaves a waker.
            _ => Mode::Write,
        })
    }

    /// Nobody else sees that a task asks to be polled again, is polled, or what its timers do.
    fn has_changed(&self, done: &Done<'_>) -> bool {
        match done.next.operation {
            Operation::Wake => done.event.target != Some(done.event.thread),
            Operation::Poll | Operation::Timeout | Operation::Join => false,
            Operation::Abort => done.has_succeeded(),
            _ => true,
        }
    }

    fn changes(&self, done: &Done<'_>) -> [Option<Spot>; 2] {
        let set = self.set.filter(|_| done.next.operation == Operation::Send);
        [done.event.object.map(Spot::Object), set.map(Spot::Object)]
    }

    fn looks(&self, done: &Done<'_>) -> [Option<Spot>; 2] {
        let is_own = matches!(done.next.operation, Operation::Poll | Operation::Timeout);
        let task = done.event.object.filter(|_| !is_own);
        [task.map(Spot::Object), None]
    }

    fn glimpse(&self, _thread: ThreadId) -> Option<super::Glimpse> {
        Some(super::Glimpse::Task(Glimpse { woken: self.woken }))
    }

    fn before(&self) -> Before {
        Before::Task(Glimpse { woken: self.woken })
    }

    /// Who polls learns what those knew who woke or aborted the task.
    fn order(&mut self, order: &mut Order<'_>) {
        let known = &mut order.knowledge.clock;
        match order.event.operation {
            Operation::Wake | Operation::Abort => order.released.join(known),
            Operation::Poll => known.join(order.released),
            _ => {}
        }
    }
}

/// The branches of a `select!`, of which one is polled first. That is no object, and nobody else
/// sees it.
#[derive(Debug)]
pub(super) struct Branches;

impl Primitive for Branches {
    fn announce(&self, _at: &Announced<'_>, _touches: &mut Touches) {}

    fn ways(&self, at: &Announced<'_>) -> u32 {
        match at.next.alternatives {
            Alternatives::Branches(branches) => branches,
            _ => 1,
        }
    }

    fn has_changed(&self, _done: &Done<'_>) -> bool {
        false
    }

    fn looks(&self, _done: &Done<'_>) -> [Option<Spot>; 2] {
        [None; 2]
    }
}

/// Binds a new task, which can be polled at once.
#[track_caller]
pub(crate) fn bind(set: Option<ObjectId>) -> Binding {
    let task = Task {
        woken: true,
        aborted: false,
        done_at: None,
        thread: None,
        timers: Timers::default(),
        set,
    };
    Binding::new(ObjectInfo::TASK, |_| State::Task(task))
}

/// What the next poll of the task requires.
pub(crate) fn poll(task: ObjectId) -> NextStep {
    let has_timers = with(|execution| !state(execution, task).timers.running.is_empty());
    let alternatives = if has_timers {
        Alternatives::Timeout
    } else {
        Alternatives::None
    };
    NextStep::new(Operation::Poll)
        .on(task)
        .requires(Requirement::Roused(task))
        .or(alternatives)
}

/// Begins a poll, as the step `poll`. Returns whether the task is to be polled: it is not if it was
/// aborted.
pub(crate) fn begin_poll(task: ObjectId, poll: NextStep) -> bool {
    step(poll, |execution, alternative| {
        let me = execution.me();
        let state = state(execution, task);
        state.woken = false;
        state.thread = Some(me);
        let timers = &mut state.timers;
        timers.due.clear();
        if alternative == 1 {
            timers.due.extend(timers.running.iter().copied());
        }
        let is_polled = !state.aborted;
        if alternative == 1 {
            execution.note(|event| event.operation = Operation::Timeout);
        }
        is_polled
    })
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

/// Aborts the task, as a step: it is cancelled where it waits next.
#[track_caller]
pub(crate) fn abort(task: ObjectId) {
    let next = NextStep::new(Operation::Abort).on(task);
    step(next, |execution, _| note_abort(execution, task));
}

/// Like [`abort`], in a destructor.
pub(crate) fn abort_in_drop(task: ObjectId, next: NextStep) {
    step_in_drop(next.on(task), |execution, _| note_abort(execution, task));
}

fn note_abort(execution: &mut Execution, task: ObjectId) {
    let state = state(execution, task);
    if state.done_at.is_some() {
        execution.note(|event| event.result = Some(EventResult::Failed));
    } else {
        state.aborted = true;
        state.woken = true;
    }
}

/// Notes that the result of the task is there, in a step of its thread.
pub(crate) fn note_done(execution: &mut Execution, task: ObjectId) {
    let me = execution.me();
    let mut clock = execution.thread(me).knowledge.clock.clone();
    let state = state(execution, task);
    state.done_at = Some(clock.get(me));
    if let Some(set) = state.set {
        // As it will be when this step is done.
        clock.advance(me);
        let set = set_state(execution, set);
        set.released.join(&clock);
        set.ended.push_back(me);
    }
}

/// Binds a new set of tasks.
#[track_caller]
pub(crate) fn bind_set() -> Binding {
    Binding::new("JoinSet", |_| State::TaskSet(TaskSet::default()))
}

/// Takes the first task of the set that has ended out of it, as a step. If there is none, the step
/// includes `wait`.
#[track_caller]
pub(crate) fn take_ended(
    set: ObjectId,
    is_in_set: impl Fn(ThreadId) -> bool,
    wait: impl FnOnce(),
) -> Option<ThreadId> {
    let next = NextStep::new(Operation::Receive).on(set);
    step(next, |execution, _| {
        let ended = &mut set_state(execution, set).ended;
        ended.retain(|&thread| is_in_set(thread));
        let thread = ended.pop_front();
        if thread.is_none() {
            wait();
            execution.note(|event| event.result = Some(EventResult::Pending));
        }
        thread
    })
}

/// Whether the result of the task is there.
pub(crate) fn is_done(execution: &mut Execution, task: ObjectId) -> bool {
    state(execution, task).done_at.is_some()
}

/// Whether the result of the task was there before the next step of the current thread in every
/// execution in which happens before it what happens before it here.
pub(crate) fn is_known_to_be_done(task: ObjectId, thread: ThreadId) -> bool {
    with(|execution| {
        let me = execution.me();
        let known = execution.thread(me).knowledge.clock.get(thread);
        let done_at = state(execution, task).done_at;
        done_at.is_some_and(|done_at| known > done_at)
    })
}

/// A timer of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timer {
    task: ObjectId,
    number: u32,
}

impl Timer {
    /// Starts a timer of the task. Not a step.
    pub(crate) fn start(task: ObjectId) -> Self {
        let number = with(|execution| {
            let timers = &mut state(execution, task).timers;
            timers.made += 1;
            timers.running.push(timers.made);
            timers.made
        });
        Timer { task, number }
    }

    /// Whether it is one of this task.
    pub(crate) fn is_of(self, task: ObjectId) -> bool {
        self.task == task
    }

    /// Stops it, so that it wakes nobody any more. Not a step.
    pub(crate) fn stop(self) {
        with(|execution| state(execution, self.task).timers.stop(self.number));
    }

    /// Looks whether it has expired, as the step of its task `next`.
    pub(crate) fn has_expired(self, next: NextStep) -> bool {
        let next = next.on(self.task).or(Alternatives::Expiry(self.number));
        step(next, |execution, alternative| {
            let timers = &mut state(execution, self.task).timers;
            let has_expired = alternative == 1 || timers.is_due(self.number);
            if has_expired {
                // It is the one that has woken the task, or one that another one was late for.
                timers.stop(self.number);
                timers.due.clear();
            } else {
                timers.due.retain(|&mut other| other != self.number);
                execution.note(|event| event.result = Some(EventResult::Pending));
            }
            has_expired
        })
    }
}

/// Chooses which of the branches is polled first, as a step.
#[track_caller]
pub(crate) fn choose_branch(branches: u32) -> u32 {
    let next = NextStep::new(Operation::Poll).or(Alternatives::Branches(branches));
    step(next, |execution, branch| {
        let number = Value::Unsigned(u64::from(branch) + 1);
        execution.note(|event| event.read = Some(number));
        branch
    })
}

fn set_state(execution: &mut Execution, set: ObjectId) -> &mut TaskSet {
    match &mut execution.object_mut(set).state {
        State::TaskSet(set) => set,
        other => unreachable!("{other:?} is no set of tasks"),
    }
}

fn state(execution: &mut Execution, task: ObjectId) -> &mut Task {
    match &mut execution.object_mut(task).state {
        State::Task(task) => task,
        other => unreachable!("{other:?} is no task"),
    }
}
