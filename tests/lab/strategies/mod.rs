//! The random strategies, held against what their papers promise and against exact probabilities.
//!
//! All seeds are fixed, so that a test comes out the same each time.

mod programs;
mod uniform;

use std::collections::BTreeSet;
use std::sync::Arc as RealArc;
use std::sync::atomic::AtomicU64;

use crate::known_bugs::KnownBug;
use programs::LARGER;
use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Condvar, Mutex, mpsc};
use racelab::{
    Bound, Engine, Explorer, FailureKind, Progress, Reason, Report, Verdict, hint, outcome, thread,
};

const STRATEGIES: [Engine; 4] = [Engine::Pct, Engine::Urw, Engine::Pos, Engine::Surw];

/// The executions that a strategy runs before it begins to count, at most.
const LESSONS: u64 = 16;

/// How many executions it takes to the first failure, if that is within `cap`, without making it
/// the smallest one.
fn executions_to_failure(engine: Engine, seed: u64, cap: u64, body: fn()) -> Option<u64> {
    /// Ends the search after an execution that fails, before it looks for a smaller one.
    struct Ended {
        progress: Progress,
        before: RealArc<AtomicU64>,
    }

    impl Drop for Ended {
        fn drop(&mut self) {
            let is_counted = self.before.fetch_add(1, SeqCst) >= LESSONS;
            if is_counted && std::thread::panicking() {
                self.progress.interrupt();
            }
        }
    }

    let progress = Progress::default();
    let before = RealArc::new(AtomicU64::new(0));
    let explorer = Explorer::new(engine).seed(seed).max_executions(cap);
    let report = explorer.progress(progress.clone()).explore(move || {
        let _ended = Ended {
            progress: progress.clone(),
            before: RealArc::clone(&before),
        };
        body();
    });
    report.failure().map(|_| report.executions)
}

#[test]
fn surw_finds_every_program_in_each_of_twenty_trials() {
    let small = KnownBug::ALL.map(|bug| (bug.name, bug.body));
    for (name, body) in small.into_iter().chain(LARGER) {
        for seed in 0..20 {
            let found = executions_to_failure(Engine::Surw, seed, 10_000, body);
            assert!(found.is_some(), "{name} with seed {seed}");
        }
    }
}

#[test]
fn surw_finds_in_few_executions_what_dies_out_in_a_random_walk() {
    let reorder_10 = LARGER[0].1;
    let found =
        (0..20).filter_map(|seed| executions_to_failure(Engine::Surw, seed, 10_000, reorder_10));
    let found: Vec<u64> = found.collect();
    assert_eq!(found.len(), 20);
    // The mean of the paper's authors is 17.
    let mean = found.iter().sum::<u64>() / 20;
    assert!(mean <= 34, "{found:?}");
    let walk = executions_to_failure(Engine::Random, 0, 2_000, reorder_10);
    assert_eq!(walk, None);
}

#[test]
fn every_strategy_finds_the_small_programs() {
    for bug in KnownBug::ALL {
        for engine in STRATEGIES {
            for seed in [1, 2] {
                let found = executions_to_failure(engine, seed, 10_000, bug.body);
                assert!(found.is_some(), "{} under {engine}, seed {seed}", bug.name);
            }
        }
    }
}

#[test]
fn a_failure_of_a_strategy_is_minimised_and_replays() {
    let bug = KnownBug::ALL.into_iter().find(|bug| bug.name == "twostage");
    let bug = bug.expect("it is there");
    for engine in STRATEGIES {
        let report = Explorer::new(engine).explore(bug.body);
        let failure = report.failure().expect("it fails");
        assert_eq!(
            (failure.minimal, failure.preemptions),
            (Some(true), Some(1))
        );
        let again = racelab::replay(failure.schedule.as_ref().unwrap(), bug.body);
        assert_eq!(
            again.failure().expect("it fails again").trace,
            failure.trace
        );
    }
}

/// A body with many outcomes, some of which are failures.
fn varied() {
    let (n, m) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(1)));
    let workers = (1..=3).map(|step| {
        let (n, m) = (Arc::clone(&n), Arc::clone(&m));
        thread::spawn(move || {
            let value = n.load(SeqCst);
            let mut factor = m.lock().unwrap();
            *factor = *factor * 3 + step;
            n.store(value + *factor, SeqCst);
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.join().unwrap();
    }
    outcome(n.load(SeqCst));
    assert_ne!(n.load(SeqCst), 51, "the failing one");
}

type Counts = (u64, u64, Vec<(String, u64)>);

fn counts(report: &Report) -> Counts {
    let outcomes = report.outcomes.iter();
    let outcomes = outcomes.map(|outcome| (outcome.value.clone(), outcome.executions));
    (report.executions, report.violations, outcomes.collect())
}

#[test]
fn the_same_seed_makes_the_same_report_and_another_one_another() {
    for engine in STRATEGIES {
        let explore = |seed| {
            let explorer = Explorer::new(engine).seed(seed).max_executions(400);
            explorer.past_failures().explore(varied)
        };
        let (first, second) = (explore(5), explore(5));
        assert_eq!(counts(&first), counts(&second), "{engine}");
        let schedule = |report: &Report| report.failure().and_then(|f| f.schedule.clone());
        assert_eq!(schedule(&first), schedule(&second), "{engine}");
        let different: BTreeSet<Counts> = (0..6).map(|seed| counts(&explore(seed))).collect();
        assert_eq!(different.len(), 6, "{engine}");
    }
}

#[test]
fn a_strategy_makes_as_many_executions_as_asked_and_is_never_complete() {
    for engine in STRATEGIES {
        for executions in [1, 5, 100] {
            let explorer = Explorer::new(engine).max_executions(executions);
            let report = explorer.explore(|| {});
            assert_eq!(report.executions, executions, "{engine}");
            let bound = Reason::Bound(Bound::MaxExecutions(executions));
            assert!(
                matches!(&report.verdict, Verdict::Inconclusive(reason) if *reason == bound),
                "{engine}: {report}"
            );
        }
    }
}

/// Explores a body that must end in each execution, and not fail.
fn always_ends(name: &str, body: fn()) {
    for engine in STRATEGIES {
        let report = Explorer::new(engine).max_executions(300).explore(body);
        assert!(
            report.failure().is_none(),
            "{name} under {engine}: {report}"
        );
        let ended = (report.executions, report.truncated, report.blocked);
        assert_eq!(ended, (300, 0, 0), "{name} under {engine}");
    }
}

#[test]
fn who_waits_by_looking_again_does_not_keep_others_from_going_on() {
    always_ends("a spin with a hint", || {
        let flag = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !flag.load(SeqCst) {
                    hint::spin_loop();
                }
            });
            flag.store(true, SeqCst);
        });
    });
    always_ends("a spin without one", || {
        let flag = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| while !flag.load(SeqCst) {});
            flag.store(true, SeqCst);
        });
    });
    always_ends("three who spin in turns", || {
        let turn = AtomicUsize::new(0);
        thread::scope(|scope| {
            for own in 0..3 {
                let turn = &turn;
                scope.spawn(move || {
                    while turn.load(SeqCst) != own {
                        thread::yield_now();
                    }
                    turn.store(own + 1, SeqCst);
                });
            }
        });
    });
    always_ends("a spin lock", || {
        let (lock, n) = (AtomicBool::new(false), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while lock.compare_exchange(false, true, SeqCst, SeqCst).is_err() {
                        hint::spin_loop();
                    }
                    n.store(n.load(SeqCst) + 1, SeqCst);
                    lock.store(false, SeqCst);
                });
            }
        });
        assert_eq!(n.load(SeqCst), 3);
    });
}

#[test]
fn who_waits_properly_is_woken_under_every_strategy() {
    always_ends("a condition variable", || {
        let (ready, change) = (Mutex::new(false), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                let ready = ready.lock().unwrap();
                drop(change.wait_while(ready, |ready| !*ready).unwrap());
            });
            *ready.lock().unwrap() = true;
            change.notify_one();
        });
    });
    always_ends("a channel with room for one", || {
        let (sender, receiver) = mpsc::sync_channel(1);
        let other = sender.clone();
        let senders = [sender, other].map(|sender| {
            thread::spawn(move || (0..2).for_each(|item| sender.send(item).unwrap()))
        });
        assert_eq!(receiver.iter().count(), 4);
        for sender in senders {
            sender.join().unwrap();
        }
    });
    always_ends("park", || {
        let parked = thread::spawn(thread::park);
        parked.thread().unpark();
        parked.join().unwrap();
    });
}

#[test]
fn a_deadlock_and_a_livelock_are_found_under_every_strategy() {
    fn deadlock() {
        let locks = Arc::new((Mutex::new(()), Mutex::new(())));
        let other = Arc::clone(&locks);
        let reverse = thread::spawn(move || {
            let _second = other.1.lock().unwrap();
            let _first = other.0.lock().unwrap();
        });
        {
            let _first = locks.0.lock().unwrap();
            let _second = locks.1.lock().unwrap();
        }
        reverse.join().unwrap();
    }

    fn livelock() {
        let flag = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !flag.load(SeqCst) {
                        thread::yield_now();
                    }
                });
            }
        });
    }

    for engine in STRATEGIES {
        for (body, kind) in [
            (deadlock as fn(), FailureKind::Deadlock),
            (livelock, FailureKind::Livelock),
        ] {
            // A livelock goes on up to the bound.
            let report = Explorer::new(engine).max_steps(3_000).explore(body);
            let failure = report.failure().expect("it fails");
            assert_eq!(failure.kind, kind, "{engine}");
        }
    }
}
