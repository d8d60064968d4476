//! Unsafe: each thread fills a copy of its own, and the list of the main thread stays empty.

use crate::{outcome, thread};

/// `threads` threads bring `items` numbers each into one list.
pub(super) fn run(threads: usize, items: usize) {
    let list = Vec::new();
    let mut workers = Vec::new();
    for worker in 0..threads {
        let mut list = list.clone();
        workers.push(thread::spawn(move || {
            for item in worker * items..(worker + 1) * items {
                list.push(item);
            }
        }));
    }
    for worker in workers {
        worker.join().unwrap();
    }
    let mut list = list;
    outcome(&list);
    list.sort_unstable();
    assert_eq!(list, (0..threads * items).collect::<Vec<_>>());
}
