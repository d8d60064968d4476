//! Probabilistic concurrency testing.
//!
//! S. Burckhardt, P. Kothari, M. Musuvathi, S. Nagarakatte: A Randomized Scheduler with
//! Probabilistic Guarantees of Finding Bugs, ASPLOS 2010. Threads have random priorities, and the
//! possible one with the highest goes on. At `d - 1` random steps, the thread that would go on gets
//! a priority below all others. A bug that needs `d` orderings of steps, in a program with `n`
//! threads and `k` steps, is hit with a probability of at least `1 / (n * k^(d - 1))`.
//!
//! Only steps at which more than one thread can go on are counted: at the others a change of
//! priorities decides nothing before the next one that does (section 4.1 of the paper). How many
//! there are comes from a [`Profile`]. As there can be more of them than it has seen, every other
//! execution, by chance, takes all steps for `k`. So the promise is half of that above.
//!
//! With priorities alone, a thread that waits by looking again would never let go on whom it waits
//! for. So a thread that yields or spins falls below all others, with a probability of one half: it
//! does so soon, and yet not each time, since a bug can lie behind a yield.

use rand::Rng;
use rand_pcg::Pcg64Mcg;

use crate::engine::Point;
use crate::trace::{Operation, ThreadId};

use super::profile::{Profile, is_spinning};
use super::random::uniform;
use super::sampling::Walk;

/// How many orderings of steps a bug may need: `d` in the paper, whose authors found that few bugs
/// need more.
const DEPTH: usize = 3;

/// Lets the thread with the highest priority go on.
#[derive(Clone, Debug)]
pub(crate) struct Pct {
    /// How many steps there may be at which more than one thread can go on, at least 1: as many as
    /// were seen, or all steps.
    steps: [u64; 2],
    /// The steps at which a thread loses its priority, from 1 on.
    changes: [u64; DEPTH - 1],
    /// How many steps there were at which more than one thread could go on.
    contested: u64,
    priorities: Vec<Priority>,
    /// How many threads have yielded their priorities.
    yielded: u64,
}

/// A priority; the greatest goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Priority {
    /// That of a thread that has yielded: the latest is the lowest.
    Yielded(std::cmp::Reverse<u64>),
    /// That of a thread that has lost its priority at a change, by the number of the change. As the
    /// changes are drawn in any order, so are the priorities.
    Changed(usize),
    /// That of a thread as it was started.
    Initial(u64),
}

impl Pct {
    pub(crate) fn new(profile: &Profile) -> Self {
        let all: u64 = profile.threads.iter().map(|thread| thread.steps).sum();
        Pct {
            steps: [profile.contested, all.max(profile.contested)].map(|steps| steps.max(1)),
            changes: [0; DEPTH - 1],
            contested: 0,
            priorities: Vec::new(),
            yielded: 0,
        }
    }

    fn first(&self, threads: &[ThreadId]) -> ThreadId {
        let priority = |thread: &&ThreadId| self.priorities[thread.index()];
        *threads
            .iter()
            .max_by_key(priority)
            .expect("a thread can go on")
    }
}

impl Walk for Pct {
    fn begin(&mut self, generator: &mut Pcg64Mcg) {
        let steps = uniform(&self.steps, generator);
        self.changes = [(); DEPTH - 1].map(|()| generator.gen_range(1..=steps));
        self.contested = 0;
        self.priorities.clear();
        self.yielded = 0;
    }

    fn choose(
        &mut self,
        point: &Point<'_>,
        threads: &[ThreadId],
        generator: &mut Pcg64Mcg,
    ) -> ThreadId {
        while self.priorities.len() < point.execution.thread_count() {
            self.priorities.push(Priority::Initial(generator.r#gen()));
        }
        if threads.len() > 1 {
            self.contested += 1;
            for change in 0..self.changes.len() {
                if self.changes[change] == self.contested {
                    let first = self.first(threads);
                    self.priorities[first.index()] = Priority::Changed(change);
                }
            }
        }
        let chosen = self.first(threads);
        let next = point.execution.next_of(chosen);
        let yields =
            next.is_some_and(|next| matches!(next.operation, Operation::Yield | Operation::Sleep));
        if (yields || is_spinning(point, chosen)) && generator.gen_bool(0.5) {
            self.yielded += 1;
            let lowest = Priority::Yielded(std::cmp::Reverse(self.yielded));
            self.priorities[chosen.index()] = lowest;
        }
        chosen
    }
}
