//! Safe: each thread has a number of its own, and the sum is made after they have ended.

use crate::{outcome, thread};

/// `threads` threads add 1 to one number, `increments` times each.
pub(super) fn run(threads: usize, increments: usize) {
    let mut workers = Vec::new();
    for _ in 0..threads {
        workers.push(thread::spawn(move || {
            let mut n = 0;
            for _ in 0..increments {
                n += 1;
            }
            n
        }));
    }
    let mut total = 0;
    for worker in workers {
        total += worker.join().unwrap();
    }
    outcome(total);
    assert_eq!(total, threads * increments);
}
