//! How many threads can run at a time.

use std::io;
use std::num::NonZero;
use std::thread as real;

use crate::execution::is_running;

/// What a body is told: enough for it to start several threads, and few enough to be explored.
const IN_AN_EXECUTION: NonZero<usize> = NonZero::new(2).expect("it is not zero");

/// Like [`std::thread::available_parallelism`]. In an execution it is 2 on every machine, so that
/// a body does the same everywhere.
///
/// # Errors
///
/// Outside an execution, if the system does not say.
pub fn available_parallelism() -> io::Result<NonZero<usize>> {
    if is_running() {
        Ok(IN_AN_EXECUTION)
    } else {
        real::available_parallelism()
    }
}
