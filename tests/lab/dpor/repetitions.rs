//! Spurious failures and time-outs that could come again and again.

use std::time::Duration;

use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Condvar, Mutex, mpsc};
use racelab::trace::LeftOut;
use racelab::{Coverage, Engine, Explorer, Report, thread};

const MOMENT: Duration = Duration::from_millis(1);

fn explore(body: impl Fn() + Send + Sync + Copy + 'static) -> [Report; 2] {
    [Engine::Dpor, Engine::Dfs].map(|engine| {
        let explorer = Explorer::new(engine).past_failures();
        explorer.max_executions(5_000).explore(body)
    })
}

/// Checks that both searches are complete with few executions, and say what they leave out.
fn ends(body: impl Fn() + Send + Sync + Copy + 'static, left_out: LeftOut) {
    for report in explore(body) {
        assert_eq!(report.coverage, Coverage::Complete, "{report}");
        assert!(report.executions < 400, "{report}");
        assert!(report.left_out.contains(&left_out), "{report}");
    }
}

/// Looks at what another thread changes, and never again.
fn looks_once(then: impl FnOnce()) {
    let seen = Arc::new(AtomicUsize::new(0));
    let other = thread::spawn({
        let seen = seen.clone();
        move || seen.store(1, SeqCst)
    });
    seen.load(SeqCst);
    then();
    other.join().unwrap();
}

#[test]
fn a_weak_exchange_ends_behind_a_look_at_something_else() {
    let body = || {
        looks_once(|| {
            let n = AtomicUsize::new(0);
            let mut old = n.load(SeqCst);
            while let Err(now) = n.compare_exchange_weak(old, old + 1, SeqCst, SeqCst) {
                old = now;
            }
        });
    };
    ends(body, LeftOut::RepeatedFailures);
}

#[test]
fn waits_with_a_time_limit_end_behind_a_look_at_something_else() {
    ends(
        || {
            let (sender, receiver) = mpsc::channel();
            let seen = Arc::new(AtomicUsize::new(0));
            let other = thread::spawn({
                let seen = seen.clone();
                move || {
                    seen.store(1, SeqCst);
                    sender.send(1).unwrap();
                }
            });
            seen.load(SeqCst);
            while receiver.recv_timeout(MOMENT).is_err() {}
            other.join().unwrap();
        },
        LeftOut::RepeatedTimeouts,
    );
    ends(
        || {
            let pair = Arc::new((Mutex::new(false), Condvar::new()));
            let seen = Arc::new(AtomicUsize::new(0));
            let other = thread::spawn({
                let (seen, pair) = (seen.clone(), pair.clone());
                move || {
                    seen.store(1, SeqCst);
                    *pair.0.lock().unwrap() = true;
                    pair.1.notify_one();
                }
            });
            seen.load(SeqCst);
            let mut done = pair.0.lock().unwrap();
            while !*done {
                done = pair.1.wait_timeout(done, MOMENT).unwrap().0;
            }
            drop(done);
            other.join().unwrap();
        },
        LeftOut::RepeatedTimeouts,
    );
}

#[test]
fn a_second_failure_in_a_row_that_leads_elsewhere_is_followed() {
    for report in explore(|| {
        let (n, failures) = (AtomicUsize::new(0), AtomicUsize::new(0));
        while n.compare_exchange_weak(0, 1, SeqCst, SeqCst).is_err() {
            assert!(failures.fetch_add(1, SeqCst) < 2, "three failures in a row");
        }
    }) {
        let failure = report.failure().unwrap_or_else(|| panic!("{report}"));
        assert!(
            failure.message.contains("three failures in a row"),
            "{report}"
        );
    }
}

#[test]
fn a_second_failure_in_a_row_that_only_a_local_variable_sees_is_named() {
    for report in explore(|| {
        let n = AtomicUsize::new(0);
        let mut failures = 0;
        while n.compare_exchange_weak(0, 1, SeqCst, SeqCst).is_err() {
            failures += 1;
            assert!(failures < 2, "two failures in a row");
        }
    }) {
        let is_named = report.left_out.contains(&LeftOut::RepeatedFailures);
        assert!(is_named || report.failure().is_some(), "{report}");
    }
}

#[test]
fn a_failure_is_tried_again_after_a_change() {
    for report in explore(|| {
        let n = Arc::new(AtomicUsize::new(0));
        let other = thread::spawn({
            let n = n.clone();
            move || n.fetch_add(2, SeqCst)
        });
        let mut old = n.load(SeqCst);
        let mut failures = 0;
        while let Err(now) = n.compare_exchange_weak(old, old + 1, SeqCst, SeqCst) {
            failures += usize::from(now == old);
            old = now;
        }
        other.join().unwrap();
        racelab::outcome(failures);
    }) {
        assert_eq!(report.coverage, Coverage::Complete, "{report}");
        let outcomes: Vec<_> = report.outcomes.iter().map(|o| o.value.as_str()).collect();
        assert_eq!(outcomes, ["0", "1", "2"], "{report}");
    }
}

#[test]
fn threads_that_fail_in_turn_are_no_reason_for_each_other_for_ever() {
    for report in [Engine::Dpor, Engine::Random].map(|engine| {
        let explorer = Explorer::new(engine).max_executions(20_000).max_steps(200);
        explorer.explore(|| {
            let attempts = Arc::new(AtomicUsize::new(0));
            let fails = |n: &AtomicUsize, attempts: &AtomicUsize| {
                while n.compare_exchange_weak(0, 1, SeqCst, SeqCst).is_err() {
                    attempts.fetch_add(1, SeqCst);
                }
            };
            let other = thread::spawn({
                let attempts = attempts.clone();
                move || fails(&AtomicUsize::new(0), &attempts)
            });
            fails(&AtomicUsize::new(0), &attempts);
            other.join().unwrap();
        })
    }) {
        assert!(report.failure().is_none(), "{report}");
        assert_eq!(report.truncated, 0, "{report}");
    }
}

#[test]
fn waits_with_a_time_limit_on_one_mutex_end() {
    let waits = |pair: &(Mutex<bool>, Condvar)| {
        let mut done = pair.0.lock().unwrap();
        while !*done {
            done = pair.1.wait_timeout(done, MOMENT).unwrap().0;
        }
    };
    let report = Explorer::new(Engine::Random)
        .max_steps(400)
        .explore(move || {
            let pair = Arc::new((Mutex::new(false), Condvar::new()));
            let others = [(); 2].map(|()| {
                let pair = pair.clone();
                thread::spawn(move || waits(&pair))
            });
            *pair.0.lock().unwrap() = true;
            pair.1.notify_all();
            for other in others {
                other.join().unwrap();
            }
        });
    assert!(report.failure().is_none(), "{report}");
    assert_eq!(report.truncated, 0, "{report}");
}

#[test]
fn a_weak_exchange_ends_behind_looks_at_what_is_new_in_each_round() {
    for objects in [1, 20] {
        ends(
            move || {
                let n = AtomicUsize::new(0);
                while n.compare_exchange_weak(0, 1, SeqCst, SeqCst).is_err() {
                    for _ in 0..objects {
                        AtomicUsize::new(0).load(SeqCst);
                    }
                }
            },
            LeftOut::RepeatedFailures,
        );
    }
}

#[test]
fn a_weak_exchange_ends_behind_looks_at_many_things_that_others_have_changed() {
    ends(
        || {
            let seen = Arc::new([(); 20].map(|()| AtomicUsize::new(0)));
            let other = thread::spawn({
                let seen = seen.clone();
                move || seen.iter().for_each(|seen| seen.store(1, SeqCst))
            });
            other.join().unwrap();
            let n = AtomicUsize::new(0);
            while n.compare_exchange_weak(0, 1, SeqCst, SeqCst).is_err() {
                for seen in seen.iter() {
                    seen.load(SeqCst);
                }
            }
        },
        LeftOut::RepeatedFailures,
    );
}

#[test]
fn a_weak_exchange_of_what_is_new_in_each_round_ends() {
    ends(
        || {
            let fails = || AtomicUsize::new(0).compare_exchange_weak(0, 1, SeqCst, SeqCst);
            while fails().is_err() {}
        },
        LeftOut::RepeatedFailures,
    );
}

/// The outcomes of both searches.
#[track_caller]
fn expect_outcomes(expected: &[&str], body: impl Fn() + Send + Sync + Copy + 'static) {
    for report in explore(body) {
        assert_eq!(report.coverage, Coverage::Complete, "{report}");
        let outcomes: Vec<_> = report.outcomes.iter().map(|o| o.value.as_str()).collect();
        assert_eq!(outcomes, expected, "{report}");
    }
}

#[test]
fn operations_on_two_objects_at_one_place_fail_independently() {
    expect_outcomes(
        &[
            "(false, false)",
            "(false, true)",
            "(true, false)",
            "(true, true)",
        ],
        || {
            let fails = |n: &AtomicUsize| n.compare_exchange_weak(0, 1, SeqCst, SeqCst).is_err();
            let (one, other) = (AtomicUsize::new(0), AtomicUsize::new(0));
            racelab::outcome((fails(&one), fails(&other)));
        },
    );
}

#[test]
fn a_success_ends_a_row_of_failures() {
    expect_outcomes(&["[0, 0]", "[0, 1]", "[1, 0]", "[1, 1]"], || {
        let n = AtomicUsize::new(0);
        let failures = [0, 1].map(|old| {
            let mut failures = 0;
            while n
                .compare_exchange_weak(old, old + 1, SeqCst, SeqCst)
                .is_err()
            {
                failures += 1;
            }
            failures
        });
        racelab::outcome(failures);
    });
}

#[test]
fn a_message_ends_a_row_of_time_outs() {
    expect_outcomes(&["[0, 0]", "[0, 1]", "[1, 0]", "[1, 1]"], || {
        let (sender, receiver) = mpsc::channel();
        let (asks, asked) = mpsc::channel();
        let other = thread::spawn(move || {
            for () in asked {
                sender.send(()).unwrap();
            }
        });
        let timeouts = [(); 2].map(|()| {
            asks.send(()).unwrap();
            let mut timeouts = 0;
            while receiver.recv_timeout(MOMENT).is_err() {
                timeouts += 1;
            }
            timeouts
        });
        drop(asks);
        other.join().unwrap();
        racelab::outcome(timeouts);
    });
}
