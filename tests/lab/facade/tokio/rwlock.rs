//! `RwLock`.

use std::sync::Arc;
use std::task::Poll;

use proptest::prelude::*;
use racelab::future::{self, spawn, sync::RwLock};
use racelab::{Named, outcome};

use super::super::same_as_std::{Op, agree, ops};
use super::{Futures, outcomes, report};

macro_rules! program {
    ($tokio:ident, $ops:ident) => {{
        use $tokio::sync::{
            OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock,
            RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard,
        };

        enum Guard<'a> {
            Read(RwLockReadGuard<'a, u8>),
            Write(RwLockWriteGuard<'a, u8>),
            Mapped(RwLockMappedWriteGuard<'a, u8>),
            OwnedRead(OwnedRwLockReadGuard<u8>),
            OwnedWrite(OwnedRwLockWriteGuard<u8>),
            OwnedMapped(OwnedRwLockMappedWriteGuard<u8>),
        }

        impl Guard<'_> {
            fn change(&mut self, a: u8) -> String {
                match self {
                    Guard::Read(guard) => format!("{guard} read"),
                    Guard::Write(guard) => {
                        **guard ^= a;
                        format!("{guard:?} write")
                    }
                    Guard::Mapped(part) => {
                        **part ^= a;
                        format!("{part:?} mapped")
                    }
                    Guard::OwnedRead(guard) => {
                        let lock = OwnedRwLockReadGuard::rwlock(guard);
                        format!("{guard} {}", Arc::strong_count(lock))
                    }
                    Guard::OwnedWrite(guard) => {
                        **guard ^= a;
                        let lock = OwnedRwLockWriteGuard::rwlock(guard);
                        format!("{guard} {}", Arc::strong_count(lock))
                    }
                    Guard::OwnedMapped(part) => {
                        **part ^= a;
                        let lock = OwnedRwLockMappedWriteGuard::rwlock(part);
                        format!("{part} {}", Arc::strong_count(lock))
                    }
                }
            }

            fn map(self, a: u8) -> Self {
                let (is_one, is_there) = (a % 2 == 0, a % 3 == 0);
                match self {
                    Guard::Read(guard) if is_one => {
                        Guard::Read(RwLockReadGuard::map(guard, |all| all))
                    }
                    Guard::Read(guard) => {
                        match RwLockReadGuard::try_map(guard, |all| is_there.then_some(all)) {
                            Ok(guard) | Err(guard) => Guard::Read(guard),
                        }
                    }
                    Guard::Write(guard) if is_one => {
                        match RwLockWriteGuard::try_downgrade_map(guard, |all| {
                            is_there.then_some(all)
                        }) {
                            Ok(guard) => Guard::Read(guard),
                            Err(guard) => Guard::Write(guard),
                        }
                    }
                    Guard::Write(guard) if is_there => Guard::Read(guard.downgrade()),
                    Guard::Write(guard) => Guard::Mapped(RwLockWriteGuard::into_mapped(guard)),
                    Guard::OwnedWrite(guard) if is_one => {
                        Guard::OwnedRead(OwnedRwLockWriteGuard::downgrade_map(guard, |all| all))
                    }
                    Guard::OwnedWrite(guard) if is_there => Guard::OwnedRead(guard.downgrade()),
                    Guard::OwnedWrite(guard) => {
                        Guard::OwnedMapped(OwnedRwLockWriteGuard::map(guard, |all| all))
                    }
                    other => other,
                }
            }
        }

        let most = [1, 2, 3][$ops.len() % 3];
        let lock = Arc::new(RwLock::with_max_readers(0, most));
        let mut guards = Vec::new();
        let mut futures = Futures::new();
        let mut seen = Vec::new();
        for &(op, a, b, _) in $ops {
            let b = usize::from(b);
            let owned = || Arc::clone(&lock);
            let mut acquired = None;
            match op % 17 {
                0 | 1 => acquired = ready(futures.start(async { Guard::Read(lock.read().await) })),
                2 => {
                    let read = owned().read_owned();
                    acquired = ready(futures.start(async { Guard::OwnedRead(read.await) }));
                }
                3 => acquired = ready(futures.start(async { Guard::Write(lock.write().await) })),
                4 => {
                    let write = owned().write_owned();
                    acquired = ready(futures.start(async { Guard::OwnedWrite(write.await) }));
                }
                5..=7 if !futures.is_empty() => acquired = ready(futures.poll(b)),
                8 if !futures.is_empty() => futures.drop(b),
                9 => acquired = lock.try_read().ok().map(Guard::Read),
                10 => acquired = lock.try_write().ok().map(Guard::Write),
                11 => acquired = owned().try_read_owned().ok().map(Guard::OwnedRead),
                12 => acquired = owned().try_write_owned().ok().map(Guard::OwnedWrite),
                13 | 14 if !guards.is_empty() => {
                    let guard: Guard<'_> = guards.remove(b % guards.len());
                    drop(guard);
                }
                15 if !guards.is_empty() => {
                    let guard = guards.remove(b % guards.len());
                    acquired = Some(Guard::map(guard, a));
                }
                _ => seen.push(format!("{lock:?}")),
            }
            seen.push(format!("{}", acquired.is_some()));
            guards.extend(acquired);
            seen.extend(guards.last_mut().map(|guard| guard.change(a)));
            seen.push(futures.wakes());
        }
        seen
    }};
}

fn ready<T>(polled: Poll<T>) -> Option<T> {
    match polled {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
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
fn readers_share_the_lock_and_a_writer_does_not() {
    let results = outcomes(|| async {
        let lock = Arc::new(RwLock::new((0, 0)));
        let other = Arc::clone(&lock);
        let writer = spawn(async move {
            let mut both = other.write().await;
            both.0 += 1;
            future::task::yield_now().await;
            both.1 += 1;
        });
        let first = lock.read().await;
        // Nobody writes between the two; who waits to write is in line before the second.
        let second = lock.try_read().map(|both| *both);
        outcome((*first, second.ok()));
        drop(first);
        writer.await.unwrap();
    });
    assert_eq!(
        results,
        [
            "((0, 0), None)",
            "((0, 0), Some((0, 0)))",
            "((1, 1), Some((1, 1)))"
        ]
    );
}

#[test]
fn to_read_twice_is_a_deadlock_if_a_writer_comes_between() {
    let results = outcomes(|| async {
        let lock = Arc::new(RwLock::new(0));
        let other = Arc::clone(&lock);
        let writer = spawn(async move { *other.write().await += 1 });
        let first = lock.read().await;
        let second = lock.read().await;
        outcome((*first, *second));
        drop((first, second));
        writer.await.unwrap();
    });
    assert_eq!(results, ["(0, 0)", "(1, 1)", "deadlock"]);
}

#[test]
fn who_waits_for_ever_is_said_to_wait_to_read_or_write() {
    let report = report(|| {
        future::block_on(async {
            let table = RwLock::new(0).named("table");
            let _reader = table.read().await;
            *table.write().await += 1;
        });
    });
    assert!(report.contains("waits to write table, at"), "{report}");
}
