//! `mpsc`.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use racelab::future::{self, spawn, sync::mpsc};
use racelab::{Named, outcome};

use super::super::same_as_std::{Op, agree, ops};
use super::{Futures, outcomes, report};

/// What both kinds of channels have.
macro_rules! common {
    ($seen:ident, $op:expr, $a:ident, $b:ident, $senders:ident, $weak:ident, $receiver:ident, $futures:ident) => {{
        let (a, b) = ($a, $b);
        match ($op, $senders.get(b % $senders.len().max(1)), &mut $receiver) {
            (0, _, Some(receiver)) => format!("{:?}", receiver.try_recv()),
            (1, _, Some(receiver)) => {
                let mut context = Context::from_waker(Waker::noop());
                format!("{:?}", receiver.poll_recv(&mut context))
            }
            (2, _, Some(receiver)) => {
                let mut messages = vec![0];
                let polled = {
                    let mut futures = Futures::new();
                    futures.start(receiver.recv_many(&mut messages, usize::from(a % 4)))
                };
                format!("{polled:?} {messages:?}")
            }
            (3, _, Some(receiver)) => {
                let mut futures = Futures::new();
                format!("{:?}", futures.start(receiver.recv()))
            }
            (4, Some(_), _) => {
                drop($senders.swap_remove(b % $senders.len()));
                String::new()
            }
            (5, Some(sender), _) => {
                let sender = sender.clone();
                $senders.push(sender);
                String::new()
            }
            (6, Some(sender), _) => {
                $weak.push(sender.downgrade());
                String::new()
            }
            (7, ..) if !$weak.is_empty() => {
                let upgraded = $weak[b % $weak.len()].upgrade();
                let is_some = upgraded.is_some();
                $senders.extend(upgraded);
                format!("{is_some} {}", $weak[0].strong_count())
            }
            (8, _, Some(receiver)) if a % 2 == 0 => format!("{:?}", receiver.close()),
            (9, ..) if a % 3 == 0 => {
                drop($receiver.take());
                String::new()
            }
            (10, Some(sender), _) => {
                let closed = sender.clone();
                let closed = $futures.start(async move {
                    closed.closed().await;
                    "closed".to_owned()
                });
                format!("{closed:?}")
            }
            (11, Some(sender), _) => {
                format!("{} {}", sender.strong_count(), sender.weak_count())
            }
            (12..=14, ..) if !$futures.is_empty() => format!("{:?}", $futures.poll(b)),
            (15, ..) if !$futures.is_empty() => {
                $futures.drop(b);
                String::new()
            }
            _ => String::new(),
        }
    }};
}

macro_rules! state {
    ($senders:ident, $receiver:ident, $futures:ident) => {{
        let sender = $senders.first().map(|sender| {
            let is_same = sender.same_channel(&$senders[$senders.len() - 1]);
            (sender.is_closed(), is_same)
        });
        let receiver = $receiver.as_ref().map(|receiver| {
            let counts = (receiver.sender_strong_count(), receiver.sender_weak_count());
            (
                receiver.is_closed(),
                receiver.is_empty(),
                receiver.len(),
                counts,
            )
        });
        format!("{sender:?} {receiver:?} {}", $futures.wakes())
    }};
}

macro_rules! bounded {
    ($tokio:ident, $ops:ident) => {{
        use $tokio::sync::mpsc::{OwnedPermit, channel};

        let (sender, receiver) = channel(1 + $ops.len() % 3);
        let (mut senders, mut receiver, mut weak) = (vec![sender], Some(receiver), Vec::new());
        let mut permits: Vec<OwnedPermit<u8>> = Vec::new();
        let mut futures = Futures::new();
        let mut seen = Vec::new();
        for &(op, a, b, _) in $ops {
            let b = usize::from(b);
            let sender = senders.get(b % senders.len().max(1)).cloned();
            seen.push(match (op % 30, sender) {
                (op @ 0..16, sender) => {
                    drop(sender);
                    common!(seen, op, a, b, senders, weak, receiver, futures)
                }
                (16, Some(sender)) => format!("{:?}", sender.try_send(a)),
                (17..=19, Some(sender)) => {
                    let send = async move { format!("{:?}", sender.send(a).await) };
                    format!("{:?}", futures.start(send))
                }
                (20, Some(sender)) => {
                    let send = async move {
                        match sender.reserve().await {
                            Ok(permit) => format!("{:?}", permit.send(a)),
                            Err(error) => format!("{error:?}"),
                        }
                    };
                    format!("{:?}", futures.start(send))
                }
                (21, Some(sender)) => {
                    let send = async move {
                        match sender.reserve_many(2).await {
                            Ok(permits) => {
                                let count = permits.len();
                                for permit in permits.take(1) {
                                    permit.send(a);
                                }
                                format!("{count}")
                            }
                            Err(error) => format!("{error:?}"),
                        }
                    };
                    format!("{:?}", futures.start(send))
                }
                (22, Some(sender)) => match sender.try_reserve() {
                    Ok(permit) if a % 2 == 0 => format!("{:?}", permit.send(a)),
                    Ok(_) => "dropped".to_owned(),
                    Err(error) => format!("{error:?}"),
                },
                (23, Some(sender)) => match sender.try_reserve_many(2) {
                    Ok(permits) => format!("{}", permits.len()),
                    Err(error) => format!("{error:?}"),
                },
                (24 | 25, Some(sender)) => match sender.try_reserve_owned() {
                    Ok(permit) => {
                        permits.push(permit);
                        "reserved".to_owned()
                    }
                    Err(error) => format!("{error}"),
                },
                (26, _) if !permits.is_empty() => {
                    let sender = permits.remove(b % permits.len()).send(a);
                    format!("{}", sender.capacity())
                }
                (27, _) if !permits.is_empty() => {
                    let permit = permits.remove(b % permits.len());
                    let is_same = permits.iter().all(|other| other.same_channel(&permit));
                    let sender = permit.release();
                    format!("{is_same} {}", sender.max_capacity())
                }
                (28, _) if !permits.is_empty() => {
                    drop(permits.remove(b % permits.len()));
                    String::new()
                }
                (29, Some(sender)) => {
                    let send = async move {
                        match sender.reserve_owned().await {
                            Ok(permit) => format!("{}", permit.send(a).capacity()),
                            Err(error) => format!("{error:?}"),
                        }
                    };
                    format!("{:?}", futures.start(send))
                }
                _ => String::new(),
            });
            seen.push(state!(senders, receiver, futures));
        }
        seen
    }};
}

macro_rules! unbounded {
    ($tokio:ident, $ops:ident) => {{
        let (sender, receiver) = $tokio::sync::mpsc::unbounded_channel();
        let (mut senders, mut receiver, mut weak) = (vec![sender], Some(receiver), Vec::new());
        let mut futures = Futures::new();
        let mut seen = Vec::new();
        for &(op, a, b, _) in $ops {
            let b = usize::from(b);
            let sender = senders.get(b % senders.len().max(1)).cloned();
            seen.push(match (op % 20, sender) {
                (op @ 0..16, sender) => {
                    drop(sender);
                    common!(seen, op, a, b, senders, weak, receiver, futures)
                }
                (_, Some(sender)) => format!("{:?}", sender.send(a)),
                _ => String::new(),
            });
            seen.push(state!(senders, receiver, futures));
        }
        seen
    }};
}

mod bounded {
    use super::*;

    fn with_tokio(ops: &[Op]) -> Vec<String> {
        bounded!(tokio, ops)
    }

    fn with_racelab(ops: &[Op]) -> Vec<String> {
        bounded!(future, ops)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn it_is_the_same_as_tokios_in_every_world(ops in ops()) {
            agree(with_tokio, with_racelab, &ops)?;
        }
    }
}

mod unbounded {
    use super::*;

    fn with_tokio(ops: &[Op]) -> Vec<String> {
        unbounded!(tokio, ops)
    }

    fn with_racelab(ops: &[Op]) -> Vec<String> {
        unbounded!(future, ops)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn it_is_the_same_as_tokios_in_every_world(ops in ops()) {
            agree(with_tokio, with_racelab, &ops)?;
        }
    }
}

#[test]
fn messages_of_two_senders_arrive_in_every_order_of_the_senders() {
    let results = outcomes(|| async {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let other = sender.clone();
        drop(spawn(async move {
            sender.send(1).unwrap();
            sender.send(2).unwrap();
        }));
        other.send(10).unwrap();
        drop(other);
        let mut all = Vec::new();
        while let Some(n) = receiver.recv().await {
            all.push(n);
        }
        outcome(all);
    });
    assert_eq!(results, ["[1, 10, 2]", "[1, 2, 10]", "[10, 1, 2]"]);
}

#[test]
fn a_permit_keeps_room_and_gives_it_back_when_it_is_dropped() {
    let results = outcomes(|| async {
        let (sender, mut receiver) = mpsc::channel(1);
        let permit = sender.reserve().await.unwrap();
        let other = sender.clone();
        let task = spawn(async move { other.send(2).await.unwrap() });
        outcome(sender.try_send(1).is_err());
        drop(permit);
        outcome(receiver.recv().await);
        task.await.unwrap();
    });
    assert_eq!(results, ["true, Some(2)"]);
}

#[test]
fn a_message_of_an_execution_is_dropped_when_nobody_receives_it() {
    struct Counts(Arc<racelab::sync::atomic::AtomicUsize>);
    impl Drop for Counts {
        fn drop(&mut self) {
            self.0.fetch_add(1, racelab::sync::atomic::Ordering::SeqCst);
        }
    }
    super::super::holds(|| {
        let dropped = Arc::new(racelab::sync::atomic::AtomicUsize::new(0));
        let (sender, receiver) = mpsc::channel(2);
        for _ in 0..2 {
            assert!(sender.try_send(Counts(Arc::clone(&dropped))).is_ok());
        }
        drop(receiver);
        assert!(sender.try_send(Counts(Arc::clone(&dropped))).is_err());
        assert_eq!(dropped.load(racelab::sync::atomic::Ordering::SeqCst), 3);
    });
}

#[test]
fn who_waits_for_ever_is_said_to_wait_for_a_message_or_for_room() {
    let receives = report(|| {
        future::block_on(async {
            let (_sender, mut jobs) = mpsc::channel::<u8>(1);
            jobs = jobs.named("jobs");
            jobs.recv().await;
        });
    });
    assert!(
        receives.contains("main waits for a message on jobs, at"),
        "{receives}"
    );
    let sends = report(|| {
        future::block_on(async {
            let (sender, _receiver) = mpsc::channel::<u8>(1);
            let jobs = sender.named("jobs");
            jobs.send(1).await.unwrap();
            jobs.send(2).await.unwrap();
        });
    });
    assert!(sends.contains("main waits for room in jobs, at"), "{sends}");
    let both = report(|| {
        future::block_on(async {
            let (_jobs, mut jobs) = mpsc::channel::<u8>(1);
            let (_stops, mut stops) = mpsc::channel::<u8>(1);
            (jobs, stops) = (jobs.named("jobs"), stops.named("stops"));
            poll_fn(|context| {
                let (job, stop) = (jobs.poll_recv(context), stops.poll_recv(context));
                if job.is_ready() || stop.is_ready() {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
        });
    });
    assert!(
        both.contains("main waits for a message on jobs, at"),
        "{both}"
    );
    assert!(both.contains("or for a message on stops, at"), "{both}");
}

#[test]
fn a_thread_sends_and_receives_while_it_waits() {
    let results = outcomes(|| async {
        let (sender, mut receiver) = mpsc::channel(1);
        let thread = racelab::thread::spawn(move || {
            sender.blocking_send(1).unwrap();
            sender.blocking_send(2).unwrap();
        });
        let sum = receiver.recv().await.unwrap() + receiver.recv().await.unwrap();
        thread.join().unwrap();
        outcome(sum);
    });
    assert_eq!(results, ["3"]);
}
