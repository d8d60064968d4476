//! Unsafe: a consumer that sees the flag ends, whatever is still in the queue.

use std::collections::VecDeque;

use crate::sync::atomic::{AtomicBool, Ordering::SeqCst};
use crate::sync::{Arc, Condvar, Mutex};
use crate::{Named, thread};

use super::work::{Sink, Source};

/// `consumers` threads consume what the main thread puts into a queue, until it sets a flag.
pub(super) fn run(consumers: usize, (mut source, sink): (Source, Sink)) {
    let queue = Arc::new(Mutex::new(VecDeque::new()).named("queue"));
    let arrival = Arc::new(Condvar::new().named("arrival"));
    let is_stopped = Arc::new(AtomicBool::new(false).named("is_stopped"));
    let mut threads = Vec::new();
    for _ in 0..consumers {
        let (queue, arrival, sink) = (Arc::clone(&queue), Arc::clone(&arrival), sink.clone());
        let is_stopped = Arc::clone(&is_stopped);
        threads.push(thread::spawn(move || {
            let mut consumed = Vec::new();
            loop {
                let mut items = queue.lock().unwrap();
                while items.is_empty() && !is_stopped.load(SeqCst) {
                    items = arrival.wait(items).unwrap();
                }
                if is_stopped.load(SeqCst) {
                    return consumed;
                }
                let item = items.pop_front().expect("popped from an empty queue");
                drop(items);
                consumed.push(sink.consume(item));
            }
        }));
    }
    let put = |item| {
        let mut items = queue.lock().unwrap();
        items.push_back(item);
        arrival.notify_one();
    };
    source.by_ref().for_each(put);
    let items = queue.lock().unwrap();
    is_stopped.store(true, SeqCst);
    arrival.notify_all();
    drop(items);
    let mut consumed = Vec::new();
    for thread in threads {
        consumed.extend(thread.join().unwrap());
    }
    source.assert_all(consumed);
}
