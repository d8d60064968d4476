//! How many waits are under way at once.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts what is under way, and the most that ever was.
#[derive(Debug, Default)]
pub(in crate::timing) struct InFlight {
    now: AtomicU64,
    peak: AtomicU64,
}

/// Something that is under way until this is dropped.
#[derive(Debug)]
pub(in crate::timing) struct Flight<'a>(&'a InFlight);

impl InFlight {
    /// Something begins.
    pub(in crate::timing) fn begin(&self) -> Flight<'_> {
        // Only the numbers matter: nothing else is read by who sees one.
        let now = self.now.fetch_add(1, Relaxed) + 1;
        self.peak.fetch_max(now, Relaxed);
        Flight(self)
    }

    /// The most that was under way at once.
    pub(in crate::timing) fn peak(&self) -> u64 {
        self.peak.load(Relaxed)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Relaxed);
    }
}
