//! Room in a channel that was reserved.

use std::fmt;
use std::iter::FusedIterator;
use std::panic::Location;

use tokio::sync::mpsc as real;

use crate::future::sync::letters::Letters;
use crate::future::sync::object::Here;
use crate::model::awaited::{Exchange, Seen};
use crate::trace::Operation;

use super::bounded::{DROPPED, Sender};

/// There is room, so that a send always succeeds.
fn sends<R>(_: &R) -> Seen {
    Seen::attempt(true, Exchange::Sends)
}

/// Like [`tokio::sync::mpsc::Permit`]: room for one message, which is given back when it is dropped.
pub struct Permit<'a, T> {
    sender: &'a Sender<T>,
    at: &'static Location<'static>,
    /// `None` when it was used or dropped.
    real: Option<real::Permit<'a, Option<T>>>,
}

impl<'a, T> Permit<'a, T> {
    pub(super) fn new(
        sender: &'a Sender<T>,
        at: &'static Location<'static>,
        real: real::Permit<'a, Option<T>>,
    ) -> Self {
        Permit {
            sender,
            at,
            real: Some(real),
        }
    }

    /// Sends a message. One step.
    #[track_caller]
    pub fn send(mut self, message: T) {
        let real = self.real.take().expect(DROPPED);
        let letters = &self.sender.letters;
        let send = || real.send(letters.seal(message));
        let here = self.sender.here;
        here.perform(Location::caller(), Operation::Send, send, sends);
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        if let Some(real) = self.real.take() {
            give_back(self.sender.here, self.at, || drop(real));
        }
    }
}

/// Like [`tokio::sync::mpsc::OwnedPermit`]: room for one message, with the sender, which are given
/// back when it is dropped.
pub struct OwnedPermit<T> {
    here: Here,
    letters: Letters<T>,
    at: &'static Location<'static>,
    /// `None` when it was used or dropped.
    real: Option<real::OwnedPermit<Option<T>>>,
}

impl<T> OwnedPermit<T> {
    pub(super) fn new(
        here: Here,
        letters: Letters<T>,
        at: &'static Location<'static>,
        real: real::OwnedPermit<Option<T>>,
    ) -> Self {
        OwnedPermit {
            here,
            letters,
            at,
            real: Some(real),
        }
    }

    /// Sends a message, and returns the sender. One step.
    #[track_caller]
    pub fn send(mut self, message: T) -> Sender<T> {
        let real = self.real.take().expect(DROPPED);
        let letters = &self.letters;
        let send = || real.send(letters.seal(message));
        let real = self
            .here
            .perform(Location::caller(), Operation::Send, send, sends);
        self.sender(real)
    }

    /// Gives back the room, and returns the sender. One step.
    #[track_caller]
    pub fn release(mut self) -> Sender<T> {
        let real = self.real.take().expect(DROPPED);
        let real = self
            .here
            .act(Operation::Unlock, Exchange::Leaves, || real.release());
        self.sender(real)
    }

    /// Whether the other one is of the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        let (real, other) = (self.real.as_ref(), other.real.as_ref());
        real.expect(DROPPED).same_channel(other.expect(DROPPED))
    }

    /// Whether the sender is of the same channel.
    pub fn same_channel_as_sender(&self, sender: &Sender<T>) -> bool {
        let real = self.real.as_ref().expect(DROPPED);
        real.same_channel_as_sender(sender.real.as_ref().expect(DROPPED))
    }

    fn sender(&self, real: real::Sender<Option<T>>) -> Sender<T> {
        Sender {
            here: self.here,
            letters: self.letters.clone(),
            real: Some(real),
        }
    }
}

impl<T> Drop for OwnedPermit<T> {
    fn drop(&mut self) {
        if let Some(real) = self.real.take() {
            give_back(self.here, self.at, || drop(real));
        }
    }
}

/// Like [`tokio::sync::mpsc::PermitIterator`]: room for several messages. What is left of it is given
/// back when it is dropped.
pub struct PermitIterator<'a, T> {
    sender: &'a Sender<T>,
    at: &'static Location<'static>,
    /// `None` when it was dropped.
    real: Option<real::PermitIterator<'a, Option<T>>>,
}

impl<'a, T> PermitIterator<'a, T> {
    pub(super) fn new(
        sender: &'a Sender<T>,
        at: &'static Location<'static>,
        real: real::PermitIterator<'a, Option<T>>,
    ) -> Self {
        PermitIterator {
            sender,
            at,
            real: Some(real),
        }
    }
}

impl<'a, T> Iterator for PermitIterator<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Permit<'a, T>> {
        let real = self.real.as_mut().expect(DROPPED).next()?;
        Some(Permit::new(self.sender, self.at, real))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.real.as_ref().expect(DROPPED).size_hint()
    }
}

impl<T> ExactSizeIterator for PermitIterator<'_, T> {}

impl<T> FusedIterator for PermitIterator<'_, T> {}

impl<T> Drop for PermitIterator<'_, T> {
    fn drop(&mut self) {
        let real = self.real.take();
        let is_used_up = real.as_ref().is_none_or(|real| real.len() == 0);
        if !is_used_up {
            give_back(self.sender.here, self.at, || drop(real));
        }
    }
}

/// Gives back room that was reserved here, as a step of an execution that still runs.
fn give_back(here: Here, at: &'static Location<'static>, give_back: impl FnOnce()) {
    let leaves = Exchange::Leaves.into();
    here.perform_in_drop(at, Operation::Unlock, give_back, leaves);
}

macro_rules! debug {
    ($name:ty) => {
        impl<T> fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

debug!(Permit<'_, T>);
debug!(OwnedPermit<T>);
debug!(PermitIterator<'_, T>);
