//! How many steps of some kind each thread has left, as far as a profile tells.

use rand::Rng;
use rand_pcg::Pcg64Mcg;

use crate::engine::Point;
use crate::trace::ThreadId;

use super::profile::{Family, Profile, Started};

/// What each thread has left in the running execution. What a thread that is not started yet will
/// do belongs to the one that will start it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remaining {
    /// What each thread of the profile does, with its descendants.
    expected: Vec<u64>,
    left: Vec<u64>,
    family: Family,
}

impl Remaining {
    /// Begins an execution in which the threads of the profile are to do so much, each with its
    /// descendants.
    pub(crate) fn begin(&mut self, expected: Vec<u64>) {
        self.expected = expected;
        self.left.clear();
        self.family.clear();
    }

    /// Takes note of the next thread that was started since the last step.
    pub(crate) fn admit(&mut self, point: &Point<'_>, profile: &Profile) -> Option<Started> {
        let started = self.family.admit(point, |origin| profile.find(origin))?;
        let expected = started.observed.map_or(0, |index| self.expected[index]);
        self.left.push(expected);
        if let Some(parent) = started.parent {
            let left = &mut self.left[parent.index()];
            *left = left.saturating_sub(expected);
        }
        Some(started)
    }

    pub(crate) fn of(&self, thread: ThreadId) -> u64 {
        self.left[thread.index()]
    }

    /// Notes that the thread does one of those steps.
    pub(crate) fn spend(&mut self, thread: ThreadId) {
        let left = &mut self.left[thread.index()];
        *left = left.saturating_sub(1);
    }
}

/// One of the threads, each with a probability proportional to its weight. `None` if no thread has
/// any.
pub(crate) fn weighted(
    threads: &[ThreadId],
    weight: impl Fn(ThreadId) -> u64,
    generator: &mut Pcg64Mcg,
) -> Option<ThreadId> {
    let total: u64 = threads.iter().map(|&thread| weight(thread)).sum();
    if total == 0 {
        return None;
    }
    let mut at = generator.gen_range(0..total);
    let mut threads = threads.iter().copied();
    threads.find(|&thread| {
        let weight = weight(thread);
        let is_here = at < weight;
        at = at.wrapping_sub(weight);
        is_here
    })
}
