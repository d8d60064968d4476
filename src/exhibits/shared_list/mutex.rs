//! Safe: a thread pushes while it holds the mutex, so that no other thread is inside of `push`.

use crate::sync::{Arc, Mutex};
use crate::{Named, outcome, thread};

/// `threads` threads bring `items` numbers each into one list.
pub(super) fn run(threads: usize, items: usize) {
    let list = Arc::new(Mutex::new(Vec::new()).named("list"));
    let mut workers = Vec::new();
    for worker in 0..threads {
        let list = Arc::clone(&list);
        workers.push(thread::spawn(move || {
            for item in worker * items..(worker + 1) * items {
                list.lock().unwrap().push(item);
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
