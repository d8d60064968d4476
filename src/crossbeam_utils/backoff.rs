//! Waiting in a loop, a little longer in each round.

use std::fmt;

use crossbeam_utils as real;

use crate::execution::is_running;
use crate::thread::yield_now;

/// Like [`crossbeam_utils::Backoff`]: waits in a loop, a little longer in each round.
///
/// In an execution, each round is a [`yield_now`], so that the lab sees that the thread spins.
#[derive(Default)]
pub struct Backoff(real::Backoff);

impl Backoff {
    /// A backoff that has not waited yet.
    pub fn new() -> Self {
        Backoff::default()
    }

    /// Begins again with the shortest wait.
    pub fn reset(&self) {
        self.0.reset();
    }

    /// Waits before an operation is tried again that another thread has got ahead of.
    #[track_caller]
    pub fn spin(&self) {
        if is_running() {
            yield_now();
        }
        self.0.spin();
    }

    /// Waits in a loop for another thread to make progress.
    #[track_caller]
    pub fn snooze(&self) {
        if is_running() {
            yield_now();
        }
        self.0.snooze();
    }

    /// Whether it has waited long enough that it is better to block the thread.
    pub fn is_completed(&self) -> bool {
        self.0.is_completed()
    }
}

impl fmt::Debug for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
