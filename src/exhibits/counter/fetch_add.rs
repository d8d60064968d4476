//! Safe: the load, the addition and the store are one step, so that nothing comes between them.

use crate::sync::Arc;
use crate::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use crate::{Named, outcome, thread};

/// `threads` threads add 1 to one number, `increments` times each.
pub(super) fn run(threads: usize, increments: usize) {
    let counter = Arc::new(AtomicUsize::new(0).named("n"));
    let mut workers = Vec::new();
    for _ in 0..threads {
        let counter = Arc::clone(&counter);
        workers.push(thread::spawn(move || {
            for _ in 0..increments {
                counter.fetch_add(1, SeqCst);
            }
        }));
    }
    for worker in workers {
        worker.join().unwrap();
    }
    let total = counter.load(SeqCst);
    outcome(total);
    assert_eq!(total, threads * increments);
}
