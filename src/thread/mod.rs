//! The threads of [`std::thread`], bound at run time.
//!
//! Inside an execution, a thread is one that the lab schedules; outside, it is a real one.

#[cfg(feature = "lab")]
mod handle;
#[cfg(feature = "lab")]
mod local;
#[cfg(feature = "lab")]
mod parallelism;
#[cfg(feature = "lab")]
mod scoped;
#[cfg(feature = "lab")]
mod start;
#[cfg(feature = "lab")]
mod wait;

#[cfg(feature = "lab")]
pub(crate) use self::start::start as start_modelled;
#[cfg(feature = "lab")]
pub use self::{
    handle::{Thread, ThreadId, current},
    local::{AccessError, LocalKey},
    parallelism::available_parallelism,
    scoped::{Scope, ScopedJoinHandle, scope},
    start::{Builder, JoinHandle, spawn},
    wait::{park, park_timeout, sleep, yield_now},
};
// Only what the lab has as well: the rest would be missed only when a test is built.
#[cfg(not(feature = "lab"))]
pub use std::thread::{
    AccessError, Builder, JoinHandle, LocalKey, Scope, ScopedJoinHandle, Thread, ThreadId,
    available_parallelism, current, park, park_timeout, scope, sleep, spawn, yield_now,
};
pub use std::thread::{Result, panicking};
