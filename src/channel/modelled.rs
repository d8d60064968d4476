//! The ends of a channel that belongs to an execution or is a real one.

use std::borrow::Cow;
use std::fmt;
use std::iter::FusedIterator;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crossbeam_channel as real;
use crossbeam_channel::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
};

use crate::Named;
use crate::execution::Binding;
use crate::model::channel::{self, Limit, Messages, Rest};
use crate::model::select::{Claim, Side};

use super::select::{Chosen, Selectable, WaitsFor};
use super::timer::Timer;

/// Like [`crossbeam_channel::unbounded`]: makes a channel without a bound.
#[track_caller]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    channel(None, real::unbounded)
}

/// Like [`crossbeam_channel::bounded`]: makes a channel that holds at most `cap` messages.
///
/// With a capacity of 0, each message is handed over from a thread that sends to one that
/// receives.
#[track_caller]
pub fn bounded<T>(cap: usize) -> (Sender<T>, Receiver<T>) {
    channel(Some(cap), || real::bounded(cap))
}

/// Like [`crossbeam_channel::Sender`]: a sending end of a channel.
pub struct Sender<T> {
    binding: Binding,
    capacity: Option<usize>,
    end: End<real::Sender<T>, T>,
}

/// Like [`crossbeam_channel::Receiver`]: a receiving end of a channel. Each message arrives at one
/// of them.
pub struct Receiver<T> {
    binding: Binding,
    capacity: Option<usize>,
    end: End<real::Receiver<T>, T>,
}

impl<T> Sender<T> {
    /// Sends a message, and waits until there is room for it. One step.
    ///
    /// With a capacity of 0 it waits until the message is taken, and the end of that is a step of
    /// its own.
    ///
    /// # Errors
    ///
    /// If no receiver is left. The error holds the message.
    #[track_caller]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        match (&self.end, self.binding.object()) {
            (End::Real(real), _) => real.send(message),
            (End::Modelled(messages), Some(channel)) => {
                let sent = messages.send(channel, message, Limit::None);
                sent.map_err(|error| match error {
                    mpsc::TrySendError::Full(message)
                    | mpsc::TrySendError::Disconnected(message) => SendError(message),
                })
            }
            _ => Err(SendError(message)),
        }
    }

    /// Sends a message if there is room for it. One step.
    ///
    /// With a capacity of 0 there is room only if a thread waits to receive. Under the lab, one
    /// that is about to receive may wait already or not: both ways are explored.
    ///
    /// # Errors
    ///
    /// If the channel is full, or no receiver is left. The error holds the message.
    #[track_caller]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        match (&self.end, self.binding.object()) {
            (End::Real(real), _) => real.try_send(message),
            (End::Modelled(messages), Some(channel)) => {
                let sent = messages.try_send(channel, message);
                sent.map_err(|error| match error {
                    mpsc::TrySendError::Full(message) => TrySendError::Full(message),
                    mpsc::TrySendError::Disconnected(message) => {
                        TrySendError::Disconnected(message)
                    }
                })
            }
            _ => Err(TrySendError::Disconnected(message)),
        }
    }

    /// Like [`send`](Self::send), but waits for `timeout` at most.
    ///
    /// In an execution there is no time: as long as there is no room, or the message is not taken,
    /// the wait can time out, whatever the limit is, and both ways are explored.
    ///
    /// # Errors
    ///
    /// If the time is over, or no receiver is left. The error holds the message.
    #[track_caller]
    pub fn send_timeout(&self, message: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        match (&self.end, self.binding.object()) {
            (End::Real(real), _) => real.send_timeout(message, timeout),
            (End::Modelled(messages), Some(channel)) => {
                let sent = messages.send(channel, message, Limit::Time);
                sent.map_err(|error| match error {
                    mpsc::TrySendError::Full(message) => SendTimeoutError::Timeout(message),
                    mpsc::TrySendError::Disconnected(message) => {
                        SendTimeoutError::Disconnected(message)
                    }
                })
            }
            _ => Err(SendTimeoutError::Disconnected(message)),
        }
    }
}

impl<T> Sender<T> {
    /// Like [`send_timeout`](Self::send_timeout), until a point in time.
    ///
    /// # Errors
    ///
    /// If the time is over, or no receiver is left. The error holds the message.
    #[track_caller]
    pub fn send_deadline(&self, message: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        match &self.end {
            End::Real(real) if self.binding.object().is_none() => {
                real.send_deadline(message, deadline)
            }
            _ => self.send_timeout(message, Duration::ZERO),
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
                let received = messages.receive(channel, Limit::None);
                received.map_err(|_| RecvError)
            }
            (End::Time(timer), Some(channel)) => timer.receive(channel),
            _ => Err(RecvError),
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
            (End::Modelled(messages), Some(channel)) => {
                let received = messages.try_receive(channel);
                received.map_err(|error| match error {
                    mpsc::TryRecvError::Empty => TryRecvError::Empty,
                    mpsc::TryRecvError::Disconnected => TryRecvError::Disconnected,
                })
            }
            (End::Time(timer), Some(channel)) => timer.try_receive(channel),
            _ => Err(TryRecvError::Disconnected),
        }
    }

    /// Like [`recv`](Self::recv), but waits for `timeout` at most.
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
                let received = messages.receive(channel, Limit::Time);
                received.map_err(|error| match error {
                    mpsc::TryRecvError::Empty => RecvTimeoutError::Timeout,
                    mpsc::TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
                })
            }
            (End::Time(timer), Some(channel)) => timer.wait(channel, Limit::Time),
            _ => Err(RecvTimeoutError::Disconnected),
        }
    }

    /// Like [`recv_timeout`](Self::recv_timeout), until a point in time.
    ///
    /// # Errors
    ///
    /// If the time is over, or if there is no message and no sender left.
    #[track_caller]
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        match &self.end {
            End::Real(real) if self.binding.object().is_none() => real.recv_deadline(deadline),
            _ => self.recv_timeout(Duration::ZERO),
        }
    }

    /// A channel of time.
    pub(super) fn of_time(
        binding: Binding,
        capacity: Option<usize>,
        timer: Timer<T>,
        real: impl FnOnce() -> real::Receiver<T>,
    ) -> Self {
        let end = if binding.is_real() {
            End::Real(real())
        } else {
            End::Time(Arc::new(timer))
        };
        Receiver {
            binding,
            capacity,
            end,
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

impl<T> Selectable for Sender<T> {
    fn add<'a>(&'a self, select: &mut real::Select<'a>) {
        if let (End::Real(real), None) = (&self.end, self.binding.object()) {
            select.send(real);
        }
    }

    #[track_caller]
    fn waits_for(&self) -> WaitsFor {
        let channel = self.binding.object();
        channel.map_or(WaitsFor::Nothing, |channel| {
            WaitsFor::Side(Side::Send(channel))
        })
    }
}

impl<T> Selectable for Receiver<T> {
    fn add<'a>(&'a self, select: &mut real::Select<'a>) {
        if let (End::Real(real), None) = (&self.end, self.binding.object()) {
            select.recv(real);
        }
    }

    #[track_caller]
    fn waits_for(&self) -> WaitsFor {
        match (&self.end, self.binding.object()) {
            (End::Time(timer), Some(channel)) if timer.can_pass() => WaitsFor::Time(channel),
            (End::Time(_), _) | (_, None) => WaitsFor::Nothing,
            (_, Some(channel)) => WaitsFor::Side(Side::Receive(channel)),
        }
    }
}

impl<T> Sender<T> {
    /// Does what a select has chosen.
    #[track_caller]
    pub(super) fn send_chosen(&self, chosen: Chosen<'_>, message: T) -> Result<(), SendError<T>> {
        match (&self.end, chosen) {
            (End::Real(real), Chosen::Real(chosen)) => chosen.send(real, message),
            (End::Modelled(messages), Chosen::Modelled(Claim::Room)) => {
                match self.binding.object() {
                    Some(channel) => {
                        let sent = messages.send_into(channel, message);
                        sent.map_err(SendError)
                    }
                    None => Err(SendError(message)),
                }
            }
            _ => Err(SendError(message)),
        }
    }
}

impl<T> Receiver<T> {
    /// Does what a select has chosen.
    pub(super) fn receive_chosen(&self, chosen: Chosen<'_>) -> Result<T, RecvError> {
        match (&self.end, chosen) {
            (End::Real(real), Chosen::Real(chosen)) => chosen.recv(real),
            (End::Modelled(messages), Chosen::Modelled(Claim::Message(number))) => {
                messages.withdraw(number).ok_or(RecvError)
            }
            (End::Time(timer), Chosen::Time(channel)) => Ok(timer.pass(channel)),
            _ => Err(RecvError),
        }
    }
}

/// What both ends have in common.
macro_rules! end {
    ($name:ident, $add:path) => {
        impl<T> $name<T> {
            /// How many messages are in the channel. One step.
            #[track_caller]
            pub fn len(&self) -> usize {
                match (&self.end, self.binding.object()) {
                    (End::Real(real), _) => real.len(),
                    (_, Some(channel)) => channel::len(channel),
                    _ => 0,
                }
            }

            /// Whether no message is in the channel, as always with a capacity of 0. One step.
            #[track_caller]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Whether there is no room in the channel, as always with a capacity of 0. One step,
            /// or none if it has no bound.
            #[track_caller]
            pub fn is_full(&self) -> bool {
                match self.capacity {
                    Some(capacity) => self.len() == capacity,
                    None => false,
                }
            }

            /// How many messages the channel can hold, `None` if it has no bound.
            pub fn capacity(&self) -> Option<usize> {
                self.capacity
            }

            /// Whether the other end belongs to the same channel.
            pub fn same_channel(&self, other: &$name<T>) -> bool {
                match (&self.end, &other.end) {
                    (End::Real(real), End::Real(other)) => real.same_channel(other),
                    (End::Modelled(messages), End::Modelled(other)) => Arc::ptr_eq(messages, other),
                    (End::Time(timer), End::Time(other)) => Arc::ptr_eq(timer, other),
                    _ => false,
                }
            }
        }

        impl<T> Clone for $name<T> {
            #[track_caller]
            fn clone(&self) -> Self {
                $add(&self.binding);
                $name {
                    binding: self.binding,
                    capacity: self.capacity,
                    end: self.end.clone(),
                }
            }
        }

        impl<T> UnwindSafe for $name<T> {}
        impl<T> RefUnwindSafe for $name<T> {}

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(concat!(stringify!($name), " { .. }"))
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

end!(Sender, channel::add_sender);
end!(Receiver, channel::add_receiver);

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        channel::drop_sender(&self.binding);
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let End::Modelled(messages) = &self.end {
            // As crossbeam's do: only a channel without a bound drops what nobody will receive.
            let rest = match self.capacity {
                None => Rest::Dropped,
                Some(_) => Rest::Kept,
            };
            channel::drop_receiver(&self.binding, messages, rest);
        }
    }
}

/// Like [`crossbeam_channel::Iter`]: the messages as they come, until no sender is left.
pub struct Iter<'a, T: 'a> {
    receiver: &'a Receiver<T>,
}

/// Like [`crossbeam_channel::TryIter`]: the messages that are there.
pub struct TryIter<'a, T: 'a> {
    receiver: &'a Receiver<T>,
}

/// Like [`crossbeam_channel::IntoIter`]: the messages as they come, until no sender is left.
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

impl<T> FusedIterator for Iter<'_, T> {}

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

impl<T> FusedIterator for IntoIter<T> {}

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

macro_rules! opaque {
    ($($name:ident $(<$life:lifetime>)?)*) => {$(
        impl<T> fmt::Debug for $name<$($life,)? T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(concat!(stringify!($name), " { .. }"))
            }
        }
    )*};
}

opaque!(Iter<'_> TryIter<'_> IntoIter);

/// One end of a channel.
enum End<R, T> {
    Real(R),
    Modelled(Arc<Messages<T>>),
    /// Of a channel of time, which only can be received from.
    Time(Arc<Timer<T>>),
}

impl<R: Clone, T> Clone for End<R, T> {
    fn clone(&self) -> Self {
        match self {
            End::Real(real) => End::Real(real.clone()),
            End::Modelled(messages) => End::Modelled(Arc::clone(messages)),
            End::Time(timer) => End::Time(Arc::clone(timer)),
        }
    }
}

#[track_caller]
fn channel<T>(
    capacity: Option<usize>,
    real: impl FnOnce() -> (real::Sender<T>, real::Receiver<T>),
) -> (Sender<T>, Receiver<T>) {
    let binding = channel::bind("Channel", capacity);
    let (sender, receiver) = if binding.is_real() {
        let (sender, receiver) = real();
        (End::Real(sender), End::Real(receiver))
    } else {
        let messages = Arc::new(Messages::new());
        (
            End::Modelled(Arc::clone(&messages)),
            End::Modelled(messages),
        )
    };
    let sender = Sender {
        binding,
        capacity,
        end: sender,
    };
    let receiver = Receiver {
        binding,
        capacity,
        end: receiver,
    };
    (sender, receiver)
}
