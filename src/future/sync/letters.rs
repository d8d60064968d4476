//! Where the messages of a channel are.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The messages of a channel, for one of its ends.
///
/// What a channel of tokio's carries is `Option<T>`. Outside of executions that is the message. Inside
/// it is `None`, for each message one, and the messages are here, in the same order: tokio drops what
/// it carries in steps, in which nothing of the user's may run.
///
/// The threads of an execution share one OS thread and none is switched away from while it holds the
/// lock, so that nobody ever waits for it.
pub(super) struct Letters<T>(Option<Arc<Mutex<Sent<T>>>>);

struct Sent<T> {
    /// How many messages were sent.
    count: usize,
    /// Those that were not received, with their numbers.
    waiting: VecDeque<(usize, T)>,
}

impl<T> Letters<T> {
    /// Those of a new channel, which is a real one or not.
    pub(super) fn new(is_real: bool) -> Self {
        let sent = || Sent {
            count: 0,
            waiting: VecDeque::new(),
        };
        Letters((!is_real).then(|| Arc::new(Mutex::new(sent()))))
    }

    /// Whether the channel is of an execution.
    pub(super) fn are_modelled(&self) -> bool {
        self.0.is_some()
    }

    /// What the channel is to carry for a message that is being sent.
    pub(super) fn seal(&self, message: T) -> Option<T> {
        let Some(sent) = &self.0 else {
            return Some(message);
        };
        let mut sent = lock(sent);
        let number = sent.count;
        sent.count += 1;
        sent.waiting.push_back((number, message));
        None
    }

    /// The message for which the channel has carried this, and its number.
    pub(super) fn open(&self, carried: Option<T>) -> (usize, T) {
        match (&self.0, carried) {
            (_, Some(message)) => (0, message),
            (Some(sent), None) => lock(sent)
                .waiting
                .pop_front()
                .expect("each that was carried is of a message"),
            (None, None) => unreachable!("a real channel carries messages"),
        }
    }

    /// Drops the messages that nobody is going to receive: they may hold ends of the channel, and so
    /// all of it.
    pub(super) fn discard(&self) {
        let waiting = self.0.as_ref().map(|sent| {
            let waiting = &mut lock(sent).waiting;
            std::mem::take(waiting)
        });
        drop(waiting);
    }
}

impl<T> Clone for Letters<T> {
    fn clone(&self) -> Self {
        Letters(self.0.clone())
    }
}

fn lock<T>(sent: &Mutex<Sent<T>>) -> MutexGuard<'_, Sent<T>> {
    sent.lock().unwrap_or_else(PoisonError::into_inner)
}
