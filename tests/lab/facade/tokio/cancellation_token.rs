//! `CancellationToken`, which is tokio-util's.

use std::task::Poll;

use proptest::prelude::*;
use racelab::future::{self, spawn, sync::CancellationToken, task::yield_now};
use racelab::{Named, outcome};

use super::super::same_as_std::{Op, agree, ops};
use super::{Futures, outcomes, report};

macro_rules! program {
    ($util:path, $ops:ident) => {{
        use $util as sync;

        let mut tokens = vec![sync::CancellationToken::new()];
        let mut guards = Vec::new();
        let mut futures = Futures::new();
        let mut seen = Vec::new();
        for &(op, a, b, _) in $ops {
            let b = usize::from(b);
            let token = tokens.get(b % tokens.len().max(1)).cloned();
            seen.push(match (op % 14, token) {
                (0 | 1, Some(token)) => {
                    tokens.push(token.child_token());
                    String::new()
                }
                (2, Some(token)) if a % 2 == 0 => format!("{:?}", token.cancel()),
                (3, Some(token)) => {
                    let cancelled = async move { format!("{:?}", token.cancelled().await) };
                    format!("{:?}", futures.start(cancelled))
                }
                (4, Some(token)) => {
                    let cancelled = token.cancelled_owned();
                    let cancelled = async move { format!("{:?}", cancelled.await) };
                    format!("{:?}", futures.start(cancelled))
                }
                (5, Some(token)) => {
                    let run = async move {
                        let run = token.run_until_cancelled(std::future::pending::<u8>());
                        format!("{:?}", run.await)
                    };
                    format!("{:?}", futures.start(run))
                }
                (6, Some(token)) => {
                    let run = token.run_until_cancelled_owned(async move { a });
                    let run = async move { format!("{:?}", run.await) };
                    format!("{:?}", futures.start(run))
                }
                (7, Some(token)) => {
                    guards.push(token.drop_guard());
                    String::new()
                }
                (8, Some(token)) => {
                    let guard = token.drop_guard_ref();
                    let is_cancelled = guard.token().is_cancelled();
                    if a % 2 == 0 {
                        guard.disarm();
                    }
                    format!("{is_cancelled}")
                }
                (9, _) if !guards.is_empty() => {
                    let guard = guards.remove(b % guards.len());
                    if a % 2 == 0 {
                        tokens.push(guard.disarm());
                    }
                    String::new()
                }
                (10, Some(_)) => {
                    drop(tokens.swap_remove(b % tokens.len()));
                    String::new()
                }
                (11 | 12, _) if !futures.is_empty() => format!("{:?}", futures.poll(b)),
                (13, _) if !futures.is_empty() => {
                    futures.drop(b);
                    String::new()
                }
                _ => String::new(),
            });
            let state: Vec<bool> = tokens.iter().map(|token| token.is_cancelled()).collect();
            let first = tokens
                .first()
                .map(|first| *first == tokens[tokens.len() - 1]);
            seen.push(format!("{state:?} {first:?} {}", futures.wakes()));
        }
        seen
    }};
}

fn with_tokio(ops: &[Op]) -> Vec<String> {
    program!(tokio_util::sync, ops)
}

fn with_racelab(ops: &[Op]) -> Vec<String> {
    program!(future::sync, ops)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn it_is_the_same_as_tokio_utils_in_every_world(ops in ops()) {
        agree(with_tokio, with_racelab, &ops)?;
    }
}

#[test]
fn a_task_runs_until_it_is_cancelled_or_has_ended() {
    let results = outcomes(|| async {
        let token = CancellationToken::new();
        let child = token.child_token();
        let task = spawn(async move {
            let work = async {
                yield_now().await;
                1
            };
            child.run_until_cancelled(work).await
        });
        token.cancel();
        outcome(task.await.unwrap());
    });
    assert_eq!(results, ["None", "Some(1)"]);
}

#[test]
fn a_cancellation_publishes_what_was_written_before_it() {
    let results = outcomes(|| async {
        let token = CancellationToken::new();
        let cell = std::sync::Arc::new(super::super::plain::Plain::default());
        let (other, written) = (token.clone(), std::sync::Arc::clone(&cell));
        let task = spawn(async move {
            written.set(1);
            other.cancel();
        });
        token.cancelled().await;
        outcome(cell.get());
        task.await.unwrap();
    });
    assert_eq!(results, ["1"]);
}

#[test]
fn who_waits_for_ever_is_said_to_wait_for_the_cancellation() {
    let report = report(|| {
        future::block_on(async {
            let stop = CancellationToken::new().named("stop");
            let mut futures = Futures::new();
            assert_eq!(
                futures.start(stop.child_token().cancelled_owned()),
                Poll::Pending
            );
            stop.cancelled().await;
        });
    });
    assert!(
        report.contains("main waits for stop to be cancelled, at"),
        "{report}"
    );
}
