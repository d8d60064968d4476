//! Safe: each thread fills a list of its own, and extends the shared one once. However many the
//! numbers are, the threads meet only there.

use crate::sync::{Arc, Mutex};
use crate::{Named, outcome, thread};

/// `threads` threads bring `items` numbers each into one list.
pub(super) fn run(threads: usize, items: usize) {
    let list = Arc::new(Mutex::new(Vec::new()).named("list"));
    let mut workers = Vec::new();
    for worker in 0..threads {
        let list = Arc::clone(&list);
        workers.push(thread::spawn(move || {
            let mut local = Vec::new();
            for item in worker * items..(worker + 1) * items {
                local.push(item);
            }
            list.lock().unwrap().extend(local);
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
