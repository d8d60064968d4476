//! Undefined: the number is a plain cell, and nothing orders the accesses of two threads.
#![expect(
    unsafe_code,
    reason = "the exhibit is what goes wrong without safe Rust"
)]

use crate::cell::UnsafeCell;
use crate::sync::Arc;
use crate::{Named, outcome, thread};

struct Counter(UnsafeCell<usize>);

// SAFETY: there is none. This line promises what the code does not keep.
unsafe impl Sync for Counter {}

/// `threads` threads add 1 to one number, `increments` times each.
pub(super) fn run(threads: usize, increments: usize) {
    let counter = Arc::new(Counter(UnsafeCell::new(0).named("n")));
    let mut workers = Vec::new();
    for _ in 0..threads {
        let counter = Arc::clone(&counter);
        workers.push(thread::spawn(move || {
            for _ in 0..increments {
                // Volatile, so that the compiler does not make one addition of all.
                // SAFETY: there is none, another thread can be at the same place.
                let add = |n: *mut usize| unsafe { n.write_volatile(n.read_volatile() + 1) };
                counter.0.with_mut(add);
            }
        }));
    }
    for worker in workers {
        worker.join().unwrap();
    }
    // SAFETY: the threads have ended.
    let total = unsafe { counter.0.read() };
    outcome(total);
    assert_eq!(total, threads * increments);
}
