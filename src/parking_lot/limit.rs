//! How long a thread waits for a lock, or to be notified.

use std::time::{Duration, Instant};

use crate::execution::Alternatives;
use crate::sync::worlds::Waits;

/// For how long a thread waits at most.
///
/// In an execution there is no time, so that a clock would only make it unpredictable: a wait with a
/// limit, whatever that is, may end by a step of its own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Limit {
    None,
    For(Duration),
    Until(Instant),
}

impl Limit {
    /// What there is to choose in an execution.
    pub(super) fn alternatives(self) -> Alternatives {
        match self {
            Limit::None => Alternatives::None,
            Limit::For(_) | Limit::Until(_) => Alternatives::Timeout,
        }
    }

    /// Until when it is outside of executions. A time that cannot be told never comes.
    pub(super) fn deadline(self) -> Option<Instant> {
        match self {
            Limit::None => None,
            Limit::For(duration) => Instant::now().checked_add(duration),
            Limit::Until(deadline) => Some(deadline),
        }
    }
}

/// How long a thread outside of executions that has the real lock waits for those inside.
pub(super) fn waits_until(deadline: Option<Instant>) -> Waits {
    deadline.map_or(Waits::Always, Waits::Until)
}
