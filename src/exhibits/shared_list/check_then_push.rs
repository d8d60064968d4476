//! Unsafe: between a thread's look into the list and its push, another thread can push the same.

use crate::sync::{Arc, Mutex};
use crate::{Named, outcome, thread};

/// `threads` threads bring `items` numbers each into one list. Here they see to it together: each
/// goes through all numbers, and pushes those that are not there yet.
pub(super) fn run(threads: usize, items: usize) {
    let list = Arc::new(Mutex::new(Vec::new()).named("list"));
    let mut workers = Vec::new();
    for _ in 0..threads {
        let list = Arc::clone(&list);
        workers.push(thread::spawn(move || {
            for item in 0..threads * items {
                let is_there = list.lock().unwrap().contains(&item);
                if !is_there {
                    list.lock().unwrap().push(item);
                }
            }
        }));
    }
    for worker in workers {
        worker.join().unwrap();
    }
    let mut list = list.lock().unwrap().clone();
    outcome(&list);
    list.sort_unstable();
    assert_eq!(list, (0..threads * items).collect::<Vec<_>>());
}
