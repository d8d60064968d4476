//! How far an exploration is, for others to watch.

use std::sync::Arc;

use crate::execution::Pulse;

/// Watches a running exploration from another thread, and interrupts it.
///
/// Clones watch the same exploration.
#[derive(Clone, Debug, Default)]
pub struct Progress(pub(super) Arc<Pulse>);

impl Progress {
    /// How many executions have ended.
    pub fn executions(&self) -> u64 {
        self.0.executions()
    }

    /// How much of the exploration is done, from 0 to 1, if that is known.
    ///
    /// An estimate of an exhaustive search: it takes all choices at a step for equally many
    /// executions.
    pub fn share_done(&self) -> Option<f64> {
        self.0.share_done()
    }

    /// Says how many runs were finished in other processes.
    #[cfg(feature = "cli")]
    pub(crate) fn show(&self, runs: u64) {
        self.0.show(runs);
    }

    /// Whether the exploration was asked to stop.
    pub fn is_interrupted(&self) -> bool {
        self.0.is_interrupted()
    }

    /// Asks the exploration to stop after the running execution.
    pub fn interrupt(&self) {
        self.0.interrupt();
    }
}
