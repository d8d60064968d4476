//! Which executions of a random engine are run, and the generator of each.

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

/// The numbers of the executions that are run: from a first one on, every so many.
///
/// What an execution of a random engine does depends on nothing but its number, the seed and the
/// body. So a search is divided by its numbers: the executions of `Numbers::every(n, 0)` to
/// `Numbers::every(n, n - 1)` are together those of [`Numbers::ALL`].
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    next: u64,
    stride: u64,
}

impl Numbers {
    /// All executions, from 0 on.
    pub(crate) const ALL: Numbers = Numbers::every(1, 0);

    /// The execution with the number `first`, and from there on every `stride`-th.
    pub(crate) const fn every(stride: u64, first: u64) -> Self {
        Numbers {
            next: first,
            stride,
        }
    }
}

impl Iterator for Numbers {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let number = self.next;
        self.next = number.wrapping_add(self.stride);
        Some(number)
    }
}

/// The generator of the execution with this number.
pub(crate) fn generator(seed: u64, number: u64) -> Pcg64Mcg {
    // An odd factor keeps the seeds of different executions of different runs apart.
    let stream = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Pcg64Mcg::seed_from_u64(seed ^ stream)
}
