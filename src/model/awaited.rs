//! What tasks wait for: a notification, a permit, a lock, a message, a change.
//!
//! What its operations do is tokio's own code, which the façade runs in the step of each. So there
//! is no state of it here but what those who use it learn of each other, and who holds it.
//!
//! Every operation is possible at any time: who has to wait leaves a waker, and then waits for a
//! poll.

use std::panic::Location;

use smallvec::SmallVec;

use crate::execution::{Execution, Mode, Spot};
use crate::trace::{Clock, EventResult, ObjectId, Operation};

use super::{Before, Done, Effect, Hold, Order, Primitive, State};

/// An object that tasks wait for.
#[derive(Debug, Default)]
pub(crate) struct Awaited {
    /// What the operation that is being performed hands over.
    exchange: Exchange,
    /// What was known to those who have ended to read, for those who write.
    read: Clock,
    /// What is known with each message, in the order in which they were sent.
    messages: Vec<Clock>,
    role: Role,
    holds: SmallVec<[Hold; 2]>,
}

/// What an object is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// Its operations say all that there is to know.
    #[default]
    Plain,
    /// It is a channel in which a message takes the room of an earlier one.
    Bounded,
    /// It guards data: what is done to that shows whether those who acquire it only look.
    Guards,
}

/// What an operation has shown, to those who watch it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) result: Option<EventResult>,
    pub(crate) exchange: Exchange,
}

/// What those who use an object learn of each other by an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Exchange {
    #[default]
    Nothing,
    /// Nothing, but who waits is in line from now on, which others see.
    Joins,
    /// What is known is left with the object: with a notification, a permit, a new value.
    Leaves,
    /// It is left for those who come to write.
    LeavesToWriters,
    /// What was left is learnt.
    Learns,
    /// What is known is left, and what was left is learnt: at a barrier.
    Exchanges,
    /// What was left is learnt, for writers as well.
    LearnsToWrite,
    /// A message goes on its way, with what is known.
    Sends,
    /// This number of messages, from the one with this number on, arrive with what is known with them.
    Receives(usize, usize),
}

impl Seen {
    /// That an attempt has succeeded, with this exchange, or failed.
    pub(crate) fn attempt(succeeded: bool, exchange: Exchange) -> Self {
        if succeeded {
            Seen {
                result: Some(EventResult::Succeeded),
                exchange,
            }
        } else {
            Seen {
                result: Some(EventResult::Failed),
                exchange: Exchange::Nothing,
            }
        }
    }

    /// That the other end was gone, which is learnt.
    pub(crate) const DISCONNECTED: Seen = Seen {
        result: Some(EventResult::Disconnected),
        exchange: Exchange::Learns,
    };

    /// That it has to be waited for, by who leaves this.
    pub(crate) fn pending(exchange: Exchange) -> Self {
        Seen {
            result: Some(EventResult::Pending),
            exchange,
        }
    }
}

impl From<Exchange> for Seen {
    fn from(exchange: Exchange) -> Self {
        Seen {
            result: None,
            exchange,
        }
    }
}

impl Awaited {
    pub(crate) fn new(role: Role) -> Self {
        Awaited {
            role,
            ..Awaited::default()
        }
    }
}

impl Primitive for Awaited {
    /// Who waits leaves a waker, although nothing was changed.
    fn touched(&self, done: &Done<'_>, _spot: Spot, _before: &Before) -> Option<Mode> {
        let reads = match done.event.result {
            Some(EventResult::Failed) => true,
            _ => done.event.operation == Operation::Load,
        };
        Some(if reads { Mode::Read } else { Mode::Write })
    }

    fn effect(&self, done: &Done<'_>) -> Effect {
        let operation = done.event.operation;
        let acquires = matches!(
            operation,
            Operation::Lock | Operation::ReadLock | Operation::WriteLock | Operation::TryLock
        );
        match done.event.object {
            Some(lock) if self.role == Role::Guards && acquires && done.has_succeeded() => {
                Effect::Acquired {
                    lock,
                    is_exclusive: self.exchange == Exchange::LearnsToWrite,
                }
            }
            Some(lock) if self.role == Role::Guards && operation == Operation::Unlock => {
                Effect::Released {
                    lock,
                    was_exclusive: self.exchange == Exchange::Leaves,
                }
            }
            _ if self.exchange == Exchange::Joins => Effect::Changed(self.changes(done)),
            _ => self.effect_on_itself(done),
        }
    }

    fn order(&mut self, order: &mut Order<'_>) {
        let known = &mut order.knowledge.clock;
        match self.exchange {
            Exchange::Nothing | Exchange::Joins => {}
            Exchange::Leaves => order.released.join(known),
            Exchange::LeavesToWriters => self.read.join(known),
            Exchange::Learns => known.join(order.released),
            Exchange::Exchanges => {
                order.released.join(known);
                known.join(order.released);
            }
            Exchange::LearnsToWrite => {
                known.join(order.released);
                known.join(&self.read);
            }
            Exchange::Sends => {
                if self.role == Role::Bounded {
                    known.join(order.released);
                }
                self.messages.push(known.clone());
            }
            Exchange::Receives(first, count) => {
                for message in self.messages.iter().skip(first).take(count) {
                    known.join(message);
                }
                if self.role == Role::Bounded {
                    order.released.join(known);
                }
            }
        }
    }

    fn holds(&self) -> SmallVec<[Hold; 2]> {
        self.holds.clone()
    }
}

/// Notes what the operation that is being performed has shown.
pub(crate) fn note(execution: &mut Execution, object: ObjectId, seen: Seen) {
    state(execution, object).exchange = seen.exchange;
    execution.note(|event| event.result = seen.result);
}

/// The current thread holds the object from now on, which is a lock. Not an operation.
pub(crate) fn hold(
    execution: &mut Execution,
    lock: ObjectId,
    at: &'static Location<'static>,
) -> Hold {
    let mine = Hold::mine(execution, at);
    state(execution, lock).holds.push(mine);
    mine
}

/// The lock guards data of no size, so that it is not seen what is changed under it. Not an operation.
pub(crate) fn guards_nothing(execution: &mut Execution, lock: ObjectId) {
    execution.object_mut(lock).guards_nothing = true;
}

/// A hold of the object ends. Not an operation.
pub(crate) fn let_go(execution: &mut Execution, lock: ObjectId, hold: Hold) {
    let holds = &mut state(execution, lock).holds;
    if let Some(index) = holds.iter().position(|other| *other == hold) {
        holds.remove(index);
    }
}

fn state(execution: &mut Execution, object: ObjectId) -> &mut Awaited {
    match &mut execution.object_mut(object).state {
        State::Awaited(awaited) => awaited,
        other => unreachable!("{other:?} is nothing that tasks wait for"),
    }
}
