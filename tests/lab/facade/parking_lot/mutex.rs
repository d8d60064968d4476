//! The mutex.
#![expect(unsafe_code, reason = "a mutex is released without its guard")]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use racelab::parking_lot::lock_api::{self, RawMutex as _};
use racelab::parking_lot::{Condvar, MappedMutexGuard, Mutex, MutexGuard, RawMutex};
use racelab::sync::Arc;
use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::{FailureKind, outcome, thread};

use crate::facade::same_as_std::{Op, agree, ops};
use crate::facade::{fails, holds, outcomes};

macro_rules! program {
    ($name:ident, $($of:tt)*) => {
        fn $name(ops: &[Op]) -> Vec<String> {
            use $($of)*::{MappedMutexGuard, MutexGuard, const_mutex};

            let mut mutex = const_mutex(0_u8);
            let mut seen = Vec::new();
            for &(op, a, _, _) in ops {
                let result = match op % 13 {
                    0 => format!("{:?}", std::mem::replace(&mut *mutex.lock(), a)),
                    1 => format!("{:?}", mutex.try_lock().map(|guard| *guard)),
                    2 => {
                        let _guard = mutex.lock();
                        format!("{} {}", mutex.try_lock().is_some(), mutex.is_locked())
                    }
                    3 => {
                        // Resumed and not begun, so that the hook does not print it.
                        let caught = catch_unwind(AssertUnwindSafe(|| {
                            let mut guard = mutex.lock();
                            *guard = a;
                            resume_unwind(Box::new(()));
                        }));
                        format!("caught {}", caught.is_err())
                    }
                    4 => format!("{:?}", mutex.is_locked()),
                    5 => format!("{:?}", std::mem::replace(mutex.get_mut(), a)),
                    6 => {
                        let guard = MutexGuard::map(mutex.lock(), |value| value);
                        let guard = MappedMutexGuard::try_map(guard, |value| {
                            (a % 2 == 0).then_some(value)
                        });
                        let (is_mapped, mut guard) = match guard {
                            Ok(guard) => (true, guard),
                            Err(guard) => (false, guard),
                        };
                        *guard ^= a;
                        format!("{is_mapped} {guard} {}", mutex.is_locked())
                    }
                    7 => {
                        let mut guard = mutex.lock();
                        let inside = MutexGuard::unlocked(&mut guard, || {
                            std::mem::replace(&mut *mutex.lock(), a)
                        });
                        MutexGuard::bump(&mut guard);
                        let is_locked = MutexGuard::mutex(&guard).is_locked();
                        MutexGuard::unlock_fair(guard);
                        format!("{inside} {is_locked} {}", mutex.is_locked())
                    }
                    8 => {
                        let value = mutex.try_lock_for(Duration::from_millis(1)).map(|guard| *guard);
                        let until = mutex.try_lock_until(Instant::now()).map(|guard| *guard);
                        format!("{value:?} {until:?}")
                    }
                    9 => {
                        let _guard = mutex.lock();
                        format!("{:?}", mutex.try_lock_for(Duration::ZERO).map(|guard| *guard))
                    }
                    10 => {
                        std::mem::forget(mutex.lock());
                        let is_locked = mutex.is_locked();
                        // SAFETY: this thread holds it, by the guard that was forgotten.
                        unsafe { mutex.force_unlock() };
                        format!("{is_locked} {}", mutex.is_locked())
                    }
                    11 => {
                        let caught = catch_unwind(AssertUnwindSafe(|| {
                            let mut guard = mutex.lock();
                            let unlocked = catch_unwind(AssertUnwindSafe(|| {
                                MutexGuard::unlocked(&mut guard, || resume_unwind(Box::new(())))
                            }));
                            *guard = a;
                            (unlocked.is_err(), mutex.is_locked())
                        }));
                        format!("{:?}", caught.ok())
                    }
                    _ => {
                        let guard = mutex.lock();
                        format!("{guard} {guard:?}")
                    }
                };
                seen.push(result);
            }
            seen.push(format!("{:?}", mutex.into_inner()));
            seen
        }
    };
}

program!(with_the_crate, ::parking_lot);
program!(with_racelab, racelab::parking_lot);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn one_thread_cannot_tell_it_from_the_real_one(ops in ops()) {
        agree(with_the_crate, with_racelab, &ops)?;
    }
}

#[test]
fn one_thread_at_a_time_is_in_a_critical_section() {
    holds(|| {
        let (inside, count) = (AtomicUsize::new(0), Mutex::new(0));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut count = count.lock();
                    assert_eq!(inside.fetch_add(1, SeqCst), 0);
                    *count += 1;
                    inside.fetch_sub(1, SeqCst);
                });
            }
        });
        assert_eq!(count.into_inner(), 2);
    });
}

#[test]
fn an_attempt_and_a_look_find_a_mutex_that_another_thread_may_hold() {
    let results = outcomes(|| {
        let mutex = Mutex::new(());
        thread::scope(|scope| {
            scope.spawn(|| drop(mutex.lock()));
            let was_locked = mutex.is_locked();
            outcome((was_locked, mutex.try_lock().is_some()));
        });
    });
    assert_eq!(
        results,
        [
            "(false, false)",
            "(false, true)",
            "(true, false)",
            "(true, true)"
        ]
    );
}

#[test]
fn a_caught_panic_releases_the_mutex_and_does_not_poison_it() {
    holds(|| {
        let mutex = Arc::new(Mutex::new(0));
        let other = Arc::clone(&mutex);
        let thread = thread::spawn(move || {
            let caught = catch_unwind(AssertUnwindSafe(|| {
                *other.lock() = 1;
                let _guard = other.lock();
                resume_unwind(Box::new(()));
            }));
            assert!(caught.is_err());
        });
        let seen = *mutex.lock();
        assert!(seen <= 1);
        thread.join().unwrap();
        assert_eq!(*mutex.lock(), 1);
    });
}

#[test]
fn two_mutexes_in_opposite_orders_deadlock() {
    let failure = fails(FailureKind::Deadlock, || {
        let (a, b) = (Mutex::new(()), Mutex::new(()));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _a = a.lock();
                let _b = b.lock();
            });
            let _b = b.lock();
            let _a = a.lock();
        });
    });
    assert!(
        failure
            .blocked
            .iter()
            .all(|blocked| blocked.holds.len() == 1)
    );
}

#[test]
fn a_mutex_can_hold_a_trait_object() {
    let body = || {
        let words: Arc<Mutex<dyn Send + Fn() -> usize>> = Arc::new(Mutex::new(|| 2_usize));
        assert_eq!((words.lock())(), 2);
    };
    body();
    holds(body);
}

#[test]
fn a_part_of_what_it_guards_is_guarded_as_the_whole() {
    holds(|| {
        let pair = Mutex::new((0, 0));
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut second = MutexGuard::map(pair.lock(), |pair| &mut pair.1);
                *second += 1;
                thread::yield_now();
                *second += 1;
            });
            let whole = pair.lock();
            assert_eq!(whole.1 % 2, 0);
            let second: MappedMutexGuard<'_, i32> =
                MutexGuard::try_map(whole, |pair| Some(&mut pair.1)).expect("it is there");
            assert_eq!(*second % 2, 0);
        });
    });
}

#[test]
fn others_can_come_in_while_a_guard_lets_go() {
    let seen = outcomes(|| {
        let value = Mutex::new(0);
        thread::scope(|scope| {
            scope.spawn(|| *value.lock() += 1);
            let mut guard = value.lock();
            let before = *guard;
            MutexGuard::unlocked(&mut guard, || ());
            let between = *guard;
            MutexGuard::bump(&mut guard);
            outcome((before, between, *guard));
        });
    });
    assert_eq!(seen, ["(0, 0, 0)", "(0, 0, 1)", "(0, 1, 1)", "(1, 1, 1)"]);
}

#[test]
fn a_wait_with_a_limit_ends_with_the_mutex_or_without() {
    let seen = outcomes(|| {
        let mutex = Mutex::new(());
        thread::scope(|scope| {
            scope.spawn(|| drop(mutex.lock()));
            let held = mutex.try_lock_for(Duration::from_secs(1));
            outcome(held.is_some());
        });
    });
    assert_eq!(seen, ["false", "true"]);
    // While nobody holds it there is nothing to wait for.
    holds(|| assert!(Mutex::new(()).try_lock_for(Duration::ZERO).is_some()));
}

#[test]
fn a_guard_that_has_let_go_holds_the_mutex_again_when_its_thread_is_unwound() {
    type Guard<'a> = MutexGuard<'a, (u32, u32)>;

    /// Looks at what is guarded when it is dropped: both are equal whenever nobody is inside.
    struct Looks<'a, 'b>(&'b mut Guard<'a>);
    impl Drop for Looks<'_, '_> {
        fn drop(&mut self) {
            assert_eq!(self.0.0, self.0.1);
        }
    }
    struct Completes<'a>(Guard<'a>);
    impl Drop for Completes<'_> {
        fn drop(&mut self) {
            self.0.1 += 1;
        }
    }
    let lets_go: [fn(&mut Guard<'_>); 3] = [
        |guard| MutexGuard::unlocked(guard, thread::park),
        |guard| MutexGuard::bump(guard),
        |guard| Condvar::new().wait(guard),
    ];
    for let_go in lets_go {
        fails(FailureKind::Deadlock, move || {
            let pair = Arc::new(Mutex::new((0, 0)));
            let other = Arc::clone(&pair);
            thread::spawn(move || {
                let mut guard = other.lock();
                let looks = Looks(&mut guard);
                let_go(looks.0);
            });
            let mut inside = Completes(pair.lock());
            inside.0.0 += 1;
            // The other thread is unwound first, since it is younger.
            thread::park();
        });
    }
}

#[test]
fn a_lock_of_lock_api_over_the_raw_mutex_is_explored_as_well() {
    type Generic<R> = lock_api::Mutex<R, u32>;
    static CALLS: Generic<RawMutex> = Generic::const_new(RawMutex::INIT, 7);

    let body = || {
        let sum = Generic::<RawMutex>::new(0);
        thread::scope(|scope| {
            scope.spawn(|| *sum.lock() += *CALLS.lock());
            let mut guard = sum.lock();
            lock_api::MutexGuard::unlocked(&mut guard, || ());
            lock_api::MutexGuard::bump(&mut guard);
            *guard += 1;
        });
        assert_eq!(sum.into_inner(), 8);
    };
    body();
    holds(body);
    let seen = outcomes(|| {
        let mutex = Generic::<RawMutex>::new(0);
        thread::scope(|scope| {
            scope.spawn(|| drop(mutex.lock()));
            outcome(mutex.is_locked());
            outcome(mutex.try_lock().is_some());
        });
    });
    assert_eq!(seen.len(), 4, "{seen:?}");
}
