//! A token that one thread waits for and others give it.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_utils::sync as real;

use crate::Named;
use crate::execution::Binding;
use crate::model::channel::{self, Limit, Messages};

/// Like [`crossbeam_utils::sync::Parker`]: waits for a token, which an [`Unparker`] gives.
///
/// In an execution it is a channel for one token: to park is to receive it, and to unpark is to send
/// one, in place of one that is there. There are no spurious wake-ups.
///
/// ```
/// use racelab::crossbeam_utils::sync::Parker;
/// use racelab::thread;
///
/// let parker = Parker::new();
/// let unparker = parker.unparker().clone();
/// let other = thread::spawn(move || unparker.unpark());
/// parker.park();
/// other.join().unwrap();
/// ```
pub struct Parker {
    /// The real one, outside of executions.
    real: Option<real::Parker>,
    unparker: Unparker,
    /// As crossbeam's, for one thread at a time.
    unshared: PhantomData<Cell<()>>,
}

/// Like [`crossbeam_utils::sync::Unparker`]: gives a [`Parker`] its token.
#[derive(Clone)]
pub struct Unparker {
    binding: Binding,
    token: Token,
}

#[derive(Clone)]
enum Token {
    Real(real::Unparker),
    Modelled(Arc<Messages<()>>),
}

impl Parker {
    /// Makes a parker without a token.
    #[track_caller]
    pub fn new() -> Self {
        let binding = channel::bind("Parker", Some(1));
        let real = binding.is_real().then(real::Parker::new);
        let token = match &real {
            Some(real) => Token::Real(real.unparker().clone()),
            None => Token::Modelled(Arc::new(Messages::new())),
        };
        Parker {
            real,
            unparker: Unparker { binding, token },
            unshared: PhantomData,
        }
    }

    /// Waits for the token, and takes it. One step.
    #[track_caller]
    pub fn park(&self) {
        self.wait(Limit::None, real::Parker::park);
    }

    /// Like [`park`](Self::park), but waits for `timeout` at most. In an execution there is no time:
    /// without a token it can time out, and both ways are explored.
    #[track_caller]
    pub fn park_timeout(&self, timeout: Duration) {
        self.wait(Limit::Time, |real| real.park_timeout(timeout));
    }

    /// Like [`park_timeout`](Self::park_timeout), until a point in time.
    #[track_caller]
    pub fn park_deadline(&self, deadline: Instant) {
        self.wait(Limit::Time, |real| real.park_deadline(deadline));
    }

    #[track_caller]
    fn wait(&self, limit: Limit, real: impl FnOnce(&real::Parker)) {
        let parker = self.unparker.binding.object();
        match (&self.real, &self.unparker.token, parker) {
            (Some(parker), ..) => real(parker),
            (None, Token::Modelled(token), Some(parker)) => {
                // There is a sender, so that what is missing is the time or the rest of the execution.
                let _ = token.receive(parker, limit);
            }
            // It belongs elsewhere, while a panic unwinds the thread.
            _ => {}
        }
    }

    /// What gives it its token.
    pub fn unparker(&self) -> &Unparker {
        &self.unparker
    }
}

impl Unparker {
    /// Gives the parker its token, if that is not there already. One step.
    #[track_caller]
    pub fn unpark(&self) {
        match (&self.token, self.binding.object()) {
            (Token::Real(real), _) => real.unpark(),
            (Token::Modelled(token), Some(parker)) => {
                token.force_send(parker, ());
            }
            (Token::Modelled(_), None) => {}
        }
    }
}

impl Default for Parker {
    #[track_caller]
    fn default() -> Self {
        Parker::new()
    }
}

impl Named for Parker {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.unparker.binding.name(name.into());
        self
    }
}

impl fmt::Debug for Parker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Parker { .. }")
    }
}

impl fmt::Debug for Unparker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Unparker { .. }")
    }
}
