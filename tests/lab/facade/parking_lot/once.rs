//! The one-time initialisation.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use racelab::parking_lot::{Once, OnceState};
use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::{outcome, thread};

use crate::facade::{holds, outcomes};

#[test]
fn it_runs_once_whoever_comes_and_everybody_sees_that_it_is_done() {
    static START: Once = Once::new();

    let body = || {
        let runs = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    START.call_once(|| {
                        runs.fetch_add(1, SeqCst);
                    });
                    assert_eq!(START.state(), OnceState::Done);
                });
            }
        });
        runs.into_inner()
    };
    assert_eq!(body(), 1);
    holds(move || assert_eq!(body(), 1));
}

#[test]
fn how_far_it_has_come_can_be_seen() {
    let seen = outcomes(|| {
        let once = Once::new();
        thread::scope(|scope| {
            scope.spawn(|| once.call_once(|| ()));
            outcome(format!("{:?}", once.state()));
        });
    });
    assert_eq!(seen, ["\"Done\"", "\"InProgress\"", "\"New\""]);
}

#[test]
fn a_panic_poisons_it_and_is_told_to_who_comes_by_force() {
    let body = || {
        let once = Once::new();
        let panics = |f: &dyn Fn()| catch_unwind(AssertUnwindSafe(f)).is_err();
        assert!(panics(&|| once.call_once(|| resume_unwind(Box::new(())))));
        assert_eq!(once.state(), OnceState::Poisoned);
        let mut told = None;
        once.call_once_force(|state| told = Some(state));
        assert_eq!(told, Some(OnceState::Poisoned));
        assert_eq!(once.state(), OnceState::Done);
        once.call_once_force(|_| panic!("it is done"));
    };
    body();
    holds(body);
}
