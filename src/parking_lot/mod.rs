//! The mutex of the crate `parking_lot`, bound at run time.
//!
//! With the feature `lab`, a mutex that is made inside an execution belongs to it, as one of
//! [`sync`](crate::sync) does. Without the feature, it *is* `parking_lot`'s.

#[cfg(feature = "lab")]
mod mutex;

#[cfg(feature = "lab")]
pub use self::mutex::{Mutex, MutexGuard};
#[cfg(not(feature = "lab"))]
pub use ::parking_lot::{Mutex, MutexGuard};
