//! `oneshot`.

use std::pin::Pin;
use std::task::{Context, Waker};

use proptest::prelude::*;
use racelab::future::{self, spawn, sync::oneshot};
use racelab::{Named, outcome};

use super::super::same_as_std::{Op, agree, ops};
use super::{outcomes, report};

macro_rules! program {
    ($tokio:ident, $ops:ident) => {{
        let mut seen = Vec::new();
        let mut context = Context::from_waker(Waker::noop());
        let (sender, receiver) = $tokio::sync::oneshot::channel();
        let (mut sender, mut receiver) = (Some(sender), Some(receiver));
        for &(op, a, _, _) in $ops {
            seen.push(match (op % 9, &mut sender, &mut receiver) {
                (0, Some(_), _) => {
                    let sender = sender.take().expect("it is there");
                    format!("{:?}", sender.send(a))
                }
                (1, Some(sender), _) => format!("{:?}", sender.poll_closed(&mut context)),
                (2, Some(_), _) if a % 2 == 0 => format!("{:?}", drop(sender.take())),
                (3, _, Some(receiver)) => format!("{:?}", receiver.close()),
                (4, _, Some(receiver)) => format!("{:?}", receiver.try_recv()),
                (5 | 6, _, Some(receiver)) if !receiver.is_terminated() => {
                    format!("{:?}", Pin::new(receiver).poll(&mut context))
                }
                (7, _, Some(_)) if a % 2 == 0 => format!("{:?}", drop(receiver.take())),
                _ => String::new(),
            });
            let closed = sender.as_ref().map(|sender| sender.is_closed());
            let receiver = receiver.as_ref();
            let state = receiver.map(|receiver| (receiver.is_empty(), receiver.is_terminated()));
            seen.push(format!("{closed:?} {state:?}"));
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
fn the_message_arrives_or_comes_back() {
    let results = outcomes(|| async {
        let (sender, mut receiver) = oneshot::channel();
        let task = spawn(async move { sender.send(1) });
        let early = receiver.try_recv().ok();
        receiver.close();
        let late = match early {
            Some(_) => None,
            None => receiver.await.ok(),
        };
        outcome((early, task.await.unwrap(), late));
    });
    assert_eq!(
        results,
        [
            "(None, Err(1), None)",
            "(None, Ok(()), Some(1))",
            "(Some(1), Ok(()), None)",
        ]
    );
}

#[test]
fn a_receiver_learns_that_the_sender_is_gone_and_the_sender_that_the_receiver_is() {
    let results = outcomes(|| async {
        let (sender, receiver) = oneshot::channel::<u8>();
        let (mut other, gone) = oneshot::channel::<u8>();
        drop(spawn(async move { drop((sender, gone)) }));
        outcome(receiver.await.is_err());
        other.closed().await;
        outcome(other.is_closed());
    });
    assert_eq!(results, ["true, true"]);
}

#[test]
fn who_waits_for_ever_is_said_to_wait_for_the_message() {
    let report = report(|| {
        future::block_on(async {
            let (_sender, answer) = oneshot::channel::<u8>();
            answer.named("answer").await.unwrap();
        });
    });
    assert!(
        report.contains("main waits for a message on answer, at"),
        "{report}"
    );
}
