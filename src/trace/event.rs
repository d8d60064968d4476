//! Events, and the threads and objects that they speak of.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::Ordering;

use super::{Operation, Value};

/// A thread of an execution: 0 is the thread that runs the body, the others are
/// numbered in the order in which they were spawned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadId(pub u32);

impl ThreadId {
    /// The thread that runs the body.
    pub const MAIN: ThreadId = ThreadId(0);

    /// The number as an index into the threads of a [`Trace`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("main"),
            number => write!(f, "T{number}"),
        }
    }
}

/// A synchronisation object of an execution, numbered in the order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub u32);

impl ObjectId {
    /// The number as an index into the objects of a [`Trace`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// An operation that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The number of the step, from 1 on, or `None` for an event at which the
    /// scheduler had no choice (an access of a cell, an operation of a thread that unwinds).
    pub step: Option<u32>,
    /// The thread that did it.
    pub thread: ThreadId,
    /// What it did.
    pub operation: Operation,
    /// The object that it did it to, if any.
    pub object: Option<ObjectId>,
    /// The other thread of a spawn, join or unpark, the one that a notification woke, or that of a
    /// task that is woken.
    pub target: Option<ThreadId>,
    /// What it read, if that can be shown.
    pub read: Option<Value>,
    /// For a read of a value that is not the newest: the index of the event that wrote the newest
    /// one, in [`Trace::events`].
    pub stale: Option<u32>,
    /// What it wrote, if that can be shown.
    pub written: Option<Value>,
    /// What there is to say of an operation that can end in two ways.
    pub result: Option<EventResult>,
    /// The memory ordering of an atomic operation or fence, as written.
    pub ordering: Option<Ordering>,
    /// The place in the source.
    pub at: &'static Location<'static>,
}

/// How an operation ended that can end in two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventResult {
    /// A compare-and-swap or an attempt took effect.
    Succeeded,
    /// A compare-and-swap or an attempt had no effect: the value differed, the
    /// lock was held, the channel was empty or full.
    Failed,
    /// A weak compare-and-swap had no effect although the value was the expected one.
    FailedSpuriously,
    /// The other end of the channel was gone.
    Disconnected,
    /// A future was polled and is not ready: its task waits until it is woken.
    Pending,
    /// A wait ended without a notification or a token, or is going to.
    Spurious,
    /// Who came to read waits for ever, behind a thread that waits to write, which is the target.
    Waits,
}

/// A thread, as a trace shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ThreadInfo {
    /// The name given with [`Builder::name`](crate::thread::Builder::name).
    pub name: Option<String>,
}

/// An object, as a trace shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectInfo {
    /// The name of the type, as `AtomicUsize`.
    pub kind: &'static str,
    /// The name given with [`Named::named`](crate::Named::named).
    pub name: Option<Cow<'static, str>>,
    /// Which object of its kind it is, from 1 on, in the order of creation.
    pub rank: u32,
    /// Where it was made.
    pub made_at: &'static Location<'static>,
}

impl ObjectInfo {
    /// The kind of a task, which is also named in reports.
    pub(crate) const TASK: &'static str = "Task";
}

impl fmt::Display for ObjectInfo {
    /// The name, or the kind and the rank, as `AtomicUsize#1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => f.write_str(name),
            None => write!(f, "{}#{}", self.kind, self.rank),
        }
    }
}

/// The events of one execution, in the order in which they happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trace {
    /// The threads, by [`ThreadId`].
    pub threads: Vec<ThreadInfo>,
    /// The objects, by [`ObjectId`].
    pub objects: Vec<ObjectInfo>,
    /// The events.
    pub events: Vec<Event>,
}

impl Trace {
    /// How a thread is called: by its own name if no other thread has it, else by its number.
    pub fn thread_name(&self, thread: ThreadId) -> String {
        let name_of = |info: &ThreadInfo| info.name.clone();
        match self.threads.get(thread.index()).and_then(name_of) {
            Some(name)
                if self
                    .threads
                    .iter()
                    .filter(|t| t.name.as_ref() == Some(&name))
                    .count()
                    == 1 =>
            {
                name
            }
            _ => thread.to_string(),
        }
    }

    /// How an object is called.
    pub fn object_name(&self, object: ObjectId) -> String {
        match self.objects.get(object.index()) {
            Some(info) => info.to_string(),
            None => format!("object {}", object.0),
        }
    }

    /// The number of steps.
    pub fn steps(&self) -> usize {
        self.events
            .iter()
            .filter(|event| event.step.is_some())
            .count()
    }
}
