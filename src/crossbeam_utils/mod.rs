//! The types of `crossbeam-utils`, under its paths, bound at run time.
//!
//! In an execution, each operation of an [`AtomicCell`](atomic::AtomicCell), a
//! [`Parker`](sync::Parker) and a [`WaitGroup`](sync::WaitGroup) is a step, and a [`Backoff`] yields.
//! What is used outside is crossbeam's. Without the feature `engine`, everything here *is*
//! crossbeam's.
//!
//! ```
//! use racelab::crossbeam_utils::{Backoff, atomic::AtomicCell, thread};
//!
//! let ready = AtomicCell::new(false);
//! thread::scope(|scope| {
//!     scope.spawn(|_| ready.store(true));
//!     let backoff = Backoff::new();
//!     while !ready.load() {
//!         backoff.snooze();
//!     }
//! })
//! .unwrap();
//! ```

pub mod atomic;
#[cfg(feature = "engine")]
mod backoff;
pub mod sync;
pub mod thread;

#[cfg(feature = "engine")]
pub use self::backoff::Backoff;
#[cfg(not(feature = "engine"))]
pub use ::crossbeam_utils::Backoff;
pub use ::crossbeam_utils::CachePadded;
