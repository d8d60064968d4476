//! The synchronisation objects of an execution, as far as the scheduler has to know them.
//!
//! The values themselves (what an atomic holds for its user, the messages in a
//! channel) live in the façade's objects, so that no user code runs in here.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::panic::Location;

use crate::trace::{Clock, ThreadId, Value};

use super::Kept;
use super::happens_before::Cell;

/// An object that was made in the execution.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) kind: &'static str,
    pub(crate) name: Option<Cow<'static, str>>,
    pub(crate) made_at: &'static Location<'static>,
    pub(crate) state: State,
    /// What is released to those who acquire from it.
    pub(super) released: Clock,
}

/// What the scheduler has to know of an object.
#[derive(Debug)]
pub(crate) enum State {
    Atomic { value: Value },
    Mutex { held: Option<Hold> },
    Condvar { waiters: VecDeque<ThreadId> },
    Channel(Channel),
    ReadWrite(ReadWrite),
    Once(Initialisation),
    Barrier(Barrier),
    Cell(Cell),
}

/// Who holds a lock, and since where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    pub(crate) thread: ThreadId,
    pub(crate) at: &'static Location<'static>,
}

/// A lock that one thread holds for writing, or several for reading.
#[derive(Debug, Default)]
pub(crate) struct ReadWrite {
    pub(crate) writer: Option<Hold>,
    /// In the order in which they came. A thread can be there more than once.
    pub(crate) readers: Vec<Hold>,
    /// What the readers knew when they released it, which only writers learn.
    pub(super) read: Clock,
}

/// A place where threads wait until so many have arrived.
#[derive(Debug)]
pub(crate) struct Barrier {
    /// How many threads have to arrive.
    pub(crate) size: usize,
    /// How many have arrived since it was passed last.
    pub(crate) arrived: usize,
    /// How often it was passed.
    pub(crate) passed: usize,
    /// What those who have arrived knew.
    pub(super) arrivals: Clock,
    /// What those knew who passed it together, for each time. A thread may learn of it late, when
    /// others have arrived again.
    pub(super) passages: Vec<Clock>,
}

impl Barrier {
    pub(crate) fn new(size: usize) -> Self {
        Barrier {
            size,
            arrived: 0,
            passed: 0,
            arrivals: Clock::default(),
            passages: Vec::new(),
        }
    }
}

/// A one-time initialisation.
#[derive(Debug, Default)]
pub(crate) struct Initialisation {
    pub(crate) progress: Progress,
    /// What it made, if it makes a value.
    pub(crate) value: Option<Kept>,
}

/// How far a one-time initialisation has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Progress {
    #[default]
    Incomplete,
    /// A thread runs the initialiser.
    Running(Hold),
    /// The initialiser has panicked.
    Poisoned,
    Complete,
}

impl Initialisation {
    /// Makes it as if it had not begun, and takes out what it made.
    pub(crate) fn take(&mut self) -> Option<Kept> {
        self.progress = Progress::Incomplete;
        self.value.take()
    }
}

/// A channel with many producers and one consumer.
///
/// Messages are numbered in the order in which they were sent.
#[derive(Debug)]
pub(crate) struct Channel {
    /// `None` is unbounded. With 0 a sender waits until its message is taken.
    pub(crate) capacity: Option<usize>,
    pub(crate) sent: u64,
    pub(crate) taken: u64,
    pub(crate) senders: usize,
    pub(crate) has_receiver: bool,
    pub(super) clocks: ChannelClocks,
}

/// What those who use a channel learn of each other.
#[derive(Debug, Default)]
pub(super) struct ChannelClocks {
    /// What is known to who takes the messages in the channel.
    pub(super) messages: VecDeque<Clock>,
    /// What the receiver knew when it took a message.
    pub(super) taken: Clock,
    /// What was known to those who dropped an end.
    pub(super) dropped: Clock,
}

impl Channel {
    pub(crate) fn new(capacity: Option<usize>) -> Self {
        Channel {
            capacity,
            sent: 0,
            taken: 0,
            senders: 1,
            has_receiver: true,
            clocks: ChannelClocks::default(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sent == self.taken
    }

    /// Whether the message with this number was taken by the receiver.
    pub(crate) fn is_taken(&self, number: u64) -> bool {
        self.taken > number
    }

    /// Whether a message can be put in without waiting for room. A rendezvous
    /// has room for any offer: there the wait comes afterwards.
    pub(crate) fn has_room(&self) -> bool {
        match self.capacity {
            None | Some(0) => true,
            Some(capacity) => self.sent - self.taken < capacity as u64,
        }
    }
}

impl State {
    /// The holder of a mutex.
    pub(crate) fn held(&mut self) -> &mut Option<Hold> {
        match self {
            State::Mutex { held } => held,
            other => unreachable!("{other:?} is no mutex"),
        }
    }

    /// The threads that wait on a condition variable, the longest waiting first.
    pub(crate) fn waiters(&mut self) -> &mut VecDeque<ThreadId> {
        match self {
            State::Condvar { waiters } => waiters,
            other => unreachable!("{other:?} is no condition variable"),
        }
    }

    /// The read-write lock.
    pub(crate) fn read_write(&mut self) -> &mut ReadWrite {
        match self {
            State::ReadWrite(lock) => lock,
            other => unreachable!("{other:?} is no read-write lock"),
        }
    }

    /// The one-time initialisation.
    pub(crate) fn initialisation(&mut self) -> &mut Initialisation {
        match self {
            State::Once(initialisation) => initialisation,
            other => unreachable!("{other:?} is no one-time initialisation"),
        }
    }

    /// The barrier.
    pub(crate) fn barrier(&mut self) -> &mut Barrier {
        match self {
            State::Barrier(barrier) => barrier,
            other => unreachable!("{other:?} is no barrier"),
        }
    }

    /// The channel.
    pub(crate) fn channel(&mut self) -> &mut Channel {
        match self {
            State::Channel(channel) => channel,
            other => unreachable!("{other:?} is no channel"),
        }
    }
}
