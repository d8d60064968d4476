//! Safe: the channel is the queue, and its end is the end. Its one receiver is shared behind a
//! mutex.

use crate::sync::{Arc, Mutex, mpsc};
use crate::{Named, thread};

use super::work::{Sink, Source};

/// `consumers` threads consume what the main thread puts into a queue, until it closes the queue.
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
                let item = queue.lock().unwrap().recv();
                let Ok(item) = item else { return consumed };
                consumed.push(sink.consume(item));
            }
        }));
    }
    source.by_ref().for_each(|item| sender.send(item).unwrap());
    drop(sender);
    let mut consumed = Vec::new();
    for thread in threads {
        consumed.extend(thread.join().unwrap());
    }
    source.assert_all(consumed);
}
