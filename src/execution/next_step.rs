//! What threads announce before they do it.

use std::panic::Location;
use std::ptr;
use std::sync::atomic::Ordering;

use crate::model::select::Sides;
use crate::trace::{ObjectId, Operation, ThreadId};

/// The next operation of a thread, as it announces it before it does it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NextStep {
    pub(crate) operation: Operation,
    pub(crate) object: Option<ObjectId>,
    pub(crate) target: Option<ThreadId>,
    pub(crate) ordering: Option<Ordering>,
    pub(crate) at: &'static Location<'static>,
    /// What must be so for the operation to be possible.
    pub(crate) requires: Requirement,
    /// Which other ways the operation can go.
    pub(crate) alternatives: Alternatives,
}

impl NextStep {
    /// An operation that is always possible, called for at the caller's caller.
    #[inline]
    #[track_caller]
    pub(crate) fn new(operation: Operation) -> Self {
        NextStep {
            operation,
            object: None,
            target: None,
            ordering: None,
            at: Location::caller(),
            requires: Requirement::Nothing,
            alternatives: Alternatives::None,
        }
    }

    /// Stands for what a thread announces: its number, the operation, object and place.
    ///
    /// The addresses of places are the same for the whole process. A cheap mixing is enough: nobody
    /// makes up collisions, and this runs at each step of each execution.
    #[inline]
    pub(super) fn hash(&self, thread: ThreadId) -> u64 {
        let object = self.object.map_or(0, |object| u64::from(object.0) + 1);
        let who = u64::from(thread.0) << 8 | self.operation as u64;
        let place = ptr::from_ref(self.at).addr() as u64;
        let parts = place.rotate_left(20) ^ object.rotate_left(40) ^ who;
        let mixed = parts.wrapping_mul(0x517C_C1B7_2722_0A95);
        (mixed ^ (mixed >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    /// The mutex that a wait on a condition variable releases or acquires.
    #[inline]
    pub(crate) fn mutex(&self) -> Option<ObjectId> {
        match self.requires {
            Requirement::Held(mutex) | Requirement::Woken { mutex } => Some(mutex),
            Requirement::Free(mutex) if self.operation == Operation::Wake => Some(mutex),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn on(self, object: ObjectId) -> Self {
        NextStep {
            object: Some(object),
            ..self
        }
    }

    pub(crate) fn of(self, target: ThreadId) -> Self {
        NextStep {
            target: Some(target),
            ..self
        }
    }

    #[inline]
    pub(crate) fn ordered(self, ordering: Ordering) -> Self {
        NextStep {
            ordering: Some(ordering),
            ..self
        }
    }

    pub(crate) fn requires(self, requires: Requirement) -> Self {
        NextStep { requires, ..self }
    }

    pub(crate) fn or(self, alternatives: Alternatives) -> Self {
        NextStep {
            alternatives,
            ..self
        }
    }

    pub(crate) fn at(self, at: &'static Location<'static>) -> Self {
        NextStep { at, ..self }
    }
}

/// What must be so for an operation to be possible. A thread whose next
/// operation is impossible is not offered to the search.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Requirement {
    Nothing,
    /// The mutex is not held, or the read-write lock neither for reading nor for writing.
    Free(ObjectId),
    /// The thread holds the mutex, or the read-write lock for writing, which it does.
    Held(ObjectId),
    /// The read-write lock is not held for writing.
    Readable(ObjectId),
    /// The read-write lock is held neither for writing nor upgradably.
    Upgradable(ObjectId),
    /// Nobody else reads the read-write lock, which the thread holds upgradably.
    Unread(ObjectId),
    /// The thread holds the read-write lock for reading, which it does.
    Read,
    /// The thread holds the read-write lock upgradably, which it does.
    ReadUpgradably,
    /// No thread runs the initialiser.
    Idle(ObjectId),
    /// The initialiser has run to its end.
    Initialised(ObjectId),
    /// The initialiser has run to its end, or has panicked.
    Ended(ObjectId),
    /// The barrier was passed more often than this.
    Passed(ObjectId, u64),
    /// The thread was notified or its wait timed out, and the mutex is not held.
    Woken {
        mutex: ObjectId,
    },
    /// The thread has finished.
    Finished(ThreadId),
    /// The channel holds a message, or has no sender left.
    Message(ObjectId),
    /// The channel has room for a message, or has no receiver left.
    Room(ObjectId),
    /// The message with this number was taken, or the channel has no receiver left.
    Taken(ObjectId, u64),
    /// One of the operations of a select is possible.
    Any(Sides),
    /// The task was woken since its last poll, or was not polled yet.
    Roused(ObjectId),
    /// The thread has a park token.
    Token,
}

/// Which other ways an operation can go, apart from the normal one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Alternatives {
    None,
    /// While it is impossible, it can time out: alternative 1.
    Timeout,
    /// It can fail spuriously, while the atomic holds these bits: alternative 1.
    Spurious(u64),
    /// It concerns one of the threads that wait on its object: alternative `k` is the `k`-th.
    Waiters,
    /// It goes on with one of the sides of a select that are possible: alternative `k` is the `k`-th of
    /// them, or the first one if it is biased. While none is, it may be able to time out: alternative
    /// 1.
    Sides {
        sides: Sides,
        is_biased: bool,
        times_out: bool,
    },
    /// It can find nobody at the other end: alternative 1.
    Unmet,
    /// It can find its thread not quite ended, although that has done all of its steps:
    /// alternative 1.
    Unfinished,
    /// The wait that it begins can end spuriously, where such wake-ups are explored: alternative 1.
    WakeUp,
    /// The timer with this number of its task can have expired, or not yet: alternative 1 is that it
    /// has.
    Expiry(u32),
    /// It polls one of this number of branches first: alternative `k` is branch `k`.
    Branches(u32),
    /// It can wait behind a thread that waits to write, for ever if nobody can do anything else:
    /// alternative 1.
    BehindWriters,
}
