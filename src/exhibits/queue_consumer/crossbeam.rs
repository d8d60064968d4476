//! Safe: the channel is the queue, its end is the end, and each consumer has a receiver.

use crate::{Named, channel, thread};

use super::work::{Sink, Source};

/// `consumers` threads consume what the main thread puts into a queue, until it closes the queue.
pub(super) fn run(consumers: usize, (mut source, sink): (Source, Sink)) {
    let (sender, queue) = channel::unbounded();
    let sender = sender.named("queue");
    let mut threads = Vec::new();
    for _ in 0..consumers {
        let (queue, sink) = (queue.clone(), sink.clone());
        threads.push(thread::spawn(move || {
            let mut consumed = Vec::new();
            loop {
                let item = queue.recv();
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
