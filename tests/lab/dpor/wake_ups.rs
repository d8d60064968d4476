//! Spurious wake-ups.

use std::time::Duration;

use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Condvar, Mutex};
use racelab::trace::LeftOut;
use racelab::{Coverage, Engine, Explorer, Report, SpuriousWakeUps, Verdict, parking_lot, thread};

const MOMENT: Duration = Duration::from_millis(1);

type Pair = (Mutex<u8>, Condvar);

fn explorers(wake_ups: SpuriousWakeUps) -> [Explorer; 2] {
    [Engine::Dpor, Engine::Dfs].map(|engine| Explorer::new(engine).spurious(wake_ups))
}

fn explore(body: impl Fn() + Send + Sync + Copy + 'static) -> [Report; 2] {
    explorers(SpuriousWakeUps::Explored).map(|explorer| {
        let explorer = explorer.past_failures().max_executions(5_000);
        explorer.explore(body)
    })
}

#[track_caller]
fn expect_outcomes(expected: &[&str], body: impl Fn() + Send + Sync + Copy + 'static) {
    for report in explore(body) {
        assert_eq!(report.coverage, Coverage::Complete, "{report}");
        let outcomes: Vec<_> = report.outcomes.iter().map(|o| o.value.as_str()).collect();
        assert_eq!(outcomes, expected, "{report}");
    }
}

/// Sets what is waited for, and notifies.
fn set(pair: &Pair, value: u8) {
    *pair.0.lock().unwrap() = value;
    pair.1.notify_one();
}

/// A thread that sets what this one waits for.
fn awaits(wait: impl FnOnce(&Pair)) {
    let pair = Arc::new((Mutex::new(0), Condvar::new()));
    let other = thread::spawn({
        let pair = Arc::clone(&pair);
        move || set(&pair, 1)
    });
    wait(&pair);
    other.join().unwrap();
}

fn waits_once() {
    awaits(|(number, changed)| {
        let mut number = number.lock().unwrap();
        if *number == 0 {
            number = changed.wait(number).unwrap();
        }
        assert_eq!(*number, 1, "it was not looked at again");
    });
}

fn waits_in_a_loop() {
    awaits(|(number, changed)| {
        let number = changed.wait_while(number.lock().unwrap(), |number| *number == 0);
        assert_eq!(*number.unwrap(), 1);
    });
}

#[test]
fn a_wait_without_a_loop_is_broken_by_a_spurious_wake_up_alone() {
    for explorer in explorers(SpuriousWakeUps::LeftOut) {
        let report = explorer.explore(waits_once);
        assert!(matches!(report.verdict, Verdict::Holds), "{report}");
        assert!(report.left_out.contains(&LeftOut::SpuriousWakeUps));
    }
    for explorer in explorers(SpuriousWakeUps::Explored) {
        let report = explorer.explore(waits_once);
        let failure = report.failure().unwrap_or_else(|| panic!("{report}"));
        assert!(failure.message.contains("not looked at again"), "{report}");
        let why = failure.why.as_deref().unwrap_or_default();
        assert!(why.starts_with("spurious wake-up"), "{report}");
        let schedule = failure.schedule.as_ref().unwrap();
        let replayed = racelab::replay(schedule, waits_once);
        assert_eq!(
            replayed.failure().map(|f| &f.message),
            Some(&failure.message)
        );
    }
}

#[test]
fn a_loop_round_a_wait_holds_and_ends() {
    for report in explore(waits_in_a_loop) {
        assert!(matches!(report.verdict, Verdict::Holds), "{report}");
        assert!(report.executions < 50, "{report}");
        let left_out = &report.left_out;
        assert!(left_out.contains(&LeftOut::RepeatedWakeUps), "{report}");
        assert!(!left_out.contains(&LeftOut::SpuriousWakeUps), "{report}");
    }
}

#[test]
fn a_lost_wake_up_stays_a_deadlock() {
    for report in explore(|| {
        awaits(|(number, changed)| {
            if *number.lock().unwrap() == 0 {
                drop(changed.wait(number.lock().unwrap()));
            }
        });
    }) {
        assert!(report.violations > 0, "{report}");
    }
}

#[test]
fn a_thread_wakes_spuriously_again_after_a_change_of_what_it_waits_for() {
    expect_outcomes(&["0", "1", "2"], || {
        let pair = Arc::new((Mutex::new(0), Condvar::new()));
        let other = thread::spawn({
            let pair = Arc::clone(&pair);
            move || {
                *pair.0.lock().unwrap() = 1;
                set(&pair, 2);
            }
        });
        let mut number = pair.0.lock().unwrap();
        let mut rounds = 0;
        while *number < 2 {
            number = pair.1.wait(number).unwrap();
            rounds += usize::from(*number < 2);
        }
        drop(number);
        other.join().unwrap();
        racelab::outcome(rounds);
    });
}

#[test]
fn waits_of_two_threads_are_no_reason_for_each_other_to_wake_for_ever() {
    let waits = |pair: &Pair| {
        let mut number = pair.0.lock().unwrap();
        while *number == 0 {
            number = pair.1.wait(number).unwrap();
        }
    };
    let report = Explorer::new(Engine::Random)
        .spurious(SpuriousWakeUps::Explored)
        .max_steps(200)
        .explore(move || {
            let pair = Arc::new((Mutex::new(0), Condvar::new()));
            let others = [(); 2].map(|()| {
                let pair = Arc::clone(&pair);
                thread::spawn(move || waits(&pair))
            });
            *pair.0.lock().unwrap() = 1;
            pair.1.notify_all();
            for other in others {
                other.join().unwrap();
            }
        });
    assert!(report.failure().is_none(), "{report}");
    assert_eq!(report.truncated, 0, "{report}");
}

#[test]
fn a_spurious_wake_up_is_no_time_out() {
    expect_outcomes(
        &["(false, 0)", "(false, 1)", "(true, 0)", "(true, 1)"],
        || {
            awaits(|(number, changed)| {
                let number = number.lock().unwrap();
                let (number, waited) = changed.wait_timeout(number, MOMENT).unwrap();
                racelab::outcome((waited.timed_out(), *number));
            });
        },
    );
}

#[test]
fn park_returns_spuriously_and_leaves_the_token() {
    expect_outcomes(&["(false, true)", "(true, true)"], || {
        let ready = Arc::new(AtomicBool::new(false));
        let main = thread::current();
        let other = thread::spawn({
            let ready = Arc::clone(&ready);
            move || {
                ready.store(true, SeqCst);
                main.unpark();
            }
        });
        thread::park();
        let first = ready.load(SeqCst);
        while !ready.load(SeqCst) {
            thread::park();
        }
        racelab::outcome((first, ready.load(SeqCst)));
        other.join().unwrap();
    });
}

#[test]
fn a_spurious_return_of_park_orders_nothing() {
    for report in explore(|| {
        let cell = Arc::new(Shared::default());
        let main = thread::current();
        let other = thread::spawn({
            let cell = Arc::clone(&cell);
            move || {
                cell.set(1);
                main.unpark();
            }
        });
        thread::park();
        cell.set(2);
        other.join().unwrap();
    }) {
        let failure = report.failure().unwrap_or_else(|| panic!("{report}"));
        assert!(failure.race.is_some(), "{report}");
        let schedule = failure.schedule.as_ref().unwrap().to_string();
        assert!(schedule.contains("~1"), "{report}");
    }
}

/// A plain cell that threads share.
#[derive(Default)]
struct Shared(racelab::cell::UnsafeCell<u8>);

// SAFETY: that accesses race is what the test is about. The lab reports a race before the second
// access, and all threads run on one OS thread.
unsafe impl Sync for Shared {}

impl Shared {
    fn set(&self, value: u8) {
        // SAFETY: as above.
        self.0.with_mut(|cell| unsafe { *cell = value });
    }
}

#[test]
fn a_schedule_without_a_spurious_wake_up_is_followed_whether_they_are_explored_or_not() {
    let parks = || {
        let other = thread::spawn(thread::park);
        other.join().unwrap();
    };
    for wake_ups in [SpuriousWakeUps::Explored, SpuriousWakeUps::LeftOut] {
        let report = Explorer::new(Engine::Dpor)
            .spurious(wake_ups)
            .explore(parks);
        let failure = report.failure().unwrap_or_else(|| panic!("{report}"));
        let replayed = racelab::replay(failure.schedule.as_ref().unwrap(), parks);
        assert_eq!(replayed.failure().map(|f| f.kind), Some(failure.kind));
    }
}

#[test]
fn waits_of_parking_lot_end_by_a_notification_only() {
    let body = || {
        let pair = Arc::new((parking_lot::Mutex::new(0), parking_lot::Condvar::new()));
        let other = thread::spawn({
            let pair = Arc::clone(&pair);
            move || {
                *pair.0.lock() = 1;
                pair.1.notify_one();
            }
        });
        let mut number = pair.0.lock();
        if *number == 0 {
            pair.1.wait(&mut number);
        }
        assert_eq!(*number, 1);
        drop(number);
        other.join().unwrap();
    };
    for wake_ups in [SpuriousWakeUps::Explored, SpuriousWakeUps::LeftOut] {
        for explorer in explorers(wake_ups) {
            let report = explorer.explore(body);
            assert!(matches!(report.verdict, Verdict::Holds), "{report}");
            assert!(report.left_out.is_empty(), "{report}");
        }
    }
}

#[test]
fn a_second_wake_up_in_a_row_that_only_a_local_variable_sees_is_named() {
    for report in explore(|| {
        awaits(|(number, changed)| {
            let mut number = number.lock().unwrap();
            let mut wake_ups = 0;
            while *number == 0 {
                number = changed.wait(number).unwrap();
                wake_ups += usize::from(*number == 0);
                assert!(wake_ups < 2, "two wake-ups in a row");
            }
        });
    }) {
        let is_named = report.left_out.contains(&LeftOut::RepeatedWakeUps);
        assert!(is_named || report.failure().is_some(), "{report}");
    }
}

#[test]
fn wake_ups_in_a_row_that_lead_elsewhere_are_followed_up_to_three() {
    for report in explore(|| {
        let rounds = AtomicUsize::new(0);
        awaits(|(number, changed)| {
            let mut number = number.lock().unwrap();
            while *number == 0 {
                rounds.fetch_add(1, SeqCst);
                number = changed.wait(number).unwrap();
            }
            drop(number);
            assert!(rounds.load(SeqCst) < 4, "it went round four times");
        });
    }) {
        let failure = report.failure().unwrap_or_else(|| panic!("{report}"));
        assert!(failure.message.contains("four times"), "{report}");
    }
}

#[test]
fn searches_in_parts_count_spurious_wake_ups_as_a_whole_one_does() {
    for explorer in explorers(SpuriousWakeUps::Explored) {
        let whole = explorer.clone().past_failures().explore(waits_once);
        let divided = explorer.past_failures().jobs(2).explore(waits_once);
        assert_eq!(divided.executions, whole.executions);
        assert_eq!(divided.violations, whole.violations);
        assert_eq!(divided.coverage, whole.coverage);
    }
}
