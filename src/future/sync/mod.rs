//! tokio's synchronisation between tasks, bound at run time.
//!
//! Outside of executions it is tokio's. Inside, each operation that others can see is a step, and
//! what it does there is what tokio does: who comes first, who is woken, and what becomes of a
//! permit or a notification if a future is dropped while it waits.

#[cfg(feature = "engine")]
mod awaiting;
#[cfg(feature = "engine")]
mod barrier;
#[cfg(feature = "engine")]
mod blocking;
pub mod broadcast;
#[cfg(all(feature = "engine", feature = "tokio-util"))]
mod cancellation_token;
#[cfg(feature = "engine")]
mod later;
#[cfg(feature = "engine")]
mod letters;
#[cfg(feature = "engine")]
mod lock;
pub mod mpsc;
#[cfg(feature = "engine")]
mod mutex;
#[cfg(feature = "engine")]
mod notify;
#[cfg(feature = "engine")]
mod object;
#[cfg(feature = "engine")]
mod once_cell;
pub mod oneshot;
#[cfg(feature = "engine")]
mod rwlock;
#[cfg(feature = "engine")]
mod semaphore;
pub mod watch;

#[cfg(feature = "engine")]
pub use self::{
    barrier::Barrier,
    mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard},
    notify::Notify,
    once_cell::OnceCell,
    rwlock::{
        OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock,
        RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard,
    },
    semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit},
};
pub use tokio::sync::{AcquireError, BarrierWaitResult, SetError, TryAcquireError, TryLockError};
// Only what the lab has as well: the rest would be missed only when a test is built.
#[cfg(not(feature = "engine"))]
pub use tokio::sync::{
    Barrier, MappedMutexGuard, Mutex, MutexGuard, Notify, OnceCell, OwnedMappedMutexGuard,
    OwnedMutexGuard, OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard,
    OwnedSemaphorePermit, RwLock, RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard,
    Semaphore, SemaphorePermit,
};

#[cfg(all(feature = "engine", feature = "tokio-util"))]
pub use self::cancellation_token::{
    CancellationToken, DropGuard, DropGuardRef, WaitForCancellationFuture,
    WaitForCancellationFutureOwned,
};
#[cfg(all(not(feature = "engine"), feature = "tokio-util"))]
pub use tokio_util::sync::{
    CancellationToken, DropGuard, DropGuardRef, WaitForCancellationFuture,
    WaitForCancellationFutureOwned,
};

/// The futures that can be named, as in [`tokio::sync::futures`].
pub mod futures {
    #[cfg(feature = "engine")]
    pub use super::notify::{Notified, OwnedNotified};
    #[cfg(not(feature = "engine"))]
    pub use tokio::sync::futures::{Notified, OwnedNotified};
}
