//! How the lab ends an execution never changes what a program does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use racelab::sync::{Arc, Condvar, Mutex};
use racelab::{Engine, Explorer, FailureKind, Report, Verdict, thread};

const ENGINES: &[Engine] = &[
    Engine::Dpor,
    Engine::Dfs,
    Engine::Random,
    #[cfg(feature = "shuttle")]
    Engine::Shuttle,
];

fn explore(engine: Engine, body: impl Fn() + Send + Sync + 'static) -> Report {
    let explorer = Explorer::new(engine).max_executions(2_000);
    explorer.time_limit(Duration::from_secs(60)).explore(body)
}

/// Waits when it is dropped until a flag is set.
struct WaitsOnDrop(Arc<AtomicBool>);

impl Drop for WaitsOnDrop {
    fn drop(&mut self) {
        while !self.0.load(Acquire) {
            thread::yield_now();
        }
    }
}

/// Another thread sets the flag that a destructor waits for.
fn waits_in_a_destructor(main: impl Fn(&AtomicBool)) {
    let done = Arc::new(AtomicBool::new(false));
    let _waits = WaitsOnDrop(done.clone());
    let other = thread::spawn({
        let done = done.clone();
        move || done.store(true, Release)
    });
    main(&done);
    other.join().unwrap();
}

#[test]
fn a_destructor_that_waits_for_another_thread_in_a_panic_ends() {
    for &engine in ENGINES {
        let report = explore(engine, || {
            waits_in_a_destructor(|done| assert!(done.load(Acquire), "not yet done"));
        });
        let failure = report.failure().unwrap_or_else(|| panic!("{report}"));
        assert_eq!(failure.kind, FailureKind::Panic);
        assert_eq!(failure.message, "not yet done");
        // What the destructor did while it waited is not part of the story.
        assert!(failure.trace.events.len() < 10, "{report}");
    }
}

#[test]
fn a_destructor_that_waits_holds_in_a_correct_program() {
    for engine in [Engine::Dpor, Engine::Dfs] {
        let report = explore(engine, || {
            waits_in_a_destructor(|done| {
                while !done.load(Acquire) {
                    thread::yield_now();
                }
            });
        });
        assert!(matches!(report.verdict, Verdict::Holds), "{report}");
    }
}

/// Panics when it is dropped before it was finished.
struct MustFinish(bool);

impl Drop for MustFinish {
    fn drop(&mut self) {
        assert!(self.0, "dropped before it was finished");
    }
}

#[test]
fn a_destructor_that_checks_is_not_run_early() {
    for &engine in ENGINES {
        let report = explore(engine, || {
            let done = Arc::new(AtomicBool::new(false));
            let mut work = MustFinish(false);
            let other = thread::spawn({
                let done = done.clone();
                move || done.store(true, Release)
            });
            while !done.load(Acquire) {
                thread::yield_now();
            }
            work.0 = true;
            drop(work);
            other.join().unwrap();
        });
        assert!(report.failure().is_none(), "{report}");
    }
}

#[test]
fn threads_run_to_their_ends_after_the_failure_of_another_one() {
    for &engine in ENGINES {
        let ended = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let report = explore(engine, {
            let ended = ended.clone();
            move || {
                let n = Arc::new(AtomicUsize::new(0));
                let other = thread::spawn({
                    let (n, ended) = (n.clone(), ended.clone());
                    move || {
                        let work = MustFinish(false);
                        n.fetch_add(1, SeqCst);
                        let mut work = work;
                        work.0 = true;
                        ended.fetch_add(1, SeqCst);
                    }
                });
                let before = n.load(SeqCst);
                assert_eq!(before, 1, "too early");
                other.join().unwrap();
            }
        });
        assert_eq!(report.failure().map(|f| f.kind), Some(FailureKind::Panic));
        assert!(ended.load(SeqCst) > 0);
    }
}

#[test]
fn a_body_that_catches_every_panic_and_goes_on_does_not_hang() {
    for &engine in ENGINES {
        let report = explore(engine, || {
            let pair = Arc::new((Mutex::new(()), Condvar::new()));
            let other = thread::spawn({
                let pair = pair.clone();
                move || {
                    loop {
                        let waited = catch_unwind(AssertUnwindSafe(|| {
                            let guard = pair.0.lock().unwrap();
                            drop(pair.1.wait(guard));
                        }));
                        if waited.is_ok() {
                            break;
                        }
                    }
                }
            });
            other.join().unwrap();
        });
        let kind = report.failure().map(|failure| failure.kind);
        assert_eq!(kind, Some(FailureKind::Deadlock), "{report}");
    }
}

#[test]
fn destructors_that_wait_for_each_other_for_ever_leave_the_failure_to_be_told() {
    for &engine in ENGINES {
        let report = explore(engine, || {
            let never = Arc::new(AtomicBool::new(false));
            let other = thread::spawn({
                let never = never.clone();
                move || {
                    let _waits = WaitsOnDrop(never);
                    thread::park();
                }
            });
            let _waits = WaitsOnDrop(never);
            other.join().unwrap();
        });
        let kind = report.failure().map(|failure| failure.kind);
        assert_eq!(kind, Some(FailureKind::Deadlock), "{report}");
    }
}

#[test]
fn a_search_ends_when_too_many_stacks_are_left_behind() {
    let report = Explorer::new(Engine::Random)
        .past_failures()
        .max_executions(100_000)
        .explore(|| {
            let _waits = WaitsOnDrop(Arc::new(AtomicBool::new(false)));
            thread::park();
        });
    // Each leaves a stack of 2 MiB behind.
    assert_eq!(report.executions, 128, "{report}");
    assert_eq!(report.coverage, racelab::Coverage::Ended, "{report}");
}

#[test]
fn a_guard_that_is_leaked_is_a_deadlock_for_the_others() {
    for &engine in ENGINES {
        let report = explore(engine, || {
            let mutex = Arc::new(Mutex::new(0));
            std::mem::forget(mutex.lock());
            let other = thread::spawn({
                let mutex = mutex.clone();
                move || drop(mutex.lock())
            });
            other.join().unwrap();
        });
        let kind = report.failure().map(|failure| failure.kind);
        assert_eq!(kind, Some(FailureKind::Deadlock), "{report}");
    }
}
