//! A sender and a receiver in one process: threads, tasks, and one thread alone.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread;
use std::time::Instant;

use tokio::sync::mpsc;

use super::Talked;
use super::link::{Asked, Link, Streamed, add_up, answer, ask, stream};
use crate::timing::workers::recorded_event_loop;
use crate::timing::{Failed, Timeline, Waits};

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
    fn send(&mut self, message: u64, waits: &mut Waits) -> io::Result<()> {
        match self.sender.try_send(message) {
            Err(TrySendError::Full(message)) => {
                let sent = waits.wait(|| self.sender.send(message));
                sent.map_err(|_| gone())
            }
            sent => sent.map_err(|_| gone()),
        }
    }

    fn receive(&mut self, waits: &mut Waits) -> io::Result<u64> {
        match self.receiver.try_recv() {
            Err(TryRecvError::Empty) => {
                let received = waits.wait(|| self.receiver.recv());
                received.map_err(|_| gone())
            }
            received => received.map_err(|_| gone()),
        }
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
            add_up(&mut there, messages, &mut lane)?;
            answer(&mut there, asked, &mut lane)
        };
        thread::Builder::new().spawn_scoped(scope, receive)?;
        let send = move || {
            let mut lane = timeline.lane(0, "sender");
            let streamed = stream(&mut here, messages, &mut lane)?;
            let asked = ask(&mut here, asked, &mut lane)?;
            Ok(Talked { streamed, asked })
        };
        let sender = thread::Builder::new().spawn_scoped(scope, send)?;
        sender
            .join()
            .map_err(|_| io::Error::other("the sender panicked"))?
    });
    talked.map_err(|error: io::Error| match error.kind() {
        // The only thing that can be in short supply is a thread.
        io::ErrorKind::WouldBlock => Failed::NotGiven(format!(
            "the system cannot start 2 threads: {error}; allow more processes and threads \
                 (`ulimit -u`)"
        )),
        _ => Failed::Broken(format!("the threads: {error}")),
    })
}

/// Sends messages from one task to another, on one event loop.
pub(super) fn on_tasks(messages: u64, asked: u64, timeline: &Timeline) -> Result<Talked, Failed> {
    let (sender, mut received) = mpsc::channel(CAPACITY);
    let (answers, mut answered) = mpsc::channel(CAPACITY);
    let timeline_of_receiver = timeline.clone();
    let receive = async move {
        let mut lane = timeline_of_receiver.lane(1, "receiver");
        let mut sum = 0;
        lane.work_in_turns(async {
            for _ in 0..messages {
                sum += received.recv().await?;
            }
            answers.send(sum).await.ok()
        })
        .await?;
        lane.work_in_turns(async {
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
            .work_in_turns(async {
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
            .work_in_turns(async {
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
    let talked = recorded_event_loop(timeline)?.block_on(async {
        let receiver = tokio::spawn(receive);
        let talked = tokio::spawn(send).await;
        // The receiver has ended if the sender has, since one end is gone then.
        let received = receiver.await;
        received.ok().flatten()?;
        talked.ok().flatten()
    });
    talked.ok_or_else(|| Failed::Broken("a task of the talk panicked".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timing::{Activity, Lane};

    const MESSAGES: u64 = 20_000;

    fn seconds_of(lane: &Lane, activity: Activity) -> f64 {
        let spans = lane.spans.iter().filter(|span| span.activity == activity);
        spans.map(|span| span.end - span.start).sum()
    }

    /// The lanes of the sender and the receiver.
    fn lanes(timeline: &Timeline) -> [Lane; 2] {
        let lanes: [Lane; 2] = timeline.take_lanes().try_into().unwrap();
        assert_eq!([&*lanes[0].name, &*lanes[1].name], ["sender", "receiver"]);
        lanes
    }

    /// How long it takes to do something with the channels that is recorded as waiting.
    fn waited(act: impl FnOnce(&mut Waits)) -> f64 {
        let mut seconds = 0.0;
        let mut lane = Timeline::recording().lane(0, "");
        lane.work_with_waits(|waits| {
            act(waits);
            seconds = waits.seconds();
        });
        seconds
    }

    #[test]
    fn who_has_room_or_a_message_does_not_wait() {
        let (mut here, mut there) = Channels::pair();
        let seconds = waited(|waits| {
            for message in 0..CAPACITY as u64 {
                here.send(message, waits).unwrap();
            }
            for message in 0..CAPACITY as u64 {
                assert_eq!(there.receive(waits).unwrap(), message);
            }
        });
        assert!(seconds.abs() < f64::EPSILON, "{seconds}");
    }

    #[test]
    fn a_sender_waits_while_the_queue_is_full_and_a_receiver_while_it_is_empty() {
        // The other thread may be so quick that nobody has to wait, but not always.
        let waits_for_room = || {
            let (mut here, there) = Channels::pair();
            for message in 0..CAPACITY as u64 {
                here.sender.send(message).unwrap();
            }
            let receive = move || {
                there.receiver.recv().unwrap();
                there
            };
            let receiver = thread::spawn(receive);
            let seconds = waited(|waits| here.send(0, waits).unwrap());
            receiver.join().unwrap();
            seconds > 0.0
        };
        assert!((0..1000).any(|_| waits_for_room()));
        let waits_for_message = || {
            let (here, mut there) = Channels::pair();
            thread::scope(|scope| {
                scope.spawn(|| here.sender.send(0).unwrap());
                waited(|waits| assert_eq!(there.receive(waits).unwrap(), 0))
            }) > 0.0
        };
        assert!((0..1000).any(|_| waits_for_message()));
    }

    #[test]
    fn both_threads_have_worked() {
        let timeline = Timeline::recording();
        on_threads(MESSAGES, 10, &timeline).unwrap();
        for lane in lanes(&timeline) {
            assert!(seconds_of(&lane, Activity::Work) > 0.0, "{}", lane.name);
        }
    }

    #[test]
    fn tasks_of_one_event_loop_work_in_turns() {
        let timeline = Timeline::recording();
        let start = Instant::now();
        on_tasks(MESSAGES, 100, &timeline).unwrap();
        let time = start.elapsed().as_secs_f64();
        let lanes = lanes(&timeline);
        for lane in &lanes {
            for activity in [Activity::Work, Activity::Wait] {
                assert!(
                    seconds_of(lane, activity) > 0.0,
                    "{} {activity:?}",
                    lane.name
                );
            }
        }
        // One thread has done the work of both.
        let work: f64 = lanes
            .iter()
            .map(|lane| seconds_of(lane, Activity::Work))
            .sum();
        assert!(work <= time, "{work} s of work in {time} s");
    }
}
