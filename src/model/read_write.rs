//! The read-write lock: one thread holds it for writing, or several for reading.

use std::panic::Location;

use smallvec::SmallVec;

use crate::execution::{
    Execution, Guarded, Mode, NextStep, Requirement, Spot, Touches, step, step_in_drop,
};
use crate::trace::{Clock, EventResult, ObjectId, Obstacle, Operation, ThreadId};

use super::{Announced, Before, Done, Hold, Order, Primitive, State};

const KIND: &str = "RwLock";

/// A lock that one thread holds for writing, or several for reading.
#[derive(Debug, Default)]
pub(crate) struct ReadWrite {
    pub(super) writer: Option<Hold>,
    /// In the order in which they came. A thread can be there more than once.
    pub(super) readers: Vec<Hold>,
    /// What the readers knew when they released it, which only writers learn.
    read: Clock,
}

/// What can be seen of a lock: who holds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glimpse {
    pub(crate) is_written: bool,
    pub(crate) is_read: bool,
}

impl Glimpse {
    /// Writers have no precedence: a thread can read while another one waits to write.
    pub(super) fn allows(self, requirement: Requirement) -> bool {
        match requirement {
            Requirement::Readable(_) => !self.is_written,
            _ => !self.is_written && !self.is_read,
        }
    }
}

/// The lock in the current execution, or `None` outside of one. Nobody holds it when an execution
/// begins to use it, which `begin` hears.
#[inline]
#[track_caller]
pub(crate) fn object(identity: &Guarded, begin: impl FnOnce()) -> Option<ObjectId> {
    identity.object(KIND, begin, |_| State::ReadWrite(ReadWrite::default()))
}

/// The lock is made now, in the current execution if there is one.
#[cfg(feature = "loom")]
#[track_caller]
pub(crate) fn made(identity: &Guarded) {
    identity.made(KIND, |_| State::ReadWrite(ReadWrite::default()));
}

/// Acquires the lock for reading, as a step that is possible while nobody writes.
#[track_caller]
pub(crate) fn read(lock: ObjectId) {
    let next = NextStep::new(Operation::ReadLock)
        .on(lock)
        .requires(Requirement::Readable(lock));
    step(next, |execution, _| begin_reading(execution, lock, &next));
}

/// Acquires the lock for writing, as a step that is possible while nobody holds it.
#[track_caller]
pub(crate) fn write(lock: ObjectId) {
    let next = NextStep::new(Operation::WriteLock)
        .on(lock)
        .requires(Requirement::Free(lock));
    step(next, |execution, _| begin_writing(execution, lock, &next));
}

/// Acquires the lock for reading if nobody writes, as a step. Returns whether it did.
#[track_caller]
pub(crate) fn try_read(lock: ObjectId) -> bool {
    let next = NextStep::new(Operation::TryLock).on(lock);
    attempt(next, Requirement::Readable(lock), |execution| {
        begin_reading(execution, lock, &next);
    })
}

/// Acquires the lock for writing if nobody holds it, as a step. Returns whether it did.
#[track_caller]
pub(crate) fn try_write(lock: ObjectId) -> bool {
    let next = NextStep::new(Operation::TryLock).on(lock);
    attempt(next, Requirement::Free(lock), |execution| {
        begin_writing(execution, lock, &next);
    })
}

/// Goes on to hold the lock for reading only, as a step.
#[track_caller]
pub(crate) fn downgrade(lock: ObjectId) {
    let next = NextStep::new(Operation::ReadLock)
        .on(lock)
        .requires(Requirement::Held(lock));
    step(next, |execution, _| {
        state(execution, lock).writer = None;
        begin_reading(execution, lock, &next);
    });
}

/// Ends to read, as a step of a destructor: it stands where the lock was acquired.
pub(crate) fn end_reading(lock: ObjectId, at: &'static Location<'static>) {
    let next = NextStep::new(Operation::Unlock).on(lock).at(at);
    step_in_drop(next.requires(Requirement::Read), |execution, _| {
        let mine = Hold::mine(execution, at);
        let readers = &mut state(execution, lock).readers;
        if let Some(index) = readers.iter().position(|hold| *hold == mine) {
            readers.remove(index);
        }
    });
}

/// Ends to write, as a step of a destructor: it stands where the lock was acquired.
pub(crate) fn end_writing(lock: ObjectId, at: &'static Location<'static>) {
    let next = NextStep::new(Operation::Unlock).on(lock).at(at);
    step_in_drop(next.requires(Requirement::Held(lock)), |execution, _| {
        state(execution, lock).writer = None;
    });
}

/// An attempt to acquire a lock, as a step: `acquire` is done if what it needs is so.
fn attempt(next: NextStep, needs: Requirement, acquire: impl FnOnce(&mut Execution)) -> bool {
    step(next, |execution, _| {
        let is_possible = execution.met(execution.me(), needs);
        if is_possible {
            acquire(execution);
        }
        let result = if is_possible {
            EventResult::Succeeded
        } else {
            EventResult::Failed
        };
        execution.note(|event| event.result = Some(result));
        is_possible
    })
}

fn begin_reading(execution: &mut Execution, lock: ObjectId, next: &NextStep) {
    let mine = Hold::mine(execution, next.at);
    state(execution, lock).readers.push(mine);
}

fn begin_writing(execution: &mut Execution, lock: ObjectId, next: &NextStep) {
    let mine = Hold::mine(execution, next.at);
    state(execution, lock).writer = Some(mine);
}

fn state(execution: &mut Execution, lock: ObjectId) -> &mut ReadWrite {
    match &mut execution.object_mut(lock).state {
        State::ReadWrite(lock) => lock,
        other => unreachable!("{other:?} is no read-write lock"),
    }
}

impl ReadWrite {
    fn glimpse(&self) -> Glimpse {
        Glimpse {
            is_written: self.writer.is_some(),
            is_read: !self.readers.is_empty(),
        }
    }
}

impl Primitive for ReadWrite {
    /// To begin or to end to read can change places with other threads that do so.
    fn announce(&self, at: &Announced<'_>, touches: &mut Touches) {
        let mode = match (at.next.operation, at.next.requires) {
            (Operation::Load, _) => Mode::Read,
            (Operation::ReadLock, _) | (Operation::Unlock, Requirement::Read) => Mode::Share,
            _ => Mode::Write,
        };
        if let Some(lock) = at.next.object {
            touches.push((Spot::Object(lock), mode));
        }
    }

    fn touched(&self, done: &Done<'_>, _spot: Spot, before: &Before) -> Option<Mode> {
        let reads = done.event.operation == Operation::Load || !done.has_succeeded();
        Some(match before {
            _ if reads => Mode::Read,
            Before::Holds { readers, .. } if *readers != 0 => Mode::Share,
            _ => Mode::Write,
        })
    }

    fn glimpse(&self, _thread: ThreadId) -> Option<super::Glimpse> {
        Some(super::Glimpse::ReadWrite(self.glimpse()))
    }

    /// How many hold it. Readers come and go in any order, so that what is recorded of a step is by
    /// how much it changes that.
    fn before(&self) -> Before {
        Before::Holds {
            writers: i32::from(self.writer.is_some()),
            readers: i32::try_from(self.readers.len()).expect("fewer than 2^31 readers"),
        }
    }

    /// Readers learn what the writers before them knew, writers also what the readers knew.
    fn order(&mut self, order: &mut Order<'_>) {
        let (released, known) = (&mut *order.released, &mut order.knowledge.clock);
        match (order.event.operation, order.requires) {
            _ if order.event.result == Some(EventResult::Failed) => {}
            (_, Requirement::Read) => self.read.join(known),
            (_, Requirement::Held(_)) => released.join(known),
            (Operation::ReadLock | Operation::WriteLock | Operation::TryLock, _) => {
                known.join(released);
                let thread = order.event.thread;
                if self.writer.is_some_and(|writer| writer.thread == thread) {
                    known.join(&self.read);
                }
            }
            _ => {}
        }
    }

    fn obstacle(&self) -> Option<Obstacle> {
        if let Some(writer) = self.writer {
            return Some(Obstacle::Writer(writer.thread));
        }
        let mut readers: Vec<_> = self.readers.iter().map(|hold| hold.thread).collect();
        readers.sort_unstable();
        readers.dedup();
        Some(Obstacle::Readers(readers))
    }

    fn holds(&self) -> SmallVec<[Hold; 2]> {
        let readers = self.readers.iter().copied();
        self.writer.into_iter().chain(readers).collect()
    }
}
