//! Safe: only one thread has the list; the others send it their numbers.

use crate::sync::mpsc;
use crate::{Named, outcome, thread};

/// `threads` threads bring `items` numbers each into one list.
pub(super) fn run(threads: usize, items: usize) {
    let (sender, receiver) = mpsc::channel();
    let sender = sender.named("numbers");
    let mut workers = Vec::new();
    for worker in 0..threads {
        let list = sender.clone();
        workers.push(thread::spawn(move || {
            for item in worker * items..(worker + 1) * items {
                list.send(item).unwrap();
            }
        }));
    }
    drop(sender);
    // The iteration ends when the last worker has dropped its sender.
    let mut list: Vec<usize> = receiver.iter().collect();
    for worker in workers {
        worker.join().unwrap();
    }
    outcome(&list);
    list.sort_unstable();
    assert_eq!(list, (0..threads * items).collect::<Vec<_>>());
}
