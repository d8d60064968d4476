//! Timers, as [`tokio::time`] has them.
//!
//! There is no clock in an execution: a timer may expire at any moment, whatever its duration. Where it
//! is polled, that it has expired and that it has not are two ways of one step, and a task that waits
//! with timers can be woken by any of them. If nobody can do anything else, one of them expires.
//!
//! [`Instant`] is the real clock in an execution too: a body that decides by it is not deterministic.
//! `pause`, `advance` and `resume` are not there, since no clock has to be stopped.

#[cfg(feature = "engine")]
mod interval;
#[cfg(feature = "engine")]
mod sleep;
#[cfg(feature = "engine")]
mod timeout;

#[cfg(feature = "engine")]
pub use self::{
    interval::{Interval, interval, interval_at},
    sleep::{Sleep, sleep, sleep_until},
    timeout::{Timeout, timeout, timeout_at},
};
pub use std::time::Duration;
pub use tokio::time::{Instant, MissedTickBehavior};
// Only what the lab has as well: the rest would be missed only when a test is built.
#[cfg(not(feature = "engine"))]
pub use tokio::time::{
    Interval, Sleep, Timeout, interval, interval_at, sleep, sleep_until, timeout, timeout_at,
};

/// The errors of this module.
pub mod error {
    #[cfg(feature = "engine")]
    pub use super::timeout::Elapsed;
    #[cfg(not(feature = "engine"))]
    pub use tokio::time::error::Elapsed;
}
