//! `OnceCell`, and `Barrier`.

use std::sync::Arc;

use proptest::prelude::*;
use racelab::future::sync::{Barrier, OnceCell};
use racelab::future::{self, spawn, task::yield_now};
use racelab::{Named, outcome};

use super::super::same_as_std::{Op, agree, ops};
use super::{Futures, outcomes, report};

macro_rules! cell {
    ($tokio:ident, $ops:ident) => {{
        let gate = tokio::sync::Semaphore::new(0);
        let mut cell = $tokio::sync::OnceCell::new();
        let mut seen = Vec::new();
        for round in $ops.chunks(6) {
            {
                let (cell, gate) = (&cell, &gate);
                let mut futures = Futures::new();
                for &(op, a, b, _) in round {
                    let b = usize::from(b);
                    seen.push(match op % 9 {
                        0..=2 => {
                            let make = move || async move {
                                gate.acquire().await.unwrap().forget();
                                a
                            };
                            let made = async move { format!("{}", cell.get_or_init(make).await) };
                            format!("{:?}", futures.start(made))
                        }
                        3 => {
                            let make = move || async move {
                                gate.acquire().await.unwrap().forget();
                                if a % 2 == 0 { Ok(a) } else { Err(a) }
                            };
                            let made =
                                async move { format!("{:?}", cell.get_or_try_init(make).await) };
                            format!("{:?}", futures.start(made))
                        }
                        4 if a % 2 == 0 => format!("{:?}", cell.set(a)),
                        5 | 6 if !futures.is_empty() => format!("{:?}", futures.poll(b)),
                        7 if !futures.is_empty() => {
                            futures.drop(b);
                            String::new()
                        }
                        8 => format!("{:?}", gate.add_permits(1)),
                        _ => String::new(),
                    });
                    let state = (cell.get(), cell.initialized());
                    seen.push(format!("{state:?} {}", futures.wakes()));
                }
            }
            seen.push(format!("{:?} {cell:?}", cell.clone() == cell));
            seen.push(format!("{:?}", cell.take()));
        }
        seen
    }};
}

macro_rules! barrier {
    ($tokio:ident, $ops:ident) => {{
        let barrier = $tokio::sync::Barrier::new($ops.len() % 4);
        let mut futures = Futures::new();
        let mut seen = Vec::new();
        for &(op, _, b, _) in $ops {
            let b = usize::from(b);
            let wait = || async { barrier.wait().await.is_leader() };
            seen.push(match op % 6 {
                0..=2 => format!("{:?}", futures.start(wait())),
                3 | 4 if !futures.is_empty() => format!("{:?}", futures.poll(b)),
                5 if !futures.is_empty() => {
                    futures.drop(b);
                    String::new()
                }
                _ => String::new(),
            });
            seen.push(futures.wakes());
        }
        seen
    }};
}

fn with_tokio(ops: &[Op]) -> Vec<String> {
    cell!(tokio, ops)
}

fn with_racelab(ops: &[Op]) -> Vec<String> {
    cell!(future, ops)
}

fn barrier_with_tokio(ops: &[Op]) -> Vec<String> {
    barrier!(tokio, ops)
}

fn barrier_with_racelab(ops: &[Op]) -> Vec<String> {
    barrier!(future, ops)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_cell_is_the_same_as_tokios_in_every_world(ops in ops()) {
        agree(with_tokio, with_racelab, &ops)?;
    }

    #[test]
    fn a_barrier_is_the_same_as_tokios_in_every_world(ops in ops()) {
        agree(barrier_with_tokio, barrier_with_racelab, &ops)?;
    }
}

#[test]
fn one_makes_the_value_and_all_see_it() {
    let results = outcomes(|| async {
        let cell = Arc::new(OnceCell::new());
        let other = Arc::clone(&cell);
        let make = async |cell: &OnceCell<u8>, value: u8| {
            let value = cell.get_or_init(|| async move {
                yield_now().await;
                value
            });
            *value.await
        };
        let task = spawn(async move { make(&other, 1).await });
        let seen = make(&cell, 2).await;
        outcome((seen, task.await.unwrap()));
    });
    assert_eq!(results, ["(1, 1)", "(2, 2)"]);
}

#[test]
fn a_cell_whose_maker_waits_for_it_is_a_deadlock() {
    let report = report(|| {
        future::block_on(async {
            let cell = OnceCell::new().named("cell");
            let inner = || async { *cell.get_or_init(|| async { 1 }).await };
            cell.get_or_init(inner).await;
        });
    });
    assert!(
        report.contains("main waits for cell to be initialised, at"),
        "{report}"
    );
}

#[test]
fn tasks_that_pass_a_barrier_know_what_all_did_before() {
    let results = outcomes(|| async {
        let barrier = Arc::new(Barrier::new(2));
        let cell = Arc::new(super::super::plain::Plain::default());
        let (other, written) = (Arc::clone(&barrier), Arc::clone(&cell));
        let task = spawn(async move {
            written.set(1);
            other.wait().await.is_leader()
        });
        let leads = barrier.wait().await.is_leader();
        outcome((cell.get(), leads != task.await.unwrap()));
    });
    assert_eq!(results, ["(1, true)"]);
}

#[test]
fn who_waits_for_ever_at_a_barrier_is_said_to() {
    let report = report(|| {
        future::block_on(async {
            Barrier::new(2).named("start").wait().await;
        });
    });
    assert!(report.contains("main waits at start, at"), "{report}");
}
