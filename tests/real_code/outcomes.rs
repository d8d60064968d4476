//! Programs of which the reduction and enumeration find the same outcomes and count the same traces.

use std::panic::{AssertUnwindSafe, catch_unwind};

use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Mutex, TryLockError};
use racelab::{Coverage, Explorer, outcome, thread};

use super::EXHAUSTIVE;

/// Checks which outcomes there are, and how many traces.
#[track_caller]
fn comes_to(expected: &[&str], traces: u64, body: impl Fn() + Send + Sync + Copy + 'static) {
    for engine in EXHAUSTIVE {
        let report = Explorer::new(engine).explore(body);
        assert_eq!(report.coverage, Coverage::Complete, "{report}");
        let outcomes: Vec<_> = report.outcomes.iter().map(|o| o.value.as_str()).collect();
        assert_eq!(outcomes, expected, "{report}");
        assert_eq!(report.traces, Some(traces), "{report}");
    }
}

#[test]
fn a_panic_under_a_lock_that_is_caught_is_seen_by_others_in_each_way() {
    let expected = [
        r#"("free", false)"#,
        r#"("free", true)"#,
        r#"("held", false)"#,
        r#"("held", true)"#,
        r#"("poisoned", true)"#,
    ];
    comes_to(&expected, 6, || {
        let shared = Arc::new((Mutex::new(()), AtomicUsize::new(0)));
        let panics = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let caught = catch_unwind(AssertUnwindSafe(|| {
                    let _guard = shared.0.lock();
                    assert_ne!(shared.1.load(SeqCst), 0);
                }));
                caught.is_err()
            }
        });
        let saves = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.1.store(1, SeqCst)
        });
        let found = match shared.0.try_lock() {
            Ok(_) => "free",
            Err(TryLockError::Poisoned(_)) => "poisoned",
            Err(TryLockError::WouldBlock) => "held",
        };
        let panicked = panics.join().unwrap();
        saves.join().unwrap();
        outcome((found, panicked));
    });
}

/// Main polls by `try_lock` and yields, until the lock is free. The others take the lock, and may count
/// before.
fn try_until_free(threads: usize, counts: bool) {
    let shared = Arc::new((Mutex::new(()), AtomicUsize::new(0)));
    for _ in 0..threads {
        let shared = Arc::clone(&shared);
        thread::spawn(move || {
            if counts {
                shared.1.fetch_add(1, SeqCst);
            }
            drop(shared.0.lock().unwrap());
        });
    }
    let mut seen = vec![];
    while shared.0.try_lock().is_err() {
        if counts {
            seen.push(shared.1.load(SeqCst));
        }
        thread::yield_now();
    }
    outcome(seen);
}

#[test]
fn a_loop_that_polls_by_try_lock_and_yields_has_as_many_traces_under_both_searches() {
    comes_to(&["[]"], 4, || try_until_free(1, false));
    comes_to(&["[1, 1]", "[1]", "[]"], 4, || try_until_free(1, true));
    comes_to(&["[]"], 26, || try_until_free(2, false));
}
