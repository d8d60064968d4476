//! `broadcast`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use proptest::prelude::*;
use racelab::future::{self, spawn, sync::broadcast};
use racelab::{Named, outcome};

use super::super::same_as_std::{Op, agree, ops};
use super::{Futures, outcomes, report};

macro_rules! program {
    ($tokio:ident, $ops:ident) => {{
        let (sender, receiver) = $tokio::sync::broadcast::channel(1 + $ops.len() % 3);
        let (mut senders, mut receivers, mut weak) = (vec![sender], vec![receiver], Vec::new());
        let mut futures = Futures::new();
        let mut seen = Vec::new();
        for &(op, a, b, _) in $ops {
            let b = usize::from(b);
            let sender = senders.get(b % senders.len().max(1));
            let index = b % receivers.len().max(1);
            seen.push(match (op % 20, sender, receivers.get_mut(index)) {
                (0..=3, Some(sender), _) => format!("{:?}", sender.send(a)),
                (4, Some(sender), _) => {
                    let receiver = sender.subscribe();
                    receivers.push(receiver);
                    String::new()
                }
                (5, Some(sender), _) => {
                    weak.push(sender.downgrade());
                    String::new()
                }
                (6, ..) if !weak.is_empty() => {
                    let upgraded = weak[b % weak.len()].upgrade();
                    let is_some = upgraded.is_some();
                    senders.extend(upgraded);
                    format!(
                        "{is_some} {} {}",
                        weak[0].strong_count(),
                        weak[0].weak_count()
                    )
                }
                (7, Some(sender), _) => {
                    let closed = sender.clone();
                    let closed = async move {
                        closed.closed().await;
                        "closed".to_owned()
                    };
                    format!("{:?}", futures.start(closed))
                }
                (8, Some(_), _) if a % 2 == 0 => {
                    drop(senders.swap_remove(b % senders.len()));
                    String::new()
                }
                (9 | 10, _, Some(receiver)) => format!("{:?}", receiver.try_recv()),
                (11..=13, _, Some(_)) => {
                    let mut receiver = receivers.swap_remove(index);
                    let receive = async move {
                        let first = receiver.recv().await;
                        format!("{first:?} {:?}", receiver.try_recv())
                    };
                    format!("{:?}", futures.start(receive))
                }
                (14, _, Some(receiver)) => {
                    let receiver = receiver.resubscribe();
                    receivers.push(receiver);
                    String::new()
                }
                (15, _, Some(_)) if a % 2 == 0 => {
                    drop(receivers.swap_remove(index));
                    String::new()
                }
                (16..=18, ..) if !futures.is_empty() => format!("{:?}", futures.poll(b)),
                (19, ..) if !futures.is_empty() => {
                    futures.drop(b);
                    String::new()
                }
                _ => String::new(),
            });
            let state = senders.first().map(|sender| {
                let counts = (sender.receiver_count(), sender.strong_count());
                (sender.len(), sender.is_empty(), sender.weak_count(), counts)
            });
            let lens = receivers.iter().map(|receiver| {
                let counts = (receiver.sender_strong_count(), receiver.sender_weak_count());
                (
                    receiver.len(),
                    receiver.is_empty(),
                    receiver.is_closed(),
                    counts,
                )
            });
            let lens: Vec<_> = lens.collect();
            seen.push(format!("{state:?} {lens:?} {}", futures.wakes()));
        }
        seen
    }};
}

fn with_tokio(ops: &[Op]) -> Vec<String> {
    program!(tokio, ops)
}

fn with_racelab(ops: &[Op]) -> Vec<String> {
    program!(future, ops)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn it_is_the_same_as_tokios_in_every_world(ops in ops()) {
        agree(with_tokio, with_racelab, &ops)?;
    }
}

#[test]
fn each_receiver_gets_each_message_or_learns_how_many_it_has_missed() {
    let results = outcomes(|| async {
        let (sender, mut receiver) = broadcast::channel(1);
        drop(spawn(async move {
            sender.send(1).unwrap();
            sender.send(2).unwrap();
        }));
        let mut all = Vec::new();
        loop {
            match receiver.recv().await {
                Ok(n) => all.push(format!("{n}")),
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    all.push(format!("missed {missed}"));
                }
                Err(broadcast::error::RecvError::Closed) => break,
            }
        }
        outcome(all.join(" "));
    });
    assert_eq!(results, ["1 2", "missed 1 2"]);
}

#[test]
fn a_message_is_dropped_when_the_last_receiver_has_got_it() {
    #[derive(Clone)]
    struct Counts(Arc<AtomicU32>);
    impl Drop for Counts {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    super::super::holds(|| {
        let dropped = Arc::new(AtomicU32::new(0));
        let (sender, mut receiver) = broadcast::channel(1);
        let mut other = sender.subscribe();
        assert!(sender.send(Counts(Arc::clone(&dropped))).is_ok());
        // The clone that it gets.
        drop(receiver.try_recv());
        assert_eq!(dropped.load(SeqCst), 1);
        drop(other.try_recv());
        assert_eq!(dropped.load(SeqCst), 3);
        assert!(sender.send(Counts(Arc::clone(&dropped))).is_ok());
        drop((receiver, other));
        assert_eq!(dropped.load(SeqCst), 4);
        assert!(sender.send(Counts(Arc::clone(&dropped))).is_err());
        assert_eq!(dropped.load(SeqCst), 5);
    });
}

#[test]
fn who_waits_for_ever_is_said_to_wait_for_a_message() {
    let report = report(|| {
        future::block_on(async {
            let (_sender, receiver) = broadcast::channel::<u8>(1);
            receiver.named("news").recv().await.unwrap();
        });
    });
    assert!(
        report.contains("main waits for a message on news, at"),
        "{report}"
    );
}
