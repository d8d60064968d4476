//! A uniform random walk over the possible steps.

use rand::Rng;
use rand_pcg::Pcg64Mcg;

use crate::engine::{Point, Strategy};
use crate::execution::Execution;
use crate::trace::Choice;

use super::division::Numbered;
use super::numbers::{Numbers, generator};

/// Chooses each possible step with the same probability.
///
/// Each execution has a generator of its own, made from the seed and the number of the execution.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    seed: u64,
    numbers: Numbers,
    generator: Pcg64Mcg,
}

impl Random {
    pub(crate) fn new(seed: u64, numbers: Numbers) -> Self {
        Random {
            seed,
            numbers,
            generator: generator(seed, 0),
        }
    }
}

impl Strategy for Random {
    fn wants_execution(&mut self) -> bool {
        let number = self.numbers.next();
        self.generator = generator(self.seed, number.expect("there is no last number"));
        true
    }

    fn choose(&mut self, point: &Point<'_>) -> Option<Choice> {
        Some(uniform(point.choices, &mut self.generator))
    }

    fn finished(&mut self, _execution: &Execution) {}
}

/// One of several, each with the same probability.
pub(crate) fn uniform<T: Copy>(several: &[T], generator: &mut Pcg64Mcg) -> T {
    match several {
        [one] => *one,
        _ => several[generator.gen_range(0..several.len())],
    }
}

impl Numbered for Random {
    fn begin_at(&mut self, number: u64) {
        self.numbers = Numbers::every(1, number);
    }
}
