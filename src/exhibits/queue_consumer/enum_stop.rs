//! Safe: the stop is something that no item can be, whatever the items are.

use crate::sync::{Arc, Mutex, mpsc};
use crate::{Named, thread};

use super::work::{Sink, Source};

enum Message {
    Item(String),
    Stop,
}

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
                let message = queue.lock().unwrap().recv().unwrap();
                let Message::Item(item) = message else {
                    return consumed;
                };
                consumed.push(sink.consume(item));
            }
        }));
    }
    source
        .by_ref()
        .for_each(|item| sender.send(Message::Item(item)).unwrap());
    (0..consumers).for_each(|_| sender.send(Message::Stop).unwrap());
    let mut consumed = Vec::new();
    for thread in threads {
        consumed.extend(thread.join().unwrap());
    }
    source.assert_all(consumed);
}
