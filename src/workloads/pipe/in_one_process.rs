//! A sender and a receiver in one process: threads, tasks, and one thread alone.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use tokio::sync::mpsc;

use super::super::event_loop::event_loop;
use super::super::{Failed, Timeline};
use super::Talked;
use super::link::{Asked, Link, Streamed, add_up, answer, ask, stream};

/// How many messages can be on their way. A pipe of the system is bounded as well.
const CAPACITY: usize = 1024;

/// One thread, which puts messages in a queue, and then takes them out. There is no other side, so
/// that it sees only what the queue costs.
pub(super) fn in_turns(messages: u64, asked: u64, timeline: &Timeline) -> Talked {
    let mut lane = timeline.lane(0, "main");
    let mut queue = VecDeque::with_capacity(CAPACITY);
    let mut pass = |message: u64| {
        queue.push_back(std::hint::black_box(message));
        std::hint::black_box(queue.pop_front()).unwrap_or_default()
    };
    let streamed = lane.work(|| {
        let start = Instant::now();
        let sum = (0..messages).map(&mut pass).sum();
        let time = start.elapsed();
        Streamed { sum, time }
    });
    let asked = lane.work(|| {
        let start = Instant::now();
        let sum = (0..asked).map(|message| {
            let message = pass(message);
            pass(message + 1)
        });
        let sum = sum.sum();
        let time = start.elapsed();
        Asked { sum, time }
    });
    Talked { streamed, asked }
}

/// Two channels of std, of which one end is on a thread.
struct Channels {
    sender: SyncSender<u64>,
    receiver: Receiver<u64>,
}

impl Channels {
    fn pair() -> (Self, Self) {
        let (sender, other_receiver) = sync_channel(CAPACITY);
        let (other_sender, receiver) = sync_channel(CAPACITY);
        let other = Channels {
            sender: other_sender,
            receiver: other_receiver,
        };
        (Channels { sender, receiver }, other)
    }
}

impl Link for Channels {
    fn send(&mut self, message: u64) -> io::Result<()> {
        self.sender.send(message).map_err(|_| gone())
    }

    fn receive(&mut self) -> io::Result<u64> {
        self.receiver.recv().map_err(|_| gone())
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the other end is gone")
}

/// Sends messages from one thread to another.
pub(super) fn on_threads(messages: u64, asked: u64, timeline: &Timeline) -> Result<Talked, Failed> {
    let (mut here, mut there) = Channels::pair();
    let talked = thread::scope(|scope| {
        let receive = move || {
            let mut lane = timeline.lane(1, "receiver");
            lane.wait(|| add_up(&mut there, messages))?;
            lane.wait(|| answer(&mut there, asked))
        };
        thread::Builder::new().spawn_scoped(scope, receive)?;
        let send = move || {
            let mut lane = timeline.lane(0, "sender");
            let streamed = lane.work(|| stream(&mut here, messages))?;
            let asked = lane.wait(|| ask(&mut here, asked))?;
            Ok(Talked { streamed, asked })
        };
        let sender = thread::Builder::new().spawn_scoped(scope, send)?;
        sender
            .join()
            .map_err(|_| io::Error::other("the sender panicked"))?
    });
    talked.map_err(|error: io::Error| Failed::Broken(format!("the threads: {error}")))
}

/// Sends messages from one task to another, on one event loop.
pub(super) fn on_tasks(messages: u64, asked: u64, timeline: &Timeline) -> Result<Talked, Failed> {
    let (sender, mut received) = mpsc::channel(CAPACITY);
    let (answers, mut answered) = mpsc::channel(CAPACITY);
    let timeline_of_receiver = timeline.clone();
    let receive = async move {
        let mut lane = timeline_of_receiver.lane(1, "receiver");
        let mut sum = 0;
        lane.wait_for(async {
            for _ in 0..messages {
                sum += received.recv().await?;
            }
            answers.send(sum).await.ok()
        })
        .await?;
        lane.wait_for(async {
            for _ in 0..asked {
                let message: u64 = received.recv().await?;
                answers.send(message + 1).await.ok()?;
            }
            Some(())
        })
        .await
    };
    let mut lane = timeline.lane(0, "sender");
    let send = async move {
        let start = Instant::now();
        let sum = lane
            .wait_for(async {
                for message in 0..messages {
                    sender.send(message).await.ok()?;
                }
                answered.recv().await
            })
            .await?;
        let streamed = Streamed {
            sum,
            time: start.elapsed(),
        };
        let start = Instant::now();
        let sum = lane
            .wait_for(async {
                let mut sum = 0;
                for message in 0..asked {
                    sender.send(message).await.ok()?;
                    sum += answered.recv().await?;
                }
                Some(sum)
            })
            .await?;
        let time = start.elapsed();
        let asked = Asked { sum, time };
        Some(Talked { streamed, asked })
    };
    let talked = event_loop()?.block_on(async {
        let receiver = tokio::spawn(receive);
        let talked = tokio::spawn(send).await;
        // The receiver has ended if the sender has, since one end is gone then.
        let received = receiver.await;
        received.ok().flatten()?;
        talked.ok().flatten()
    });
    talked.ok_or_else(|| Failed::Broken("a task of the talk panicked".to_owned()))
}
