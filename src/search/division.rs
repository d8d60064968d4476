//! How a search is divided in parts, each of which can be explored by itself.
//!
//! What the parts are depends on the program and on the search alone, so that they are the same on
//! every machine, for every number of workers, and in every process that goes on with the work of
//! another one.

use std::ops::Range;

use crate::engine::Scheduler;
use crate::trace::Choice;

use super::exploration::Strategy;
use super::fingerprint::Fingerprint;
use super::position::Position;

/// A search is divided into at least this number of parts, if it is large enough. More of them keep
/// more workers busy to the end, but each of them costs an execution that does not count.
pub(super) const ENOUGH_PARTS: usize = 512;

/// The least and the most executions in a block of a random search. The most is exceeded only where
/// there would be too many blocks.
const BLOCK: (u64, u64) = (10, 1_000);

/// A random search has this many blocks at most.
const MAX_BLOCKS: u64 = 1 << 16;

/// A search that can be divided.
pub(crate) trait Divisible: Strategy + Scheduler + Sync + 'static {
    /// What is explored by itself.
    type Part: Digestible + Send + Sync + 'static;

    /// The search of one part only, from its beginning.
    fn only(&self, part: &Self::Part) -> Self;

    /// Where it is in its part, before the execution that it wants next. `None` if it has to begin
    /// anew, as blocks of random executions do, which are short.
    fn position(&self) -> Option<Position> {
        None
    }

    /// This search of a part, which has not begun, from a position on. `None` if the position is not
    /// of such a search.
    fn resume(self, _position: Position) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }
}

/// An exhaustive search: a tree of choices, of which a part is all that begins in the same way.
pub(crate) trait Tree: Divisible<Part: Steps> {
    /// A search that finds the parts whose beginnings have a given number of steps, and explores nothing.
    ///
    /// What the parts are must not depend on what executions have shown of loops.
    fn dividing(steps: usize) -> Self;

    /// The parts that it has found, in the order in which the search would come to them.
    fn take_parts(&mut self) -> Vec<Self::Part>;
}

/// How executions begin: what is done, and what could be done, to notice a body that is not
/// deterministic. The latter holds in one process only.
pub(crate) type Beginning = Vec<(Choice, Fingerprint)>;

/// The parts of a random search of a given number of executions: blocks of their numbers.
pub(crate) fn blocks(executions: u64) -> Vec<Range<u64>> {
    let (least, most) = BLOCK;
    let even = executions / ENOUGH_PARTS as u64;
    let size = even.clamp(least, most).max(executions.div_ceil(MAX_BLOCKS));
    let mut blocks = Vec::new();
    let mut start = 0;
    while start < executions {
        let end = executions.min(start.saturating_add(size));
        blocks.push(start..end);
        start = end;
    }
    blocks
}

/// A part that is a beginning.
pub(crate) trait Steps {
    /// How many steps its executions have in common.
    fn steps(&self) -> usize;
}

impl Steps for Beginning {
    fn steps(&self) -> usize {
        self.len()
    }
}

/// What tells one division from another.
pub(crate) trait Digestible {
    /// Feeds all that matters to `mix`.
    fn feed(&self, mix: &mut dyn FnMut(u64));
}

impl Digestible for Beginning {
    fn feed(&self, mix: &mut dyn FnMut(u64)) {
        for (choice, _) in self {
            mix(1);
            mix(u64::from(choice.thread.0) << 32 | u64::from(choice.alternative));
        }
        mix(0);
    }
}

impl Digestible for Range<u64> {
    fn feed(&self, mix: &mut dyn FnMut(u64)) {
        mix(self.start);
        mix(self.end);
    }
}

/// A number that is the same for the same parts and settings, everywhere, and most likely only for
/// them (FNV-1a).
pub(crate) fn digest(parts: &[impl Digestible], settings: &[u64]) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    let mut mix = |number: u64| {
        for byte in number.to_le_bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
        }
    };
    for setting in settings {
        mix(*setting);
    }
    mix(parts.len() as u64);
    for part in parts {
        part.feed(&mut mix);
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_all_executions_in_their_order() {
        for executions in [0, 1, 9, 10, 11, 999, 10_000, 123_456, 600_000, 70_000_000] {
            let blocks = blocks(executions);
            let mut next = 0;
            for block in &blocks {
                assert_eq!(block.start, next);
                assert!(block.end > block.start);
                next = block.end;
            }
            assert_eq!(next, executions);
            assert!(blocks.len() <= 1 << 16, "{executions}");
        }
        assert!(blocks(u64::MAX).len() <= 1 << 16);
        assert_eq!(blocks(10_000).len(), 527);
    }

    #[test]
    fn a_digest_tells_parts_apart() {
        let divisions: [&[(u64, u64)]; 7] = [
            &[],
            &[(0, 0)],
            &[(0, 1)],
            &[(1, 1)],
            &[(0, 1), (1, 2)],
            &[(1, 2), (0, 1)],
            &[(0, 2)],
        ];
        let divisions = divisions.map(|ranges| -> Vec<Range<u64>> {
            ranges.iter().map(|(start, end)| *start..*end).collect()
        });
        let mut digests: Vec<u64> = divisions.iter().map(|parts| digest(parts, &[])).collect();
        digests.push(digest(&divisions[1], &[0]));
        digests.push(digest(&divisions[1], &[1]));
        let all = digests.len();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), all);
    }
}
