//! The channels of [`std::sync::mpsc`], bound at run time.
//!
//! Inside an execution, to send, to receive and to drop an end are steps. To clone a sender is
//! none, since nobody can see it.
//!
//! ```
//! use racelab::sync::mpsc;
//! use racelab::thread;
//!
//! let (sender, receiver) = mpsc::channel();
//! let producer = thread::spawn(move || {
//!     for n in 1..=3 {
//!         sender.send(n).unwrap();
//!     }
//! });
//! assert_eq!(receiver.iter().sum::<i32>(), 6);
//! producer.join().unwrap();
//! ```

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::mpsc as real;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

use crate::Named;
use crate::execution::{
    Alternatives, Binding, Channel as ChannelState, Execution, NextStep, Requirement, State,
    leave_doomed, step, step_in_drop, with,
};
use crate::trace::{EventResult, ObjectId, Operation};

/// Like [`std::sync::mpsc::channel`]: makes a channel without a bound.
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let binding = bind(None);
    let (end, receiver) = ends(binding, real::channel);
    (Sender { binding, end }, receiver)
}

/// Like [`std::sync::mpsc::sync_channel`]: makes a channel that holds at most `bound` messages.
///
/// With a bound of 0, each message is handed over from a thread that sends to one that receives.
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let binding = bind(Some(bound));
    let (end, receiver) = ends(binding, || real::sync_channel(bound));
    (SyncSender { binding, end }, receiver)
}

#[track_caller]
fn bind(capacity: Option<usize>) -> Binding {
    Binding::new("Channel", |_| State::Channel(ChannelState::new(capacity)))
}

/// The two ends of a channel, real ones outside of executions.
fn ends<R, T>(
    binding: Binding,
    real: impl FnOnce() -> (R, real::Receiver<T>),
) -> (End<R, T>, Receiver<T>) {
    let (sender, end) = if binding.is_real() {
        let (sender, receiver) = real();
        (End::Real(sender), End::Real(receiver))
    } else {
        let messages = Arc::new(Messages::new());
        (
            End::Modelled(Arc::clone(&messages)),
            End::Modelled(messages),
        )
    };
    (sender, Receiver { binding, end })
}

/// Like [`std::sync::mpsc::Sender`]: the sending end of a [`channel`].
pub struct Sender<T> {
    binding: Binding,
    end: End<real::Sender<T>, T>,
}

/// Like [`std::sync::mpsc::SyncSender`]: the sending end of a [`sync_channel`].
pub struct SyncSender<T> {
    binding: Binding,
    end: End<real::SyncSender<T>, T>,
}

/// Like [`std::sync::mpsc::Receiver`]: the receiving end of a channel.
pub struct Receiver<T> {
    binding: Binding,
    end: End<real::Receiver<T>, T>,
}

/// One end of a channel.
enum End<R, T> {
    Real(R),
    Modelled(Arc<Messages<T>>),
}

impl<R: Clone, T> Clone for End<R, T> {
    fn clone(&self) -> Self {
        match self {
            End::Real(real) => End::Real(real.clone()),
            End::Modelled(messages) => End::Modelled(Arc::clone(messages)),
        }
    }
}

/// The messages on their way, with their numbers.
///
/// The threads of an execution share one OS thread and none is switched away from while it holds
/// the lock, so that nobody ever waits for it.
struct Messages<T>(Mutex<VecDeque<(u64, T)>>);

impl<T> Messages<T> {
    fn new() -> Self {
        Messages(Mutex::new(VecDeque::new()))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(u64, T)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a message back that was not taken by the receiver.
    fn withdraw(&self, number: u64) -> Option<T> {
        let mut messages = self.lock();
        let index = messages.iter().position(|(other, _)| *other == number)?;
        messages.remove(index).map(|(_, message)| message)
    }
}

impl<T> Sender<T> {
    /// Sends a message. One step.
    ///
    /// # Errors
    ///
    /// If the receiver is gone. The error holds the message.
    #[track_caller]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        match (&self.end, self.binding.object()) {
            (End::Real(real), _) => real.send(message),
            (End::Modelled(messages), Some(channel)) => send(channel, messages, message),
            (End::Modelled(_), None) => Err(SendError(message)),
        }
    }
}

impl<T> SyncSender<T> {
    /// Sends a message, and waits until there is room for it. One step.
    ///
    /// With a bound of 0 it waits until the message is taken, and the end of that is a step of its
    /// own.
    ///
    /// # Errors
    ///
    /// If the receiver is gone. The error holds the message.
    #[track_caller]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        match (&self.end, self.binding.object()) {
            (End::Real(real), _) => real.send(message),
            (End::Modelled(messages), Some(channel)) => send(channel, messages, message),
            (End::Modelled(_), None) => Err(SendError(message)),
        }
    }

    /// Sends a message if there is room for it. One step.
    ///
    /// With a bound of 0 there is room only if a thread waits to receive. Under the lab, one that
    /// is about to receive may wait already or not: both ways are explored.
    ///
    /// # Errors
    ///
    /// If the channel is full, or the receiver is gone. The error holds the message.
    #[track_caller]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        match (&self.end, self.binding.object()) {
            (End::Real(real), _) => real.try_send(message),
            (End::Modelled(messages), Some(channel)) => try_send(channel, messages, message),
            (End::Modelled(_), None) => Err(TrySendError::Disconnected(message)),
        }
    }
}

impl<T> Receiver<T> {
    /// Receives a message, and waits until there is one. One step.
    ///
    /// # Errors
    ///
    /// If there is no message and no sender left.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        match (&self.end, self.binding.object()) {
            (End::Real(real), _) => real.recv(),
            (End::Modelled(messages), Some(channel)) => {
                let next = NextStep::new(Operation::Receive).on(channel);
                let next = next.requires(Requirement::Message(channel));
                receive(channel, messages, next).map_err(|_| RecvError)
            }
            (End::Modelled(_), None) => Err(RecvError),
        }
    }

    /// Receives a message if there is one. One step.
    ///
    /// # Errors
    ///
    /// If there is no message.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        match (&self.end, self.binding.object()) {
            (End::Real(real), _) => real.try_recv(),
            (End::Modelled(messages), Some(channel)) => receive(
                channel,
                messages,
                NextStep::new(Operation::Receive).on(channel),
            ),
            (End::Modelled(_), None) => Err(TryRecvError::Disconnected),
        }
    }

    /// Like [`recv`](Self::recv), but waits for so long at most.
    ///
    /// In an execution there is no time: as long as there is no message the wait can time out,
    /// whatever the limit is, and both ways are explored.
    ///
    /// # Errors
    ///
    /// If the time is over, or if there is no message and no sender left.
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        match (&self.end, self.binding.object()) {
            (End::Real(real), _) => real.recv_timeout(timeout),
            (End::Modelled(messages), Some(channel)) => {
                let next = NextStep::new(Operation::Receive).on(channel);
                let next = next
                    .requires(Requirement::Message(channel))
                    .or(Alternatives::Timeout);
                receive(channel, messages, next).map_err(|error| match error {
                    TryRecvError::Empty => RecvTimeoutError::Timeout,
                    TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
                })
            }
            (End::Modelled(_), None) => Err(RecvTimeoutError::Disconnected),
        }
    }

    /// The messages as they come, until no sender is left.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// The messages that are there, without waiting.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self }
    }
}

/// A send, as a step; to an offer without room, as two.
#[track_caller]
fn send<T>(channel: ObjectId, messages: &Messages<T>, message: T) -> Result<(), SendError<T>> {
    let next = NextStep::new(Operation::Send)
        .on(channel)
        .requires(Requirement::Room(channel));
    // Outside of the closure, so that it is never dropped while the execution is borrowed.
    let mut message = Some(message);
    // In a doomed execution there may be no room. The message is put in all the same, since a
    // destructor that takes an error for impossible would end the process.
    let sent = step(next, |execution, _| {
        let number = put(execution, channel, messages, &mut message);
        number.map(|number| (number, state(execution, channel).capacity == Some(0)))
    });
    match (sent, message) {
        (None, Some(message)) => Err(SendError(message)),
        (Some((number, true)), _) => hand_over(channel, messages, number, next),
        _ => Ok(()),
    }
}

/// The second half of a send without room: waits until the message was taken.
fn hand_over<T>(
    channel: ObjectId,
    messages: &Messages<T>,
    number: u64,
    send: NextStep,
) -> Result<(), SendError<T>> {
    // If the wait is ended by the end of the execution, the message goes with it. It may hold
    // an end of its own channel, which would keep the queue for ever.
    let offer = Offer { messages, number };
    let next = NextStep::new(Operation::Wake).on(channel).at(send.at);
    step(
        next.requires(Requirement::Taken(channel, number)),
        |execution, _| {
            if !state(execution, channel).is_taken(number) {
                execution.note(|event| event.result = Some(EventResult::Disconnected));
            }
        },
    );
    let is_doomed = with(|execution| execution.is_doomed());
    match offer.messages.withdraw(number) {
        Some(message) if !is_doomed => Err(SendError(message)),
        _ => Ok(()),
    }
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

/// An attempt to send, as a step.
#[track_caller]
fn try_send<T>(
    channel: ObjectId,
    messages: &Messages<T>,
    message: T,
) -> Result<(), TrySendError<T>> {
    let next = NextStep::new(Operation::Send).on(channel);
    let is_rendezvous = with(|execution| state(execution, channel).capacity == Some(0));
    let next = if is_rendezvous {
        next.or(Alternatives::Unmet)
    } else {
        next
    };
    let mut message = Some(message);
    let is_disconnected = step(next, |execution, alternative| {
        let has_room = if is_rendezvous {
            alternative == 0 && execution.has_waiting_receiver(channel)
        } else {
            state(execution, channel).has_room()
        };
        if !state(execution, channel).has_receiver {
            execution.note(|event| event.result = Some(EventResult::Disconnected));
            return true;
        }
        if has_room {
            put(execution, channel, messages, &mut message);
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

/// Puts a message into the channel, and returns its number; or leaves it if nobody is going to
/// receive it.
fn put<T>(
    execution: &mut Execution,
    channel: ObjectId,
    messages: &Messages<T>,
    message: &mut Option<T>,
) -> Option<u64> {
    let state = state(execution, channel);
    if !state.has_receiver {
        execution.note(|event| event.result = Some(EventResult::Disconnected));
        return None;
    }
    let number = state.sent;
    state.sent += 1;
    messages
        .lock()
        .extend(message.take().map(|message| (number, message)));
    Some(number)
}

/// A receipt, as the step `next`.
fn receive<T>(
    channel: ObjectId,
    messages: &Messages<T>,
    next: NextStep,
) -> Result<T, TryRecvError> {
    let is_attempt = matches!(next.requires, Requirement::Nothing);
    step(next, |execution, alternative| {
        if alternative == 1 {
            execution.note(|event| event.operation = Operation::Timeout);
            return Err(TryRecvError::Empty);
        }
        let state = state(execution, channel);
        let (result, noted) = match messages.lock().pop_front() {
            Some((_, message)) => {
                state.taken += 1;
                (Ok(message), is_attempt.then_some(EventResult::Succeeded))
            }
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

fn state(execution: &mut Execution, channel: ObjectId) -> &mut ChannelState {
    execution.object_mut(channel).state.channel()
}

/// The drop of an end, as a step. There is none for an end of another execution.
fn disconnect(binding: &Binding, change: impl FnOnce(&mut ChannelState)) {
    if binding.is_real() || !binding.is_current() {
        return;
    }
    let Some(channel) = binding.object() else {
        return;
    };
    // A destructor does not know where it is called.
    let next = NextStep::new(Operation::Disconnect)
        .on(channel)
        .at(binding.made_at());
    step_in_drop(next, |execution, _| change(state(execution, channel)));
}

/// Counts a new sender. Not an operation.
#[track_caller]
fn add_sender(binding: &Binding) {
    if let Some(channel) = binding.object() {
        // A loop that only clones and drops senders has no other place to end.
        leave_doomed();
        with(|execution| state(execution, channel).senders += 1);
    }
}

/// Drops the messages that nobody is going to receive: they may hold senders of the channel, and
/// so the queue itself.
struct Discard<'a, T> {
    binding: &'a Binding,
    messages: &'a Messages<T>,
}

impl<T> Discard<'_, T> {
    /// Whether each message is taken back by the thread that sends it.
    fn is_offered(&self) -> bool {
        let object = if self.binding.is_current() {
            self.binding.object()
        } else {
            None
        };
        object.is_some_and(|channel| {
            with(|execution| {
                !execution.is_doomed() && state(execution, channel).capacity == Some(0)
            })
        })
    }
}

impl<T> Drop for Discard<'_, T> {
    fn drop(&mut self) {
        if !self.is_offered() {
            let rest = std::mem::take(&mut *self.messages.lock());
            // Their destructors may take steps, so that the lock has to be free.
            drop(rest);
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        disconnect(&self.binding, |state| state.senders -= 1);
    }
}

impl<T> Drop for SyncSender<T> {
    fn drop(&mut self) {
        disconnect(&self.binding, |state| state.senders -= 1);
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let End::Modelled(messages) = &self.end {
            let _rest = Discard {
                binding: &self.binding,
                messages,
            };
            disconnect(&self.binding, |state| state.has_receiver = false);
        }
    }
}

impl<T> Clone for Sender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        add_sender(&self.binding);
        Sender {
            binding: self.binding,
            end: self.end.clone(),
        }
    }
}

impl<T> Clone for SyncSender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        add_sender(&self.binding);
        SyncSender {
            binding: self.binding,
            end: self.end.clone(),
        }
    }
}

macro_rules! end {
    ($name:ident) => {
        impl<T> UnwindSafe for $name<T> {}
        impl<T> RefUnwindSafe for $name<T> {}

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }

        impl<T> Named for $name<T> {
            /// Names the channel.
            fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
                self.binding.name(name.into());
                self
            }
        }
    };
}

end!(Sender);
end!(SyncSender);
end!(Receiver);

/// Like [`std::sync::mpsc::Iter`]: the messages as they come, until no sender is left.
#[derive(Debug)]
pub struct Iter<'a, T: 'a> {
    receiver: &'a Receiver<T>,
}

/// Like [`std::sync::mpsc::TryIter`]: the messages that are there.
#[derive(Debug)]
pub struct TryIter<'a, T: 'a> {
    receiver: &'a Receiver<T>,
}

/// Like [`std::sync::mpsc::IntoIter`]: the messages as they come, until no sender is left.
#[derive(Debug)]
pub struct IntoIter<T> {
    receiver: Receiver<T>,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv().ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter { receiver: self }
    }
}
