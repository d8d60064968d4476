//! Unsafe: each consumer has a queue of its own, so that nobody takes the item that it is woken for;
//! but a wait can end without a notification, and it does not look again.

use std::collections::VecDeque;

use crate::sync::{Arc, Condvar, Mutex};
use crate::{Named, thread};

use super::work::{Sink, Source};

/// `consumers` threads consume what the main thread puts into their queues in turn, up to a `None`.
pub(super) fn run(consumers: usize, (mut source, sink): (Source, Sink)) {
    let mut queues = Vec::new();
    let mut threads = Vec::new();
    for _ in 0..consumers {
        let queue = Arc::new(Mutex::new(VecDeque::new()).named("queue"));
        let arrival = Arc::new(Condvar::new().named("arrival"));
        queues.push((Arc::clone(&queue), Arc::clone(&arrival)));
        let sink = sink.clone();
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
    let put = |consumer: usize, item| {
        let (queue, arrival) = &queues[consumer % consumers];
        let mut items = queue.lock().unwrap();
        items.push_back(item);
        arrival.notify_one();
    };
    for (turn, item) in source.by_ref().enumerate() {
        put(turn, Some(item));
    }
    (0..consumers).for_each(|consumer| put(consumer, None));
    let mut consumed = Vec::new();
    for thread in threads {
        consumed.extend(thread.join().unwrap());
    }
    source.assert_all(consumed);
}
