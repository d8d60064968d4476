//! Undefined: a thread says with a Relaxed store that its part is counted, and that orders
//! nothing: who sees the flag need not see the number.
#![expect(
    unsafe_code,
    reason = "the exhibit is what goes wrong without safe Rust"
)]

use crate::cell::UnsafeCell;
use crate::sync::Arc;
use crate::sync::atomic::{AtomicBool, Ordering::Relaxed};
use crate::{Named, outcome, thread};

struct Part {
    n: UnsafeCell<usize>,
    is_counted: AtomicBool,
}

// SAFETY: there is none. `n` would be safe behind a flag that publishes it.
unsafe impl Sync for Part {}

/// `threads` threads add 1 to one number, `increments` times each.
pub(super) fn run(threads: usize, increments: usize) {
    let mut workers = Vec::new();
    for worker in 1..=threads {
        let part = Arc::new(Part {
            n: UnsafeCell::new(0).named(format!("n{worker}")),
            is_counted: AtomicBool::new(false).named(format!("is_counted{worker}")),
        });
        let counter = Arc::clone(&part);
        let worker = thread::spawn(move || {
            for _ in 0..increments {
                // Volatile, so that the compiler does not make one addition of all.
                // SAFETY: nobody else accesses the number before the flag is set.
                let add = |n: *mut usize| unsafe { n.write_volatile(n.read_volatile() + 1) };
                counter.n.with_mut(add);
            }
            counter.is_counted.store(true, Relaxed);
        });
        workers.push((worker, part));
    }
    let mut total = 0;
    for (worker, part) in workers {
        if !part.is_counted.load(Relaxed) {
            worker.join().unwrap();
        }
        // SAFETY: there is none if the flag was set: it does not order the accesses.
        total += unsafe { part.n.read() };
    }
    outcome(total);
    assert_eq!(total, threads * increments);
}
