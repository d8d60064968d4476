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
    /// How often it was changed.
    pub(super) version: u32,
    pub(super) origin: Origin,
}

/// By what an object is known again in another execution, where other numbers may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    /// It is the so-manieth object that this thread made.
    Made(ThreadId, u32),
    /// It was bound where it was used first, which can be by any thread.
    BoundLate,
}

/// What the scheduler has to know of an object.
#[derive(Debug)]
pub(crate) enum State {
    Atomic {
        value: Value,
    },
    Mutex {
        held: Option<Hold>,
    },
    Condvar {
        waiters: VecDeque<ThreadId>,
    },
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

/// A channel with many producers and many consumers.
///
/// Messages are numbered in the order in which they were sent.
#[derive(Debug)]
pub(crate) struct Channel {
    /// `None` is unbounded. With 0 a sender waits until its message is taken.
    pub(crate) capacity: Option<usize>,
    /// How many messages were sent: the number of the next one.
    pub(crate) sent: u64,
    /// The messages that are in it.
    pub(crate) letters: VecDeque<Letter>,
    pub(crate) senders: usize,
    pub(crate) receivers: usize,
    /// The tasks that wait for room, in their order.
    pub(crate) line: Line,
    /// The message that was put in or taken last.
    pub(super) moved: u64,
    pub(super) clocks: ChannelClocks,
}

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

impl Task {
    pub(crate) fn new() -> Self {
        Task {
            woken: true,
            done: false,
            thread: None,
        }
    }
}

/// A message in a channel.
#[derive(Debug)]
pub(crate) struct Letter {
    number: u64,
    /// Who can take it, if that is not everybody: those who waited when it was handed to one of
    /// them.
    waiting: Option<Vec<ThreadId>>,
}

/// The sends of tasks that wait for room: the first in line gets it when there is some.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// How many sends have ever waited.
    joined: u64,
    waiting: VecDeque<u64>,
    /// Those for whom there is room, which nobody else can take.
    granted: Vec<u64>,
}

impl Line {
    /// Lets a send wait at the end, and returns its number.
    pub(crate) fn join(&mut self) -> u64 {
        let number = self.joined;
        self.joined += 1;
        self.waiting.push_back(number);
        number
    }

    /// Gives free room to the first in line, and returns its number.
    pub(crate) fn grant(&mut self) -> Option<u64> {
        let number = self.waiting.pop_front()?;
        self.granted.push(number);
        Some(number)
    }

    /// Takes a send out of the line, and returns whether there was room for it.
    pub(crate) fn leave(&mut self, number: u64) -> bool {
        self.waiting.retain(|&other| other != number);
        let before = self.granted.len();
        self.granted.retain(|&other| other != number);
        self.granted.len() < before
    }

    /// Whether there is room for a send.
    pub(crate) fn is_granted(&self, number: u64) -> bool {
        self.granted.contains(&number)
    }
}

/// What those who use a channel learn of each other.
#[derive(Debug, Default)]
pub(super) struct ChannelClocks {
    /// What is known to who takes a message in the channel, with its number.
    pub(super) messages: VecDeque<(u64, Clock)>,
    /// What was known to who took a message, for who waits for that or for the room.
    pub(super) taken: VecDeque<(u64, Clock)>,
    /// What was known to those who dropped an end.
    pub(super) dropped: Clock,
}

impl Channel {
    pub(crate) fn new(capacity: Option<usize>) -> Self {
        Channel {
            capacity,
            sent: 0,
            letters: VecDeque::new(),
            senders: 1,
            receivers: 1,
            line: Line::default(),
            moved: 0,
            clocks: ChannelClocks::default(),
        }
    }

    /// Puts a message in, for `waiting` or for everybody, and returns its number.
    pub(crate) fn put(&mut self, waiting: Option<Vec<ThreadId>>) -> u64 {
        let number = self.sent;
        self.sent += 1;
        self.moved = number;
        self.letters.push_back(Letter { number, waiting });
        number
    }

    /// Takes out the first message that the thread can take, and returns its number.
    pub(crate) fn take(&mut self, thread: ThreadId) -> Option<u64> {
        let index = self.letters.iter().position(|letter| letter.is_for(thread));
        let letter = self.letters.remove(index?)?;
        self.moved = letter.number;
        Some(letter.number)
    }

    /// Takes back a message that nobody has taken.
    pub(crate) fn withdraw(&mut self, number: u64) {
        self.letters.retain(|letter| letter.number != number);
        self.clocks.messages.retain(|(other, _)| *other != number);
    }

    /// Who can take each of the messages: `None` is everybody.
    pub(super) fn takers(&self) -> Vec<Option<Vec<ThreadId>>> {
        let letters = self.letters.iter();
        letters.map(|letter| letter.waiting.clone()).collect()
    }

    /// Whether there is a message that the thread can take.
    pub(crate) fn has_message_for(&self, thread: ThreadId) -> bool {
        self.letters.iter().any(|letter| letter.is_for(thread))
    }

    /// Whether the message with this number is not in the channel any more.
    pub(crate) fn is_taken(&self, number: u64) -> bool {
        self.letters.iter().all(|letter| letter.number != number)
    }

    /// Whether a message can be put in without waiting for room. A rendezvous
    /// has room for any offer: there the wait comes afterwards.
    pub(crate) fn has_room(&self) -> bool {
        match self.capacity {
            None | Some(0) => true,
            Some(capacity) => self.letters.len() + self.line.granted.len() < capacity,
        }
    }
}

impl Letter {
    fn is_for(&self, thread: ThreadId) -> bool {
        match &self.waiting {
            Some(waiting) => waiting.contains(&thread),
            None => true,
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

    /// The task.
    pub(crate) fn task(&mut self) -> &mut Task {
        match self {
            State::Task(task) => task,
            other => unreachable!("{other:?} is no task"),
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
