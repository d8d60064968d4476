//! Safe: a mutex as well, whose `lock` returns the guard itself, since it knows no poisoning.

use crate::parking_lot::Mutex;
use crate::sync::Arc;
use crate::{Named, outcome, thread};

/// `threads` threads add 1 to one number, `increments` times each.
pub(super) fn run(threads: usize, increments: usize) {
    let counter = Arc::new(Mutex::new(0).named("n"));
    let mut workers = Vec::new();
    for _ in 0..threads {
        let counter = Arc::clone(&counter);
        workers.push(thread::spawn(move || {
            for _ in 0..increments {
                let mut n = counter.lock();
                *n += 1;
            }
        }));
    }
    for worker in workers {
        worker.join().unwrap();
    }
    let total = *counter.lock();
    outcome(total);
    assert_eq!(total, threads * increments);
}
