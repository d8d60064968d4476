//! A uniform random walk over the possible steps.

use std::ops::Range;

use rand::Rng;
use rand_pcg::Pcg64Mcg;

use crate::engine::{Point, Scheduler, Search};
use crate::execution::Execution;
use crate::trace::Choice;

use super::division::Divisible;
use super::exploration::Strategy;
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

impl Search for Random {
    fn wants_execution(&mut self) -> bool {
        let number = self.numbers.next();
        if let Some(number) = number {
            self.generator = generator(self.seed, number);
        }
        number.is_some()
    }

    fn finished(&mut self, _execution: &Execution) {}
}

impl Scheduler for Random {
    fn choose(&mut self, point: &Point<'_>) -> Option<Choice> {
        Some(uniform(point.choices, &mut self.generator))
    }
}

/// One of several, each with the same probability.
pub(crate) fn uniform<T: Copy>(several: &[T], generator: &mut Pcg64Mcg) -> T {
    match several {
        [one] => *one,
        _ => several[generator.gen_range(0..several.len())],
    }
}

impl Strategy for Random {
    fn share_done(&self) -> Option<f64> {
        self.numbers.share_done()
    }
}

impl Divisible for Random {
    type Part = Range<u64>;

    fn only(&self, numbers: &Range<u64>) -> Self {
        Random {
            numbers: Numbers::within(numbers.clone()),
            ..self.clone()
        }
    }
}
