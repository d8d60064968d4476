//! Scoped threads, as `crossbeam-utils` has them.

#[cfg(feature = "engine")]
mod scoped;

#[cfg(feature = "engine")]
pub use self::scoped::{Scope, ScopedJoinHandle, ScopedThreadBuilder, scope};
#[cfg(not(feature = "engine"))]
pub use ::crossbeam_utils::thread::{Scope, ScopedJoinHandle, ScopedThreadBuilder, scope};
