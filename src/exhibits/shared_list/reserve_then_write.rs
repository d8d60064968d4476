//! Unsafe: two threads can read the same length, and write their numbers into the same slot.

use crate::sync::Arc;
use crate::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use crate::{Named, outcome, thread};

/// A list of numbers with room for all that will come.
struct List {
    length: AtomicUsize,
    slots: Vec<AtomicUsize>,
}

/// `threads` threads bring `items` numbers each into one list.
pub(super) fn run(threads: usize, items: usize) {
    let slot = |index| AtomicUsize::new(usize::MAX).named(format!("slot {index}"));
    let list = Arc::new(List {
        length: AtomicUsize::new(0).named("length"),
        slots: (0..threads * items).map(slot).collect(),
    });
    let mut workers = Vec::new();
    for worker in 0..threads {
        let list = Arc::clone(&list);
        workers.push(thread::spawn(move || {
            for item in worker * items..(worker + 1) * items {
                let length = list.length.load(SeqCst);
                list.slots[length].store(item, SeqCst);
                list.length.store(length + 1, SeqCst);
            }
        }));
    }
    for worker in workers {
        worker.join().unwrap();
    }
    let filled = &list.slots[..list.length.load(SeqCst)];
    let mut list: Vec<usize> = filled.iter().map(|slot| slot.load(SeqCst)).collect();
    outcome(&list);
    list.sort_unstable();
    assert_eq!(list, (0..threads * items).collect::<Vec<_>>());
}
