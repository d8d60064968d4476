//! A random walk that is uniform over the interleavings of some steps only.
//!
//! H. Zhao, D. Wolff, U. Mathur, A. Roychoudhury: Selectively Uniform Concurrency Testing, ASPLOS
//! 2025. Few steps decide whether a bug is hit. In each execution one object is drawn that several
//! threads use, and not only read; the steps on it are the interesting ones. Which thread does the
//! next interesting step is drawn with probabilities proportional to the interesting steps that the
//! threads have left, which makes each order of them equally likely, as far as these numbers are
//! right. They come from a [`Profile`]. Until the drawn thread does that step, all other threads go
//! on as well, each with the same probability, but do no interesting step.
//!
//! Whatever can happen can happen here too. If the thread that was drawn cannot go on, or waits by
//! looking again, another one is drawn. And in some executions, by chance, the numbers are taken
//! for too small: every thread then has at least one interesting step left.

use rand::Rng;
use rand_pcg::Pcg64Mcg;

use crate::engine::Point;
use crate::execution::Spot;
use crate::trace::{Operation, ThreadId};

use super::profile::{Profile, Started, is_spinning, uses};
use super::random::uniform;
use super::remaining::{Remaining, weighted};
use super::sampling::Walk;

/// The probability that the numbers are doubted in an execution.
const DOUBT: f64 = 0.125;

/// Draws who does the next step on one object.
#[derive(Clone, Debug)]
pub(crate) struct Surw {
    profile: Profile,
    shared: Vec<Spot>,
    /// What is of interest in this execution.
    interest: Option<Spot>,
    /// The steps on it.
    remaining: Remaining,
    /// How many interesting steps a thread has left at least.
    least: u64,
    /// Who is to do the next one.
    intended: Option<ThreadId>,
    candidates: Vec<ThreadId>,
}

impl Surw {
    pub(crate) fn new(profile: &Profile) -> Self {
        Surw {
            shared: profile.shared(),
            interest: None,
            remaining: Remaining::default(),
            least: 0,
            intended: None,
            candidates: Vec::new(),
            profile: profile.clone(),
        }
    }

    /// Whether what the thread is about to do is of interest.
    fn is_interesting(&self, point: &Point<'_>, thread: ThreadId) -> bool {
        let Some((interest, next)) = self.interest.zip(point.execution.next_of(thread)) else {
            return false;
        };
        uses(point, thread, next).any(|(spot, _)| spot == interest)
    }

    /// Draws who does the next interesting step.
    fn draw(&mut self, point: &Point<'_>, threads: &[ThreadId], generator: &mut Pcg64Mcg) {
        let weight = |thread| {
            let is_due = u64::from(self.is_interesting(point, thread));
            self.remaining.of(thread).max(is_due).max(self.least)
        };
        self.intended = weighted(threads, weight, generator);
    }

    /// A thread was started. If the one that has started it was drawn, that was for both.
    fn divide(&mut self, started: Started, generator: &mut Pcg64Mcg) {
        let Some(parent) = started.parent.filter(|_| self.intended == started.parent) else {
            return;
        };
        let both = [parent, started.thread];
        let heir = weighted(&both, |thread| self.remaining.of(thread), generator);
        self.intended = heir.or(self.intended);
    }
}

impl Walk for Surw {
    fn begin(&mut self, generator: &mut Pcg64Mcg) {
        self.interest = match self.shared.len() {
            0 => None,
            many => Some(self.shared[generator.gen_range(0..many)]),
        };
        let interest = self.interest;
        let expected = self.profile.with_descendants(|thread| {
            let uses = interest.and_then(|interest| thread.uses.get(&interest));
            uses.map_or(0, |uses| uses.times)
        });
        self.remaining.begin(expected);
        self.least = u64::from(generator.gen_bool(DOUBT));
        self.intended = None;
    }

    fn choose(
        &mut self,
        point: &Point<'_>,
        threads: &[ThreadId],
        generator: &mut Pcg64Mcg,
    ) -> ThreadId {
        while let Some(started) = self.remaining.admit(point, &self.profile) {
            self.divide(started, generator);
        }
        let is_over = |thread: ThreadId| point.execution.thread(thread).finished;
        if self.intended.is_none_or(is_over) {
            self.draw(point, threads, generator);
        }
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        candidates.extend(threads.iter().copied().filter(|&thread| {
            self.intended == Some(thread) || !self.is_interesting(point, thread)
        }));
        let chosen = if candidates.is_empty() {
            // The drawn one cannot go on, and nobody can change that but by an interesting step.
            self.draw(point, threads, generator);
            self.intended.expect("each is about to do such a step")
        } else {
            uniform(&candidates, generator)
        };
        self.candidates = candidates;
        if self.is_interesting(point, chosen) {
            self.remaining.spend(chosen);
            self.intended = None;
        } else if self.intended == Some(chosen) && waits(point, chosen) {
            // It may wait for the interesting step of another one.
            self.intended = None;
        }
        chosen
    }
}

/// Whether the thread waits by looking again.
fn waits(point: &Point<'_>, thread: ThreadId) -> bool {
    let next = point.execution.next_of(thread);
    let yields = |operation| matches!(operation, Operation::Yield | Operation::Sleep);
    next.is_some_and(|next| yields(next.operation)) || is_spinning(point, thread)
}
