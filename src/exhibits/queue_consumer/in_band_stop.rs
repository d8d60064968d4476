//! Unsafe: an item that reads as the stop ends a consumer, and is lost with what is behind it.

use crate::sync::{Arc, Mutex, mpsc};
use crate::{Named, thread};

use super::work::{STOP, Sink, Source};

/// `consumers` threads consume what the main thread puts into a queue, up to a stop for each.
pub(super) fn run(consumers: usize, (mut source, sink): (Source, Sink)) {
    let (sender, receiver) = mpsc::channel();
    let sender = sender.named("queue");
    let queue = Arc::new(Mutex::new(receiver).named("receiver"));
    let mut threads = Vec::new();
    for _ in 0..consumers {
        let (queue, sink) = (Arc::clone(&queue), sink.clone());
        threads.push(thread::spawn(move || {
            let mut consumed = Vec::new();
            loop {
                let item: String = queue.lock().unwrap().recv().unwrap();
                if item == STOP {
                    return consumed;
                }
                consumed.push(sink.consume(item));
            }
        }));
    }
    source.by_ref().for_each(|item| sender.send(item).unwrap());
    (0..consumers).for_each(|_| sender.send(STOP.to_owned()).unwrap());
    let mut consumed = Vec::new();
    for thread in threads {
        consumed.extend(thread.join().unwrap());
    }
    source.assert_all(consumed);
}
