//! A random walk that is uniform over the interleavings.
//!
//! H. Zhao, D. Wolff, U. Mathur, A. Roychoudhury: Selectively Uniform Concurrency Testing, ASPLOS
//! 2025. A walk that is uniform over the possible steps prefers interleavings in which short threads
//! end early. This one chooses a thread with a probability proportional to the steps that it has
//! left, so that each interleaving of threads that do not wait for each other is equally likely, as
//! far as these numbers are right. They come from a [`Profile`].

use rand_pcg::Pcg64Mcg;

use crate::engine::Point;
use crate::trace::ThreadId;

use super::profile::{Profile, counts};
use super::remaining::{Remaining, weighted};
use super::sampling::Walk;

/// Chooses each thread with a probability proportional to the steps that it has left.
#[derive(Clone, Debug)]
pub(crate) struct Urw {
    profile: Profile,
    remaining: Remaining,
    expected: Vec<u64>,
}

impl Urw {
    pub(crate) fn new(profile: &Profile) -> Self {
        Urw {
            expected: profile.with_descendants(|thread| thread.steps),
            remaining: Remaining::default(),
            profile: profile.clone(),
        }
    }
}

impl Walk for Urw {
    fn begin(&mut self, _generator: &mut Pcg64Mcg) {
        self.remaining.begin(self.expected.clone());
    }

    fn choose(
        &mut self,
        point: &Point<'_>,
        threads: &[ThreadId],
        generator: &mut Pcg64Mcg,
    ) -> ThreadId {
        while self.remaining.admit(point, &self.profile).is_some() {}
        // A thread that can go on has a step left, whatever the profile says.
        let weight = |thread| self.remaining.of(thread).max(1);
        let thread = weighted(threads, weight, generator).expect("each has a weight");
        let next = point.execution.next_of(thread);
        if next.is_some_and(|next| counts(point, thread, next)) {
            self.remaining.spend(thread);
        }
        thread
    }
}
