//! The channel without a bound.

use std::future::poll_fn;
use std::panic::Location;
use std::task::{Context, Poll};

use tokio::sync::mpsc as real;
use tokio::sync::mpsc::error::{SendError, TryRecvError};

use crate::future::sync::awaiting::{Awaiting, Wait, always};
use crate::future::sync::blocking::block_on;
use crate::future::sync::letters::Letters;
use crate::future::sync::object::Here;
use crate::model::awaited::{Exchange, Role, Seen};
use crate::trace::Operation;

use super::bounded::DROPPED;
use super::ends::{receiver, sender};

/// Like [`tokio::sync::mpsc::unbounded_channel`]: makes a channel in which there is always room.
#[track_caller]
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let here = Here::new("Channel", Role::Plain);
    let letters = Letters::new(here.is_real());
    let (sender, receiver) = real::unbounded_channel();
    let sender = UnboundedSender {
        here,
        letters: letters.clone(),
        real: Some(sender),
    };
    let receiver = UnboundedReceiver {
        here,
        letters,
        real: Some(receiver),
    };
    (sender, receiver)
}

/// Like [`tokio::sync::mpsc::UnboundedSender`]: a sending end of an [`unbounded_channel`].
///
/// To drop it is a step, which the receiver can see, and to clone it is none.
pub struct UnboundedSender<T> {
    here: Here,
    letters: Letters<T>,
    /// `None` when it was dropped.
    real: Option<real::UnboundedSender<Option<T>>>,
}

/// Like [`tokio::sync::mpsc::UnboundedReceiver`]: the receiving end of an [`unbounded_channel`].
pub struct UnboundedReceiver<T> {
    here: Here,
    letters: Letters<T>,
    /// `None` when it was dropped.
    real: Option<real::UnboundedReceiver<Option<T>>>,
}

/// Like [`tokio::sync::mpsc::WeakUnboundedSender`]: a sender that does not keep the channel open.
pub struct WeakUnboundedSender<T> {
    here: Here,
    letters: Letters<T>,
    real: real::WeakUnboundedSender<Option<T>>,
}

receiver!(UnboundedReceiver, UnboundedReceiver);
sender!(
    UnboundedSender,
    WeakUnboundedSender,
    UnboundedSender,
    WeakUnboundedSender
);

impl<T> UnboundedSender<T> {
    /// Sends a message. One step.
    ///
    /// # Errors
    ///
    /// If the receiver is gone. The error holds the message.
    #[track_caller]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        let (real, letters) = (self.real(), &self.letters);
        let send = || {
            if letters.are_modelled() && real.is_closed() {
                return Err(SendError(message));
            }
            let sent = real.send(letters.seal(message));
            sent.map_err(|SendError(carried)| SendError(letters.open(carried).1))
        };
        let seen = |sent: &Result<(), SendError<T>>| match sent {
            Ok(()) => Seen::attempt(true, Exchange::Sends),
            Err(_) => Seen::DISCONNECTED,
        };
        self.here
            .perform(Location::caller(), Operation::Send, send, seen)
    }
}
