//! The bounded channel between tasks.

use std::borrow::Cow;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::mpsc as real;
use tokio::sync::mpsc::error::{SendError, TryRecvError, TrySendError};

use crate::Named;
use crate::execution::{Binding, Execution, NextStep, is_running, step, with};
use crate::model::channel::{self, Messages, state};
use crate::trace::{EventResult, ObjectId, Operation};

/// Like [`tokio::sync::mpsc::channel`]: makes a channel that holds at most `buffer` messages.
///
/// # Panics
///
/// If `buffer` is 0.
#[track_caller]
pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
    assert!(buffer > 0, "mpsc bounded channel requires buffer > 0");
    let binding = channel::bind("Channel", Some(buffer));
    let (sender, receiver) = if binding.is_real() {
        let (sender, receiver) = real::channel(buffer);
        (End::Real(sender), End::Real(receiver))
    } else {
        let shared = Arc::new(Shared::new());
        (End::Modelled(Arc::clone(&shared)), End::Modelled(shared))
    };
    let sender = Sender {
        binding,
        end: sender,
    };
    let receiver = Receiver {
        binding,
        end: receiver,
    };
    (sender, receiver)
}

/// Like [`tokio::sync::mpsc::Sender`]: a sending end of a [`channel`].
pub struct Sender<T> {
    binding: Binding,
    end: End<real::Sender<T>, T>,
}

/// Like [`tokio::sync::mpsc::Receiver`]: the receiving end of a [`channel`].
pub struct Receiver<T> {
    binding: Binding,
    end: End<real::Receiver<T>, T>,
}

impl<T> Sender<T> {
    /// Sends a message, and waits until there is room for it. Each attempt is a step.
    ///
    /// Who waits longest gets the room that becomes free. A send that is dropped while it waits
    /// gives up its place in the line, which is a step, a `disconnect`.
    ///
    /// # Errors
    ///
    /// If the receiver is gone. The error holds the message.
    #[track_caller]
    pub fn send(&self, message: T) -> impl Future<Output = Result<(), SendError<T>>> {
        let at = Location::caller();
        let channel = self.binding.object();
        async move {
            match (&self.end, channel) {
                (End::Real(real), _) => real.send(message).await,
                (End::Modelled(shared), Some(channel)) => {
                    let binding = &self.binding;
                    Sending {
                        binding,
                        shared,
                        channel,
                        at,
                        message: Some(message),
                        place: None,
                    }
                    .await
                }
                (End::Modelled(_), None) => Err(SendError(message)),
            }
        }
    }

    /// Sends a message if there is room for it that nobody else waits for. One step.
    ///
    /// # Errors
    ///
    /// If the channel is full, or the receiver is gone. The error holds the message.
    #[track_caller]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let (shared, channel) = match (&self.end, self.binding.object()) {
            (End::Real(real), _) => return real.try_send(message),
            (End::Modelled(shared), Some(channel)) => (shared, channel),
            (End::Modelled(_), None) => return Err(TrySendError::Closed(message)),
        };
        let mut message = Some(message);
        let next = NextStep::new(Operation::Send).on(channel);
        let sent = step(next, |execution, _| {
            shared.put(execution, channel, &mut message, None)
        });
        match (sent, message) {
            (Sent::Full, Some(message)) => Err(TrySendError::Full(message)),
            (Sent::Closed, Some(message)) => Err(TrySendError::Closed(message)),
            (Sent::Done(receiver), _) => {
                wake(receiver);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl<T> Receiver<T> {
    /// Receives a message, and waits until there is one; `None` if there is none and no sender
    /// left. Each attempt is a step.
    #[track_caller]
    pub fn recv(&mut self) -> impl Future<Output = Option<T>> {
        let at = Location::caller();
        let channel = self.binding.object();
        async move {
            match (&mut self.end, channel) {
                (End::Real(real), _) => real.recv().await,
                (End::Modelled(shared), Some(channel)) => {
                    Receiving {
                        shared,
                        channel,
                        at,
                    }
                    .await
                }
                (End::Modelled(_), None) => None,
            }
        }
    }

    /// Receives a message if there is one. One step.
    ///
    /// # Errors
    ///
    /// If there is no message.
    #[track_caller]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        match (&mut self.end, self.binding.object()) {
            (End::Real(real), _) => real.try_recv(),
            (End::Modelled(shared), Some(channel)) => {
                shared.receive(channel, Location::caller(), &mut None)
            }
            (End::Modelled(_), None) => Err(TryRecvError::Disconnected),
        }
    }
}

impl<T> Clone for Sender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        channel::add_sender(&self.binding);
        Sender {
            binding: self.binding,
            end: match &self.end {
                End::Real(real) => End::Real(real.clone()),
                End::Modelled(shared) => End::Modelled(Arc::clone(shared)),
            },
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let End::Modelled(shared) = &self.end else {
            return;
        };
        let receiver = channel::disconnect(&self.binding, |channel| {
            channel.senders -= 1;
            let is_last = channel.senders == 0;
            is_last.then(|| shared.wakers().receiver.take()).flatten()
        });
        wake_in_drop(receiver.flatten());
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let End::Modelled(shared) = &self.end else {
            return;
        };
        let _messages = Discard(shared);
        let senders = channel::disconnect(&self.binding, |channel| {
            channel.receivers -= 1;
            channel.letters.clear();
            std::mem::take(&mut shared.wakers().senders)
        });
        wake_in_drop(senders.into_iter().flatten().map(|(_, waker)| waker));
    }
}

macro_rules! end {
    ($name:ident) => {
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
end!(Receiver);

/// One end of a channel.
enum End<R, T> {
    Real(R),
    Modelled(Arc<Shared<T>>),
}

/// What the ends of a modelled channel share.
///
/// The threads of an execution share one OS thread and none is switched away from while it holds
/// a lock, so that nobody ever waits for it.
struct Shared<T> {
    messages: Messages<T>,
    wakers: Mutex<Wakers>,
}

/// Who is to be woken when there is something to do again.
#[derive(Default)]
struct Wakers {
    receiver: Option<Waker>,
    /// Those of the sends in the line, with their numbers.
    senders: Vec<(u64, Waker)>,
}

impl Wakers {
    /// The waker of a send that leaves the line.
    fn take_sender(&mut self, number: u64) -> Option<Waker> {
        let index = self
            .senders
            .iter()
            .position(|(other, _)| *other == number)?;
        Some(self.senders.remove(index).1)
    }
}

/// How an attempt to send has ended.
enum Sent {
    /// The message is in the channel, and who waits for it is to be woken.
    Done(Option<Waker>),
    Full,
    Closed,
}

impl<T> Shared<T> {
    fn new() -> Self {
        Shared {
            messages: Messages::new(),
            wakers: Mutex::default(),
        }
    }

    fn wakers(&self) -> MutexGuard<'_, Wakers> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An attempt to send, of the send in this place of the line or of one that has none.
    fn put(
        &self,
        execution: &mut Execution,
        channel: ObjectId,
        message: &mut Option<T>,
        place: Option<u64>,
    ) -> Sent {
        // In a destructor of a doomed execution, which could wait forever.
        let is_doomed = execution.is_doomed();
        let state = state(execution, channel);
        let has_room = match place {
            Some(place) => state.line.is_granted(place),
            None => state.has_room(),
        };
        let (sent, result) = if state.receivers == 0 {
            (Sent::Closed, EventResult::Disconnected)
        } else if has_room || is_doomed {
            if let Some(place) = place {
                state.line.leave(place);
            }
            let number = state.put(None);
            self.messages.insert(number, message.take());
            let receiver = self.wakers().receiver.take();
            (Sent::Done(receiver), EventResult::Succeeded)
        } else {
            (Sent::Full, EventResult::Failed)
        };
        execution.note(|event| event.result = Some(result));
        sent
    }

    /// An attempt to receive, as a step. If there is nothing it leaves the waker, in exchange for
    /// the one that was left before.
    fn receive(
        &self,
        channel: ObjectId,
        at: &'static Location<'static>,
        waker: &mut Option<Waker>,
    ) -> Result<T, TryRecvError> {
        let next = NextStep::new(Operation::Receive).on(channel).at(at);
        let mut sender = None;
        let received = step(next, |execution, _| {
            let me = execution.me();
            // In a destructor of a doomed execution, which could wait forever.
            let is_doomed = execution.is_doomed();
            let state = state(execution, channel);
            let number = state.take(me);
            let (received, result) = match number.and_then(|number| self.messages.withdraw(number))
            {
                Some(message) => {
                    let granted = state.line.grant();
                    sender = granted.and_then(|place| self.wakers().take_sender(place));
                    (Ok(message), EventResult::Succeeded)
                }
                None if state.senders == 0 || is_doomed => {
                    (Err(TryRecvError::Disconnected), EventResult::Disconnected)
                }
                None => {
                    if waker.is_some() {
                        std::mem::swap(waker, &mut self.wakers().receiver);
                    }
                    (Err(TryRecvError::Empty), EventResult::Failed)
                }
            };
            execution.note(|event| event.result = Some(result));
            received
        });
        wake(sender);
        received
    }
}

/// A send on its way.
struct Sending<'a, T> {
    binding: &'a Binding,
    shared: &'a Shared<T>,
    channel: ObjectId,
    at: &'static Location<'static>,
    message: Option<T>,
    /// Its number, if it waits in the line.
    place: Option<u64>,
}

impl<T> Unpin for Sending<'_, T> {}

impl<T> Future for Sending<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Sending {
            shared,
            channel,
            at,
            message,
            place,
            ..
        } = &mut *self;
        let channel = *channel;
        let mut waker = Some(context.waker().clone());
        let next = NextStep::new(Operation::Send).on(channel).at(at);
        let sent = step(next, |execution, _| {
            let sent = shared.put(execution, channel, message, *place);
            match sent {
                Sent::Full => {
                    let line = &mut state(execution, channel).line;
                    let number = *place.get_or_insert_with(|| line.join());
                    let mut wakers = shared.wakers();
                    let earlier = wakers.take_sender(number);
                    let waker = std::mem::replace(&mut waker, earlier);
                    wakers.senders.extend(waker.map(|waker| (number, waker)));
                }
                Sent::Done(_) | Sent::Closed => *place = None,
            }
            sent
        });
        // It may be one that was there before, and its destructor may be anything.
        drop(waker);
        match (sent, message.take()) {
            (Sent::Full, waiting) => {
                *message = waiting;
                Poll::Pending
            }
            (Sent::Closed, Some(message)) => Poll::Ready(Err(SendError(message))),
            (Sent::Done(receiver), _) => {
                wake(receiver);
                Poll::Ready(Ok(()))
            }
            (Sent::Closed, None) => Poll::Ready(Ok(())),
        }
    }
}

impl<T> Drop for Sending<'_, T> {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let wakers = channel::disconnect(self.binding, |channel| {
            let own = self.shared.wakers().take_sender(place);
            let has_left_room = channel.line.leave(place);
            let next = has_left_room.then(|| channel.line.grant()).flatten();
            let next = next.and_then(|next| self.shared.wakers().take_sender(next));
            (own, next)
        });
        let (own, next) = wakers.unzip();
        drop(own);
        wake_in_drop(next.flatten());
    }
}

/// A receipt on its way.
struct Receiving<'a, T> {
    shared: &'a Shared<T>,
    channel: ObjectId,
    at: &'static Location<'static>,
}

impl<T> Future for Receiving<'_, T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut waker = Some(context.waker().clone());
        match self.shared.receive(self.channel, self.at, &mut waker) {
            Ok(message) => Poll::Ready(Some(message)),
            Err(TryRecvError::Disconnected) => Poll::Ready(None),
            Err(TryRecvError::Empty) => Poll::Pending,
        }
    }
}

/// Drops what nobody is going to receive: the messages may hold senders of the channel, and so
/// the channel itself.
struct Discard<'a, T>(&'a Shared<T>);

impl<T> Drop for Discard<'_, T> {
    fn drop(&mut self) {
        drop(self.0.messages.drain());
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Wakes in a destructor, which must not unwind only since its execution has ended. If it has, the
/// next operation of the thread does.
fn wake_in_drop(wakers: impl IntoIterator<Item = Waker>) {
    let mut panic = None;
    for waker in wakers {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
            let is_doomed = is_running() && with(|execution| execution.is_doomed());
            if !is_doomed {
                panic = Some(payload);
            }
        }
    }
    if let Some(payload) = panic
        && !std::thread::panicking()
    {
        resume_unwind(payload);
    }
}
