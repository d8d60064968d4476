//! [`std::hint`], with a [`spin_loop`] that the lab understands.

#[cfg(not(feature = "engine"))]
pub use std::hint::spin_loop;

#[cfg(cold_path)]
pub use std::hint::cold_path;
pub use std::hint::{assert_unchecked, black_box, select_unpredictable, unreachable_unchecked};

/// Like [`std::hint::spin_loop`]: says that the thread waits for another one to write.
///
/// In an execution it is a step. A thread that spins again before anything was written is not
/// scheduled until something is.
#[cfg(feature = "engine")]
#[track_caller]
pub fn spin_loop() {
    use crate::execution::{NextStep, is_running, step};
    use crate::trace::Operation;

    if is_running() {
        step(NextStep::new(Operation::Yield), |_, _| ());
    } else {
        std::hint::spin_loop();
    }
}
