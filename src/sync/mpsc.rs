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
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::sync::mpsc as real;
use std::time::Duration;

pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

use crate::Named;
use crate::execution::Binding;
use crate::model::channel::{self, Limit, Messages, Rest};

/// Like [`std::sync::mpsc::channel`]: makes a channel without a bound.
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let binding = channel::bind("Channel", None);
    let (end, receiver) = ends(binding, real::channel);
    (Sender { binding, end }, receiver)
}

/// Like [`std::sync::mpsc::sync_channel`]: makes a channel that holds at most `bound` messages.
///
/// With a bound of 0, each message is handed over from a thread that sends to one that receives.
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let binding = channel::bind("Channel", Some(bound));
    let (end, receiver) = ends(binding, || real::sync_channel(bound));
    (SyncSender { binding, end }, receiver)
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
            (End::Modelled(messages), Some(channel)) => messages
                .send(channel, message, Limit::None)
                .map_err(|error| SendError(unsent(error))),
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
            (End::Modelled(messages), Some(channel)) => messages
                .send(channel, message, Limit::None)
                .map_err(|error| SendError(unsent(error))),
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
            (End::Modelled(messages), Some(channel)) => messages.try_send(channel, message),
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
                let received = messages.receive(channel, Limit::None);
                received.map_err(|_| RecvError)
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
            (End::Modelled(messages), Some(channel)) => messages.try_receive(channel),
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
                let received = messages.receive(channel, Limit::Time);
                received.map_err(|error| match error {
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

/// The message that was not sent.
fn unsent<T>(error: TrySendError<T>) -> T {
    match error {
        TrySendError::Full(message) | TrySendError::Disconnected(message) => message,
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        channel::drop_sender(&self.binding);
    }
}

impl<T> Drop for SyncSender<T> {
    fn drop(&mut self) {
        channel::drop_sender(&self.binding);
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let End::Modelled(messages) = &self.end {
            channel::drop_receiver(&self.binding, messages, Rest::Dropped);
        }
    }
}

impl<T> Clone for Sender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        channel::add_sender(&self.binding);
        Sender {
            binding: self.binding,
            end: self.end.clone(),
        }
    }
}

impl<T> Clone for SyncSender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        channel::add_sender(&self.binding);
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
