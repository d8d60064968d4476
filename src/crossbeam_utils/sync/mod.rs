//! Parkers, groups to wait for, and the sharded lock of `crossbeam-utils`.

#[cfg(feature = "engine")]
mod parker;
#[cfg(feature = "engine")]
mod wait_group;

#[cfg(feature = "engine")]
pub use self::{
    parker::{Parker, Unparker},
    wait_group::WaitGroup,
};
// Sharding makes it faster for those who read, and nothing else.
#[cfg(feature = "engine")]
pub use crate::sync::{
    RwLock as ShardedLock, RwLockReadGuard as ShardedLockReadGuard,
    RwLockWriteGuard as ShardedLockWriteGuard,
};
#[cfg(not(feature = "engine"))]
pub use ::crossbeam_utils::sync::{
    Parker, ShardedLock, ShardedLockReadGuard, ShardedLockWriteGuard, Unparker, WaitGroup,
};
