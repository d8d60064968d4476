//! The threads of [`std::thread`], bound at run time.
//!
//! Inside an execution, a thread is one that the lab schedules; outside, it is a real one.

#[cfg(feature = "engine")]
mod handle;
#[cfg(feature = "engine")]
mod local;
#[cfg(feature = "engine")]
mod parallelism;
#[cfg(feature = "engine")]
mod scoped;
#[cfg(feature = "engine")]
mod start;
#[cfg(feature = "engine")]
mod wait;

#[cfg(all(feature = "engine", feature = "future"))]
pub(crate) use self::start::start as start_modelled;
#[cfg(feature = "engine")]
#[expect(deprecated, reason = "std still has them")]
pub use self::wait::{park_timeout_ms, sleep_ms};
#[cfg(feature = "engine")]
pub use self::{
    handle::{Thread, ThreadId, current},
    local::{AccessError, LocalKey},
    parallelism::available_parallelism,
    scoped::{Scope, ScopedJoinHandle, scope},
    start::{Builder, JoinHandle, spawn},
    wait::{park, park_timeout, sleep, yield_now},
};
#[cfg(not(feature = "engine"))]
#[expect(deprecated, reason = "std still has them")]
pub use std::thread::{park_timeout_ms, sleep_ms};
// Only what the lab has as well: the rest would be missed only when a test is built.
#[cfg(not(feature = "engine"))]
pub use std::thread::{
    AccessError, Builder, JoinHandle, LocalKey, Scope, ScopedJoinHandle, Thread, ThreadId,
    available_parallelism, current, park, park_timeout, scope, sleep, spawn, yield_now,
};
pub use std::thread::{Result, panicking};
