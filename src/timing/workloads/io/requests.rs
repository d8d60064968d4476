//! The requests of the embedded server: how many there were, and how many at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::delays::Delays;

/// Whether a server lets requests wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Serve {
    /// It serves one request at a time. Others wait for their turn, in the order of their arrival.
    One,
    /// It serves all requests at once.
    Many,
}

impl Serve {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Serve::One => "one",
            Serve::Many => "many",
        }
    }

    /// What distinguishes the ways of a run in which servers of both kinds answer.
    pub(super) fn variant(self) -> &'static str {
        match self {
            Serve::One => "served one by one",
            Serve::Many => "served at once",
        }
    }
}

/// Counts the requests of a server. Clones count together.
#[derive(Clone, Debug)]
pub(super) struct Requests {
    counts: Arc<Mutex<Counts>>,
    /// The waits as they are when nothing was requested yet.
    delays: Delays,
    /// The one turn there is, if requests wait for each other.
    turn: Option<Arc<Semaphore>>,
}

#[derive(Debug)]
struct Counts {
    delays: Delays,
    begun: u64,
    answered: u64,
    in_flight: u64,
    peak_in_flight: u64,
    connections: u64,
}

/// A request that is under way.
#[derive(Debug)]
pub(super) struct UnderWay {
    /// How many were begun before it.
    pub(super) number: u64,
    /// When it is to be answered.
    pub(super) due: Instant,
    requests: Requests,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Requests {
    /// Nothing was requested yet.
    pub(super) fn new(delays: Delays, serve: Serve) -> Self {
        Requests {
            counts: Arc::new(Mutex::new(Counts::new(delays.clone()))),
            delays,
            turn: match serve {
                Serve::One => Some(Arc::new(Semaphore::new(1))),
                Serve::Many => None,
            },
        }
    }

    /// Counts a connection.
    pub(super) fn connected(&self) {
        self.counts().connections += 1;
    }

    /// Begins with a request, as soon as it is its turn.
    pub(super) async fn begin(&self) -> UnderWay {
        let turn = match &self.turn {
            // An error says that the semaphore was closed, which nobody does.
            Some(turn) => Arc::clone(turn).acquire_owned().await.ok(),
            None => None,
        };
        let mut counts = self.counts();
        let delay = counts.delays.next().unwrap_or(Duration::ZERO);
        let number = counts.begun;
        counts.begun += 1;
        counts.in_flight += 1;
        counts.peak_in_flight = counts.peak_in_flight.max(counts.in_flight);
        UnderWay {
            number,
            due: Instant::now() + delay,
            requests: self.clone(),
            _turn: turn,
        }
    }

    /// How many were answered completely.
    pub(super) fn answered(&self) -> u64 {
        self.counts().answered
    }

    /// The most that were under way at once.
    pub(super) fn peak_in_flight(&self) -> u64 {
        self.counts().peak_in_flight
    }

    /// How many connections there were.
    pub(super) fn connections(&self) -> u64 {
        self.counts().connections
    }

    /// Counts anew, and begins with the waits anew.
    pub(super) fn reset(&self) {
        let mut counts = self.counts();
        let in_flight = counts.in_flight;
        *counts = Counts {
            in_flight,
            peak_in_flight: in_flight,
            ..Counts::new(self.delays.clone())
        };
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn new(delays: Delays) -> Self {
        Counts {
            delays,
            begun: 0,
            answered: 0,
            in_flight: 0,
            peak_in_flight: 0,
            connections: 0,
        }
    }
}

impl UnderWay {
    /// It was answered completely.
    pub(super) fn answered(self) {
        self.requests.counts().answered += 1;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.requests.counts().in_flight -= 1;
    }
}
