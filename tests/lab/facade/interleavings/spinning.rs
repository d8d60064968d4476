//! Spinning, and what fails spuriously.

use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use racelab::{Engine, Explorer, FailureKind, Verdict, hint, outcome, thread};

use super::super::{explore, fails, outcomes};
use super::MOMENT;

#[test]
fn a_weak_compare_exchange_fails_without_a_cause_or_not() {
    let results = outcomes(|| {
        let n = AtomicUsize::new(0);
        outcome(n.compare_exchange_weak(0, 1, SeqCst, SeqCst));
    });
    assert_eq!(results, ["Err(0)", "Ok(0)"]);
    let results = outcomes(|| {
        let n = AtomicUsize::new(0);
        outcome(n.compare_exchange(0, 1, SeqCst, SeqCst));
        outcome(n.compare_exchange_weak(0, 2, SeqCst, SeqCst));
    });
    assert_eq!(results, ["Ok(0), Err(1)"]);
}

#[test]
fn a_loop_around_a_weak_compare_exchange_comes_to_an_end() {
    let results = outcomes(|| {
        let n = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| n.fetch_update(SeqCst, SeqCst, |n| Some(n + 1)));
            }
        });
        outcome(n.load(SeqCst));
    });
    assert_eq!(results, ["2"]);
}

/// Waits for a flag that another thread sets, or that nobody sets.
fn spin(pause: fn(), is_set: bool) -> impl Fn() + Send + Sync + 'static {
    move || {
        let flag = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| flag.store(is_set, SeqCst));
            while !flag.load(SeqCst) {
                pause();
            }
        });
    }
}

/// The ways to wait in a loop.
const PAUSES: [(&str, fn()); 4] = [
    ("yield", thread::yield_now),
    ("hint", hint::spin_loop),
    ("sleep", || thread::sleep(MOMENT)),
    ("nothing", || {}),
];

#[test]
fn a_spin_on_a_flag_that_is_set_comes_to_an_end() {
    for (name, pause) in PAUSES {
        let report = explore(spin(pause, true));
        assert!(
            matches!(report.verdict, Verdict::Holds),
            "{name}: {report:?}"
        );
    }
}

#[test]
fn a_spin_on_a_flag_that_nobody_sets_is_a_livelock() {
    for (name, pause) in PAUSES {
        let report = explore(spin(pause, false));
        let kind = report.failure().map(|failure| failure.kind);
        assert_eq!(kind, Some(FailureKind::Livelock), "{name}: {report:?}");
    }
}

#[test]
fn two_threads_that_spin_on_each_other_are_a_livelock() {
    fails(FailureKind::Livelock, || {
        let flags = [AtomicBool::new(false), AtomicBool::new(false)];
        let wait_then_set = |a: usize, b: usize| {
            while !flags[a].load(SeqCst) {
                thread::yield_now();
            }
            flags[b].store(true, SeqCst);
        };
        thread::scope(|scope| {
            scope.spawn(|| wait_then_set(0, 1));
            wait_then_set(1, 0);
        });
    });
}

#[test]
fn a_spin_that_gives_up_is_no_livelock() {
    for (name, pause) in PAUSES {
        let report = explore(move || {
            let flag = AtomicBool::new(false);
            thread::scope(|scope| {
                scope.spawn(|| flag.load(SeqCst));
                for _ in 0..50 {
                    if flag.load(SeqCst) {
                        break;
                    }
                    pause();
                }
            });
        });
        let holds = matches!(report.verdict, Verdict::Holds);
        assert!(holds, "{name}: {:?} {}", report.verdict, report.executions);
    }
}

#[test]
fn a_loop_that_always_writes_hits_the_bound_on_steps() {
    let explorer = Explorer::new(Engine::Random)
        .max_executions(3)
        .max_steps(500);
    let report = explorer.explore(|| {
        let n = AtomicUsize::new(0);
        loop {
            n.fetch_add(1, SeqCst);
        }
    });
    assert!(
        matches!(report.verdict, Verdict::Inconclusive(_)),
        "{report:?}"
    );
    assert!(report.truncated > 0, "{report:?}");
}
