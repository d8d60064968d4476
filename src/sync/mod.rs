//! The synchronisation primitives of [`std::sync`], bound at run time.
//!
//! With the feature `lab`, an object that is made inside an execution belongs to it: its
//! operations are steps that the lab schedules and records. An object that is made outside is the
//! real thing. Without the feature, everything here *is* std's.
//!
//! `Arc` and `Weak` are always std's: their counts are not operations.

#[cfg(feature = "lab")]
pub mod atomic;
#[cfg(feature = "lab")]
mod barrier;
#[cfg(feature = "lab")]
mod condvar;
#[cfg(feature = "lab")]
mod lazy_lock;
#[cfg(feature = "lab")]
pub mod mpsc;
#[cfg(feature = "lab")]
mod mutex;
#[cfg(feature = "lab")]
mod once;
#[cfg(feature = "lab")]
mod once_lock;
#[cfg(feature = "lab")]
mod poison;
#[cfg(feature = "lab")]
mod rwlock;

#[cfg(feature = "lab")]
pub use self::{
    barrier::{Barrier, BarrierWaitResult},
    condvar::{Condvar, WaitTimeoutResult},
    lazy_lock::LazyLock,
    mutex::{Mutex, MutexGuard},
    once::{Once, OnceState},
    once_lock::OnceLock,
    rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard},
};
// Only what the lab has as well: the rest would be missed only when a test is built.
pub use std::sync::{Arc, LockResult, PoisonError, TryLockError, TryLockResult, Weak};
#[cfg(not(feature = "lab"))]
pub use std::sync::{
    Barrier, BarrierWaitResult, Condvar, LazyLock, Mutex, MutexGuard, Once, OnceLock, OnceState,
    RwLock, RwLockReadGuard, RwLockWriteGuard, WaitTimeoutResult, atomic, mpsc,
};
