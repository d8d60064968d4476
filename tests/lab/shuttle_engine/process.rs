//! What the process and its environment have to do with it.

use std::hint::black_box;
use std::process::Command;

use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::{Engine, Explorer, FailureKind, Reason, Verdict, thread};

use super::{ENGINES, deadlock, lost_update};
use crate::own_process::{self, is_child};

fn child(test: &str) -> Command {
    own_process::command(&format!("shuttle_engine::process::{test}"))
}

#[test]
fn raw_shuttle_can_be_used_beside_the_lab_which_stays_silent() {
    if !is_child() {
        let mut command = child("raw_shuttle_can_be_used_beside_the_lab_which_stays_silent");
        let output = own_process::output(command.arg("--nocapture"));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}\n{stderr}", output.status);
        assert_eq!(
            stderr.matches("a failure of raw shuttle").count(),
            1,
            "{stderr}"
        );
        assert!(!stderr.contains("left: 1"), "{stderr}");
        // The hook of shuttle would say so for each panic, those of the lab included.
        assert!(!stderr.contains("Task failed"), "{stderr}");
        return;
    }
    let in_the_lab = || {
        for engine in [
            Engine::Dpor,
            Engine::Loom,
            Engine::Shuttle,
            Engine::ShuttlePct,
        ] {
            let report = Explorer::new(engine).explore(lost_update);
            let failure = report.failure().unwrap_or_else(|| panic!("{report}"));
            assert_eq!(failure.kind, FailureKind::Panic);
        }
    };
    in_the_lab();
    let raw = std::panic::catch_unwind(|| {
        shuttle::check_dfs(
            || {
                shuttle::thread::spawn(|| panic!("a failure of raw shuttle"))
                    .join()
                    .unwrap();
            },
            None,
        );
    });
    assert!(raw.is_err());
    in_the_lab();
}

#[test]
fn a_stack_overflow_ends_the_process_with_the_last_event() {
    fn recurse(depth: u64) -> u64 {
        match depth {
            u64::MAX => 0,
            _ => black_box(recurse(black_box(depth + 1))) + 1,
        }
    }
    if !is_child() {
        let mut command = child("a_stack_overflow_ends_the_process_with_the_last_event");
        let output = own_process::output(command.arg("--nocapture"));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        let words = "racelab: a thread under test overflowed its stack";
        assert!(stderr.contains(words), "{stderr}");
        assert!(stderr.contains("T1 load at "), "{stderr}");
        return;
    }
    Explorer::new(Engine::Shuttle).explore(|| {
        let other = thread::spawn(|| {
            AtomicUsize::new(0).load(SeqCst);
            recurse(0)
        });
        other.join().unwrap();
    });
}

#[test]
fn a_destructor_that_panics_while_unwinding_ends_the_process_with_the_schedule() {
    struct Explosive;
    impl Drop for Explosive {
        fn drop(&mut self) {
            panic!("in the destructor");
        }
    }
    if !is_child() {
        let test = "a_destructor_that_panics_while_unwinding_ends_the_process_with_the_schedule";
        let output = own_process::output(child(test).arg("--nocapture"));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        for part in [
            "racelab: a destructor panicked",
            "first     in the body",
            "in the destructor",
            "schedule  0.1\n",
        ] {
            assert!(stderr.contains(part), "{part:?} is not in:\n{stderr}");
        }
        return;
    }
    Explorer::new(Engine::Shuttle).explore(|| {
        let other = thread::spawn(|| {
            AtomicUsize::new(0).load(SeqCst);
            let _explosive = Explosive;
            panic!("in the body");
        });
        other.join().unwrap();
    });
}

#[test]
fn a_variable_of_shuttle_that_would_replace_the_seed_is_refused() {
    for (name, value) in [
        ("SHUTTLE_RANDOM_SEED", "7"),
        ("SHUTTLE_RANDOM_SEED", "seven"),
        ("SHUTTLE_ALWAYS_PERSIST_SEED", "/nowhere/at/all"),
    ] {
        if !is_child() {
            let mut command = child("a_variable_of_shuttle_that_would_replace_the_seed_is_refused");
            let output = own_process::output(command.env(name, value));
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{name}={value}: {text}");
            continue;
        }
        for engine in ENGINES {
            let report = Explorer::new(engine).explore(deadlock);
            let Verdict::Inconclusive(Reason::Unsupported(why)) = &report.verdict else {
                panic!("{report}");
            };
            assert!(
                why.contains("SHUTTLE_") && why.contains("unset it"),
                "{why}"
            );
        }
        // The other engines do not care.
        let report = Explorer::new(Engine::Random).explore(deadlock);
        assert!(report.failure().is_some(), "{report}");
    }
}
