//! A channel in an execution: what the channels of std, crossbeam and their like have in common.
//!
//! What decides who can go on is in the execution's [`State`]; the messages are here. To send, to
//! receive and to drop an end are steps. To clone an end is none, since nobody can see it.

use std::collections::VecDeque;
use std::sync::mpsc::{TryRecvError, TrySendError};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::execution::{
    Alternatives, Binding, Channel, Execution, NextStep, Requirement, State, leave_doomed, step,
    step_in_drop, with,
};
use crate::trace::{EventResult, ObjectId, Operation};

/// Binds a new channel. Without a capacity it is unbounded.
#[track_caller]
pub(crate) fn bind(kind: &'static str, capacity: Option<usize>) -> Binding {
    Binding::new(kind, |_| State::Channel(Box::new(Channel::new(capacity))))
}

/// The messages on their way, with their numbers.
///
/// The threads of an execution share one OS thread and none is switched away from while it holds
/// the lock, so that nobody ever waits for it.
#[derive(Debug)]
pub(crate) struct Messages<T>(Mutex<VecDeque<(u64, T)>>);

/// Whether a wait has an end of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// It waits for as long as it takes.
    None,
    /// It can time out, whatever the time is.
    Time,
}

impl Limit {
    fn alternatives(self) -> Alternatives {
        match self {
            Limit::None => Alternatives::None,
            Limit::Time => Alternatives::Timeout,
        }
    }
}

impl<T> Messages<T> {
    pub(crate) fn new() -> Self {
        Messages(Mutex::new(VecDeque::new()))
    }

    /// Sends a message, and waits until there is room for it, as a step. To an offer without room
    /// there are two: its end is one of its own.
    ///
    /// # Errors
    ///
    /// The message comes back as disconnected, if nobody is going to receive it, or as full, if
    /// the wait timed out.
    #[track_caller]
    pub(crate) fn send(
        &self,
        channel: ObjectId,
        message: T,
        limit: Limit,
    ) -> Result<(), TrySendError<T>> {
        let next = NextStep::new(Operation::Send)
            .on(channel)
            .requires(Requirement::Room(channel))
            .or(limit.alternatives());
        // Outside of the closure, so that it is never dropped while the execution is borrowed.
        let mut message = Some(message);
        // In a doomed execution there may be no room. The message is put in all the same, since a
        // destructor that takes an error for impossible would end the process.
        let sent = step(next, |execution, alternative| {
            if alternative == 1 {
                execution.note(|event| event.operation = Operation::Timeout);
                return Err(Absent::NoRoom);
            }
            let number = self.put(execution, channel, &mut message)?;
            Ok((number, state(execution, channel).capacity == Some(0)))
        });
        match (sent, message) {
            (Ok((number, true)), _) => self.hand_over(channel, number, next, limit),
            (Err(Absent::NoRoom), Some(message)) => Err(TrySendError::Full(message)),
            (Err(Absent::NoReceiver), Some(message)) => Err(TrySendError::Disconnected(message)),
            _ => Ok(()),
        }
    }

    /// Sends a message if there is room for it, as a step.
    ///
    /// With a capacity of 0 there is room only if a thread waits to receive. One that is about to
    /// receive may wait already or not: both ways are explored.
    ///
    /// # Errors
    ///
    /// The message comes back if the channel is full, or nobody is going to receive it.
    #[track_caller]
    pub(crate) fn try_send(&self, channel: ObjectId, message: T) -> Result<(), TrySendError<T>> {
        let next = NextStep::new(Operation::Send).on(channel);
        let is_rendezvous = with(|execution| state(execution, channel).capacity == Some(0));
        let next = if is_rendezvous {
            next.or(Alternatives::Unmet)
        } else {
            next
        };
        let mut message = Some(message);
        let is_disconnected = step(next, |execution, alternative| {
            if state(execution, channel).receivers == 0 {
                execution.note(|event| event.result = Some(EventResult::Disconnected));
                return true;
            }
            // A message that is not offered is for one of those who wait now: somebody who only
            // looks cannot take it from them.
            let waiting = if is_rendezvous && alternative == 0 {
                execution.waiting_receivers(channel)
            } else {
                None
            };
            let has_room = if is_rendezvous {
                waiting.is_some()
            } else {
                state(execution, channel).has_room()
            };
            if has_room {
                let number = state(execution, channel).put(waiting);
                self.insert(number, message.take());
            }
            let result = if has_room {
                EventResult::Succeeded
            } else {
                EventResult::Failed
            };
            execution.note(|event| event.result = Some(result));
            false
        });
        match message {
            None => Ok(()),
            Some(message) if is_disconnected => Err(TrySendError::Disconnected(message)),
            Some(message) => Err(TrySendError::Full(message)),
        }
    }

    /// Sends a message, and takes out the first one if there is no room, as a step.
    #[track_caller]
    pub(crate) fn force_send(&self, channel: ObjectId, message: T) -> Option<T> {
        let mut message = Some(message);
        let next = NextStep::new(Operation::Send).on(channel);
        step(next, |execution, _| {
            let me = execution.me();
            let state = state(execution, channel);
            let first = if state.has_room() {
                None
            } else {
                state.take(me)
            };
            let first = first.and_then(|number| self.withdraw(number));
            let number = state.put(None);
            self.insert(number, message.take());
            first
        })
    }

    /// Receives a message, and waits until there is one, as a step.
    ///
    /// # Errors
    ///
    /// If there is none and no sender left; or, as empty, if the wait timed out.
    #[track_caller]
    pub(crate) fn receive(&self, channel: ObjectId, limit: Limit) -> Result<T, TryRecvError> {
        let next = NextStep::new(Operation::Receive).on(channel);
        let next = next
            .requires(Requirement::Message(channel))
            .or(limit.alternatives());
        self.take(channel, next)
    }

    /// Receives a message if there is one, as a step.
    ///
    /// # Errors
    ///
    /// If there is none.
    #[track_caller]
    pub(crate) fn try_receive(&self, channel: ObjectId) -> Result<T, TryRecvError> {
        self.take(channel, NextStep::new(Operation::Receive).on(channel))
    }

    /// Puts a message into the channel, and returns its number; or leaves it if nobody is going to
    /// receive it.
    fn put(
        &self,
        execution: &mut Execution,
        channel: ObjectId,
        message: &mut Option<T>,
    ) -> Result<u64, Absent> {
        let state = state(execution, channel);
        if state.receivers == 0 {
            execution.note(|event| event.result = Some(EventResult::Disconnected));
            return Err(Absent::NoReceiver);
        }
        let number = state.put(None);
        self.insert(number, message.take());
        Ok(number)
    }

    /// The second half of a send without room: waits until the message was taken.
    fn hand_over(
        &self,
        channel: ObjectId,
        number: u64,
        send: NextStep,
        limit: Limit,
    ) -> Result<(), TrySendError<T>> {
        // If the wait is ended by the end of the execution, the message goes with it. It may hold
        // an end of its own channel, which would keep the queue for ever.
        let _offer = Offer {
            messages: self,
            number,
        };
        let next = NextStep::new(Operation::Wake)
            .on(channel)
            .at(send.at)
            .requires(Requirement::Taken(channel, number))
            .or(limit.alternatives());
        let mut message = None;
        let absent = step(next, |execution, alternative| {
            let state = state(execution, channel);
            if state.is_taken(number) {
                return None;
            }
            state.withdraw(number);
            message = self.withdraw(number);
            if alternative == 1 {
                execution.note(|event| event.operation = Operation::Timeout);
                return Some(Absent::NoRoom);
            }
            execution.note(|event| event.result = Some(EventResult::Disconnected));
            Some(Absent::NoReceiver)
        });
        let is_doomed = with(|execution| execution.is_doomed());
        match (absent, message) {
            (Some(Absent::NoRoom), Some(message)) => Err(TrySendError::Full(message)),
            (Some(Absent::NoReceiver), Some(message)) if !is_doomed => {
                Err(TrySendError::Disconnected(message))
            }
            _ => Ok(()),
        }
    }

    /// A receipt, as the step `next`.
    fn take(&self, channel: ObjectId, next: NextStep) -> Result<T, TryRecvError> {
        let is_attempt = matches!(next.requires, Requirement::Nothing);
        step(next, |execution, alternative| {
            if alternative == 1 {
                execution.note(|event| event.operation = Operation::Timeout);
                return Err(TryRecvError::Empty);
            }
            let me = execution.me();
            let state = state(execution, channel);
            let taken = state.take(me).and_then(|number| self.withdraw(number));
            let (result, noted) = match taken {
                Some(message) => (Ok(message), is_attempt.then_some(EventResult::Succeeded)),
                None if state.senders == 0 => (
                    Err(TryRecvError::Disconnected),
                    Some(EventResult::Disconnected),
                ),
                None => (Err(TryRecvError::Empty), Some(EventResult::Failed)),
            };
            execution.note(|event| event.result = noted);
            result
        })
    }

    /// The messages, in their order.
    pub(crate) fn into_vec(self) -> Vec<T> {
        let messages = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        messages.into_iter().map(|(_, message)| message).collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(u64, T)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the message with this number.
    pub(crate) fn insert(&self, number: u64, message: Option<T>) {
        self.lock().extend(message.map(|message| (number, message)));
    }

    /// Takes out all messages.
    pub(crate) fn drain(&self) -> impl Sized + use<T> {
        std::mem::take(&mut *self.lock())
    }

    /// Takes out the message with this number, if it is still there.
    pub(crate) fn withdraw(&self, number: u64) -> Option<T> {
        let mut messages = self.lock();
        let index = messages.iter().position(|(other, _)| *other == number)?;
        messages.remove(index).map(|(_, message)| message)
    }
}

/// How many messages are in the channel, as a step. In one without room there never are any.
#[track_caller]
pub(crate) fn len(channel: ObjectId) -> usize {
    step(
        NextStep::new(Operation::Load).on(channel),
        |execution, _| {
            let state = state(execution, channel);
            let len = match state.capacity {
                Some(0) => 0,
                _ => state.letters.len(),
            };
            execution.note(|event| event.read = Some(len.into()));
            len
        },
    )
}

/// Counts a new sender. Not an operation.
#[track_caller]
pub(crate) fn add_sender(binding: &Binding) {
    add_end(binding, |channel| channel.senders += 1);
}

/// Counts a new receiver. Not an operation.
#[track_caller]
pub(crate) fn add_receiver(binding: &Binding) {
    add_end(binding, |channel| channel.receivers += 1);
}

/// The drop of a sender, as a step. There is none for an end of another execution.
pub(crate) fn drop_sender(binding: &Binding) {
    disconnect(binding, |channel| channel.senders -= 1);
}

/// The drop of a receiver, as a step. There is none for an end of another execution.
pub(crate) fn drop_receiver<T>(binding: &Binding, messages: &Messages<T>, rest: Rest) {
    let _discard = Discard {
        binding,
        messages,
        rest,
    };
    disconnect(binding, |channel| {
        channel.receivers -= 1;
        if channel.receivers == 0 && rest == Rest::Dropped && channel.capacity != Some(0) {
            channel.letters.clear();
        }
    });
}

/// What becomes of the messages that are in a channel when its last receiver goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// They are dropped with it.
    Dropped,
    /// They are dropped with the last end of the channel.
    Kept,
}

/// Why a message could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Absent {
    NoRoom,
    NoReceiver,
}

/// A message that waits to be taken.
struct Offer<'a, T> {
    messages: &'a Messages<T>,
    number: u64,
}

impl<T> Drop for Offer<'_, T> {
    fn drop(&mut self) {
        drop(self.messages.withdraw(self.number));
    }
}

/// Drops the messages that nobody is going to receive: they may hold senders of the channel, and
/// so the queue itself.
struct Discard<'a, T> {
    binding: &'a Binding,
    messages: &'a Messages<T>,
    rest: Rest,
}

impl<T> Discard<'_, T> {
    /// Whether the messages stay: for another receiver, for those who offer them, or for nobody.
    fn are_kept(&self) -> bool {
        let object = if self.binding.is_current() {
            self.binding.object()
        } else {
            None
        };
        object.is_some_and(|channel| {
            with(|execution| {
                let is_doomed = execution.is_doomed();
                let state = state(execution, channel);
                let stays = state.capacity == Some(0) || self.rest == Rest::Kept;
                state.receivers > 0 || (!is_doomed && stays)
            })
        })
    }
}

impl<T> Drop for Discard<'_, T> {
    fn drop(&mut self) {
        if !self.are_kept() {
            // Their destructors may take steps, so that the lock has to be free.
            drop(self.messages.drain());
        }
    }
}

#[track_caller]
fn add_end(binding: &Binding, count: impl FnOnce(&mut Channel)) {
    if let Some(channel) = binding.object() {
        // A loop that only clones and drops ends has no other place to end.
        leave_doomed();
        with(|execution| count(state(execution, channel)));
    }
}

/// The drop of an end, as a step. There is none for an end of another execution.
pub(crate) fn disconnect<R>(
    binding: &Binding,
    change: impl FnOnce(&mut Channel) -> R,
) -> Option<R> {
    if binding.is_real() || !binding.is_current() {
        return None;
    }
    let channel = binding.object()?;
    // A destructor does not know where it is called.
    let next = NextStep::new(Operation::Disconnect)
        .on(channel)
        .at(binding.made_at());
    Some(step_in_drop(next, |execution, _| {
        change(state(execution, channel))
    }))
}

fn state(execution: &mut Execution, channel: ObjectId) -> &mut Channel {
    execution.object_mut(channel).state.channel()
}
