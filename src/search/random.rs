//! A uniform random walk over the possible steps.

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::engine::{Point, Strategy};
use crate::execution::Execution;
use crate::trace::Choice;

/// Chooses each possible step with the same probability.
///
/// Each execution has a generator of its own, made from the seed and the number of the execution.
#[derive(Debug)]
pub(crate) struct Random {
    seed: u64,
    executions: u64,
    generator: Pcg64Mcg,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random {
            seed,
            executions: 0,
            generator: Pcg64Mcg::seed_from_u64(seed),
        }
    }
}

impl Strategy for Random {
    fn wants_execution(&mut self) -> bool {
        // An odd factor keeps the seeds of different executions of different runs apart.
        let stream = self.executions.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.generator = Pcg64Mcg::seed_from_u64(self.seed ^ stream);
        self.executions += 1;
        true
    }

    fn choose(&mut self, point: &Point<'_>) -> Option<Choice> {
        let index = match point.choices.len() {
            1 => 0,
            choices => self.generator.gen_range(0..choices),
        };
        Some(point.choices[index])
    }

    fn finished(&mut self, _execution: &Execution) {}
}
