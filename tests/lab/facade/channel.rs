//! The channels of crossbeam, with many producers and many consumers.

use std::time::Duration;

use proptest::prelude::*;
use racelab::channel::{self, RecvTimeoutError, SendTimeoutError, TryRecvError, TrySendError};
use racelab::sync::Arc;
use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::trace::Operation;
use racelab::{FailureKind, Named, outcome, replay, thread};

use super::plain::Plain;
use super::same_as_std::{Op, agree, ops};
use super::{explore, fails, holds, outcomes};

const MOMENT: Duration = Duration::from_millis(1);

/// A channel's operations of one thread, without those that would wait for ever.
macro_rules! program {
    ($channel:ident, $ops:ident, $make:expr, $room:expr) => {{
        use $channel::{Receiver, Sender};

        let (sender, receiver): (Sender<u8>, Receiver<u8>) = $make;
        let (mut senders, mut receivers) = (vec![sender], vec![receiver]);
        let mut queued = 0_usize;
        let mut seen = vec![format!("{senders:?} {receivers:?}")];
        for &(op, a, b, _) in $ops {
            let b = usize::from(b);
            let sender = senders.get(b % senders.len().max(1));
            let receiver = receivers.get(b % receivers.len().max(1));
            let result = match (op % 16, sender, receiver) {
                (0 | 1, Some(sender), receiver)
                    if receiver.is_none() || (0..$room).contains(&queued) =>
                {
                    let result = sender.send(a);
                    queued += usize::from(result.is_ok());
                    format!("{result:?}")
                }
                (2, Some(sender), _) => {
                    let result = sender.try_send(a);
                    queued += usize::from(result.is_ok());
                    format!("{result:?}")
                }
                (3, Some(sender), _) => {
                    let result = sender.send_timeout(a, Duration::ZERO);
                    queued += usize::from(result.is_ok());
                    format!("{result:?}")
                }
                (4, Some(sender), _) => {
                    let clone = sender.clone();
                    assert!(clone.same_channel(sender));
                    senders.push(clone);
                    String::new()
                }
                (5, Some(_), _) => {
                    drop(senders.swap_remove(b % senders.len()));
                    String::new()
                }
                (6 | 7, _, Some(receiver)) => {
                    let result = receiver.try_recv();
                    queued -= usize::from(result.is_ok());
                    format!("{result:?}")
                }
                (8, sender, Some(receiver)) if queued > 0 || sender.is_none() => {
                    let result = receiver.recv();
                    queued -= usize::from(result.is_ok());
                    format!("{result:?}")
                }
                (9, _, Some(receiver)) => {
                    let result = receiver.recv_timeout(Duration::ZERO);
                    queued -= usize::from(result.is_ok());
                    format!("{result:?}")
                }
                (10, _, Some(receiver)) => {
                    let all: Vec<u8> = receiver.try_iter().collect();
                    queued -= all.len();
                    format!("{all:?}")
                }
                (11, _, Some(receiver)) => {
                    let clone = receiver.clone();
                    assert!(clone.same_channel(receiver));
                    receivers.push(clone);
                    String::new()
                }
                (12, _, Some(_)) if a % 2 == 0 => {
                    drop(receivers.swap_remove(b % receivers.len()));
                    String::new()
                }
                (13, Some(end), _) => {
                    let (len, empty, full) = (end.len(), end.is_empty(), end.is_full());
                    format!("{len} {empty} {full} {:?}", end.capacity())
                }
                (14, _, Some(end)) => {
                    let (len, empty, full) = (end.len(), end.is_empty(), end.is_full());
                    format!("{len} {empty} {full} {:?}", end.capacity())
                }
                _ => String::new(),
            };
            seen.push(result);
        }
        senders.clear();
        if let Some(receiver) = receivers.pop() {
            seen.push(format!("{:?} {:?}", receiver.iter(), receiver.try_iter()));
            let first = (&receiver).into_iter().next();
            let rest: Vec<u8> = receiver.into_iter().collect();
            seen.push(format!("{first:?} {rest:?}"));
        }
        seen
    }};
}

macro_rules! compare {
    ($($test:ident: $make:ident($($bound:literal)?), $room:expr;)*) => {$(
        mod $test {
            use super::*;

            fn with_crossbeam(ops: &[Op]) -> Vec<String> {
                program!(crossbeam_channel, ops, crossbeam_channel::$make($($bound)?), $room)
            }

            fn with_racelab(ops: &[Op]) -> Vec<String> {
                program!(channel, ops, channel::$make($($bound)?), $room)
            }

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(96))]

                #[test]
                fn is_the_same_as_crossbeams_in_every_world(ops in ops()) {
                    agree(with_crossbeam, with_racelab, &ops)?;
                }
            }
        }
    )*};
}

compare! {
    a_channel: unbounded(), usize::MAX;
    a_rendezvous: bounded(0), 0;
    a_channel_for_one: bounded(1), 1;
    a_channel_for_three: bounded(3), 3;
}

/// How many of two messages are dropped with the receiver, and how many with the sender.
macro_rules! drops {
    ($channel:ident, $make:ident($($bound:literal)?)) => {{
        let (sender, receiver) = $channel::$make($($bound)?);
        let message = std::sync::Arc::new(());
        sender.send(std::sync::Arc::clone(&message)).unwrap();
        sender.send(std::sync::Arc::clone(&message)).unwrap();
        let left = || std::sync::Arc::strong_count(&message) - 1;
        let mut drops = Vec::new();
        drop(receiver);
        drops.push((left(), sender.len()));
        drop(sender);
        drops.push((left(), 0));
        drops
    }};
}

#[test]
fn messages_that_nobody_receives_are_dropped_when_crossbeams_are() {
    let unbounded = drops!(crossbeam_channel, unbounded());
    let bounded = drops!(crossbeam_channel, bounded(2));
    assert_ne!(unbounded, bounded);
    assert_eq!(drops!(channel, unbounded()), unbounded);
    assert_eq!(drops!(channel, bounded(2)), bounded);
    holds(move || {
        assert_eq!(drops!(channel, unbounded()), unbounded);
        assert_eq!(drops!(channel, bounded(2)), bounded);
    });
}

#[test]
fn each_message_arrives_at_one_of_the_consumers_and_in_the_order_of_its_producer() {
    let results = outcomes(|| {
        let (sender, receiver) = channel::unbounded();
        let consumers = [receiver.clone(), receiver]
            .map(|receiver| thread::spawn(move || receiver.iter().collect::<Vec<u8>>()));
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        drop(sender);
        let got = consumers.map(|consumer| consumer.join().unwrap());
        assert!(got.iter().all(|got| got.is_sorted()), "{got:?}");
        outcome(got);
    });
    assert_eq!(
        results,
        ["[[1, 2], []]", "[[1], [2]]", "[[2], [1]]", "[[], [1, 2]]"]
    );
}

#[test]
fn the_messages_of_two_producers_interleave_in_every_way_that_keeps_their_orders() {
    let results = outcomes(|| {
        let (sender, receiver) = channel::bounded(3);
        let other = sender.clone();
        let first = thread::spawn(move || {
            sender.send(1).unwrap();
            sender.send(2).unwrap();
        });
        let second = thread::spawn(move || other.send(10).unwrap());
        first.join().unwrap();
        second.join().unwrap();
        outcome(receiver.into_iter().collect::<Vec<i32>>());
    });
    assert_eq!(results, ["[1, 10, 2]", "[1, 2, 10]", "[10, 1, 2]"]);
}

#[test]
fn every_consumer_sees_that_the_last_producer_is_gone() {
    holds(|| {
        let (sender, receiver) = channel::bounded::<u8>(1);
        let consumers =
            [receiver.clone(), receiver].map(|receiver| thread::spawn(move || receiver.recv()));
        drop(sender);
        for consumer in consumers {
            assert!(consumer.join().unwrap().is_err());
        }
    });
}

#[test]
fn every_producer_sees_that_the_last_consumer_is_gone() {
    holds(|| {
        let (sender, receiver) = channel::bounded::<u8>(0);
        let producers =
            [sender.clone(), sender].map(|sender| thread::spawn(move || sender.send(1)));
        let other = receiver.clone();
        drop(receiver);
        drop(other);
        for producer in producers {
            assert!(producer.join().unwrap().is_err());
        }
    });
}

#[test]
fn a_channel_goes_on_until_its_last_receiver_is_dropped() {
    holds(|| {
        let (sender, receiver) = channel::unbounded();
        let other = receiver.clone();
        let gone = thread::spawn(move || drop(receiver));
        sender.send(1).unwrap();
        gone.join().unwrap();
        assert_eq!(other.recv(), Ok(1));
    });
}

#[test]
fn a_bounded_channel_never_holds_more_than_its_capacity() {
    let results = outcomes(|| {
        let (sender, receiver) = channel::bounded(1);
        let watched = receiver.clone();
        let consumer = thread::spawn(move || (receiver.recv().unwrap(), receiver.recv().unwrap()));
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        let len = watched.len();
        assert!(len <= 1);
        outcome(len);
        assert_eq!(consumer.join().unwrap(), (1, 2));
    });
    assert_eq!(results, ["0", "1"]);
}

#[test]
fn a_rendezvous_is_over_when_one_of_the_consumers_has_taken_the_message() {
    let results = outcomes(|| {
        let (sender, receiver) = channel::bounded(0);
        let begun = Arc::new(AtomicUsize::new(0));
        let consumers = [(1, receiver.clone()), (2, receiver)].map(|(number, receiver)| {
            let begun = Arc::clone(&begun);
            thread::spawn(move || {
                begun.fetch_or(number, SeqCst);
                receiver.recv().is_ok()
            })
        });
        sender.send(()).unwrap();
        let begun = begun.load(SeqCst);
        drop(sender);
        let got = consumers.map(|consumer| consumer.join().unwrap());
        let took = 1 + usize::from(got[1]);
        assert!(got[0] != got[1] && begun & took != 0);
        outcome(got);
    });
    assert_eq!(results, ["[false, true]", "[true, false]"]);
}

#[test]
fn a_rendezvous_without_a_consumer_waits_for_its_message_to_be_taken() {
    let body = || {
        let (sender, _receiver) = channel::bounded(0);
        sender.named("letters").send(1).unwrap();
    };
    fails(FailureKind::Deadlock, body);
    let report = explore(body).to_string();
    assert!(
        report.contains("waits for its message on letters to be taken"),
        "{report}"
    );
}

#[test]
fn an_attempt_at_a_rendezvous_is_for_who_waits_and_not_for_who_looks() {
    let results = outcomes(|| {
        let (sender, receiver) = channel::bounded(0);
        let waiting = receiver.clone();
        let consumer = thread::spawn(move || waiting.recv());
        let sent = sender.try_send(1);
        // Nobody offers anything: what was sent is the consumer's.
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        drop(sender);
        assert_eq!(consumer.join().unwrap().is_ok(), sent.is_ok());
        outcome(sent.is_ok());
    });
    assert_eq!(results, ["false", "true"]);
}

#[test]
fn attempts_at_a_rendezvous_reach_as_many_consumers_as_wait() {
    let results = outcomes(|| {
        let (sender, receiver) = channel::bounded(0);
        let consumers = [receiver.clone(), receiver]
            .map(|receiver| thread::spawn(move || receiver.recv().ok()));
        let sent = [sender.try_send(1).is_ok(), sender.try_send(2).is_ok()];
        let third = sender.try_send(3);
        drop(sender);
        let got = consumers.map(|consumer| consumer.join().unwrap());
        let count = got.iter().flatten().count();
        assert_eq!(
            count,
            sent.iter().filter(|sent| **sent).count() + usize::from(third.is_ok())
        );
        outcome(count);
    });
    assert_eq!(results, ["0", "1", "2"]);
}

#[test]
fn an_offer_that_timed_out_is_not_there_any_more() {
    let results = outcomes(|| {
        let (sender, receiver) = channel::bounded(0);
        let consumer = thread::spawn(move || receiver.recv().ok());
        let sent = sender.send_timeout(1, MOMENT);
        let is_ok = match sent {
            Ok(()) => true,
            Err(SendTimeoutError::Timeout(1)) => false,
            Err(other) => panic!("{other:?}"),
        };
        drop(sender);
        assert_eq!(consumer.join().unwrap().is_some(), is_ok);
        outcome(is_ok);
    });
    assert_eq!(results, ["false", "true"]);
}

#[test]
fn a_send_with_a_time_limit_ends_in_every_way() {
    let results = outcomes(|| {
        let (sender, receiver) = channel::bounded(1);
        sender.send(1).unwrap();
        let consumer = thread::spawn(move || receiver.recv());
        outcome(match sender.send_timeout(2, MOMENT) {
            Ok(()) => "sent",
            Err(SendTimeoutError::Timeout(2)) => "timed out",
            Err(SendTimeoutError::Disconnected(2)) => "disconnected",
            Err(_) => "another message",
        });
        assert_eq!(consumer.join().unwrap(), Ok(1));
    });
    assert_eq!(
        results,
        [r#""disconnected""#, r#""sent""#, r#""timed out""#]
    );
}

#[test]
fn a_receipt_with_a_time_limit_ends_in_every_way() {
    let results = outcomes(|| {
        let (sender, receiver) = channel::bounded(1);
        let other = thread::spawn(move || sender.try_send(1).unwrap());
        outcome(match receiver.recv_timeout(MOMENT) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => 0,
            Err(RecvTimeoutError::Disconnected) => panic!("there is a message first"),
        });
        other.join().unwrap();
    });
    assert_eq!(results, ["0", "1"]);
}

#[test]
fn an_attempt_to_send_gives_its_message_back() {
    holds(|| {
        let (sender, receiver) = channel::bounded(1);
        sender.try_send(1).unwrap();
        assert!(matches!(sender.try_send(2), Err(TrySendError::Full(2))));
        drop(receiver);
        assert!(matches!(
            sender.try_send(3),
            Err(TrySendError::Disconnected(3))
        ));
    });
}

#[test]
fn a_consumer_that_is_not_told_to_stop_waits_for_ever_and_the_failure_replays() {
    fn body() {
        let (sender, receiver) = channel::unbounded();
        let sender = sender.named("jobs");
        let consumers = [receiver.clone(), receiver]
            .map(|receiver| thread::spawn(move || while receiver.recv().unwrap() != "stop" {}));
        sender.send("stop").unwrap();
        for consumer in consumers {
            consumer.join().unwrap();
        }
    }
    let failure = fails(FailureKind::Deadlock, body);
    let blocked = failure.blocked.iter().map(|blocked| blocked.operation);
    let blocked: Vec<_> = blocked.collect();
    assert!(blocked.contains(&Operation::Receive), "{blocked:?}");
    let report = explore(body).to_string();
    assert!(report.contains("waits for a message on jobs"), "{report}");
    let again = replay(failure.schedule.as_ref().unwrap(), body);
    let again = again.failure().expect("it fails again");
    assert_eq!((again.kind, &again.trace), (failure.kind, &failure.trace));
}

/// What another thread gets to know of a cell that was written before `send`.
fn publish(send: fn(channel::Sender<u8>), receive: fn(&channel::Receiver<u8>)) {
    let (sender, receiver) = channel::bounded(1);
    let cell = Arc::new(Plain::default());
    let written = Arc::clone(&cell);
    let writer = thread::spawn(move || {
        written.set(1);
        send(sender);
    });
    receive(&receiver);
    assert_eq!(cell.get(), 1);
    writer.join().unwrap();
}

#[test]
fn a_message_publishes_what_was_written_before_it_was_sent() {
    holds(|| {
        publish(
            |sender| sender.send(1).unwrap(),
            |receiver| assert_eq!(receiver.recv(), Ok(1)),
        );
    });
}

#[test]
fn a_disconnection_publishes_what_was_written_before_it() {
    holds(|| {
        publish(drop, |receiver| assert!(receiver.recv().is_err()));
    });
}

#[test]
fn a_look_at_a_channel_publishes_nothing() {
    let failure = fails(FailureKind::DataRace, || {
        publish(
            |sender| sender.send(1).unwrap(),
            |receiver| {
                while receiver.is_empty() {
                    thread::yield_now();
                }
            },
        );
    });
    assert!(failure.race.is_some());
}

#[test]
fn who_waits_for_room_learns_from_who_made_it_and_from_nobody_else() {
    /// Two consumers write a cell each; who sends the third message reads the cell of this one.
    fn body(read: usize) {
        let (sender, receiver) = channel::bounded(2);
        let _connected = receiver.clone();
        let cells = Arc::new([Plain::default(), Plain::default()]);
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        let written = Arc::clone(&cells);
        let consumer = thread::spawn(move || {
            for cell in written.iter() {
                cell.set(1);
                receiver.recv().unwrap();
            }
        });
        sender.send(3).unwrap();
        assert_eq!(cells[read].get(), 1);
        consumer.join().unwrap();
    }
    // The room of the third message is that of the first.
    holds(|| body(0));
    fails(FailureKind::DataRace, || body(1));
}
