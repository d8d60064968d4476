//! Safe: a push of this list is one operation, so that nothing comes into it.

use crate::queue::SegQueue;
use crate::sync::Arc;
use crate::{Named, outcome, thread};

/// `threads` threads bring `items` numbers each into one list.
pub(super) fn run(threads: usize, items: usize) {
    let list = Arc::new(SegQueue::new().named("list"));
    let mut workers = Vec::new();
    for worker in 0..threads {
        let list = Arc::clone(&list);
        workers.push(thread::spawn(move || {
            for item in worker * items..(worker + 1) * items {
                list.push(item);
            }
        }));
    }
    for worker in workers {
        worker.join().unwrap();
    }
    let list = Arc::into_inner(list).expect("all workers have ended");
    let mut list: Vec<usize> = list.into_iter().collect();
    outcome(&list);
    list.sort_unstable();
    assert_eq!(list, (0..threads * items).collect::<Vec<_>>());
}
