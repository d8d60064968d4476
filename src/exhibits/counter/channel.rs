//! Safe: only one thread has the number; the others send it their increments.

use crate::sync::mpsc;
use crate::{Named, outcome, thread};

/// `threads` threads add 1 to one number, `increments` times each.
pub(super) fn run(threads: usize, increments: usize) {
    let (sender, receiver) = mpsc::channel();
    let sender = sender.named("increments");
    let mut workers = Vec::new();
    for _ in 0..threads {
        let counter = sender.clone();
        workers.push(thread::spawn(move || {
            for _ in 0..increments {
                counter.send(1).unwrap();
            }
        }));
    }
    drop(sender);
    // The iteration ends when the last worker has dropped its sender.
    let total = receiver.iter().sum::<usize>();
    for worker in workers {
        worker.join().unwrap();
    }
    outcome(total);
    assert_eq!(total, threads * increments);
}
