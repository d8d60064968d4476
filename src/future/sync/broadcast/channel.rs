//! Messages that every receiver gets.

use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use tokio::sync::broadcast as real;
use tokio::sync::broadcast::error::{RecvError, SendError, TryRecvError};

use crate::execution::{Ending, give_up};
use crate::future::sync::awaiting::{Awaiting, always};
use crate::future::sync::blocking::block_on;
use crate::future::sync::object::{Here, end};
use crate::model::awaited::{Exchange, Role, Seen};
use crate::trace::Operation;

/// Like [`tokio::sync::broadcast::channel`]: makes a channel that keeps at least `capacity` messages
/// for receivers that are late.
///
/// # Panics
///
/// If `capacity` is 0 or more than half of all numbers.
#[track_caller]
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = real::channel(capacity);
    let sender = Sender::of(sender);
    let receiver = Receiver {
        here: sender.here,
        kept: sender.kept.clone(),
        real: Some(receiver),
    };
    (sender, receiver)
}

/// Like [`tokio::sync::broadcast::Sender`]: a sending end.
///
/// To drop it is a step, which the receivers can see, and to clone it is none.
pub struct Sender<T> {
    here: Here,
    kept: Kept<T>,
    /// `None` when it was dropped.
    real: Option<real::Sender<Arc<Letter<T>>>>,
}

/// Like [`tokio::sync::broadcast::Receiver`]: a receiving end.
pub struct Receiver<T> {
    here: Here,
    kept: Kept<T>,
    /// `None` when it was dropped.
    real: Option<real::Receiver<Arc<Letter<T>>>>,
}

/// Like [`tokio::sync::broadcast::WeakSender`]: a sender that does not keep the channel open.
pub struct WeakSender<T> {
    here: Here,
    kept: Kept<T>,
    real: real::WeakSender<Arc<Letter<T>>>,
}

/// A message, which is cloned for each receiver.
struct Letter<T> {
    number: usize,
    /// Locked to clone it, so that it need not be shared by threads.
    message: Mutex<T>,
}

/// The messages of a channel of an execution: tokio drops them in steps, in which nothing of the
/// user's may run, so that they are kept until the step is over. Outside of executions there are none.
struct Kept<T>(Option<Arc<Mutex<Letters<T>>>>);

struct Letters<T> {
    count: usize,
    kept: Vec<Arc<Letter<T>>>,
}

const DROPPED: &str = "it is there until it is dropped";

impl<T> Letter<T> {
    /// A clone of the message.
    fn open(&self, here: Here) -> T
    where
        T: Clone,
    {
        let message = match self.message.try_lock() {
            Ok(message) => message,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) if here.is_real() => {
                self.message.lock().unwrap_or_else(PoisonError::into_inner)
            }
            // The one who has it locked is a thread of the same execution, on the same OS thread.
            Err(TryLockError::WouldBlock) => give_up(Ending::Unsupported(
                "two receivers of a broadcast channel clone a message at once, whose `clone` takes \
                 steps, which the lab cannot run"
                    .to_owned(),
            )),
        };
        message.clone()
    }
}

impl<T> Kept<T> {
    fn new(here: Here) -> Self {
        let letters = || Letters {
            count: 0,
            kept: Vec::new(),
        };
        Kept((!here.is_real()).then(|| Arc::new(Mutex::new(letters()))))
    }

    /// A message that is going to be sent.
    fn seal(&self, message: T) -> Arc<Letter<T>> {
        let letters = self.0.as_ref().map(|letters| lock(letters));
        let letter = Arc::new(Letter {
            number: letters.as_ref().map_or(0, |letters| letters.count),
            message: Mutex::new(message),
        });
        if let Some(mut letters) = letters {
            letters.kept.push(Arc::clone(&letter));
        }
        letter
    }

    /// The last one was sent, or there was nobody to receive it.
    fn sent(&self, has_succeeded: bool) {
        let Some(letters) = &self.0 else { return };
        let mut letters = lock(letters);
        if has_succeeded {
            letters.count += 1;
        } else {
            letters.kept.pop();
        }
    }

    /// Drops the messages that tokio has dropped.
    fn discard(&self) {
        let Some(letters) = &self.0 else { return };
        let dropped: Vec<Arc<Letter<T>>> = lock(letters)
            .kept
            .extract_if(.., |letter| Arc::strong_count(letter) == 1)
            .collect();
        drop(dropped);
    }
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Kept(self.0.clone())
    }
}

fn lock<T>(letters: &Mutex<Letters<T>>) -> MutexGuard<'_, Letters<T>> {
    letters.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a receipt is seen.
fn received<T>(result: Result<&Arc<Letter<T>>, bool>) -> Seen {
    match result {
        Ok(letter) => Seen::attempt(true, Exchange::Receives(letter.number, 1)),
        Err(true) => Seen::DISCONNECTED,
        // It is told how many messages it has missed, and is at a later one from now on.
        Err(false) => Seen::default(),
    }
}

impl<T> Sender<T> {
    /// A channel without a receiver.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0 or more than half of all numbers.
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        Sender::of(real::Sender::new(capacity))
    }

    #[track_caller]
    fn of(real: real::Sender<Arc<Letter<T>>>) -> Self {
        let here = Here::new("Channel", Role::Plain);
        Sender {
            here,
            kept: Kept::new(here),
            real: Some(real),
        }
    }

    /// Sends a message to all receivers that there are, and returns how many. One step.
    ///
    /// # Errors
    ///
    /// If there is none. The error holds the message.
    #[track_caller]
    pub fn send(&self, message: T) -> Result<usize, SendError<T>> {
        let send = || {
            let letter = self.kept.seal(message);
            let sent = self.real().send(letter);
            self.kept.sent(sent.is_ok());
            sent
        };
        let seen = |sent: &Result<usize, _>| match sent {
            Ok(_) => Seen::attempt(true, Exchange::Sends),
            Err(_) => Seen::DISCONNECTED,
        };
        let sent = self
            .here
            .perform(Location::caller(), Operation::Send, send, seen);
        self.kept.discard();
        sent.map_err(|SendError(letter)| {
            let letter = Arc::into_inner(letter).expect("it was not sent");
            let message = letter.message.into_inner();
            SendError(message.unwrap_or_else(PoisonError::into_inner))
        })
    }

    /// Another receiver, for the messages from now on. One step.
    #[track_caller]
    pub fn subscribe(&self) -> Receiver<T> {
        let real = self.look(real::Sender::subscribe);
        Receiver {
            here: self.here,
            kept: self.kept.clone(),
            real: Some(real),
        }
    }

    /// A sender that does not keep the channel open.
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender {
            here: self.here,
            kept: self.kept.clone(),
            real: self.real().downgrade(),
        }
    }

    /// How many messages are kept that some receiver has not received. One step.
    #[track_caller]
    pub fn len(&self) -> usize {
        self.look(real::Sender::len)
    }

    /// Whether each receiver has received each message. One step.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.look(real::Sender::is_empty)
    }

    /// How many receivers there are. One step.
    #[track_caller]
    pub fn receiver_count(&self) -> usize {
        self.look(real::Sender::receiver_count)
    }

    /// Whether the other one belongs to the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.real().same_channel(other.real())
    }

    /// Waits until there is no receiver. Each poll is a step.
    #[track_caller]
    pub fn closed(&self) -> impl Future<Output = ()> + use<'_, T> {
        Awaiting::new(
            self.here,
            Location::caller(),
            Operation::Disconnect,
            self.real().closed(),
            Exchange::Learns,
            always,
        )
    }

    /// How many senders there are. One step.
    #[track_caller]
    pub fn strong_count(&self) -> usize {
        self.look(real::Sender::strong_count)
    }

    /// How many weak senders there are. One step.
    #[track_caller]
    pub fn weak_count(&self) -> usize {
        self.look(real::Sender::weak_count)
    }

    fn real(&self) -> &real::Sender<Arc<Letter<T>>> {
        self.real.as_ref().expect(DROPPED)
    }

    #[track_caller]
    fn look<R>(&self, look: fn(&real::Sender<Arc<Letter<T>>>) -> R) -> R {
        let real = self.real();
        self.here.look(|| look(real))
    }
}

impl<T> WeakSender<T> {
    /// A sender that keeps the channel open, if there is one yet. One step.
    #[track_caller]
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let upgraded = self.look(real::WeakSender::upgrade);
        upgraded.map(|real| Sender {
            here: self.here,
            kept: self.kept.clone(),
            real: Some(real),
        })
    }

    /// How many senders there are. One step.
    #[track_caller]
    pub fn strong_count(&self) -> usize {
        self.look(real::WeakSender::strong_count)
    }

    /// How many weak senders there are. One step.
    #[track_caller]
    pub fn weak_count(&self) -> usize {
        self.look(real::WeakSender::weak_count)
    }

    #[track_caller]
    fn look<R>(&self, look: fn(&real::WeakSender<Arc<Letter<T>>>) -> R) -> R {
        let real = &self.real;
        self.here.look(|| look(real))
    }
}

impl<T> Receiver<T> {
    /// How many messages it has still to receive. One step.
    #[track_caller]
    pub fn len(&self) -> usize {
        self.look(real::Receiver::len)
    }

    /// Whether it has received each message. One step.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.look(real::Receiver::is_empty)
    }

    /// Whether the other one belongs to the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.real().same_channel(other.real())
    }

    /// How many senders there are. One step.
    #[track_caller]
    pub fn sender_strong_count(&self) -> usize {
        self.look(real::Receiver::sender_strong_count)
    }

    /// How many weak senders there are. One step.
    #[track_caller]
    pub fn sender_weak_count(&self) -> usize {
        self.look(real::Receiver::sender_weak_count)
    }

    /// Whether no sender is left. One step.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        self.look(real::Receiver::is_closed)
    }

    fn real(&self) -> &real::Receiver<Arc<Letter<T>>> {
        self.real.as_ref().expect(DROPPED)
    }

    #[track_caller]
    fn look<R>(&self, look: fn(&real::Receiver<Arc<Letter<T>>>) -> R) -> R {
        let real = self.real();
        self.here.look(|| look(real))
    }
}

impl<T: Clone> Receiver<T> {
    /// Another receiver, for the messages from now on. One step.
    #[track_caller]
    pub fn resubscribe(&self) -> Self {
        let real = self.look(real::Receiver::resubscribe);
        Receiver {
            here: self.here,
            kept: self.kept.clone(),
            real: Some(real),
        }
    }

    /// Receives the next message, and waits until there is one. Each poll is a step.
    ///
    /// # Errors
    ///
    /// If there is none and no sender left, or if messages were missed that are not kept any more.
    #[track_caller]
    pub fn recv(&mut self) -> impl Future<Output = Result<T, RecvError>> + use<'_, T> {
        let (here, kept) = (self.here, &self.kept);
        let real = self.real.as_mut().expect(DROPPED);
        let letter = Awaiting::new(
            here,
            Location::caller(),
            Operation::Receive,
            real.recv(),
            Exchange::Nothing,
            |_, result| received(result.as_ref().map_err(|error| *error == RecvError::Closed)),
        );
        async move {
            let message = letter.await.map(|letter| letter.open(here));
            kept.discard();
            message
        }
    }

    /// Receives the next message if there is one. One step.
    ///
    /// # Errors
    ///
    /// If there is none, or if messages were missed that are not kept any more.
    #[track_caller]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let real = self.real.as_mut().expect(DROPPED);
        let seen = |result: &Result<Arc<Letter<T>>, TryRecvError>| match result {
            Err(TryRecvError::Empty) => Seen::attempt(false, Exchange::Nothing),
            result => received(
                result
                    .as_ref()
                    .map_err(|error| *error == TryRecvError::Closed),
            ),
        };
        let (at, receive) = (Location::caller(), || real.try_recv());
        let letter = self.here.perform(at, Operation::Receive, receive, seen);
        let message = letter.map(|letter| letter.open(self.here));
        self.kept.discard();
        message
    }

    /// Like [`recv`](Self::recv), on a thread that runs no tasks.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Panics
    ///
    /// In a task.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        block_on(self.recv())
    }
}

impl<T> Clone for Sender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        self.here.leave_doomed();
        Sender {
            here: self.here,
            kept: self.kept.clone(),
            real: self.real.clone(),
        }
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        WeakSender {
            here: self.here,
            kept: self.kept.clone(),
            real: self.real.clone(),
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if let Some(real) = self.real.take() {
            self.here.drop_end(|| drop(real));
            self.kept.discard();
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let Some(real) = self.real.take() {
            self.here.drop_end(|| drop(real));
            self.kept.discard();
        }
    }
}

end!(Sender);
end!(WeakSender);
end!(Receiver);
