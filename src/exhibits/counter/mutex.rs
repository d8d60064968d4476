//! Safe: the read and the write happen while the thread holds the mutex, so that no other thread
//! is between its own read and write.

use crate::sync::{Arc, Mutex};
use crate::{Named, outcome, thread};

/// `threads` threads add 1 to one number, `increments` times each.
pub(super) fn run(threads: usize, increments: usize) {
    let counter = Arc::new(Mutex::new(0).named("n"));
    let mut workers = Vec::new();
    for _ in 0..threads {
        let counter = Arc::clone(&counter);
        workers.push(thread::spawn(move || {
            for _ in 0..increments {
                let mut n = counter.lock().unwrap();
                *n += 1;
            }
        }));
    }
    for worker in workers {
        worker.join().unwrap();
    }
    let total = *counter.lock().unwrap();
    outcome(total);
    assert_eq!(total, threads * increments);
}
