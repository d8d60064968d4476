//! Which executions of a random engine are run, and the generator of each.

use std::ops::Range;

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

/// The numbers of the executions that are run, one after another.
///
/// What an execution of a random engine does depends on nothing but its number, the seed and the
/// body. So a search is divided by its numbers.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    all: Range<u64>,
    next: u64,
}

impl Numbers {
    /// All executions, from 0 on.
    pub(crate) const ALL: Numbers = Numbers::within(0..u64::MAX);

    pub(crate) const fn within(all: Range<u64>) -> Self {
        let next = all.start;
        Numbers { all, next }
    }

    /// Which part of them were run, unless they have no end.
    #[expect(
        clippy::cast_precision_loss,
        reason = "the last digits of a share mean nothing"
    )]
    pub(crate) fn share_done(&self) -> Option<f64> {
        let Range { start, end } = self.all;
        (end < u64::MAX).then(|| (self.next - start) as f64 / (end - start) as f64)
    }
}

impl Iterator for Numbers {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let number = self.next;
        (number < self.all.end).then(|| {
            self.next += 1;
            number
        })
    }
}

/// The generator of the execution with this number.
pub(crate) fn generator(seed: u64, number: u64) -> Pcg64Mcg {
    // An odd factor keeps the seeds of different executions of different runs apart.
    let stream = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Pcg64Mcg::seed_from_u64(seed ^ stream)
}
