//! `Notify`.

use std::pin::pin;
use std::sync::Arc;

use proptest::prelude::*;
use racelab::future::{self, spawn, sync::Notify};
use racelab::sync::atomic::{AtomicBool, Ordering::SeqCst};
use racelab::{Named, outcome};

use super::super::plain::Plain;
use super::super::same_as_std::{Op, agree, ops};
use super::{Futures, outcomes, pinned, report};

macro_rules! program {
    ($tokio:ident, $ops:ident) => {{
        let notify = Arc::new($tokio::sync::Notify::new());
        let mut futures = Futures::new();
        let mut seen = Vec::new();
        for &(op, a, b, _) in $ops {
            let b = usize::from(b);
            seen.push(match op % 12 {
                0 | 1 => format!("{:?}", futures.start(notify.notified())),
                2 => format!("{:?}", futures.start(Arc::clone(&notify).notified_owned())),
                3 => {
                    futures.add(notify.notified());
                    String::new()
                }
                4 => {
                    let mut future = Box::pin(notify.notified());
                    let is_notified = future.as_mut().enable();
                    if is_notified {
                        drop(future);
                    } else {
                        futures.add(pinned(future));
                    }
                    format!("{is_notified}")
                }
                5 | 6 if !futures.is_empty() => format!("{:?}", futures.poll(b)),
                7 if !futures.is_empty() => {
                    futures.drop(b);
                    String::new()
                }
                8 | 9 => format!("{:?}", notify.notify_one()),
                10 => format!("{:?}", notify.notify_last()),
                11 if a % 2 == 0 => format!("{:?}", notify.notify_waiters()),
                _ => String::new(),
            });
            seen.push(futures.wakes());
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
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn it_is_the_same_as_tokios_in_every_world(ops in ops()) {
        agree(with_tokio, with_racelab, &ops)?;
    }
}

#[test]
fn a_notification_is_stored_for_who_comes_later() {
    let results = outcomes(|| async {
        let notify = Arc::new(Notify::new());
        let other = Arc::clone(&notify);
        let task = spawn(async move { other.notify_one() });
        notify.notified().await;
        task.await.unwrap();
        outcome("notified");
    });
    assert_eq!(results, ["notified"]);
}

#[test]
fn notify_waiters_stores_nothing() {
    let results = outcomes(|| async {
        let notify = Arc::new(Notify::new());
        let other = Arc::clone(&notify);
        drop(spawn(async move { other.notify_waiters() }));
        notify.notified().await;
        outcome("notified");
    });
    assert_eq!(results, ["notified", "deadlock"]);
}

#[test]
fn a_future_that_is_made_before_the_look_loses_no_notification() {
    let wait = |notify: Arc<Notify>, is_set: Arc<AtomicBool>| async move {
        loop {
            let notified = notify.notified();
            if is_set.load(SeqCst) {
                break;
            }
            notified.await;
        }
    };
    let results = outcomes(move || async move {
        let notify = Arc::new(Notify::new());
        let is_set = Arc::new(AtomicBool::new(false));
        let (other, set) = (Arc::clone(&notify), Arc::clone(&is_set));
        drop(spawn(async move {
            set.store(true, SeqCst);
            other.notify_waiters();
        }));
        wait(notify, is_set).await;
        outcome("set");
    });
    assert_eq!(results, ["set"]);
}

#[test]
fn a_notification_that_a_dropped_future_had_got_is_passed_on() {
    let results = outcomes(|| async {
        let notify = Arc::new(Notify::new());
        let mut first = Box::pin(notify.notified());
        assert!(!first.as_mut().enable());
        let other = Arc::clone(&notify);
        let second = spawn(async move { other.notified().await });
        notify.notify_one();
        drop(first);
        second.await.unwrap();
        outcome("second");
    });
    assert_eq!(results, ["second"]);
}

#[test]
fn a_notification_publishes_what_was_written_before_it() {
    let body = |waits: bool| async move {
        let notify = Arc::new(Notify::new());
        let cell = Arc::new(Plain::default());
        let (other, written) = (Arc::clone(&notify), Arc::clone(&cell));
        let writer = spawn(async move {
            written.set(1);
            other.notify_one();
        });
        if waits {
            pin!(notify.notified()).await;
        }
        outcome(cell.get());
        writer.await.unwrap();
    };
    assert_eq!(outcomes(move || body(true)), ["1"]);
    assert!(outcomes(move || body(false)).contains(&"data-race".to_owned()));
}

#[test]
fn who_waits_for_ever_is_said_to_wait_for_the_notification() {
    let report = report(|| {
        future::block_on(async {
            let notify = Notify::new().named("ready");
            notify.notified().await;
        });
    });
    assert!(
        report.contains("main waits to be notified on ready, at"),
        "{report}"
    );
}
