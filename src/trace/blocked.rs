//! Who held what and who waited for what, when nobody could go on.

use std::panic::Location;

use super::{ObjectId, Operation, ThreadId};

/// A thread that had not finished when its execution came to a standstill.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blocked {
    /// The thread.
    pub thread: ThreadId,
    /// The operation that it was about to do.
    pub operation: Operation,
    /// The object of the operation.
    pub object: Option<ObjectId>,
    /// The thread that the operation waits for.
    pub target: Option<ThreadId>,
    /// The place of the operation.
    pub at: &'static Location<'static>,
    /// Whether the operation is possible: the thread does not wait for it, but looks again and
    /// again at what it waits for.
    pub spins: bool,
    /// The locks that the thread held.
    pub holds: Vec<Held>,
    /// What keeps the operation from being possible, where the object does not say it all.
    pub obstacle: Option<Obstacle>,
}

/// What keeps an operation from being possible.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obstacle {
    /// This thread holds the read-write lock for writing.
    Writer(ThreadId),
    /// These threads hold the read-write lock for reading.
    Readers(Vec<ThreadId>),
    /// This thread holds the read-write lock upgradably: it reads, and can go on to write.
    Upgradable(ThreadId),
    /// Others read, but this thread waits to write and goes first.
    WaitingWriter(ThreadId),
    /// So many threads have arrived at the barrier, which is for more.
    Arrivals {
        /// How many have arrived.
        arrived: usize,
        /// How many have to arrive.
        size: usize,
    },
    /// This thread runs the initialiser.
    Initialiser(ThreadId),
}

/// A lock that a thread held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Held {
    /// The lock.
    pub object: ObjectId,
    /// Where it was acquired.
    pub at: &'static Location<'static>,
}
