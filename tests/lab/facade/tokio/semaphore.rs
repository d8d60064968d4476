//! `Semaphore`.

use std::fmt::Debug;
use std::sync::Arc;
use std::task::Poll;

use proptest::prelude::*;
use racelab::future::{self, spawn, sync::Semaphore};
use racelab::{Named, outcome};

use super::super::same_as_std::{Op, agree, ops};
use super::{Futures, outcomes, report};

macro_rules! program {
    ($tokio:ident, $ops:ident) => {{
        use $tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

        #[derive(Debug)]
        enum Permit<'a> {
            Borrowed(SemaphorePermit<'a>),
            Owned(OwnedSemaphorePermit),
        }

        impl Permit<'_> {
            fn count(&self) -> usize {
                match self {
                    Permit::Borrowed(permit) => permit.num_permits(),
                    Permit::Owned(permit) => permit.num_permits(),
                }
            }
        }

        let semaphore = Arc::new(Semaphore::new($ops.len() % 4));
        let mut permits = Vec::new();
        let mut futures = Futures::new();
        let mut seen = Vec::new();
        for &(op, a, b, c) in $ops {
            let (a, b) = (u32::from(a) % 4, usize::from(b));
            let owned = || Arc::clone(&semaphore);
            seen.push(match op % 24 {
                0..=2 => {
                    let future = semaphore.acquire_many(a);
                    let future = async { future.await.map(Permit::Borrowed) };
                    keep(&mut permits, futures.start(future), Permit::count)
                }
                3 => {
                    let future = owned().acquire_many_owned(a);
                    let future = async { future.await.map(Permit::Owned) };
                    keep(&mut permits, futures.start(future), Permit::count)
                }
                4 => {
                    let future = semaphore.acquire();
                    futures.add(async { future.await.map(Permit::Borrowed) });
                    String::new()
                }
                5 => {
                    let future = owned().acquire_owned();
                    futures.add(async { future.await.map(Permit::Owned) });
                    String::new()
                }
                6..=9 if !futures.is_empty() => keep(&mut permits, futures.poll(b), Permit::count),
                10 | 11 if !futures.is_empty() => {
                    futures.drop(b);
                    String::new()
                }
                12 => {
                    let acquired = semaphore.try_acquire().map(Permit::Borrowed);
                    keep(&mut permits, Poll::Ready(acquired), Permit::count)
                }
                13 => {
                    let acquired = semaphore.try_acquire_many(a).map(Permit::Borrowed);
                    keep(&mut permits, Poll::Ready(acquired), Permit::count)
                }
                14 => {
                    let acquired = owned().try_acquire_owned().map(Permit::Owned);
                    keep(&mut permits, Poll::Ready(acquired), Permit::count)
                }
                15 => {
                    let acquired = owned().try_acquire_many_owned(a).map(Permit::Owned);
                    keep(&mut permits, Poll::Ready(acquired), Permit::count)
                }
                16 | 17 if !permits.is_empty() => {
                    drop(permits.remove(b % permits.len()));
                    String::new()
                }
                18 if !permits.is_empty() => {
                    match permits.remove(b % permits.len()) {
                        Permit::Borrowed(permit) => permit.forget(),
                        Permit::Owned(permit) => permit.forget(),
                    }
                    String::new()
                }
                19 if permits.len() > 1 => {
                    let one = permits.swap_remove(b % permits.len());
                    let last = permits.len() - 1;
                    match (one, &mut permits[last]) {
                        (Permit::Borrowed(one), Permit::Borrowed(other)) => other.merge(one),
                        (Permit::Owned(one), Permit::Owned(other)) => other.merge(one),
                        (one, _) => permits.push(one),
                    }
                    format!(
                        "{:?}",
                        permits.iter().map(Permit::count).collect::<Vec<_>>()
                    )
                }
                20 if !permits.is_empty() => {
                    let index = b % permits.len();
                    let split = match &mut permits[index] {
                        Permit::Borrowed(permit) => permit.split(a as usize).map(Permit::Borrowed),
                        Permit::Owned(permit) => permit.split(a as usize).map(Permit::Owned),
                    };
                    let split_off = split.as_ref().map(Permit::count);
                    permits.extend(split);
                    format!("{split_off:?}")
                }
                21 => format!("{:?}", semaphore.add_permits(a as usize)),
                22 => format!("{}", semaphore.forget_permits(a as usize)),
                23 if c % 4 == 0 => format!("{:?}", semaphore.close()),
                _ => String::new(),
            });
            seen.push(format!(
                "{} {} {}",
                semaphore.available_permits(),
                semaphore.is_closed(),
                futures.wakes()
            ));
        }
        seen
    }};
}

/// Keeps what was acquired, and returns what there is to say of it.
fn keep<P, E: Debug>(
    permits: &mut Vec<P>,
    acquired: Poll<Result<P, E>>,
    count: impl Fn(&P) -> usize,
) -> String {
    let text = match &acquired {
        Poll::Ready(acquired) => format!("{:?}", acquired.as_ref().map(count)),
        Poll::Pending => "pending".to_owned(),
    };
    if let Poll::Ready(Ok(permit)) = acquired {
        permits.push(permit);
    }
    text
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
fn a_permit_that_becomes_free_belongs_to_the_first_in_line() {
    let results = outcomes(|| async {
        let semaphore = Arc::new(Semaphore::new(0));
        let mut many = Futures::new();
        assert!(many.start(semaphore.acquire_many(2)).is_pending());
        let other = Arc::clone(&semaphore);
        let adder = spawn(async move { other.add_permits(1) });
        outcome(semaphore.try_acquire().map(drop));
        adder.await.unwrap();
        outcome(semaphore.try_acquire().map(drop));
        semaphore.add_permits(1);
        assert!(many.poll(0).is_ready());
    });
    assert_eq!(results, ["Err(NoPermits), Err(NoPermits)"]);
}

#[test]
fn an_acquisition_that_is_dropped_gives_back_what_it_had_got() {
    let results = outcomes(|| async {
        let semaphore = Arc::new(Semaphore::new(1));
        let mut many = Futures::new();
        assert!(many.start(semaphore.acquire_many(2)).is_pending());
        let other = Arc::clone(&semaphore);
        let one = spawn(async move { drop(other.acquire().await.unwrap()) });
        many.drop(0);
        one.await.unwrap();
        outcome(semaphore.available_permits());
    });
    assert_eq!(results, ["1"]);
}

#[test]
fn who_waits_when_a_semaphore_is_closed_gets_an_error() {
    let results = outcomes(|| async {
        let semaphore = Arc::new(Semaphore::new(0));
        let other = Arc::clone(&semaphore);
        let task = spawn(async move { other.acquire().await.is_err() });
        semaphore.close();
        outcome(task.await.unwrap());
    });
    assert_eq!(results, ["true"]);
}

#[test]
fn two_that_acquire_two_semaphores_crosswise_can_wait_for_each_other() {
    let results = outcomes(|| async {
        let [a, b] = ["a", "b"].map(|name| Arc::new(Semaphore::new(1).named(name)));
        let (first, second) = (Arc::clone(&a), Arc::clone(&b));
        let task = spawn(async move {
            let _first = first.acquire().await.unwrap();
            let _second = second.acquire().await.unwrap();
        });
        {
            let _second = b.acquire().await.unwrap();
            let _first = a.acquire().await.unwrap();
        }
        task.await.unwrap();
        outcome("both");
    });
    assert_eq!(results, ["both", "deadlock"]);
}

#[test]
fn who_waits_for_ever_is_said_to_wait_for_a_permit() {
    let report = report(|| {
        future::block_on(async {
            let permits = Semaphore::new(0).named("permits");
            drop(permits.acquire().await);
        });
    });
    assert!(
        report.contains("main waits for a permit of permits, at"),
        "{report}"
    );
}

#[test]
fn a_thread_waits_for_a_permit_and_a_task_must_not() {
    super::super::holds(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let other = Arc::clone(&semaphore);
        let thread = racelab::thread::spawn(move || other.add_permits(1));
        semaphore.blocking_acquire().unwrap().forget();
        thread.join().unwrap();
    });
    let blocks = || {
        future::block_on(async { drop(Semaphore::new(1).blocking_acquire()) });
    };
    super::super::fails(racelab::FailureKind::Panic, blocks);
    std::panic::catch_unwind(blocks).expect_err("it panics outside as well");
}
