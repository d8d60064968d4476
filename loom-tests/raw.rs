//! The same models on loom alone and through the lab, which must agree, to the execution.

#![expect(unsafe_code, reason = "the subject of one model is a plain cell")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use racelab::FailureKind;

use super::verdicts::{assert_fails, assert_holds, explore};

use Agreed::{Fails, Holds};
use FailureKind::{DataRace, Deadlock, Panic};

/// What both say of a model.
enum Agreed {
    /// It fails so in the lab, and on loom alone with this in the message.
    Fails(FailureKind, &'static str),
    Holds,
}

/// A test for each model, which stands here once: on loom's types and on the façade's.
macro_rules! models {
    ($($name:ident: $agreed:expr, $body:block)*) => {$(
        mod $name {
            #[test]
            fn agrees() {
                use super::*;
                assert_agreed(on_loom::model, in_lab::model, &$agreed);
            }

            #[allow(unused_imports, reason = "not every model needs every name")]
            mod on_loom {
                use std::sync::Arc;
                use loom::cell::UnsafeCell;
                use loom::sync::atomic::{AtomicUsize, Ordering};
                use loom::sync::{Condvar, Mutex};
                use loom::thread;

                pub(super) fn model() $body
            }

            #[allow(unused_imports, reason = "not every model needs every name")]
            mod in_lab {
                use racelab::sync::Arc;
                use racelab::cell::UnsafeCell;
                use racelab::sync::atomic::{AtomicUsize, Ordering};
                use racelab::sync::{Condvar, Mutex};
                use racelab::thread;

                pub(super) fn model() $body
            }
        }
    )*};
}

models! {
    a_load_and_a_store: Fails(Panic, "assertion `left == right` failed"), {
        let counter = Arc::new(AtomicUsize::new(0));
        let workers = [(); 2].map(|()| {
            let counter = Arc::clone(&counter);
            thread::spawn(move || {
                let n = counter.load(Ordering::Relaxed);
                counter.store(n + 1, Ordering::Relaxed);
            })
        });
        for worker in workers {
            worker.join().unwrap();
        }
        assert_eq!(counter.load(Ordering::Relaxed), 2);
    }

    one_addition: Holds, {
        let counter = Arc::new(AtomicUsize::new(0));
        let workers = [(); 2].map(|()| {
            let counter = Arc::clone(&counter);
            thread::spawn(move || counter.fetch_add(1, Ordering::Relaxed))
        });
        for worker in workers {
            worker.join().unwrap();
        }
        assert_eq!(counter.load(Ordering::Relaxed), 2);
    }

    a_mutex: Holds, {
        let counter = Arc::new(Mutex::new(0));
        let workers = [(); 2].map(|()| {
            let counter = Arc::clone(&counter);
            thread::spawn(move || *counter.lock().unwrap() += 1)
        });
        for worker in workers {
            worker.join().unwrap();
        }
        assert_eq!(*counter.lock().unwrap(), 2);
    }

    a_mutex_that_is_released_too_early: Fails(Panic, "assertion `left == right` failed"), {
        let counter = Arc::new(Mutex::new(0));
        let workers = [(); 2].map(|()| {
            let counter = Arc::clone(&counter);
            thread::spawn(move || {
                let n = *counter.lock().unwrap();
                *counter.lock().unwrap() = n + 1;
            })
        });
        for worker in workers {
            worker.join().unwrap();
        }
        assert_eq!(*counter.lock().unwrap(), 2);
    }

    a_relaxed_flag: Fails(Panic, "the data is old"), {
        let shared = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let writer = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                shared.0.store(1, Ordering::Relaxed);
                shared.1.store(1, Ordering::Relaxed);
            }
        });
        if shared.1.load(Ordering::Acquire) == 1 {
            assert!(shared.0.load(Ordering::Relaxed) == 1, "the data is old");
        }
        writer.join().unwrap();
    }

    a_released_flag: Holds, {
        let shared = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let writer = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                shared.0.store(1, Ordering::Relaxed);
                shared.1.store(1, Ordering::Release);
            }
        });
        if shared.1.load(Ordering::Acquire) == 1 {
            assert!(shared.0.load(Ordering::Relaxed) == 1, "the data is old");
        }
        writer.join().unwrap();
    }

    a_plain_cell: Fails(DataRace, "Causality violation"), {
        struct Counter(UnsafeCell<usize>);
        // SAFETY: an access that would race is not done: the execution ends before it.
        unsafe impl Sync for Counter {}

        let counter = Arc::new(Counter(UnsafeCell::new(0)));
        let other = thread::spawn({
            let counter = Arc::clone(&counter);
            // SAFETY: see `Sync`.
            move || counter.0.with_mut(|n| unsafe { *n += 1 })
        });
        // SAFETY: see `Sync`.
        counter.0.with_mut(|n| unsafe { *n += 1 });
        other.join().unwrap();
    }

    two_orders_of_two_locks: Fails(Deadlock, "deadlock"), {
        let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
        let other = thread::spawn({
            let locks = Arc::clone(&locks);
            move || {
                let _second = locks[1].lock().unwrap();
                let _first = locks[0].lock().unwrap();
            }
        });
        {
            let _first = locks[0].lock().unwrap();
            let _second = locks[1].lock().unwrap();
        }
        other.join().unwrap();
    }

    one_order_of_two_locks: Holds, {
        let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
        let other = thread::spawn({
            let locks = Arc::clone(&locks);
            move || {
                let _first = locks[0].lock().unwrap();
                let _second = locks[1].lock().unwrap();
            }
        });
        {
            let _first = locks[0].lock().unwrap();
            let _second = locks[1].lock().unwrap();
        }
        other.join().unwrap();
    }

    a_condition_that_is_looked_at_once: Fails(Deadlock, "deadlock"), {
        let state = Arc::new((Mutex::new(false), Condvar::new()));
        let waiter = thread::spawn({
            let state = Arc::clone(&state);
            move || {
                let is_ready = *state.0.lock().unwrap();
                if !is_ready {
                    let guard = state.0.lock().unwrap();
                    drop(state.1.wait(guard).unwrap());
                }
            }
        });
        *state.0.lock().unwrap() = true;
        state.1.notify_one();
        waiter.join().unwrap();
    }

    a_condition_that_is_looked_at_under_the_lock: Holds, {
        let state = Arc::new((Mutex::new(false), Condvar::new()));
        let waiter = thread::spawn({
            let state = Arc::clone(&state);
            move || {
                let mut is_ready = state.0.lock().unwrap();
                while !*is_ready {
                    is_ready = state.1.wait(is_ready).unwrap();
                }
            }
        });
        *state.0.lock().unwrap() = true;
        state.1.notify_one();
        waiter.join().unwrap();
    }
}

#[track_caller]
fn assert_agreed(on_loom: fn(), in_lab: fn(), agreed: &Agreed) {
    let alone = Alone::explore(on_loom);
    let report = explore(in_lab);
    // Not as many: to loom alone a join is an access, which comes before the end of its thread or
    // after it.
    assert!(report.executions <= alone.executions, "{report}");
    match (agreed, alone.failure) {
        (Fails(kind, message), Some(failure)) => {
            assert!(failure.contains(message), "{failure}");
            let in_lab = assert_fails(&report, *kind);
            if *kind == Panic {
                assert_eq!(in_lab.message, failure);
            }
        }
        (Holds, None) => assert_holds(&report),
        (_, failure) => panic!("loom alone says {failure:?}, and the lab:\n{report}"),
    }
}

/// What loom alone makes of a model.
struct Alone {
    /// The executions, with the one that failed.
    executions: u64,
    failure: Option<String>,
}

impl Alone {
    /// Runs a model up to its first failure.
    fn explore(model: fn()) -> Alone {
        use std::sync::atomic::Ordering::Relaxed;

        let executions = Arc::new(AtomicU64::new(0));
        let result = catch_unwind(AssertUnwindSafe(|| {
            let executions = Arc::clone(&executions);
            loom::model(move || {
                executions.fetch_add(1, Relaxed);
                model();
            });
        }));
        let failure = result.err().map(|payload| {
            let text = payload.downcast_ref::<&str>().map(ToString::to_string);
            let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
            text.expect("a panic has a message")
        });
        Alone {
            executions: executions.load(Relaxed),
            failure,
        }
    }
}
