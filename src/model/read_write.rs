//! The read-write lock: one thread holds it for writing, or several for reading.
//!
//! One of those that read can hold it *upgradably*, which is `parking_lot`'s: it can go on to write
//! when the others have left, and no writer comes in between.

use std::ops::{Add, Sub};
use std::panic::Location;

use smallvec::SmallVec;

use crate::execution::{
    Alternatives, Execution, Guarded, Mode as Touch, NextStep, Requirement, Spot, Touches, step,
    step_in_drop, with,
};
use crate::trace::{Clock, EventResult, LeftOut, ObjectId, Obstacle, Operation, ThreadId, Value};

use super::{Announced, Before, Done, Effect, Hold, Order, Primitive, Situation, State};

const KIND: &str = "RwLock";

/// A lock that one thread holds for writing, or several for reading.
#[derive(Debug, Default)]
pub(crate) struct ReadWrite {
    writer: Option<Hold>,
    /// Who reads and is the only one that can go on to write.
    upgradable: Option<Hold>,
    /// In the order in which they came. A thread can be there more than once.
    readers: Vec<Hold>,
    /// What those who read knew when they released it, which only writers learn.
    read: Clock,
    /// What those who held it upgradably knew when they ceased to, which the next ones learn.
    read_upgradably: Clock,
    /// The last attempt of each thread to read beside others that does not wait, by its own clock: had
    /// somebody waited to write, it could have failed.
    attempts: SmallVec<[(ThreadId, u32); 1]>,
    /// Whether it is seen when what it guards is lent for changes.
    sees_changes: bool,
}

/// What can be seen of a lock: who holds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glimpse {
    pub(crate) is_written: bool,
    pub(crate) is_upgradable: bool,
    pub(crate) is_read: bool,
}

impl Glimpse {
    /// A thread can read while another one waits to write. That it may also have to wait behind that
    /// one is told by [`holds_up_readers`].
    pub(super) fn allows(self, requirement: Requirement) -> bool {
        match requirement {
            Requirement::Readable(_) => !self.is_written,
            Requirement::Upgradable(_) => !self.is_written && !self.is_upgradable,
            Requirement::Unread(_) => !self.is_read,
            _ => !self.is_written && !self.is_upgradable && !self.is_read,
        }
    }
}

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Read,
    Upgradable,
    Write,
}

/// How a lock is acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    /// To read, without ever waiting behind threads that wait to write.
    ReadRecursively,
    ReadUpgradably,
    Write,
    /// To write, by who holds it upgradably.
    Upgrade,
}

impl Access {
    fn operation(self) -> Operation {
        match self {
            Access::Read | Access::ReadRecursively | Access::ReadUpgradably => Operation::ReadLock,
            Access::Write | Access::Upgrade => Operation::WriteLock,
        }
    }

    fn requirement(self, lock: ObjectId) -> Requirement {
        match self {
            Access::Read | Access::ReadRecursively => Requirement::Readable(lock),
            Access::ReadUpgradably => Requirement::Upgradable(lock),
            Access::Write => Requirement::Free(lock),
            Access::Upgrade => Requirement::Unread(lock),
        }
    }

    fn hold(self, lock: &mut ReadWrite, hold: Hold) {
        match self {
            Access::Read | Access::ReadRecursively => lock.readers.push(hold),
            Access::ReadUpgradably => lock.upgradable = Some(hold),
            Access::Write => lock.writer = Some(hold),
            Access::Upgrade => {
                lock.upgradable = None;
                lock.writer = Some(hold);
            }
        }
    }
}

/// The lock in the current execution, or `None` outside of one. Nobody holds it when an execution
/// begins to use it, which `begin` hears.
#[inline]
#[track_caller]
pub(crate) fn object(identity: &Guarded, begin: impl FnOnce()) -> Option<ObjectId> {
    identity.object(KIND, begin, |_| new(identity))
}

/// The lock is made now, in the current execution if there is one.
#[cfg(feature = "loom")]
#[track_caller]
pub(crate) fn made(identity: &Guarded) {
    identity.made(KIND, |_| new(identity));
}

fn new(identity: &Guarded) -> State {
    State::ReadWrite(ReadWrite {
        sees_changes: identity.sees_changes(),
        ..ReadWrite::default()
    })
}

/// Acquires the lock, as a step that is possible while nobody is in the way. Returns whether it did:
/// a time-out, if that is among the alternatives, is a step of its own.
pub(crate) fn acquire(
    lock: ObjectId,
    access: Access,
    alternatives: Alternatives,
    at: &'static Location<'static>,
) -> bool {
    let alternatives = match (alternatives, access) {
        (Alternatives::None, Access::Read | Access::ReadUpgradably) => Alternatives::BehindWriters,
        _ => alternatives,
    };
    let next = NextStep::new(access.operation()).on(lock).at(at);
    let next = next.requires(access.requirement(lock)).or(alternatives);
    step(next, |execution, alternative| {
        note_arrival(execution, lock, access);
        if alternative == 1 {
            execution.note(|event| event.operation = Operation::Timeout);
            return false;
        }
        if !matches!(alternatives, Alternatives::BehindWriters) {
            note_attempt(execution, lock, access);
        }
        let mine = Hold::mine(execution, at);
        access.hold(state(execution, lock), mine);
        true
    })
}

/// Notes that a thread comes to read that does not wait, which could fail where another one waits to
/// write.
fn note_attempt(execution: &mut Execution, lock: ObjectId, access: Access) {
    let gives_way = matches!(access, Access::Read | Access::ReadUpgradably);
    if !gives_way || !execution.is_explored() {
        return;
    }
    if execution.waiting_writer(lock).is_some() {
        execution.leave_out(LeftOut::WaitingWriters);
    }
    let me = execution.me();
    let now = execution.thread(me).knowledge.clock.get(me);
    let state = state(execution, lock);
    if state.glimpse().is_read {
        state.attempts.retain(|(thread, _)| *thread != me);
        state.attempts.push((me, now));
    }
}

/// Notes that a thread comes to write. What it does before is independent of attempts to read, so that no
/// search lets it come before one for that reason alone.
fn note_arrival(execution: &mut Execution, lock: ObjectId, access: Access) {
    if !matches!(access, Access::Write | Access::Upgrade) || !execution.is_explored() {
        return;
    }
    let me = execution.me();
    let attempts = state(execution, lock).attempts.clone();
    let known = &execution.thread(me).knowledge.clock;
    let could_fail = |(thread, at): &(ThreadId, u32)| *thread != me && known.get(*thread) <= *at;
    if attempts.iter().any(could_fail) {
        execution.leave_out(LeftOut::WaitingWriters);
    }
}

/// Acquires the lock if nobody is in the way, as a step. Returns whether it did.
pub(crate) fn try_acquire(lock: ObjectId, access: Access, at: &'static Location<'static>) -> bool {
    step(
        NextStep::new(Operation::TryLock).on(lock).at(at),
        |execution, _| {
            let is_possible = execution.met(execution.me(), access.requirement(lock));
            let result = if is_possible {
                note_attempt(execution, lock, access);
                let mine = Hold::mine(execution, at);
                access.hold(state(execution, lock), mine);
                EventResult::Succeeded
            } else {
                EventResult::Failed
            };
            execution.note(|event| event.result = Some(result));
            is_possible
        },
    )
}

/// Whether a thread that waits for this holds up who comes to read, in a lock that lets writers go
/// first: it waits to write, and only those who read are in its way.
///
/// Who waits to write a lock that another thread holds upgradably is not first: that one is, and
/// until it goes on to write others can come to read.
pub(crate) fn holds_up_readers(
    situation: &impl Situation,
    thread: ThreadId,
    awaited: Requirement,
) -> bool {
    let (Requirement::Free(lock) | Requirement::Unread(lock)) = awaited else {
        return false;
    };
    let glimpse = situation.glimpse(Spot::Object(lock), thread);
    let Some(super::Glimpse::ReadWrite(glimpse)) = glimpse else {
        return false;
    };
    let goes_on_to_write = matches!(awaited, Requirement::Unread(_));
    glimpse.is_read && !glimpse.is_written && (goes_on_to_write || !glimpse.is_upgradable)
}

/// Whether somebody holds the lock in one of these ways, as a step that reads it.
#[track_caller]
pub(crate) fn look(lock: ObjectId, modes: &[Mode]) -> bool {
    step(NextStep::new(Operation::Load).on(lock), |execution, _| {
        let glimpse = state(execution, lock).glimpse();
        let is_held = modes.iter().any(|mode| match mode {
            Mode::Read => glimpse.is_read,
            Mode::Upgradable => glimpse.is_upgradable,
            Mode::Write => glimpse.is_written,
        });
        execution.note(|event| event.read = Some(Value::from(is_held)));
        is_held
    })
}

/// Goes on to hold the lock in a mode that excludes fewer others, as a step that is always possible,
/// and that destructors do as well.
pub(crate) fn downgrade(lock: ObjectId, from: Mode, to: Mode, at: &'static Location<'static>) {
    let next = NextStep::new(Operation::ReadLock).on(lock).at(at);
    step_in_drop(next.requires(from.requirement(lock)), |execution, _| {
        let mine = Hold::mine(execution, at);
        let state = state(execution, lock);
        from.let_go(state, mine);
        match to {
            Mode::Upgradable => state.upgradable = Some(mine),
            _ => state.readers.push(mine),
        }
    });
}

/// Releases the lock, as a step of a destructor: it stands where the lock was acquired.
pub(crate) fn release(lock: ObjectId, mode: Mode, at: &'static Location<'static>) {
    let next = NextStep::new(Operation::Unlock).on(lock).at(at);
    step_in_drop(next.requires(mode.requirement(lock)), |execution, _| {
        let mine = Hold::mine(execution, at);
        mode.let_go(state(execution, lock), mine);
    });
}

/// Where the current thread has acquired the lock in this mode, the last time if there are several.
/// Not an operation.
pub(crate) fn held_at(lock: ObjectId, mode: Mode) -> Option<&'static Location<'static>> {
    with(|execution| {
        let me = execution.me();
        let lock = state(execution, lock);
        let holds = match mode {
            Mode::Read => lock.readers.as_slice(),
            Mode::Upgradable => lock.upgradable.as_slice(),
            Mode::Write => lock.writer.as_slice(),
        };
        let mine = holds.iter().rfind(|hold| hold.thread == me);
        mine.map(|hold| hold.at)
    })
}

impl Mode {
    /// That it is held so, by who releases it.
    fn requirement(self, lock: ObjectId) -> Requirement {
        match self {
            Mode::Read => Requirement::Read,
            Mode::Upgradable => Requirement::ReadUpgradably,
            Mode::Write => Requirement::Held(lock),
        }
    }

    fn let_go(self, lock: &mut ReadWrite, mine: Hold) {
        match self {
            Mode::Read => {
                let mut readers = lock.readers.iter();
                if let Some(index) = readers.position(|hold| *hold == mine) {
                    lock.readers.remove(index);
                }
            }
            Mode::Upgradable => lock.upgradable = None,
            Mode::Write => lock.writer = None,
        }
    }
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
            is_upgradable: self.upgradable.is_some(),
            is_read: !self.readers.is_empty(),
        }
    }

    fn obstacle_of_readers(&self, upgradable: Option<Hold>) -> Obstacle {
        let holds = self.readers.iter().chain(&upgradable);
        let mut readers: Vec<_> = holds.map(|hold| hold.thread).collect();
        readers.sort_unstable();
        readers.dedup();
        Obstacle::Readers(readers)
    }
}

impl Primitive for ReadWrite {
    /// To begin or to end to read can change places with other threads that do so. To come or to
    /// leave upgradably is independent of those who only read, but not of others who do the same.
    fn announce(&self, at: &Announced<'_>, touches: &mut Touches) {
        let Some(lock) = at.next.object else { return };
        let (mode, is_upgradable) = match (at.next.operation, at.next.requires) {
            (Operation::Load, _) => (Touch::Read, false),
            (Operation::ReadLock, Requirement::Readable(_))
            | (Operation::Unlock, Requirement::Read) => (Touch::Share, false),
            (Operation::ReadLock, Requirement::Upgradable(_))
            | (Operation::ReadLock | Operation::Unlock, Requirement::ReadUpgradably) => {
                (Touch::Share, true)
            }
            _ => (Touch::Write, false),
        };
        touches.push((Spot::Object(lock), mode));
        if is_upgradable {
            touches.push((Spot::Upgradable(lock), Touch::Write));
        }
    }

    fn effect(&self, done: &Done<'_>) -> Effect {
        let lock = done.event.object.filter(|_| self.sees_changes);
        let acquired = |lock| Effect::Acquired {
            lock,
            is_exclusive: self.writer.is_some(),
        };
        match (done.event.operation, done.next.requires, lock) {
            (
                Operation::ReadLock,
                Requirement::Readable(_) | Requirement::Upgradable(_),
                Some(lock),
            )
            | (Operation::WriteLock, Requirement::Free(_), Some(lock)) => acquired(lock),
            (Operation::TryLock, _, Some(lock)) if done.has_succeeded() => acquired(lock),
            (Operation::Unlock, requires, Some(lock)) => Effect::Released {
                lock,
                was_exclusive: matches!(requires, Requirement::Held(_)),
            },
            _ => self.effect_on_itself(done),
        }
    }

    fn touched(&self, done: &Done<'_>, spot: Spot, before: &Before) -> Option<Touch> {
        let operation = done.event.operation;
        Some(match (spot, before) {
            (Spot::Upgradable(_), _) if done.has_succeeded() => Touch::Write,
            (Spot::Upgradable(_), _) => Touch::Read,
            // Who did not come to read is as independent of those who did.
            _ if done.has_timed_out() && done.next.operation == Operation::ReadLock => Touch::Share,
            _ if operation == Operation::Load || !done.has_succeeded() => Touch::Read,
            // Who tries is not known to touch the spot of those who hold it upgradably.
            (_, Before::Holds(holds))
                if operation == Operation::TryLock && holds.upgradable != 0 =>
            {
                Touch::Write
            }
            (_, Before::Holds(holds)) if holds.is_shared() && operation != Operation::WriteLock => {
                Touch::Share
            }
            _ => Touch::Write,
        })
    }

    fn glimpse(&self, _thread: ThreadId) -> Option<super::Glimpse> {
        Some(super::Glimpse::ReadWrite(self.glimpse()))
    }

    /// How many hold it. Readers come and go in any order, so that what is recorded of a step is by
    /// how much it changes that.
    fn before(&self) -> Before {
        Before::Holds(Holds {
            writers: i32::from(self.writer.is_some()),
            upgradable: i32::from(self.upgradable.is_some()),
            readers: i32::try_from(self.readers.len()).expect("fewer than 2^31 readers"),
        })
    }

    /// Readers learn what the writers before them knew, writers also what the readers knew, and who
    /// reads upgradably what those knew that have done so before.
    fn order(&mut self, order: &mut Order<'_>) {
        let thread = order.event.thread;
        let (released, known) = (&mut *order.released, &mut order.knowledge.clock);
        match (order.event.operation, order.requires) {
            _ if order.event.result == Some(EventResult::Failed) => {}
            (_, Requirement::Read) => self.read.join(known),
            (_, Requirement::ReadUpgradably) => {
                self.read.join(known);
                self.read_upgradably.join(known);
            }
            (_, Requirement::Held(_)) => released.join(known),
            (Operation::ReadLock | Operation::WriteLock | Operation::TryLock, _) => {
                known.join(released);
                if self.writer.is_some_and(|writer| writer.thread == thread) {
                    known.join(&self.read);
                }
                if self.upgradable.is_some_and(|hold| hold.thread == thread) {
                    known.join(&self.read_upgradably);
                }
            }
            _ => {}
        }
    }

    fn obstacle(&self, requirement: Requirement) -> Option<Obstacle> {
        if let Some(writer) = self.writer {
            return Some(Obstacle::Writer(writer.thread));
        }
        Some(match (requirement, self.upgradable) {
            (Requirement::Upgradable(_), Some(hold)) => Obstacle::Upgradable(hold.thread),
            (Requirement::Unread(_), _) => self.obstacle_of_readers(None),
            (_, upgradable) => self.obstacle_of_readers(upgradable),
        })
    }

    fn holds(&self) -> SmallVec<[Hold; 2]> {
        let alone = self.writer.or(self.upgradable);
        alone
            .into_iter()
            .chain(self.readers.iter().copied())
            .collect()
    }
}

/// How many threads hold a lock, or by how much a step changes that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holds {
    pub(crate) writers: i32,
    pub(crate) upgradable: i32,
    pub(crate) readers: i32,
}

impl Holds {
    /// Whether a step that changes it so can change places with those that come to read, and leave.
    pub(crate) fn is_shared(self) -> bool {
        self.writers == 0 && (self.readers != 0 || self.upgradable != 0)
    }

    /// How many hold it beside others.
    pub(crate) fn sharing(self) -> i32 {
        self.readers + self.upgradable
    }

    pub(crate) fn glimpse(self) -> Glimpse {
        Glimpse {
            is_written: self.writers != 0,
            is_upgradable: self.upgradable != 0,
            is_read: self.readers != 0,
        }
    }
}

impl Add for Holds {
    type Output = Holds;

    fn add(self, other: Holds) -> Holds {
        Holds {
            writers: self.writers + other.writers,
            upgradable: self.upgradable + other.upgradable,
            readers: self.readers + other.readers,
        }
    }
}

impl Sub for Holds {
    type Output = Holds;

    fn sub(self, other: Holds) -> Holds {
        Holds {
            writers: self.writers - other.writers,
            upgradable: self.upgradable - other.upgradable,
            readers: self.readers - other.readers,
        }
    }
}
