//! `watch`.

use proptest::prelude::*;
use racelab::future::{self, spawn, sync::watch};
use racelab::{Named, outcome};

use super::super::same_as_std::{Op, agree, ops};
use super::{Futures, outcomes, report};

macro_rules! program {
    ($tokio:ident, $ops:ident) => {{
        let (sender, receiver) = $tokio::sync::watch::channel(0);
        let (mut senders, mut receivers) = (vec![sender], vec![receiver]);
        let mut futures = Futures::new();
        let mut seen = Vec::new();
        for &(op, a, b, _) in $ops {
            let b = usize::from(b);
            let sender = senders.get(b % senders.len().max(1));
            let index = b % receivers.len().max(1);
            seen.push(match (op % 24, sender, receivers.get_mut(index)) {
                (0 | 1, Some(sender), _) => format!("{:?}", sender.send(a)),
                (2, Some(sender), _) => format!("{:?}", sender.send_replace(a)),
                (3, Some(sender), _) => format!("{:?}", sender.send_modify(|value| *value ^= a)),
                (4, Some(sender), _) => {
                    let modify = |value: &mut u8| {
                        *value ^= a;
                        a % 2 == 0
                    };
                    format!("{}", sender.send_if_modified(modify))
                }
                (5, Some(sender), _) => format!("{}", *sender.borrow()),
                (6, Some(sender), _) => {
                    let receiver = sender.subscribe();
                    receivers.push(receiver);
                    String::new()
                }
                (7, Some(sender), _) => {
                    let closed = sender.clone();
                    let closed = async move {
                        closed.closed().await;
                        "closed".to_owned()
                    };
                    format!("{:?}", futures.start(closed))
                }
                (8, Some(sender), _) => {
                    let sender = sender.clone();
                    senders.push(sender);
                    String::new()
                }
                (9, Some(_), _) if a % 2 == 0 => {
                    drop(senders.swap_remove(b % senders.len()));
                    String::new()
                }
                (10, _, Some(receiver)) => {
                    let value = receiver.borrow();
                    format!("{} {}", *value, value.has_changed())
                }
                (11, _, Some(receiver)) => {
                    let value = receiver.borrow_and_update();
                    format!("{} {}", *value, value.has_changed())
                }
                (12, _, Some(receiver)) => format!("{:?}", receiver.mark_changed()),
                (13, _, Some(receiver)) => format!("{:?}", receiver.mark_unchanged()),
                (14 | 15, _, Some(_)) => {
                    let mut receiver = receivers.swap_remove(index);
                    let changed = async move { format!("{:?}", receiver.changed().await) };
                    format!("{:?}", futures.start(changed))
                }
                (16, _, Some(_)) => {
                    let mut receiver = receivers.swap_remove(index);
                    let changed = async move {
                        let value = receiver.wait_for(|value| *value % 3 == a % 3).await;
                        let value = value.map(|value| (*value, value.has_changed()));
                        format!("{value:?}")
                    };
                    format!("{:?}", futures.start(changed))
                }
                (17, _, Some(receiver)) => {
                    let receiver = receiver.clone();
                    receivers.push(receiver);
                    String::new()
                }
                (18, _, Some(_)) if a % 2 == 0 => {
                    drop(receivers.swap_remove(index));
                    String::new()
                }
                (19..=22, ..) if !futures.is_empty() => format!("{:?}", futures.poll(b)),
                (23, ..) if !futures.is_empty() => {
                    futures.drop(b);
                    String::new()
                }
                _ => String::new(),
            });
            let state = senders.first().map(|sender| {
                let counts = (sender.receiver_count(), sender.sender_count());
                (sender.is_closed(), counts)
            });
            let changed = receivers.iter().map(|receiver| {
                let is_changed = receiver.has_changed();
                format!("{is_changed:?} {}", receiver.is_closed())
            });
            let changed: Vec<String> = changed.collect();
            seen.push(format!("{state:?} {changed:?} {}", futures.wakes()));
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
fn a_receiver_sees_the_newest_value_and_may_miss_others() {
    let results = outcomes(|| async {
        let (sender, mut receiver) = watch::channel(0);
        drop(spawn(async move {
            sender.send(1).unwrap();
            sender.send(2).unwrap();
        }));
        let mut seen = Vec::new();
        while receiver.changed().await.is_ok() {
            seen.push(*receiver.borrow_and_update());
        }
        outcome(seen);
    });
    assert_eq!(results, ["[1, 2]", "[2]"]);
}

#[test]
fn a_value_that_is_borrowed_over_an_await_of_its_sender_is_a_deadlock() {
    let report = report(|| {
        future::block_on(async {
            let (sender, receiver) = watch::channel(0);
            let config = receiver.named("config");
            let value = config.borrow();
            spawn(async move { sender.send(1).unwrap() }).await.unwrap();
            drop(value);
        });
    });
    assert!(
        report.contains("T1 waits to write config, which main holds for reading"),
        "{report}"
    );
}

#[test]
fn a_change_is_seen_only_with_what_was_written_before_it() {
    let results = outcomes(|| async {
        let (sender, mut receiver) = watch::channel(false);
        let cell = std::sync::Arc::new(super::super::plain::Plain::default());
        let written = std::sync::Arc::clone(&cell);
        let writer = spawn(async move {
            written.set(1);
            sender.send_replace(true);
        });
        receiver.wait_for(|is_set| *is_set).await.unwrap();
        outcome(cell.get());
        writer.await.unwrap();
    });
    assert_eq!(results, ["1"]);
}

#[test]
fn who_waits_for_ever_is_said_to_wait_for_a_change() {
    let report = report(|| {
        future::block_on(async {
            let (_sender, receiver) = watch::channel(0);
            receiver.named("config").changed().await.unwrap();
        });
    });
    assert!(
        report.contains("main waits for a change of config, at"),
        "{report}"
    );
}
