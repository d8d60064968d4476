//! Random strategies that choose a thread, and what they have in common.

use std::ops::Range;

use rand_pcg::Pcg64Mcg;

use crate::engine::{Point, Scheduler, Search};
use crate::execution::Execution;
use crate::trace::{Choice, ThreadId};

use super::division::Divisible;
use super::exploration::Strategy;
use super::numbers::{Numbers, generator};
use super::random::uniform;

/// A way to choose threads at random.
///
/// What it chooses in an execution may depend on the generator and on what it was made with, and
/// on nothing of earlier executions, so that a search can be divided.
pub(crate) trait Walk: Send {
    /// Begins an execution.
    fn begin(&mut self, generator: &mut Pcg64Mcg);

    /// Chooses one of `threads`, those that can go on, in their order. There is at least one.
    fn choose(
        &mut self,
        point: &Point<'_>,
        threads: &[ThreadId],
        generator: &mut Pcg64Mcg,
    ) -> ThreadId;
}

/// The executions of a walk. Of the ways in which a chosen thread can go on, each has the same
/// probability.
#[derive(Clone, Debug)]
pub(crate) struct Sampling<W> {
    /// The walks of the first executions, and last that of all others.
    walks: Vec<W>,
    /// Which of them walks now.
    current: usize,
    seed: u64,
    numbers: Numbers,
    generator: Pcg64Mcg,
    threads: Vec<ThreadId>,
    ways: Vec<Choice>,
}

impl<W: Walk> Sampling<W> {
    /// The executions with these numbers, each under the walk of its number, or the last one.
    ///
    /// # Panics
    ///
    /// Later, if there is no walk.
    pub(crate) fn new(walks: Vec<W>, seed: u64, numbers: Numbers) -> Self {
        Sampling {
            walks,
            current: 0,
            seed,
            numbers,
            generator: generator(seed, 0),
            threads: Vec::new(),
            ways: Vec::new(),
        }
    }

    pub(crate) fn into_walks(self) -> Vec<W> {
        self.walks
    }
}

impl<W: Walk> Search for Sampling<W> {
    fn wants_execution(&mut self) -> bool {
        let Some(number) = self.numbers.next() else {
            return false;
        };
        self.generator = generator(self.seed, number);
        let last = self.walks.len() - 1;
        self.current = usize::try_from(number).map_or(last, |number| number.min(last));
        self.walks[self.current].begin(&mut self.generator);
        true
    }

    fn finished(&mut self, _execution: &Execution) {}
}

impl<W: Walk> Scheduler for Sampling<W> {
    fn choose(&mut self, point: &Point<'_>) -> Option<Choice> {
        self.threads.clear();
        let threads = point.choices.iter().map(|choice| choice.thread);
        self.threads.extend(threads);
        self.threads.dedup();
        let walk = &mut self.walks[self.current];
        let thread = walk.choose(point, &self.threads, &mut self.generator);
        self.ways.clear();
        let ways = point.choices.iter();
        self.ways
            .extend(ways.filter(|choice| choice.thread == thread));
        Some(uniform(&self.ways, &mut self.generator))
    }
}

impl<W: Walk> Strategy for Sampling<W> {
    fn share_done(&self) -> Option<f64> {
        self.numbers.share_done()
    }
}

impl<W: Walk + Clone + Sync + 'static> Divisible for Sampling<W> {
    type Part = Range<u64>;

    fn only(&self, numbers: &Range<u64>) -> Self {
        Sampling {
            numbers: Numbers::within(numbers.clone()),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use crate::engine::Coroutines;
    use crate::execution::{Patience, Pulse};
    use crate::search::{Exploration, Limits, Pct, Pos, Profile, Surw, Tally, Urw, learn};
    use crate::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use crate::thread;
    use crate::trace::CellAccesses;

    use super::*;

    const SEED: u64 = 9;

    fn body() {
        let n = Arc::new(AtomicUsize::new(0));
        let workers = (1..=2).map(|value| {
            let n = Arc::clone(&n);
            thread::spawn(move || {
                for _ in 0..3 {
                    n.store(n.load(SeqCst) * 2 + value, SeqCst);
                }
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.join().unwrap();
        }
        let total = n.load(SeqCst);
        crate::outcome(total);
        assert!(total < 20);
    }

    fn engine() -> Coroutines {
        Coroutines {
            body: Arc::new(body),
            max_steps: 1_000,
            pulse: Arc::new(Pulse::default()),
            patience: Patience::default(),
            wakes_spuriously: false,
            cells: CellAccesses::default(),
        }
    }

    /// Runs the executions with these numbers, in a search of its own.
    fn tally<W: Walk + 'static>(
        walk: impl Fn(&Profile) -> W,
        numbers: Numbers,
        executions: u64,
    ) -> Tally {
        let engine = engine();
        let walks = learn(&engine, SEED, walk);
        let limits = Limits {
            max_executions: Some(executions),
            deadline: None,
            past_failures: true,
            exhaustive: false,
            deadline_of_loops: None,
            refuses_intrusion: false,
        };
        let sampling = Sampling::new(walks, SEED, numbers);
        let pulse = Arc::clone(&engine.pulse);
        engine.run(Exploration::new(sampling, limits, pulse)).tally
    }

    fn assert_divisible<W: Walk + 'static>(walk: impl Fn(&Profile) -> W) {
        let whole = tally(&walk, Numbers::ALL, 300);
        let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
        let mut violations = 0;
        for numbers in [0..100, 100..200, 200..300] {
            let part = tally(&walk, Numbers::within(numbers), 300);
            violations += part.violations;
            for (outcome, executions) in part.outcomes {
                *outcomes.entry(outcome).or_default() += executions;
            }
        }
        assert_eq!(outcomes, whole.outcomes);
        assert_eq!(violations, whole.violations);
        assert!(0 < violations && violations < 300 && outcomes.len() > 5);
    }

    #[test]
    fn the_parts_of_a_search_are_together_the_whole() {
        assert_divisible(Pct::new);
        assert_divisible(Urw::new);
        assert_divisible(Surw::new);
        assert_divisible(|_| Pos::default());
    }
}
