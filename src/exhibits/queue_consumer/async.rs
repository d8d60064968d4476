//! Safe: a channel waits for the task, and its end is the end. It has one receiver, so that each
//! consumer has a channel of its own, and the items go round.

use crate::future::sync::mpsc;
use crate::{Named, future};

use super::work::{Sink, Source};

/// `consumers` tasks consume what the main task puts into queues, until it closes the queues. Each
/// task is started with its first item, so that each that is started has something to do.
pub(super) fn run(consumers: usize, (mut source, sink): (Source, Sink)) {
    future::block_on(async move {
        let mut queues = Vec::new();
        let mut tasks = Vec::new();
        for (turn, item) in source.by_ref().enumerate() {
            if turn < consumers {
                let (sender, mut queue) = mpsc::channel(1);
                queues.push(sender.named(format!("queue {}", turn + 1)));
                let sink = sink.clone();
                tasks.push(future::spawn(async move {
                    let mut consumed = Vec::new();
                    while let Some(item) = queue.recv().await {
                        consumed.push(sink.consume(item));
                    }
                    consumed
                }));
            }
            queues[turn % consumers].send(item).await.unwrap();
        }
        drop(queues);
        let mut consumed = Vec::new();
        for task in tasks {
            consumed.extend(task.await.unwrap());
        }
        source.assert_all(consumed);
    });
}
