//! The locks of the crate `parking_lot`, bound at run time.
//!
//! With the feature `engine`, the operations on a lock that is used in an execution are steps, as
//! those of [`sync`](crate::sync) are. Without the feature, everything here *is* `parking_lot`'s.
//!
//! [`Mutex`], [`RwLock`] and their guards have the interface of `lock_api`'s, and are types of their
//! own: a lock of `lock_api` does not know where it was made, nor whether what it guards was changed
//! in an execution. Locks of `lock_api` over [`RawMutex`] and [`RawRwLock`] work as well, without
//! these two.

#[cfg(feature = "engine")]
mod condvar;
#[cfg(feature = "engine")]
#[macro_use]
mod guards;
#[cfg(feature = "engine")]
mod limit;
#[cfg(feature = "engine")]
mod mutex;
#[cfg(feature = "engine")]
mod once;
#[cfg(feature = "engine")]
mod raw_mutex;
#[cfg(feature = "engine")]
mod raw_rwlock;
#[cfg(feature = "engine")]
mod real_rwlock;
#[cfg(feature = "engine")]
mod reentrant;
#[cfg(feature = "engine")]
mod regains;
#[cfg(feature = "engine")]
mod rwlock;
#[cfg(feature = "engine")]
mod traits;

#[cfg(feature = "engine")]
pub use self::{
    condvar::{Condvar, WaitTimeoutResult},
    mutex::{MappedMutexGuard, Mutex, MutexGuard, const_mutex},
    once::Once,
    raw_mutex::RawMutex,
    raw_rwlock::RawRwLock,
    reentrant::{
        MappedReentrantMutexGuard, ReentrantMutex, ReentrantMutexGuard, const_reentrant_mutex,
    },
    rwlock::{
        MappedRwLockReadGuard, MappedRwLockWriteGuard, RwLock, RwLockReadGuard,
        RwLockUpgradableReadGuard, RwLockWriteGuard, const_rwlock,
    },
};
pub use ::parking_lot::{OnceState, lock_api};
// Only what the lab has as well: the rest would be missed only when a test is built.
#[cfg(not(feature = "engine"))]
pub use ::parking_lot::{
    Condvar, MappedMutexGuard, MappedReentrantMutexGuard, MappedRwLockReadGuard,
    MappedRwLockWriteGuard, Mutex, MutexGuard, Once, RawMutex, RawRwLock, ReentrantMutex,
    ReentrantMutexGuard, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard,
    WaitTimeoutResult, const_mutex, const_reentrant_mutex, const_rwlock,
};
