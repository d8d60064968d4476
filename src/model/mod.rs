//! What the synchronisation primitives mean, one file for each: its state, when its operations are
//! possible, what they do, what they order, and who stands in the way of a blocked thread.
//!
//! The values themselves (what an atomic holds for its user, the messages in a channel) live in the
//! façade's objects, so that no user code runs while the execution is borrowed.
//!
//! Whether an operation is possible is asked of the present and of what there would be if some steps
//! had not been done. Both are a [`Situation`], which shows [`Glimpse`]s of the state, and both are
//! answered by [`is_possible`].

pub(crate) mod atomic;
pub(crate) mod barrier;
pub(crate) mod cell;
pub(crate) mod channel;
pub(crate) mod condvar;
pub(crate) mod mutex;
pub(crate) mod once;
pub(crate) mod park;
pub(crate) mod read_write;
pub(crate) mod task;
pub(crate) mod thread;

use std::panic::Location;

use crate::execution::{Alternatives, Execution, Knowledge, NextStep, Requirement, Spot};
use crate::memory;
use crate::trace::{Clock, Event, ObjectId, Obstacle, ThreadId};

use self::barrier::Barrier;
use self::cell::Cell;
use self::channel::Channel;
use self::condvar::Condvar;
use self::mutex::Mutex;
use self::once::{Initialisation, Progress};
use self::read_write::{Holds, ReadWrite};
use self::task::Task;

/// What the scheduler has to know of an object.
#[derive(Debug)]
pub(crate) enum State {
    Atomic(memory::Location),
    Mutex(Mutex),
    Condvar(Condvar),
    Channel(Box<Channel>),
    ReadWrite(ReadWrite),
    Once(Initialisation),
    Barrier(Barrier),
    Task(Task),
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
    let waits = match requirement {
        // Once notified, it only waits for the mutex.
        Requirement::Woken { .. } => !situation.has_happened(Spot::Woken(thread)),
        _ => true,
    };
    waits && matches!(alternatives, Alternatives::Timeout)
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
    /// What a thread has seen then.
    pub(crate) fn glimpse(&self, thread: ThreadId) -> Option<Glimpse> {
        match self {
            Before::Untold | Before::Holds(_) => None,
            Before::Mutex(glimpse) => Some(Glimpse::Mutex(*glimpse)),
            Before::Token(has_token) => Some(Glimpse::Token(*has_token)),
            Before::Progress(progress) => Some(Glimpse::Once(*progress)),
            Before::Task(glimpse) => Some(Glimpse::Task(*glimpse)),
            Before::Channel(channel) => Some(Glimpse::Channel(channel.glimpse(thread))),
        }
    }
}

impl State {
    /// What a thread sees of it now.
    pub(crate) fn glimpse(&self, thread: ThreadId) -> Option<Glimpse> {
        match self {
            State::Mutex(mutex) => Some(Glimpse::Mutex(mutex.glimpse())),
            State::ReadWrite(lock) => Some(Glimpse::ReadWrite(lock.glimpse())),
            State::Once(initialisation) => Some(Glimpse::Once(initialisation.progress)),
            State::Channel(channel) => Some(Glimpse::Channel(channel.glimpse(thread))),
            State::Task(task) => Some(Glimpse::Task(task.glimpse())),
            State::Atomic(_)
            | State::Condvar(_)
            | State::Barrier(_)
            | State::Cell(_)
            | State::Scope => None,
        }
    }

    /// What is recorded of it before a step touches it.
    pub(crate) fn before(&self) -> Before {
        match self {
            State::Mutex(mutex) => Before::Mutex(mutex.glimpse()),
            State::ReadWrite(lock) => lock.before(),
            State::Once(initialisation) => Before::Progress(initialisation.progress),
            State::Task(task) => Before::Task(task.glimpse()),
            State::Channel(channel) => Before::Channel(Box::new(channel.before())),
            State::Atomic(_)
            | State::Condvar(_)
            | State::Barrier(_)
            | State::Cell(_)
            | State::Scope => Before::Untold,
        }
    }

    /// Draws the consequences of an event of `thread` on the object for what happens before what:
    /// between what was released to the object, and what the thread knows.
    pub(crate) fn order(
        &mut self,
        thread: ThreadId,
        released: &mut Clock,
        knowledge: &mut Knowledge,
        event: &Event,
        requirement: Requirement,
    ) {
        let known = &mut knowledge.clock;
        match self {
            State::Atomic(_) => atomic::order(released, knowledge, event),
            State::Mutex(_) => mutex::order(released, known, event),
            State::ReadWrite(lock) => lock.order(thread, released, known, event, requirement),
            State::Once(_) => once::order(released, known, event),
            State::Channel(channel) => channel.order(known, event, requirement),
            State::Barrier(barrier) => barrier.order(known, event, requirement),
            State::Task(_) => task::order(released, known, event),
            State::Condvar(_) | State::Cell(_) | State::Scope => {}
        }
    }

    /// Who keeps an operation from being possible, where the object does not say it all.
    pub(crate) fn obstacle(&self, requirement: Requirement) -> Option<Obstacle> {
        match self {
            State::ReadWrite(lock) => Some(lock.obstacle(requirement)),
            State::Once(initialisation) => initialisation.progress.obstacle(),
            State::Barrier(barrier) => Some(barrier.obstacle()),
            _ => None,
        }
    }

    /// The threads that hold it, if it is a lock.
    pub(crate) fn holds(&self) -> impl Iterator<Item = Hold> {
        let (one, others): (Option<Hold>, &[Hold]) = match self {
            State::Mutex(mutex) => (mutex.held, &[]),
            State::ReadWrite(lock) => (lock.holder(), &lock.readers),
            _ => (None, &[]),
        };
        one.into_iter().chain(others.iter().copied())
    }
}

/// The object whose state says what an operation orders: that of a wait on a condition variable is
/// its mutex.
pub(crate) fn orders_by(event: &Event, next: &NextStep) -> Option<ObjectId> {
    match next.requires {
        Requirement::Held(mutex) | Requirement::Woken { mutex } => Some(mutex),
        _ => event.object,
    }
}
