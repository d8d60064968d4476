//! Tokens name executions, and executions in doubt are told apart.

use racelab::sync::atomic::{AtomicUsize, Ordering};
use racelab::sync::{Arc, Mutex};
use racelab::trace::Schedule;
use racelab::{Engine, Explorer, FailureKind, MemoryModel, Reason, Report, Verdict, thread};

use Ordering::{Relaxed, SeqCst};

use super::{all, fails, loom, message_passing, store_buffering};

#[test]
fn a_token_replays_the_very_execution() {
    let report = loom(message_passing(Relaxed, Relaxed));
    let failure = report.failure().expect("it fails");
    let schedule: Schedule = failure
        .schedule
        .as_ref()
        .unwrap()
        .to_string()
        .parse()
        .unwrap();
    let again = racelab::replay(&schedule, message_passing(Relaxed, Relaxed));
    assert_eq!(again.failure().expect("again").trace, failure.trace);
    let beyond: Schedule = "loom:1000000".parse().unwrap();
    let report = racelab::replay(&beyond, message_passing(Relaxed, Relaxed));
    let Verdict::Inconclusive(Reason::Diverged(why)) = report.verdict else {
        panic!("there is no such execution");
    };
    assert!(why.contains("there is no execution 1000000"), "{why}");
    assert_eq!(report.memory_model, MemoryModel::C11);
    assert_eq!(report.executions, 0);
}

/// Either of two threads can be the first to read the other one's store, and a third execution, in
/// which none does, is only loom's.
#[test]
fn a_failure_that_is_only_in_doubt_is_shown_by_an_execution_that_is_not() {
    let body = || {
        let x = Arc::new(AtomicUsize::new(0));
        let y = Arc::new(AtomicUsize::new(0));
        let other = thread::spawn({
            let (x, y) = (Arc::clone(&x), Arc::clone(&y));
            move || {
                x.store(1, SeqCst);
                y.load(SeqCst)
            }
        });
        y.store(1, SeqCst);
        let mine = x.load(SeqCst);
        let theirs = other.join().unwrap();
        assert_eq!(mine + theirs, 2, "somebody read 0");
    };
    let total = all(body);
    assert!(total.doubted > 0 && total.violations > 0);
    for max in 1..=total.executions {
        let report = Explorer::new(Engine::Loom)
            .max_executions(max)
            .explore(body);
        let Some(failure) = report.failure() else {
            continue;
        };
        let events = &failure.trace.events;
        assert!(events.iter().all(|event| event.stale.is_none()), "{report}");
        let schedule = failure.schedule.as_ref().unwrap();
        fails(&racelab::replay(schedule, body), FailureKind::Panic);
    }
}

#[test]
fn a_replay_of_an_execution_that_may_not_be_possible_says_so() {
    let body = store_buffering(SeqCst, false);
    let total = all(store_buffering(SeqCst, false)).executions;
    let body = Arc::new(body);
    let replays = (1..=total).map(|number| {
        let body = Arc::clone(&body);
        let schedule: Schedule = format!("loom:{number}").parse().unwrap();
        racelab::replay(&schedule, move || body())
    });
    let replays: Vec<Report> = replays.collect();
    let doubtful = replays.iter().filter(|report| {
        matches!(&report.verdict, Verdict::Inconclusive(Reason::Doubtful { message })
            if message == "both read 0")
    });
    assert!(doubtful.count() > 0);
    let is_violated = |report: &Report| report.failure().is_some();
    assert!(!replays.iter().any(is_violated));
}

/// What the search learns when it comes to the attempt, at first in none of its executions, makes it
/// begin again in another way.
#[test]
fn a_token_replays_the_very_execution_of_a_search_that_began_again() {
    let body = |wrong: [u8; 4]| {
        move || {
            let shared = Arc::new((AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(())));
            let other = thread::spawn({
                let shared = Arc::clone(&shared);
                move || {
                    shared.0.store(1, SeqCst);
                    for _ in 0..2 {
                        shared.1.lock().unwrap().push(1);
                    }
                }
            });
            let attempts = shared.0.load(SeqCst) == 1;
            for _ in 0..2 {
                shared.1.lock().unwrap().push(0);
            }
            if attempts {
                drop(shared.2.try_lock());
            }
            other.join().unwrap();
            assert_ne!(*shared.1.lock().unwrap(), wrong);
        }
    };
    for wrong in [[0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0], [1, 0, 0, 1]] {
        let report = all(body(wrong));
        let failure = report.failure().expect("it fails");
        let schedule = failure.schedule.as_ref().unwrap();
        let again = racelab::replay(schedule, body(wrong));
        let again = again.failure().expect("it fails again");
        assert_eq!(again.trace, failure.trace, "{wrong:?}");
    }
}
