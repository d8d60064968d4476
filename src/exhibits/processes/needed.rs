//! What the programs cannot run without. That it is missing says nothing of them.

use std::fmt::Display;

use crate::execution::refuse;

/// What the system can refuse.
pub(super) trait Needed<T> {
    /// What there is. Without it the run ends, and is neither good nor bad.
    fn needed(self) -> T;
}

impl<T, E: Display> Needed<T> for Result<T, E> {
    fn needed(self) -> T {
        self.unwrap_or_else(|error| refuse(error.to_string()))
    }
}
