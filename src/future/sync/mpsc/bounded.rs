//! The channel with a bound.

use std::future::poll_fn;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::sync::mpsc as real;
use tokio::sync::mpsc::error::{SendError, TryRecvError, TrySendError};

use crate::future::sync::awaiting::{Awaiting, Wait, always, unless_closed};
use crate::future::sync::blocking::block_on;
use crate::future::sync::letters::Letters;
use crate::future::sync::object::Here;
use crate::model::awaited::{Exchange, Role, Seen};
use crate::trace::Operation;

use super::ends::{receiver, sender};
use super::permit::{OwnedPermit, Permit, PermitIterator};

/// Like [`tokio::sync::mpsc::channel`]: makes a channel that holds at most `buffer` messages.
///
/// # Panics
///
/// If `buffer` is 0.
#[track_caller]
pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
    // Before it is bound.
    assert!(buffer > 0, "mpsc bounded channel requires buffer > 0");
    let here = Here::new("Channel", Role::Bounded);
    let letters = Letters::new(here.is_real());
    let (sender, receiver) = real::channel(buffer);
    let sender = Sender {
        here,
        letters: letters.clone(),
        real: Some(sender),
    };
    let receiver = Receiver {
        here,
        letters,
        real: Some(receiver),
    };
    (sender, receiver)
}

/// Like [`tokio::sync::mpsc::Sender`]: a sending end of a [`channel`].
///
/// To drop it is a step, which the receiver can see, and to clone it is none.
pub struct Sender<T> {
    pub(super) here: Here,
    pub(super) letters: Letters<T>,
    /// `None` when it was dropped.
    pub(super) real: Option<real::Sender<Option<T>>>,
}

/// Like [`tokio::sync::mpsc::Receiver`]: the receiving end of a [`channel`].
pub struct Receiver<T> {
    here: Here,
    letters: Letters<T>,
    /// `None` when it was dropped.
    real: Option<real::Receiver<Option<T>>>,
}

/// Like [`tokio::sync::mpsc::WeakSender`]: a sender that does not keep the channel open.
pub struct WeakSender<T> {
    here: Here,
    letters: Letters<T>,
    real: real::WeakSender<Option<T>>,
}

pub(super) const DROPPED: &str = "it is there until it is dropped";

receiver!(Receiver, Receiver);
sender!(Sender, WeakSender, Sender, WeakSender);

impl<T> Receiver<T> {
    /// How many more messages there is room for. One step.
    #[track_caller]
    pub fn capacity(&self) -> usize {
        self.look(real::Receiver::capacity)
    }

    /// How many messages there is room for.
    pub fn max_capacity(&self) -> usize {
        self.real.as_ref().expect(DROPPED).max_capacity()
    }
}

impl<T> Sender<T> {
    /// Sends a message, and waits until there is room for it. Each poll is a step.
    ///
    /// Who waits longest gets the room that becomes free. A send that is dropped while it waits
    /// gives up its place in the line, which is a step, a `disconnect`.
    ///
    /// # Errors
    ///
    /// If the receiver is gone. The error holds the message.
    #[track_caller]
    pub fn send(&self, message: T) -> impl Future<Output = Result<(), SendError<T>>> + use<'_, T> {
        let reserved = self.real().reserve();
        Sending {
            room: Awaiting::new(
                self.here,
                Location::caller(),
                Operation::Send,
                reserved,
                Exchange::Sends,
                unless_closed,
            ),
            message: Some(message),
            sender: self,
        }
    }

    /// Sends a message if there is room for it that nobody else waits for. One step.
    ///
    /// # Errors
    ///
    /// If the channel is full, or the receiver is gone. The error holds the message.
    #[track_caller]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let send = || match self.real().try_reserve() {
            Ok(permit) => {
                permit.send(self.letters.seal(message));
                Ok(())
            }
            Err(TrySendError::Full(())) => Err(TrySendError::Full(message)),
            Err(TrySendError::Closed(())) => Err(TrySendError::Closed(message)),
        };
        let seen = |sent: &Result<(), TrySendError<T>>| match sent {
            Err(TrySendError::Closed(_)) => Seen::DISCONNECTED,
            sent => Seen::attempt(sent.is_ok(), Exchange::Sends),
        };
        self.here
            .perform(Location::caller(), Operation::Send, send, seen)
    }

    /// Like [`send`](Self::send), on a thread that runs no tasks.
    ///
    /// # Errors
    ///
    /// If the receiver is gone. The error holds the message.
    ///
    /// # Panics
    ///
    /// In a task.
    #[track_caller]
    pub fn blocking_send(&self, message: T) -> Result<(), SendError<T>> {
        block_on(self.send(message))
    }

    /// Waits until there is room for a message, and keeps that. Each poll is a step.
    ///
    /// # Errors
    ///
    /// If the receiver is gone.
    #[track_caller]
    pub fn reserve(
        &self,
    ) -> impl Future<Output = Result<Permit<'_, T>, SendError<()>>> + use<'_, T> {
        let at = Location::caller();
        let reserved = self.reserving(self.real().reserve(), at);
        async move { Ok(Permit::new(self, at, reserved.await?)) }
    }

    /// Waits until there is room for `n` messages, and reserves it. Each poll is a step.
    ///
    /// # Errors
    ///
    /// If the receiver is gone, or there is never room for as many.
    #[track_caller]
    pub fn reserve_many(
        &self,
        n: usize,
    ) -> impl Future<Output = Result<PermitIterator<'_, T>, SendError<()>>> + use<'_, T> {
        let at = Location::caller();
        let reserved = self.reserving(self.real().reserve_many(n), at);
        async move { Ok(PermitIterator::new(self, at, reserved.await?)) }
    }

    /// Like [`reserve`](Self::reserve), with a permit that owns the sender.
    ///
    /// # Errors
    ///
    /// If the receiver is gone.
    #[track_caller]
    pub fn reserve_owned(
        mut self,
    ) -> impl Future<Output = Result<OwnedPermit<T>, SendError<()>>> + use<T> {
        let at = Location::caller();
        let (here, letters) = (self.here, self.letters.clone());
        let real = self.real.take().expect(DROPPED);
        let reserved = Awaiting::new(
            here,
            at,
            Operation::Lock,
            real.reserve_owned(),
            Exchange::Learns,
            unless_closed,
        );
        async move { Ok(OwnedPermit::new(here, letters, at, reserved.await?)) }
    }

    /// Keeps room for a message if there is some. One step.
    ///
    /// # Errors
    ///
    /// If the channel is full, or the receiver is gone.
    #[track_caller]
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        let at = Location::caller();
        let reserved = self.try_reserving(at, || self.real().try_reserve())?;
        Ok(Permit::new(self, at, reserved))
    }

    /// Reserves room for `n` messages if there is any. One step.
    ///
    /// # Errors
    ///
    /// If there is not, or the receiver is gone.
    #[track_caller]
    pub fn try_reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, TrySendError<()>> {
        let at = Location::caller();
        let reserved = self.try_reserving(at, || self.real().try_reserve_many(n))?;
        Ok(PermitIterator::new(self, at, reserved))
    }

    /// Like [`try_reserve`](Self::try_reserve), with a permit that owns the sender.
    ///
    /// # Errors
    ///
    /// If the channel is full, or the receiver is gone. The error holds the sender.
    #[track_caller]
    pub fn try_reserve_owned(mut self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        let at = Location::caller();
        let real = self.real.take().expect(DROPPED);
        let reserved = self.try_reserving(at, || real.try_reserve_owned());
        let mut back = |real| {
            self.real = Some(real);
        };
        match reserved {
            Ok(permit) => Ok(OwnedPermit::new(
                self.here,
                self.letters.clone(),
                at,
                permit,
            )),
            Err(TrySendError::Full(real)) => {
                back(real);
                Err(TrySendError::Full(self))
            }
            Err(TrySendError::Closed(real)) => {
                back(real);
                Err(TrySendError::Closed(self))
            }
        }
    }

    /// How many more messages there is room for. One step.
    #[track_caller]
    pub fn capacity(&self) -> usize {
        self.look(real::Sender::capacity)
    }

    /// How many messages there is room for.
    pub fn max_capacity(&self) -> usize {
        self.real().max_capacity()
    }

    /// Room that is waited for.
    fn reserving<R>(
        &self,
        reserved: impl Future<Output = Result<R, SendError<()>>>,
        at: &'static Location<'static>,
    ) -> impl Future<Output = Result<R, SendError<()>>> {
        Awaiting::new(
            self.here,
            at,
            Operation::Lock,
            reserved,
            Exchange::Learns,
            unless_closed,
        )
    }

    fn try_reserving<R, E>(
        &self,
        at: &'static Location<'static>,
        reserve: impl FnOnce() -> Result<R, TrySendError<E>>,
    ) -> Result<R, TrySendError<E>> {
        let seen = |reserved: &Result<R, TrySendError<E>>| match reserved {
            Err(TrySendError::Closed(_)) => Seen::DISCONNECTED,
            reserved => Seen::attempt(reserved.is_ok(), Exchange::Learns),
        };
        self.here.perform(at, Operation::TryLock, reserve, seen)
    }
}

pin_project! {
    /// A send on its way. The message is not in what is dropped in a step.
    struct Sending<'a, T, F: Future> {
        #[pin]
        room: Awaiting<F>,
        message: Option<T>,
        sender: &'a Sender<T>,
    }
}

impl<'a, T, F> Future for Sending<'a, T, F>
where
    F: Future<Output = Result<real::Permit<'a, Option<T>>, SendError<()>>>,
{
    type Output = Result<(), SendError<T>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (message, letters) = (this.message, &this.sender.letters);
        let send = |permit: real::Permit<'_, _>| {
            permit.send(letters.seal(message.take().expect("it is sent once")));
        };
        // To get the room and to use it is one step.
        let polled = this
            .room
            .poll_and(context, |reserved| reserved.map(send).map_err(drop));
        match polled {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Ready(Err(())) => {
                let message = message.take().expect("it was not sent");
                Poll::Ready(Err(SendError(message)))
            }
            // This is a destructor, which could wait for ever.
            Poll::Pending if this.sender.here.is_doomed() => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        }
    }
}
