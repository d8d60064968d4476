//! Unsafe: between the notification of a consumer and its going on, another consumer can take the
//! item, and the one that wakes does not look again.

use std::collections::VecDeque;

use crate::sync::{Arc, Condvar, Mutex};
use crate::{Named, thread};

use super::work::{Sink, Source};

/// `consumers` threads consume what the main thread puts into a queue, up to a `None` for each.
pub(super) fn run(consumers: usize, (mut source, sink): (Source, Sink)) {
    let queue = Arc::new(Mutex::new(VecDeque::new()).named("queue"));
    let arrival = Arc::new(Condvar::new().named("arrival"));
    let mut threads = Vec::new();
    for _ in 0..consumers {
        let (queue, arrival, sink) = (Arc::clone(&queue), Arc::clone(&arrival), sink.clone());
        threads.push(thread::spawn(move || {
            let mut consumed = Vec::new();
            loop {
                let mut items = queue.lock().unwrap();
                if items.is_empty() {
                    items = arrival.wait(items).unwrap();
                }
                let item = items.pop_front().expect("popped from an empty queue");
                drop(items);
                let Some(item) = item else { return consumed };
                consumed.push(sink.consume(item));
            }
        }));
    }
    let put = |item| {
        let mut items = queue.lock().unwrap();
        items.push_back(item);
        arrival.notify_one();
    };
    source.by_ref().for_each(|item| put(Some(item)));
    (0..consumers).for_each(|_| put(None));
    let mut consumed = Vec::new();
    for thread in threads {
        consumed.extend(thread.join().unwrap());
    }
    source.assert_all(consumed);
}
