//! A channel for one message.

use std::future::poll_fn;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot as real;
use tokio::sync::oneshot::error::{RecvError, TryRecvError};

use crate::model::awaited::{Exchange, Role, Seen};
use crate::trace::{EventResult, Operation};

use crate::future::sync::awaiting::Wait;
use crate::future::sync::blocking::block_on;
use crate::future::sync::letters::Letters;
use crate::future::sync::object::{Here, end};

/// Like [`tokio::sync::oneshot::channel`]: makes a channel for one message.
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let here = Here::new("Channel", Role::Plain);
    let letters = Letters::new(here.is_real());
    let (sender, receiver) = real::channel();
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

/// Like [`tokio::sync::oneshot::Sender`]: the end that sends the message.
///
/// To send it, to look whether the other end is gone, and to drop it without a message are steps.
pub struct Sender<T> {
    here: Here,
    letters: Letters<T>,
    /// `None` when it was dropped.
    real: Option<real::Sender<Option<T>>>,
}

/// Like [`tokio::sync::oneshot::Receiver`]: the end that receives the message, a future.
///
/// Each poll is a step, and so is each look, and to close or to drop it.
pub struct Receiver<T> {
    here: Here,
    letters: Letters<T>,
    /// `None` when it was dropped.
    real: Option<real::Receiver<Option<T>>>,
}

const DROPPED: &str = "it is there until it is dropped";

impl<T> Sender<T> {
    /// Sends the message. One step.
    ///
    /// # Errors
    ///
    /// If the receiver is gone or has closed the channel. The error is the message.
    #[track_caller]
    pub fn send(mut self, message: T) -> Result<(), T> {
        let sender = self.real.take().expect(DROPPED);
        let letters = &self.letters;
        let send = || {
            if letters.are_modelled() && sender.is_closed() {
                return Err(message);
            }
            let sent = sender.send(letters.seal(message));
            sent.map_err(|carried| letters.open(carried).1)
        };
        let seen = |sent: &Result<(), T>| match sent {
            Ok(()) => Seen::attempt(true, Exchange::Sends),
            Err(_) => Seen::DISCONNECTED,
        };
        self.here
            .perform(Location::caller(), Operation::Send, send, seen)
    }

    /// Waits until the receiver is gone or has closed the channel. Each poll is a step.
    #[track_caller]
    pub fn closed(&mut self) -> impl Future<Output = ()> + use<'_, T> {
        let mut wait = Wait::new(self.here, Location::caller(), Operation::Disconnect);
        poll_fn(move |context| self.poll_closed_in(&mut wait, context))
    }

    /// Whether the receiver is gone or has closed the channel. One step.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        let real = self.real.as_ref().expect(DROPPED);
        self.here.look(|| real.is_closed())
    }

    /// Whether the receiver is gone or has closed the channel; if not, the task is woken when it is
    /// so. One step.
    #[track_caller]
    pub fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut wait = Wait::new(self.here, Location::caller(), Operation::Disconnect);
        self.poll_closed_in(&mut wait, context)
    }

    fn poll_closed_in(&mut self, wait: &mut Wait, context: &mut Context<'_>) -> Poll<()> {
        let real = self.real.as_mut().expect(DROPPED);
        let learns = |(): &()| Exchange::Learns.into();
        wait.poll_with(context, learns, |context| real.poll_closed(context))
    }
}

impl<T> Receiver<T> {
    /// Closes the channel: no message is sent any more. One step.
    #[track_caller]
    pub fn close(&mut self) {
        let real = self.real.as_mut().expect(DROPPED);
        self.here
            .act(Operation::Disconnect, Exchange::Leaves, || real.close());
    }

    /// Whether it has received its message, or has learnt that there will be none.
    pub fn is_terminated(&self) -> bool {
        self.real.as_ref().expect(DROPPED).is_terminated()
    }

    /// Whether there is no message to receive. One step.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        let real = self.real.as_ref().expect(DROPPED);
        self.here.look(|| real.is_empty())
    }

    /// Receives the message if it is there. One step.
    ///
    /// # Errors
    ///
    /// If it is not there, or there will be none.
    #[track_caller]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let real = self.real.as_mut().expect(DROPPED);
        let letters = &self.letters;
        let receive = || real.try_recv().map(|carried| letters.open(carried).1);
        let seen = |received: &Result<T, TryRecvError>| match received {
            Err(TryRecvError::Closed) => Seen::DISCONNECTED,
            received => Seen::attempt(received.is_ok(), Exchange::Receives(0, 1)),
        };
        self.here
            .perform(Location::caller(), Operation::Receive, receive, seen)
    }

    /// Receives the message on a thread that runs no tasks.
    ///
    /// # Errors
    ///
    /// If there will be none.
    ///
    /// # Panics
    ///
    /// In a task.
    #[track_caller]
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        block_on(self)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Receiver {
            here,
            letters,
            real,
        } = &mut *self;
        let real = real.as_mut().expect(DROPPED);
        // Before the step, in which nothing may panic.
        assert!(!real.is_terminated(), "called after complete");
        let mut wait = Wait::new(*here, Location::caller(), Operation::Receive);
        let seen = |received: &Result<T, RecvError>| match received {
            Ok(_) => Seen {
                result: Some(EventResult::Succeeded),
                exchange: Exchange::Receives(0, 1),
            },
            Err(_) => Seen::DISCONNECTED,
        };
        let polled = wait.poll_with(context, seen, |context| {
            let received = Pin::new(&mut *real).poll(context);
            received.map_ok(|carried| letters.open(carried).1)
        });
        if polled.is_pending() && here.is_doomed() {
            // This is a destructor, which could wait for ever.
            real.close();
            return Pin::new(real)
                .poll(context)
                .map_ok(|carried| letters.open(carried).1);
        }
        polled
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if let Some(real) = self.real.take() {
            self.here.drop_end(|| drop(real));
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let Some(real) = self.real.take() {
            self.here.drop_end(|| drop(real));
            self.letters.discard();
        }
    }
}

end!(Sender);
end!(Receiver);
