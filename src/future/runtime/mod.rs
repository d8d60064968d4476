//! Runtimes, as [`tokio::runtime`] has them.
//!
//! In an execution each task is on a thread for itself, however many workers a runtime was to have.
//! When a runtime is dropped there, its tasks are cancelled where they wait next, and it waits until
//! they have ended, as tokio's does.

#[cfg(feature = "engine")]
mod builder;
#[cfg(feature = "engine")]
mod handle;
#[cfg(feature = "engine")]
mod tasks;

// Only what the lab has as well: the rest would be missed only when a test is built.
#[cfg(not(feature = "engine"))]
pub use tokio::runtime::{Builder, EnterGuard, Handle, Runtime, TryCurrentError};

#[cfg(feature = "engine")]
pub(super) use self::tasks::{Tasks, current};
#[cfg(feature = "engine")]
pub use self::{
    builder::Builder,
    handle::{EnterGuard, Handle, Runtime, TryCurrentError},
};
