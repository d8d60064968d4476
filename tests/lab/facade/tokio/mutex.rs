//! `Mutex`.

use std::sync::Arc;
use std::task::Poll;

use proptest::prelude::*;
use racelab::future::{self, spawn, sync::Mutex};
use racelab::{Named, outcome};

use super::super::same_as_std::{Op, agree, ops};
use super::{Futures, outcomes, report};

macro_rules! program {
    ($tokio:ident, $ops:ident) => {{
        use $tokio::sync::{
            MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard,
        };

        enum Guard<'a> {
            Borrowed(MutexGuard<'a, (u8, u8)>),
            Mapped(MappedMutexGuard<'a, u8>),
            Owned(OwnedMutexGuard<(u8, u8)>),
            OwnedMapped(OwnedMappedMutexGuard<(u8, u8), u8>),
        }

        impl<'a> Guard<'a> {
            /// Changes what is guarded, and returns what there is to say of it.
            fn change(&mut self, a: u8) -> String {
                match self {
                    Guard::Borrowed(guard) => {
                        guard.0 ^= a;
                        format!("{guard:?} {}", MutexGuard::mutex(guard).try_lock().is_err())
                    }
                    Guard::Mapped(part) => {
                        **part ^= a;
                        format!("{part}")
                    }
                    Guard::Owned(guard) => {
                        guard.1 ^= a;
                        format!(
                            "{guard:?} {}",
                            OwnedMutexGuard::mutex(guard).try_lock().is_err()
                        )
                    }
                    Guard::OwnedMapped(part) => {
                        **part ^= a;
                        format!("{part:?}")
                    }
                }
            }

            /// Keeps a part, if that is asked for.
            fn map(self, a: u8) -> Self {
                match self {
                    Guard::Borrowed(guard) if a % 2 == 0 => {
                        Guard::Mapped(MutexGuard::map(guard, |both| &mut both.0))
                    }
                    Guard::Borrowed(guard) => {
                        match MutexGuard::try_map(guard, |both| (a % 3 == 0).then_some(&mut both.1))
                        {
                            Ok(part) => Guard::Mapped(part),
                            Err(guard) => Guard::Borrowed(guard),
                        }
                    }
                    Guard::Owned(guard) if a % 2 == 0 => {
                        Guard::OwnedMapped(OwnedMutexGuard::map(guard, |both| &mut both.0))
                    }
                    Guard::Owned(guard) => {
                        match OwnedMutexGuard::try_map(guard, |both| {
                            (a % 3 == 0).then_some(&mut both.1)
                        }) {
                            Ok(part) => Guard::OwnedMapped(part),
                            Err(guard) => Guard::Owned(guard),
                        }
                    }
                    Guard::Mapped(part) => Guard::Mapped(MappedMutexGuard::map(part, |part| part)),
                    Guard::OwnedMapped(part) => {
                        Guard::OwnedMapped(OwnedMappedMutexGuard::map(part, |part| part))
                    }
                }
            }
        }

        let mutex = Arc::new(Mutex::new((0, 0)));
        let mut guard = None;
        let mut futures = Futures::new();
        let mut seen = Vec::new();
        for &(op, a, b, _) in $ops {
            let b = usize::from(b);
            let polled = match op % 12 {
                0 | 1 => futures.start(async { Guard::Borrowed(mutex.lock().await) }),
                2 => {
                    let lock = Arc::clone(&mutex).lock_owned();
                    futures.start(async { Guard::Owned(lock.await) })
                }
                3 | 4 if !futures.is_empty() => futures.poll(b),
                5 if !futures.is_empty() => {
                    futures.drop(b);
                    Poll::Pending
                }
                6 => match mutex.try_lock() {
                    Ok(guard) => Poll::Ready(Guard::Borrowed(guard)),
                    Err(error) => {
                        seen.push(format!("{error} {error:?}"));
                        Poll::Pending
                    }
                },
                7 => match Arc::clone(&mutex).try_lock_owned() {
                    Ok(guard) => Poll::Ready(Guard::Owned(guard)),
                    Err(_) => Poll::Pending,
                },
                8 | 9 => {
                    guard = None;
                    Poll::Pending
                }
                10 => match guard.take() {
                    Some(guard) => Poll::Ready(Guard::map(guard, a)),
                    None => Poll::Pending,
                },
                _ => {
                    seen.push(format!("{mutex:?}"));
                    Poll::Pending
                }
            };
            seen.push(format!("{}", polled.is_ready()));
            if let Poll::Ready(acquired) = polled {
                guard = Some(acquired);
            }
            seen.extend(guard.as_mut().map(|guard| guard.change(a)));
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
fn an_increment_under_the_mutex_is_never_lost() {
    async fn increment(n: &Mutex<u32>, guarded: bool) {
        let seen = *n.lock().await;
        let mut n = n.lock().await;
        *n = if guarded { *n } else { seen } + 1;
    }
    let count = |guarded: bool| {
        move || async move {
            let n = Arc::new(Mutex::new(0));
            let other = Arc::clone(&n);
            let task = spawn(async move { increment(&other, guarded).await });
            increment(&n, guarded).await;
            task.await.unwrap();
            outcome(*n.lock().await);
        }
    };
    assert_eq!(outcomes(count(true)), ["2"]);
    assert_eq!(outcomes(count(false)), ["1", "2"]);
}

#[test]
fn a_lock_held_over_an_await_that_needs_it_is_a_deadlock_that_says_who_holds_it() {
    let report = report(|| {
        future::block_on(async {
            let list = Arc::new(Mutex::new(1).named("list"));
            let other = Arc::clone(&list);
            let guard = list.lock().await;
            spawn(async move { *other.lock().await += 1 })
                .await
                .unwrap();
            drop(guard);
        });
    });
    assert!(report.contains("main holds list (acquired at"), "{report}");
    assert!(report.contains("T1 waits for list, at"), "{report}");
}

#[test]
fn a_guard_can_be_sent_and_what_it_guards_need_not_have_a_size() {
    fn is_send<T: Send>(_: &T) {}
    super::super::holds(|| {
        let mutex: Arc<Mutex<dyn std::fmt::Debug + Send>> = Arc::new(Mutex::new(1));
        future::block_on(async {
            let lock = mutex.lock();
            is_send(&lock);
            let guard = lock.await;
            is_send(&guard);
            assert_eq!(format!("{guard:?}"), "1");
        });
        assert_eq!(format!("{:?}", mutex.blocking_lock()), "1");
    });
}
