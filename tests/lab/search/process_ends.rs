//! What reaches the terminal, and what ends the process.

use std::hint::black_box;
use std::process::Output;
use std::sync::atomic::Ordering::SeqCst;

use racelab::sync::atomic::AtomicUsize;
use racelab::sync::{Arc, Mutex};
use racelab::{Engine, Explorer, FailureKind, thread};

use crate::own_process::{self, is_child};

use super::{counter_2_1, diverges, expect_failure, schedule_of};

/// Runs one test of this file in a process of its own.
fn run_child(test: &str) -> Output {
    let mut command = own_process::command(&format!("search::process_ends::{test}"));
    own_process::output(command.arg("--nocapture"))
}

fn livelock() {
    let flag = AtomicUsize::new(0);
    while flag.load(SeqCst) == 0 {
        thread::yield_now();
    }
}

fn deadlock() {
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let other = thread::spawn({
        let (a, b) = (Arc::clone(&a), Arc::clone(&b));
        move || {
            let _a = a.lock().unwrap();
            let _b = b.lock().unwrap();
        }
    });
    {
        let _b = b.lock().unwrap();
        let _a = a.lock().unwrap();
    }
    other.join().unwrap();
}

#[test]
fn engines_print_nothing() {
    if !is_child() {
        let output = run_child("engines_print_nothing");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}\n{stderr}", output.status);
        assert_eq!(stderr, "");
        return;
    }
    let bodies: [(fn(), FailureKind); 3] = [
        (counter_2_1, FailureKind::Panic),
        (deadlock, FailureKind::Deadlock),
        (livelock, FailureKind::Livelock),
    ];
    for engine in [
        Engine::Dfs,
        Engine::Random,
        #[cfg(feature = "loom")]
        Engine::Loom,
        #[cfg(feature = "shuttle")]
        Engine::Shuttle,
        #[cfg(feature = "shuttle")]
        Engine::ShuttlePct,
    ] {
        for (body, kind) in bodies {
            if engine.name() == "loom" && kind == FailureKind::Livelock {
                // To loom that is an execution without an end.
                continue;
            }
            let explorer = Explorer::new(engine);
            for explorer in [
                explorer.clone(),
                explorer.max_executions(20).past_failures(),
            ] {
                let report = explorer.explore(body);
                let failure = expect_failure(&report);
                assert_eq!(failure.kind, kind);
                let replayed = racelab::replay(schedule_of(failure), body);
                assert_eq!(expect_failure(&replayed).kind, kind);
            }
        }
        let cut = Explorer::new(engine).max_steps(3).explore(counter_2_1);
        assert!(cut.failure().is_none());
        // A panic that the body catches itself, and one whose payload is no text.
        let caught = Explorer::new(engine).max_executions(10).explore(|| {
            assert!(std::panic::catch_unwind(|| panic!("caught")).is_err());
            std::panic::panic_any(7);
        });
        assert_eq!(expect_failure(&caught).kind, FailureKind::Panic);
    }
    diverges("0*9", counter_2_1);
}

#[test]
fn panics_outside_of_executions_are_still_printed() {
    if !is_child() {
        let output = run_child("panics_outside_of_executions_are_still_printed");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}\n{stderr}", output.status);
        assert!(stderr.contains("not under test"), "{stderr}");
        assert!(!stderr.contains("left: 1"), "{stderr}");
        return;
    }
    Explorer::new(Engine::Dfs).explore(counter_2_1);
    assert!(std::panic::catch_unwind(|| panic!("not under test")).is_err());
}

/// Panics when it is dropped.
struct Explosive;

impl Drop for Explosive {
    fn drop(&mut self) {
        panic!("in the destructor");
    }
}

fn assert_aborts_with(test: &str, parts: &[&str]) {
    let output = run_child(test);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    for part in parts {
        assert!(stderr.contains(part), "{part:?} is not in:\n{stderr}");
    }
}

#[test]
fn a_destructor_that_panics_while_unwinding_ends_the_process_with_the_schedule() {
    if !is_child() {
        return assert_aborts_with(
            "a_destructor_that_panics_while_unwinding_ends_the_process_with_the_schedule",
            &[
                "racelab: a destructor panicked",
                "first     in the body",
                "in the destructor",
                "schedule  0.1\n",
            ],
        );
    }
    Explorer::new(Engine::Dfs).explore(|| {
        let other = thread::spawn(|| {
            AtomicUsize::new(0).load(SeqCst);
            let _explosive = Explosive;
            panic!("in the body");
        });
        other.join().unwrap();
    });
}

#[test]
fn a_destructor_that_panics_in_a_deadlock_ends_the_process_with_the_schedule() {
    if !is_child() {
        return assert_aborts_with(
            "a_destructor_that_panics_in_a_deadlock_ends_the_process_with_the_schedule",
            &[
                "racelab: a destructor panicked",
                "racelab unwound the thread, since it cannot end: deadlock",
                "in the destructor",
                "schedule  0\n",
            ],
        );
    }
    Explorer::new(Engine::Dfs).explore(|| {
        let _explosive = Explosive;
        let mutex = Mutex::new(0);
        let _first = mutex.lock().unwrap();
        let _second = mutex.lock().unwrap();
    });
}

/// Locks a mutex when it is dropped.
struct LockInDrop(Arc<Mutex<u32>>);

impl Drop for LockInDrop {
    fn drop(&mut self) {
        *self.0.lock().unwrap() += 1;
    }
}

#[test]
fn destructors_that_wait_for_each_other_share_no_lock_and_lose_no_failure() {
    let report = Explorer::new(Engine::Dfs).explore(|| {
        let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
        let hold_and_park = |held: Arc<Mutex<u32>>, wanted: Arc<Mutex<u32>>| {
            let _guard = held.lock().unwrap();
            let _locks = LockInDrop(wanted);
            thread::park();
        };
        let other = thread::spawn({
            let (a, b) = (Arc::clone(&a), Arc::clone(&b));
            move || hold_and_park(b, a)
        });
        hold_and_park(a, b);
        other.join().unwrap();
    });
    assert_eq!(expect_failure(&report).kind, FailureKind::Deadlock);
}

fn recurse(depth: u64) -> u64 {
    if depth == u64::MAX {
        0
    } else {
        black_box(recurse(black_box(depth + 1))) + 1
    }
}

fn overflow() {
    let other = thread::spawn(|| {
        AtomicUsize::new(0).load(SeqCst);
        recurse(0)
    });
    other.join().unwrap();
}

#[test]
fn a_stack_overflow_ends_the_process_with_the_last_event() {
    if !is_child() {
        return assert_aborts_with(
            "a_stack_overflow_ends_the_process_with_the_last_event",
            &[
                "racelab: a thread under test overflowed its stack",
                "T1 load at ",
                "process_ends.rs:",
            ],
        );
    }
    Explorer::new(Engine::Dfs).explore(overflow);
}

#[cfg(feature = "loom")]
#[test]
fn a_stack_overflow_under_loom_is_a_reason() {
    let report = Explorer::new(Engine::Loom).explore(overflow);
    let racelab::Verdict::Inconclusive(reason) = &report.verdict else {
        panic!("{report}");
    };
    let reason = reason.to_string();
    assert!(reason.contains("overflowed its stack"), "{reason}");
}
