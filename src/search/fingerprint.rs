//! Notices a body that is not deterministic.

use crate::execution::Execution;

/// Stands for what all threads are about to do at some moment: operations, objects and places.
///
/// All of them, not only the one that goes on: a body that differs in what another thread is
/// about to do may end up with the same number of executions as one that does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    pub(super) fn of(execution: &Execution) -> Self {
        Fingerprint(execution.announced())
    }
}
