//! What the synchronisation primitives mean, one file for each: its state, when its operations are
//! possible and in which ways they can go, what they do, what they touch, what they order, and who
//! stands in the way of a blocked thread. Each is a [`Primitive`], and a new one is a file and its
//! lines in [`State`].
//!
//! The values themselves (what an atomic holds for its user, the messages in a channel) live in the
//! façade's objects, so that no user code runs while the execution is borrowed.
//!
//! Whether an operation is possible is asked of the present and of what there would be if some steps
//! had not been done. Both are a [`Situation`], which shows [`Glimpse`]s of the state, and both are
//! answered by [`is_possible`].

pub(crate) mod atomic;
pub(crate) mod atomic_cell;
#[cfg(feature = "future")]
pub(crate) mod awaited;
pub(crate) mod barrier;
pub(crate) mod cell;
pub(crate) mod channel;
pub(crate) mod condvar;
mod last_drop;
pub(crate) mod mutex;
pub(crate) mod once;
pub(crate) mod park;
pub(crate) mod read_write;
pub(crate) mod select;
pub(crate) mod task;
pub(crate) mod thread;

use std::panic::Location;

use smallvec::SmallVec;

use crate::execution::{
    Alternatives, Execution, Knowledge, Mode, NextStep, Requirement, Spot, Touches,
};
use crate::memory;
use crate::trace::{Clock, Event, EventResult, ObjectId, Obstacle, Operation, ThreadId};

use self::atomic_cell::AtomicCell;
use self::barrier::Barrier;
use self::cell::Cell;
use self::channel::Channel;
use self::condvar::Condvar;
use self::mutex::Mutex;
use self::once::{Initialisation, Progress};
use self::read_write::{Holds, ReadWrite};
use self::task::{Task, TaskSet};

/// What the operations of a primitive mean to other threads, and so to a search.
///
/// The defaults are those of an operation that changes its object, unless it fails or times out, and
/// that orders nothing.
pub(crate) trait Primitive {
    /// Itself, as one of all primitives.
    fn as_any(&self) -> &dyn Primitive
    where
        Self: Sized,
    {
        self
    }

    /// What an operation may touch, in the mode that conflicts with most.
    fn announce(&self, at: &Announced<'_>, touches: &mut Touches) {
        let mode = match at.next.operation {
            Operation::Load => Mode::Read,
            _ => Mode::Write,
        };
        if let Some(object) = at.next.object {
            touches.push((Spot::Object(object), mode));
        }
    }

    /// What a thread touches already by beginning to wait for the operation.
    fn arrival(&self, _next: &NextStep) -> Option<(Spot, Mode)> {
        None
    }

    /// In how many ways the operation can go, if it is possible.
    fn ways(&self, _at: &Announced<'_>) -> u32 {
        1
    }

    /// How an operation that was performed has touched a spot that it was announced to touch, which
    /// was like this before; `None` if it has not.
    fn touched(&self, done: &Done<'_>, _spot: Spot, _before: &Before) -> Option<Mode> {
        let reads = done.event.operation == Operation::Load || !done.has_succeeded();
        Some(if reads { Mode::Read } else { Mode::Write })
    }

    /// Which spots it has written that were not announced: what others wait for, and what happens
    /// once and then stays.
    fn allowed(&self, _done: &Done<'_>) -> SmallVec<[Spot; 2]> {
        SmallVec::new()
    }

    /// Whether it has changed anything that another thread can see.
    fn has_changed(&self, done: &Done<'_>) -> bool {
        done.event.operation != Operation::Load && done.has_succeeded()
    }

    /// What it has changed, if it has.
    fn changes(&self, done: &Done<'_>) -> [Option<Spot>; 2] {
        [done.event.object.map(Spot::Object), None]
    }

    /// What it has looked at, if it has changed nothing.
    fn looks(&self, done: &Done<'_>) -> [Option<Spot>; 2] {
        [done.event.object.map(Spot::Object), None]
    }

    /// What it has done to what others can see.
    fn effect(&self, done: &Done<'_>) -> Effect {
        self.effect_on_itself(done)
    }

    /// The same, where it does not matter what the primitive guards.
    fn effect_on_itself(&self, done: &Done<'_>) -> Effect {
        if self.has_changed(done) {
            Effect::Changed(self.changes(done))
        } else {
            Effect::Looked(self.looks(done))
        }
    }

    /// What a thread sees of it now, as far as it decides what is possible.
    fn glimpse(&self, _thread: ThreadId) -> Option<Glimpse> {
        None
    }

    /// What is recorded of it before a step touches it.
    fn before(&self) -> Before {
        Before::Untold
    }

    /// Whether what happens once, and then stays, has happened: that with this number.
    fn has_happened(&self, _number: u64) -> bool {
        true
    }

    /// Draws the consequences of an event for what happens before what.
    fn order(&mut self, _order: &mut Order<'_>) {}

    /// Who keeps an operation from being possible, where the object does not say it all.
    fn obstacle(&self, _requirement: Requirement) -> Option<Obstacle> {
        None
    }

    /// The threads that hold it, if it is a lock.
    fn holds(&self) -> SmallVec<[Hold; 2]> {
        SmallVec::new()
    }
}

/// An operation that a thread has announced.
pub(crate) struct Announced<'a> {
    pub(crate) execution: &'a Execution,
    pub(crate) thread: ThreadId,
    pub(crate) next: &'a NextStep,
}

/// An operation that was performed.
pub(crate) struct Done<'a> {
    pub(crate) event: &'a Event,
    /// What happened before.
    pub(crate) earlier: &'a [Event],
    pub(crate) next: &'a NextStep,
}

/// What an operation has done to what other threads can see.
pub(crate) enum Effect {
    /// It has changed these spots.
    Changed([Option<Spot>; 2]),
    /// It has looked at these, and changed nothing.
    Looked([Option<Spot>; 2]),
    /// It has acquired this lock, alone or with others.
    Acquired { lock: ObjectId, is_exclusive: bool },
    /// It has released this lock.
    Released { lock: ObjectId, was_exclusive: bool },
}

impl Done<'_> {
    #[inline]
    fn has_succeeded(&self) -> bool {
        !self.has_failed() && !self.has_timed_out()
    }

    #[inline]
    fn has_failed(&self) -> bool {
        matches!(
            self.event.result,
            Some(
                EventResult::Failed
                    | EventResult::FailedSpuriously
                    | EventResult::Disconnected
                    | EventResult::Pending
            )
        )
    }

    fn has_timed_out(&self) -> bool {
        self.event.operation == Operation::Timeout
    }
}

/// Between what an event establishes an order.
pub(crate) struct Order<'a> {
    pub(crate) event: &'a Event,
    pub(crate) requires: Requirement,
    /// What was released to the object.
    pub(crate) released: &'a mut Clock,
    /// What the thread knows.
    pub(crate) knowledge: &'a mut Knowledge,
}

/// What the scheduler has to know of an object.
#[derive(Debug)]
pub(crate) enum State {
    Atomic(memory::Location),
    AtomicCell(AtomicCell),
    Mutex(Mutex),
    Condvar(Condvar),
    Channel(Box<Channel>),
    ReadWrite(ReadWrite),
    Once(Initialisation),
    Barrier(Barrier),
    Task(Task),
    #[cfg(feature = "future")]
    Awaited(Box<awaited::Awaited>),
    TaskSet(TaskSet),
    Cell(Cell),
    /// The threads of a scope, which the scope itself keeps.
    Scope,
}

/// Who holds a lock, and since where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    pub(crate) thread: ThreadId,
    pub(crate) at: &'static Location<'static>,
}

impl Hold {
    /// That the current thread holds a lock from now on.
    fn mine(execution: &Execution, at: &'static Location<'static>) -> Self {
        let thread = execution.me();
        Hold { thread, at }
    }
}

/// What one thread sees of a spot, as far as it decides what is possible.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Glimpse {
    Mutex(mutex::Glimpse),
    ReadWrite(read_write::Glimpse),
    Once(Progress),
    Channel(channel::Glimpse),
    Task(task::Glimpse),
    /// Whether the thread has its park token.
    Token(bool),
}

/// Where it is looked up whether an operation is possible.
pub(crate) trait Situation {
    /// What the thread sees of a spot. `None` if it is as it is now and not known better.
    fn glimpse(&self, spot: Spot, thread: ThreadId) -> Option<Glimpse>;

    /// Whether something has happened that happens once and then stays: a thread has finished or
    /// was woken, a message was taken, a barrier was passed.
    fn has_happened(&self, spot: Spot) -> bool;

    /// The answer about a spot that is as it is now.
    fn is_possible_now(&self) -> bool;
}

/// Whether what an operation of a thread requires is so.
#[inline]
pub(crate) fn is_possible(
    situation: &impl Situation,
    thread: ThreadId,
    requirement: Requirement,
) -> bool {
    let happened = |spot| situation.has_happened(spot);
    let allows = |spot| match situation.glimpse(spot, thread) {
        Some(glimpse) => glimpse.allows(requirement),
        None => situation.is_possible_now(),
    };
    match requirement {
        Requirement::Nothing
        | Requirement::Held(_)
        | Requirement::Read
        | Requirement::ReadUpgradably => true,
        Requirement::Free(object)
        | Requirement::Readable(object)
        | Requirement::Upgradable(object)
        | Requirement::Unread(object)
        | Requirement::Idle(object)
        | Requirement::Initialised(object)
        | Requirement::Ended(object)
        | Requirement::Roused(object)
        | Requirement::Message(object)
        | Requirement::Room(object) => allows(Spot::Object(object)),
        Requirement::Any(sides) => sides.iter().any(|side| {
            let (Requirement::Message(channel) | Requirement::Room(channel)) = side.requires()
            else {
                return false;
            };
            match situation.glimpse(Spot::Object(channel), thread) {
                Some(glimpse) => glimpse.allows(side.requires()),
                None => situation.is_possible_now(),
            }
        }),
        Requirement::Token => allows(Spot::Token(thread)),
        Requirement::Finished(other) => happened(Spot::End(other)),
        Requirement::Passed(barrier, times) => happened(Spot::Passage(barrier, times)),
        Requirement::Woken { mutex } => {
            happened(Spot::Woken(thread)) && allows(Spot::Object(mutex))
        }
        Requirement::Taken(channel, number) => {
            happened(Spot::Taken(channel, number)) || allows(Spot::Object(channel))
        }
    }
}

/// Whether an operation that is not possible can end by a time-out.
pub(crate) fn can_time_out(
    situation: &impl Situation,
    thread: ThreadId,
    requirement: Requirement,
    alternatives: Alternatives,
) -> bool {
    let can_ever = matches!(
        alternatives,
        Alternatives::Timeout
            | Alternatives::Sides {
                times_out: true,
                ..
            }
    );
    can_ever
        && match requirement {
            // Once notified, it only waits for the mutex.
            Requirement::Woken { .. } => !situation.has_happened(Spot::Woken(thread)),
            _ => true,
        }
}

impl Glimpse {
    fn allows(self, requirement: Requirement) -> bool {
        match self {
            Glimpse::Mutex(glimpse) => glimpse.allows(),
            Glimpse::ReadWrite(glimpse) => glimpse.allows(requirement),
            Glimpse::Once(progress) => progress.allows(requirement),
            Glimpse::Channel(glimpse) => glimpse.allows(requirement),
            Glimpse::Task(glimpse) => glimpse.allows(),
            Glimpse::Token(has_token) => has_token,
        }
    }
}

/// What a spot was like before a step touched it, as far as it decides which steps are possible for
/// whichever thread.
#[derive(Clone, Debug)]
pub(crate) enum Before {
    /// It decides nothing, or can be told from the touches themselves.
    Untold,
    /// What is there after the step.
    Same,
    /// What the round of the thread is going to bring back.
    Passed,
    /// What the round of the thread had written, which the step undoes.
    Undone,
    Mutex(mutex::Glimpse),
    /// By how much the step changes how many threads hold the read-write lock.
    Holds(Holds),
    /// Whether the thread had its token.
    Token(bool),
    /// How far the initialisation had come.
    Progress(Progress),
    Task(task::Glimpse),
    Channel(Box<channel::Before>),
}

impl Before {
    /// What there is to know of what was there before, with what is there now.
    pub(crate) fn until(&self, now: impl FnOnce() -> Before) -> Before {
        if let Before::Holds(before) = self
            && let Before::Holds(now) = now()
        {
            Before::Holds(now - *before)
        } else {
            self.clone()
        }
    }

    /// What a thread has seen then.
    pub(crate) fn glimpse(&self, thread: ThreadId) -> Option<Glimpse> {
        match self {
            Before::Untold | Before::Same | Before::Passed | Before::Undone | Before::Holds(_) => {
                None
            }
            Before::Mutex(glimpse) => Some(Glimpse::Mutex(*glimpse)),
            Before::Token(has_token) => Some(Glimpse::Token(*has_token)),
            Before::Progress(progress) => Some(Glimpse::Once(*progress)),
            Before::Task(glimpse) => Some(Glimpse::Task(*glimpse)),
            Before::Channel(channel) => Some(Glimpse::Channel(channel.glimpse(thread))),
        }
    }
}

/// Evaluates an expression for the primitive of a state, whichever it is.
macro_rules! of_primitive {
    ($state:expr, $primitive:ident => $of_it:expr, Scope => $of_scope:expr) => {
        match $state {
            State::Atomic($primitive) => $of_it,
            State::AtomicCell($primitive) => $of_it,
            State::Mutex($primitive) => $of_it,
            State::Condvar($primitive) => $of_it,
            State::Channel($primitive) => $of_it,
            State::ReadWrite($primitive) => $of_it,
            State::Once($primitive) => $of_it,
            State::Barrier($primitive) => $of_it,
            State::Task($primitive) => $of_it,
            #[cfg(feature = "future")]
            State::Awaited($primitive) => $of_it,
            State::TaskSet($primitive) => $of_it,
            State::Cell($primitive) => $of_it,
            State::Scope => $of_scope,
        }
    };
}

impl State {
    pub(crate) fn primitive(&self) -> &dyn Primitive {
        of_primitive!(self, primitive => primitive.as_any(), Scope => &thread::Threads)
    }

    /// What an operation orders, as its primitive says.
    #[inline]
    pub(crate) fn order(&mut self, order: &mut Order<'_>) {
        of_primitive!(self, primitive => primitive.order(order), Scope => ());
    }
}

/// What an operation has done to what others can see, as its primitive says.
#[inline]
pub(crate) fn effect(execution: &Execution, done: &Done<'_>) -> Effect {
    match done.next.object {
        Some(object) => {
            let state = &execution.object(object).state;
            of_primitive!(state, primitive => primitive.effect(done), Scope => thread::Threads.effect(done))
        }
        None => primitive(execution, done.next).effect(done),
    }
}

/// The primitive that an operation belongs to.
pub(crate) fn primitive<'a>(execution: &'a Execution, next: &NextStep) -> &'a dyn Primitive {
    match (next.object, next.operation) {
        (Some(object), _) => execution.object(object).state.primitive(),
        (None, Operation::Wait | Operation::Park | Operation::Unpark) => &park::Token,
        (None, Operation::Fence) => &atomic::Fence,
        (None, Operation::Select) => &select::Select,
        (None, Operation::Poll) => &task::Branches,
        (None, _) => &thread::Threads,
    }
}
