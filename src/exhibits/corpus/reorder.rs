//! Unsafe: the checker can look between the two writes of a setter, as long as no other setter has
//! made its second one.
//!
//! The bug is an atomicity violation: two variables that belong together are written and read
//! without a lock. The more setters there are, the likelier it is that one of them has finished
//! before the checker comes between: the family on which random walks die. `SCTBench` calls the
//! programs `reorder_3_bad`, `reorder_5_bad` and `reorder_10_bad`, by their numbers of threads.

use crate::Named;
use crate::sync::Arc;
use crate::sync::atomic::{AtomicI32, Ordering::SeqCst};

use super::spawn;

struct Pair {
    a: AtomicI32,
    b: AtomicI32,
}

/// So many threads set both variables, and a last one checks them.
pub(super) fn run(setters: usize) {
    let pair = Arc::new(Pair {
        a: AtomicI32::new(0).named("a"),
        b: AtomicI32::new(0).named("b"),
    });
    let setters: Vec<_> = (0..setters).map(|_| spawn(&pair, Pair::set)).collect();
    let checker = spawn(&pair, Pair::is_old_or_new);
    for setter in setters {
        setter.join().unwrap();
    }
    assert!(checker.join().unwrap(), "seen half of a change");
}

impl Pair {
    fn set(&self) {
        self.a.store(1, SeqCst);
        self.b.store(-1, SeqCst);
    }

    /// Whether both are as they were made, or both as a setter leaves them.
    fn is_old_or_new(&self) -> bool {
        // As in the C program: what the first half reads does not bind the second.
        (self.a.load(SeqCst) == 0 && self.b.load(SeqCst) == 0)
            || (self.a.load(SeqCst) == 1 && self.b.load(SeqCst) == -1)
    }
}
