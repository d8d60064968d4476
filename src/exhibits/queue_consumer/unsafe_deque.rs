//! Undefined: the queue is in a plain cell, and two threads can be inside of it at once.
#![expect(
    unsafe_code,
    reason = "the exhibit is what goes wrong without safe Rust"
)]

use std::collections::VecDeque;

use crate::cell::UnsafeCell;
use crate::sync::Arc;
use crate::{Named, thread};

use super::work::{Sink, Source};

struct Queue(UnsafeCell<VecDeque<Option<String>>>);

// SAFETY: there is none. This line promises what the code does not keep.
unsafe impl Sync for Queue {}

/// `consumers` threads consume what the main thread puts into a queue, up to a `None` for each.
pub(super) fn run(consumers: usize, (mut source, sink): (Source, Sink)) {
    let queue = Arc::new(Queue(UnsafeCell::new(VecDeque::new()).named("queue")));
    let mut threads = Vec::new();
    for _ in 0..consumers {
        let (queue, sink) = (Arc::clone(&queue), sink.clone());
        threads.push(thread::spawn(move || {
            let mut consumed = Vec::new();
            loop {
                // SAFETY: there is none, another thread can be at the same place.
                let item = queue.0.with_mut(|items| unsafe { (*items).pop_front() });
                let Some(item) = item else {
                    thread::yield_now();
                    continue;
                };
                let Some(item) = item else { return consumed };
                consumed.push(sink.consume(item));
            }
        }));
    }
    let put = |item| {
        // SAFETY: there is none, another thread can be at the same place.
        queue
            .0
            .with_mut(|items| unsafe { (*items).push_back(item) });
    };
    source.by_ref().for_each(|item| put(Some(item)));
    (0..consumers).for_each(|_| put(None));
    let mut consumed = Vec::new();
    for thread in threads {
        consumed.extend(thread.join().unwrap());
    }
    source.assert_all(consumed);
}
