//! The atomic cell of `crossbeam-utils`.

#[cfg(feature = "engine")]
mod atomic_cell;
#[cfg(feature = "engine")]
mod shown;

#[cfg(feature = "engine")]
pub use self::atomic_cell::AtomicCell;
#[cfg(not(feature = "engine"))]
pub use ::crossbeam_utils::atomic::AtomicCell;
