//! Tasks, as [`tokio::task`] has them.
//!
//! In an execution, a task is a thread that the lab schedules and that polls its future.
//! `spawn_local`, `LocalSet`, `block_in_place` and cooperative budgets are not there: every task of an
//! execution is on a thread for itself.

#[cfg(feature = "engine")]
pub(super) mod drive;
#[cfg(all(feature = "engine", feature = "future"))]
mod join;
#[cfg(all(feature = "engine", feature = "future"))]
mod local;
#[cfg(all(feature = "engine", feature = "future"))]
mod set;
#[cfg(all(feature = "engine", feature = "future"))]
mod spawn;
#[cfg(any(feature = "engine", not(feature = "future")))]
mod yield_now;

#[cfg(all(feature = "engine", feature = "future"))]
pub(super) use self::join::TaskRef;
#[cfg(any(feature = "engine", not(feature = "future")))]
pub use self::yield_now::yield_now;
#[cfg(all(feature = "engine", feature = "future"))]
pub use self::{
    join::{AbortHandle, Id, JoinError, JoinHandle, id, try_id},
    local::LocalKey,
    set::JoinSet,
    spawn::{spawn, spawn_blocking},
};
// Only what the lab has as well: the rest would be missed only when a test is built.
#[cfg(all(feature = "future", not(feature = "engine")))]
pub use tokio::task::{
    AbortHandle, Id, JoinError, JoinHandle, JoinSet, LocalKey, id, spawn, spawn_blocking, try_id,
    yield_now,
};

/// The futures of this module.
#[cfg(feature = "future")]
pub mod futures {
    #[cfg(feature = "engine")]
    pub use super::local::TaskLocalFuture;
    #[cfg(not(feature = "engine"))]
    pub use tokio::task::futures::TaskLocalFuture;
}
