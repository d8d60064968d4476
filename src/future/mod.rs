//! Tasks and what they wait for, as the crate tokio has them, bound at run time.
//!
//! What tokio has is at its path, so that `use racelab::future as tokio;` is all that changes. Beside it
//! there is [`block_on`], which makes a runtime for one future.
//!
//! Outside of executions they are tokio's. Inside, each task is a thread that the lab schedules
//! and that polls its future: first at once, and then each time after its waker was used. A poll
//! and a wake-up are steps. A task that nobody wakes any more waits forever, which is a deadlock.
//! Wakers may be cloned, kept, dropped, used from any thread of the execution, and used twice: the
//! futures of other crates and hand-written ones run as well, if what they share is the façade's.
//!
//! When a runtime ends, as that of [`block_on`] does with its future, the tasks that are left are
//! cancelled where they wait next, in an execution as well. A panic of a task is an error where its
//! handle is awaited. If nobody takes it out of the handle, it is the failure of the execution.
//!
//! Input and output, `LocalSet` and `#[tokio::test]` are not there: files and sockets are of the machine,
//! a `LocalSet` needs one thread that runs several tasks, and the attribute makes a runtime of tokio's own.
//!
//! [`block_on`] and `task::yield_now` are always there. The rest needs the feature `future`, and without
//! `engine` it *is* tokio's, but for the macros `select!`, `join!` and `try_join!`.
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
#[cfg(feature = "future")]
pub mod runtime;
#[cfg(feature = "future")]
mod select;
#[cfg(feature = "future")]
pub mod sync;
pub mod task;
#[cfg(feature = "future")]
pub mod time;

/// For the macros.
#[cfg(feature = "future")]
#[doc(hidden)]
pub mod __select {
    pub use super::select::{Disabled, Either, Rounds, in_turn, poll_once};
}

pub use self::block_on::block_on;
#[cfg(feature = "future")]
pub use self::task::spawn;
#[cfg(all(feature = "future", feature = "engine"))]
#[doc(inline)]
pub use crate::__task_local as task_local;
#[cfg(feature = "future")]
#[doc(inline)]
pub use crate::{__join as join, __select as select, __try_join as try_join};
#[cfg(feature = "future")]
pub use tokio::pin;
// Only what the lab has as well: the rest would be missed only when a test is built.
#[cfg(all(feature = "future", not(feature = "engine")))]
pub use tokio::task_local;
