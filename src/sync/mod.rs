//! The synchronisation primitives of [`std::sync`], bound at run time.
//!
//! With the feature `engine`, the operations on an object that is used in an execution are steps that
//! the lab schedules and records. Outside of executions it is the real thing. Channels belong
//! to the execution in which they are made. Without the feature, everything here *is* std's.
//!
//! `Arc` and `Weak` are always std's: their counts are not operations. Code that decides by the counts,
//! or in which it matters who drops the last one, takes those of [`counted`].

#[cfg(feature = "engine")]
pub mod atomic;
#[cfg(feature = "engine")]
mod barrier;
#[cfg(feature = "engine")]
mod condvar;
#[cfg(feature = "engine")]
pub mod counted;
#[cfg(feature = "engine")]
mod lazy_lock;
#[cfg(feature = "engine")]
pub mod mpsc;
#[cfg(feature = "engine")]
mod mutex;
#[cfg(feature = "engine")]
mod once;
#[cfg(feature = "engine")]
mod once_lock;
#[cfg(feature = "engine")]
mod poison;
#[cfg(feature = "engine")]
mod rwlock;
#[cfg(feature = "engine")]
pub(crate) mod worlds;

#[cfg(feature = "engine")]
#[expect(deprecated, reason = "std still has it")]
pub use self::once::ONCE_INIT;
#[cfg(feature = "engine")]
pub use self::{
    barrier::{Barrier, BarrierWaitResult},
    condvar::{Condvar, WaitTimeoutResult},
    lazy_lock::LazyLock,
    mutex::{Mutex, MutexGuard},
    once::{Once, OnceState},
    once_lock::OnceLock,
    rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard},
};
#[cfg(not(feature = "engine"))]
#[expect(deprecated, reason = "std still has it")]
pub use std::sync::ONCE_INIT;
// Only what the lab has as well: the rest would be missed only when a test is built.
pub use std::sync::{Arc, LockResult, PoisonError, TryLockError, TryLockResult, Weak};
#[cfg(not(feature = "engine"))]
pub use std::sync::{
    Barrier, BarrierWaitResult, Condvar, LazyLock, Mutex, MutexGuard, Once, OnceLock, OnceState,
    RwLock, RwLockReadGuard, RwLockWriteGuard, WaitTimeoutResult, atomic, mpsc,
};

/// `Arc` and `Weak`, which are std's without the feature `engine`.
#[cfg(not(feature = "engine"))]
pub mod counted {
    pub use std::sync::{Arc, Weak};
}
