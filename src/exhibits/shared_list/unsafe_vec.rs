//! Undefined: the list is in a plain cell, and two threads can be inside of `push` at once.
//!
//! Safe Rust does not compile this. Here two closures borrow the list at once, to change it:
//! error E0499.
//!
//! ```compile_fail,E0499
//! let mut list = Vec::new();
//! std::thread::scope(|scope| {
//!     scope.spawn(|| (0..10).for_each(|item| list.push(item)));
//!     scope.spawn(|| (10..20).for_each(|item| list.push(item)));
//! });
//! ```
#![expect(
    unsafe_code,
    reason = "the exhibit is what goes wrong without safe Rust"
)]

use crate::cell::UnsafeCell;
use crate::sync::Arc;
use crate::{Named, outcome, thread};

struct List(UnsafeCell<Vec<usize>>);

// SAFETY: there is none. This line promises what the code does not keep.
unsafe impl Sync for List {}

/// `threads` threads bring `items` numbers each into one list.
pub(super) fn run(threads: usize, items: usize) {
    let list = Arc::new(List(UnsafeCell::new(Vec::new()).named("list")));
    let mut workers = Vec::new();
    for worker in 0..threads {
        let list = Arc::clone(&list);
        workers.push(thread::spawn(move || {
            for item in worker * items..(worker + 1) * items {
                // SAFETY: there is none, another thread can be at the same place.
                list.0.with_mut(|list| unsafe { (*list).push(item) });
            }
        }));
    }
    for worker in workers {
        worker.join().unwrap();
    }
    // SAFETY: the threads have ended.
    let mut list = list.0.with(|list| unsafe { (*list).clone() });
    outcome(&list);
    list.sort_unstable();
    assert_eq!(list, (0..threads * items).collect::<Vec<_>>());
}
