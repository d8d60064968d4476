//! Tasks and what they wait for, as tokio has them, bound at run time.
//!
//! Outside of executions they are tokio's. Inside, each task is a thread that the lab schedules
//! and that polls its future: first at once, and then each time after its waker was used. A poll
//! and a wake-up are steps. A task that nobody wakes any more waits forever, which is a deadlock.
//! Wakers may be cloned, kept, dropped, used from any thread of the execution, and used twice: the
//! futures of other crates and hand-written ones run as well, if what they share is the façade's.
//!
//! In an execution the tasks belong to it, and not to the [`block_on`] that they were started in:
//! they run to their end. tokio cancels those that are left when its runtime ends, which would
//! hide tasks that wait forever.
//!
//! [`block_on`] and [`yield_now`] are always there. The rest needs the feature `future`, and without
//! `engine` it *is* tokio's.
//!
//! ```
//! # #[cfg(feature = "future")] {
//! use racelab::future;
//!
//! let sum = future::block_on(async {
//!     let (sender, mut receiver) = future::sync::mpsc::channel(1);
//!     let producer = future::spawn(async move {
//!         for n in 1..=3 {
//!             sender.send(n).await.unwrap();
//!         }
//!     });
//!     let mut sum = 0;
//!     while let Some(n) = receiver.recv().await {
//!         sum += n;
//!     }
//!     producer.await.unwrap();
//!     sum
//! });
//! assert_eq!(sum, 6);
//! # }
//! ```

mod block_on;
#[cfg(all(feature = "engine", feature = "future"))]
mod join;
#[cfg(feature = "future")]
pub mod sync;
#[cfg(feature = "engine")]
mod task;
#[cfg(any(feature = "engine", not(feature = "future")))]
mod yield_now;

pub use self::block_on::block_on;
#[cfg(all(feature = "engine", feature = "future"))]
pub use self::join::{JoinError, JoinHandle, spawn};
#[cfg(any(feature = "engine", not(feature = "future")))]
pub use self::yield_now::yield_now;
// Only what the lab has as well: the rest would be missed only when a test is built.
#[cfg(all(feature = "future", not(feature = "engine")))]
pub use tokio::task::{JoinError, JoinHandle, spawn, yield_now};
