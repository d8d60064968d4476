//! The engines of shuttle: its runner and its schedulers, under the façade.

mod process;
mod replay;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use racelab::cell::UnsafeCell;
use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Condvar, Mutex, mpsc};
use racelab::{
    Bound, Coverage, Engine, Explorer, FailureKind, MemoryModel, Reason, Report, Verdict, thread,
};

const ENGINES: [Engine; 2] = [Engine::Shuttle, Engine::ShuttlePct];

fn explore(engine: Engine, body: impl Fn() + Send + Sync + 'static) -> Report {
    Explorer::new(engine).explore(body)
}

fn lost_update() {
    let n = Arc::new(AtomicUsize::new(0));
    let other = thread::spawn({
        let n = Arc::clone(&n);
        move || n.store(n.load(SeqCst) + 1, SeqCst)
    });
    n.store(n.load(SeqCst) + 1, SeqCst);
    other.join().unwrap();
    assert_eq!(n.load(SeqCst), 2);
}

fn deadlock() {
    let locks = Arc::new((Mutex::new(0), Mutex::new(0)));
    let other = thread::spawn({
        let locks = Arc::clone(&locks);
        move || {
            let _first = locks.0.lock().unwrap();
            let _second = locks.1.lock().unwrap();
        }
    });
    {
        let _first = locks.1.lock().unwrap();
        let _second = locks.0.lock().unwrap();
    }
    other.join().unwrap();
}

fn livelock() {
    let flag = AtomicBool::new(false);
    while !flag.load(SeqCst) {
        thread::yield_now();
    }
}

fn data_race() {
    struct Plain(UnsafeCell<usize>);
    // SAFETY: that accesses race is what this is about. The lab reports a race before the second
    // access, and all threads run on one OS thread.
    #[expect(unsafe_code, reason = "cells are there for code that is unsafe")]
    unsafe impl Sync for Plain {}

    let data = Arc::new(Plain(UnsafeCell::new(0)));
    let other = thread::spawn({
        let data = Arc::clone(&data);
        move || data.0.with_mut(|_| ())
    });
    data.0.with_mut(|_| ());
    other.join().unwrap();
}

#[test]
fn a_failure_of_any_kind_is_found_is_the_smallest_and_replays() {
    let bodies: [(fn(), FailureKind); 4] = [
        (lost_update, FailureKind::Panic),
        (deadlock, FailureKind::Deadlock),
        (livelock, FailureKind::Livelock),
        (data_race, FailureKind::DataRace),
    ];
    for engine in ENGINES {
        for (body, kind) in bodies {
            let report = explore(engine, body);
            assert_eq!(report.engine, Some(engine));
            assert_eq!(report.memory_model, MemoryModel::Sc);
            assert_eq!(report.coverage, Coverage::FirstFailure);
            let failure = report.failure().unwrap_or_else(|| panic!("{report}"));
            assert_eq!(failure.kind, kind, "{report}");
            assert_eq!(failure.minimal, Some(true), "{report}");

            let smallest = Explorer::new(Engine::Dpor).explore(body);
            let smallest = smallest.failure().unwrap();
            assert_eq!(failure.schedule, smallest.schedule, "{engine}");
            assert_eq!(failure.trace, smallest.trace, "{engine}");
            assert_eq!(failure.blocked, smallest.blocked, "{engine}");

            let replayed = racelab::replay(failure.schedule.as_ref().unwrap(), body);
            assert_eq!(replayed.replayed.as_ref(), Some(&failure.trace));
        }
    }
}

#[test]
fn a_body_without_a_failure_is_run_to_the_bound_and_proves_nothing() {
    for engine in ENGINES {
        let report = explore(engine, || {
            let n = Arc::new(AtomicUsize::new(0));
            let other = thread::spawn({
                let n = Arc::clone(&n);
                move || n.fetch_add(1, SeqCst)
            });
            n.fetch_add(1, SeqCst);
            other.join().unwrap();
        });
        let bound = Bound::MaxExecutions(10_000);
        assert!(
            matches!(&report.verdict, Verdict::Inconclusive(Reason::Bound(b)) if *b == bound),
            "{report}"
        );
        assert_eq!(report.executions, 10_000);
        assert_eq!(report.coverage, Coverage::Bounded(bound));
    }
}

#[test]
fn a_body_without_a_choice_is_run_as_any_other() {
    // PCT of shuttle's panics at the second execution of such a body.
    for engine in ENGINES {
        for body in [|| (), || thread::spawn(|| ()).join().unwrap()] {
            let report = Explorer::new(engine).max_executions(50).explore(body);
            assert_eq!(report.executions, 50, "{report}");
            assert_eq!(report.violations, 0, "{report}");
        }
    }
}

#[test]
fn the_seed_decides_what_is_run() {
    for engine in ENGINES {
        let outcomes = |seed| {
            let explorer = Explorer::new(engine).past_failures().max_executions(300);
            let report = explorer.seed(seed).explore(|| {
                let n = Arc::new(AtomicUsize::new(0));
                let others = [1, 2, 4].map(|bit| {
                    let n = Arc::clone(&n);
                    thread::spawn(move || n.store(n.load(SeqCst) + bit, SeqCst))
                });
                for other in others {
                    other.join().unwrap();
                }
                racelab::outcome(n.load(SeqCst));
            });
            let outcomes = report.outcomes.into_iter();
            outcomes
                .map(|outcome| (outcome.value, outcome.executions))
                .collect::<Vec<_>>()
        };
        assert_eq!(outcomes(7), outcomes(7));
        assert_ne!(outcomes(7), outcomes(u64::MAX), "{engine}");
    }
}

/// What an engine has seen as outcomes.
fn seen(engine: Engine, body: impl Fn() + Send + Sync + 'static) -> Vec<String> {
    let report = Explorer::new(engine).past_failures().explore(body);
    let outcomes = report.outcomes.into_iter();
    outcomes.map(|outcome| outcome.value).collect()
}

#[test]
fn steps_that_can_go_in_several_ways_go_in_each() {
    // A weak compare-and-swap, a wait with a time limit, and which of two waiters is woken.
    let weak = || {
        let n = AtomicUsize::new(0);
        racelab::outcome(n.compare_exchange_weak(0, 1, SeqCst, SeqCst).is_ok());
    };
    let timed = || {
        let pair = Arc::new((Mutex::new(()), Condvar::new()));
        let other = thread::spawn({
            let pair = Arc::clone(&pair);
            move || {
                let _guard = pair.0.lock().unwrap();
                pair.1.notify_one();
            }
        });
        let guard = pair.0.lock().unwrap();
        let (guard, waited) = pair.1.wait_timeout(guard, Duration::from_secs(1)).unwrap();
        drop(guard);
        racelab::outcome(waited.timed_out());
        other.join().unwrap();
    };
    let woken = || {
        let shared = Arc::new((Mutex::new((0, None)), Condvar::new()));
        let waiters = [1, 2].map(|number| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let mut state = shared.0.lock().unwrap();
                state.0 += 1;
                let mut state = shared.1.wait(state).unwrap();
                state.1.get_or_insert(number);
            })
        });
        while shared.0.lock().unwrap().0 < 2 {
            thread::yield_now();
        }
        shared.1.notify_one();
        shared.1.notify_one();
        for waiter in waiters {
            waiter.join().unwrap();
        }
        racelab::outcome(shared.0.lock().unwrap().1);
    };
    for engine in ENGINES {
        assert_eq!(seen(engine, weak), ["false", "true"], "{engine}");
        assert_eq!(seen(engine, woken), ["Some(1)", "Some(2)"], "{engine}");
    }
    // PCT of shuttle's changes priorities in each execution of it at the only two steps where it can.
    assert_eq!(seen(Engine::Shuttle, timed), ["false", "true"]);
}

#[test]
fn a_thread_that_yields_falls_below_the_others_in_the_pct_of_shuttle() {
    let body = || {
        let n = Arc::new(AtomicUsize::new(0));
        let other = thread::spawn({
            let n = Arc::clone(&n);
            move || n.store(1, SeqCst)
        });
        thread::yield_now();
        racelab::outcome(n.load(SeqCst));
        other.join().unwrap();
    };
    assert_eq!(seen(Engine::Shuttle, body), ["0", "1"]);
    assert_eq!(seen(Engine::ShuttlePct, body), ["1"]);
}

#[test]
fn a_panic_that_is_caught_is_none_and_poisons_as_std_does() {
    for engine in ENGINES {
        let report = Explorer::new(engine).max_executions(200).explore(|| {
            let mutex = Arc::new(Mutex::new(0));
            let other = thread::spawn({
                let mutex = Arc::clone(&mutex);
                move || {
                    let caught = catch_unwind(AssertUnwindSafe(|| {
                        let _guard = mutex.lock().unwrap();
                        panic!("caught");
                    }));
                    assert!(caught.is_err());
                    assert!(!std::thread::panicking());
                }
            });
            drop(mutex.lock());
            other.join().unwrap();
            assert!(mutex.is_poisoned());
        });
        assert_eq!((report.executions, report.violations), (200, 0), "{report}");
    }
}

/// Waits for ever when it is dropped.
struct WaitsForEver;

impl Drop for WaitsForEver {
    fn drop(&mut self) {
        let never = AtomicBool::new(false);
        while !never.load(SeqCst) {
            thread::yield_now();
        }
    }
}

#[test]
fn threads_that_never_end_are_left_behind_and_the_search_goes_on_without_them() {
    for engine in ENGINES {
        let explorer = Explorer::new(engine).past_failures().max_executions(20);
        let report = explorer.explore(|| {
            let other = thread::spawn(|| {
                let _waits = WaitsForEver;
                thread::park();
            });
            other.join().unwrap();
        });
        assert_eq!((report.executions, report.violations), (20, 20), "{report}");
        assert_eq!(report.failure().unwrap().kind, FailureKind::Deadlock);
        // Nothing of it is seen by the next one.
        assert!(explore(engine, lost_update).failure().is_some());
        assert!(!std::thread::panicking());
    }
}

#[test]
fn a_search_ends_when_too_many_stacks_are_left_behind() {
    let report = Explorer::new(Engine::Shuttle)
        .past_failures()
        .max_executions(100_000)
        .explore(|| {
            let _waits = WaitsForEver;
            thread::park();
        });
    // Each leaves a stack of 2 MiB behind.
    assert_eq!(report.executions, 128, "{report}");
    assert_eq!(report.coverage, Coverage::Ended, "{report}");
}

#[test]
fn many_failing_executions_leave_nothing_behind() {
    let explorer = Explorer::new(Engine::Shuttle);
    let explorer = explorer.past_failures().max_executions(20_000);
    let live = std::sync::Arc::new(());
    let kept = std::sync::Arc::clone(&live);
    let report = explorer.explore(move || {
        let _live = std::sync::Arc::clone(&kept);
        deadlock();
    });
    assert_eq!(report.executions, 20_000);
    assert!(report.violations > 1_000, "{report}");
    assert_eq!(std::sync::Arc::strong_count(&live), 1);
}

#[test]
fn an_object_made_outside_of_the_body_is_said_to_be_a_misuse() {
    for engine in ENGINES {
        let (outside, _receiver) = mpsc::channel();
        let report = explore(engine, move || outside.send(1).unwrap());
        assert!(
            matches!(report.verdict, Verdict::Inconclusive(Reason::Misused(_))),
            "{report}"
        );
    }
}
