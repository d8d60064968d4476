//! The queues of `crossbeam-queue`, bound at run time.
//!
//! Inside an execution, each operation is one step and none of them waits: a push is a `send`, a
//! pop a `receive`, and a look at the length a `load`. What was written before an item was pushed
//! is known to the thread that pops it. A queue that is made outside is crossbeam's. Without the feature `engine`,
//! everything here *is* crossbeam's.
//!
//! ```
//! use racelab::queue::SegQueue;
//! use racelab::thread;
//!
//! let queue = SegQueue::new();
//! thread::scope(|scope| {
//!     for n in 1..=3 {
//!         let queue = &queue;
//!         scope.spawn(move || queue.push(n));
//!     }
//! });
//! assert_eq!(queue.into_iter().sum::<i32>(), 6);
//! ```

#[cfg(feature = "engine")]
mod array_queue;
#[cfg(feature = "engine")]
mod seg_queue;

#[cfg(feature = "engine")]
pub use self::{array_queue::ArrayQueue, seg_queue::SegQueue};
// Only what the lab has as well: the rest would be missed only when a test is built.
#[cfg(not(feature = "engine"))]
pub use crossbeam_queue::{ArrayQueue, SegQueue};
