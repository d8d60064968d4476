//! The unsafe code of the façade outside of executions, alone and between real threads: what Miri runs,
//! to find undefined behaviour and data races in it.
//!
//! Executions run on coroutines, which Miri cannot run: for those that need none there are the unit tests
//! of `engine/nested.rs`. Without Miri this is a test as any other.
#![cfg(not(loom))]
#![expect(
    unsafe_code,
    reason = "locks are released without their guards, and cells and threads are for unsafe code"
)]

mod cell;
mod locks_of_tasks;
mod once;
mod parking_lot;
mod raw_locks;
mod sync;
mod threads;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// A panic that prints nothing.
fn give_up() -> ! {
    resume_unwind(Box::new("given up"))
}

/// Whether `f` panics.
fn panics<R>(f: impl FnOnce() -> R) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}
