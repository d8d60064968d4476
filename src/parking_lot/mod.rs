//! The mutex of the crate `parking_lot`, bound at run time.
//!
//! With the feature `engine`, a mutex that is made inside an execution belongs to it, as one of
//! [`sync`](crate::sync) does. Without the feature, it *is* `parking_lot`'s.

#[cfg(feature = "engine")]
mod mutex;

#[cfg(feature = "engine")]
pub use self::mutex::{Mutex, MutexGuard};
#[cfg(not(feature = "engine"))]
pub use ::parking_lot::{Mutex, MutexGuard};
