//! What ends a search early, and that it proves nothing then.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize as RealAtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use racelab::sync::Arc;
use racelab::sync::atomic::AtomicUsize;
use racelab::trace::ThreadId;
use racelab::{Bound, Coverage, Engine, Explorer, Progress, Reason, Verdict, thread};

use super::{FETCH_ADD, count, counter_2_1, expect_failure, expect_reason, explore};
use crate::oracle::Program;

#[test]
fn dfs_is_complete_if_its_last_execution_reaches_the_bound() {
    let program = Program::alike(2, 1, &FETCH_ADD);
    let total = program.interleavings();
    for (max, complete) in [(total - 1, false), (total, true), (total + 1, true)] {
        let report = explore(&Explorer::new(Engine::Dfs).max_executions(max), &program);
        assert_eq!(report.executions, max.min(total));
        if complete {
            assert!(matches!(report.verdict, Verdict::Holds));
            assert_eq!(report.coverage, Coverage::Complete);
        } else {
            assert_eq!(
                expect_reason(&report),
                &Reason::Bound(Bound::MaxExecutions(max))
            );
            assert_eq!(
                report.coverage,
                Coverage::Bounded(Bound::MaxExecutions(max))
            );
        }
    }
}

#[test]
fn a_time_limit_that_is_over_proves_nothing() {
    for engine in [
        Engine::Dfs,
        Engine::Random,
        #[cfg(feature = "shuttle")]
        Engine::Shuttle,
    ] {
        let report = Explorer::new(engine)
            .time_limit(Duration::ZERO)
            .explore(|| {});
        let bound = Bound::TimeLimit(Duration::ZERO);
        assert_eq!(expect_reason(&report), &Reason::Bound(bound));
        assert_eq!(report.coverage, Coverage::Bounded(bound));
        assert_eq!(report.executions, 0);
    }
}

#[test]
fn limits_that_are_never_reached_change_nothing() {
    for engine in [
        Engine::Dpor,
        Engine::Dfs,
        Engine::Random,
        Engine::Pct,
        #[cfg(feature = "shuttle")]
        Engine::Shuttle,
        #[cfg(feature = "loom")]
        Engine::Loom,
    ] {
        for jobs in [None, Some(2)] {
            let explorer = Explorer::new(engine)
                .max_executions(500)
                .time_limit(Duration::MAX)
                .stall_limit(Duration::MAX);
            let explorer = match jobs {
                Some(jobs) => explorer.jobs(jobs),
                None => explorer,
            };
            let report = explorer.explore(counter_2_1);
            expect_failure(&report);
        }
    }
}

#[test]
fn a_wait_may_be_for_no_time_or_for_ever() {
    use racelab::sync::{Condvar, Mutex, mpsc};

    for engine in [Engine::Dpor, Engine::Dfs] {
        for time in [Duration::ZERO, Duration::MAX] {
            let report = Explorer::new(engine).explore(move || {
                let pair = Arc::new((Mutex::new(false), Condvar::new()));
                let (sender, receiver) = mpsc::channel();
                let other = thread::spawn({
                    let pair = Arc::clone(&pair);
                    move || {
                        *pair.0.lock().unwrap() = true;
                        pair.1.notify_one();
                        sender.send(1).unwrap();
                    }
                });
                let held = pair.0.lock().unwrap();
                let waited = pair.1.wait_timeout_while(held, time, |ready| !*ready);
                let (held, timed_out) = waited.unwrap();
                assert!(*held || timed_out.timed_out());
                drop(held);
                let _ = receiver.recv_timeout(time);
                thread::park_timeout(Duration::ZERO);
                thread::sleep(time);
                other.join().unwrap();
            });
            assert!(report.failure().is_none(), "{report}");
        }
    }
}

#[test]
fn an_interrupt_ends_the_search_after_the_running_execution() {
    for engine in [
        Engine::Dfs,
        Engine::Random,
        #[cfg(feature = "shuttle")]
        Engine::Shuttle,
    ] {
        let progress = Progress::default();
        let explorer = Explorer::new(engine).progress(progress.clone());
        let inside = progress.clone();
        let begun = RealAtomicUsize::new(0);
        let report = explorer.explore(move || {
            count(2, 1, |n| {
                n.fetch_add(1, SeqCst);
            });
            if begun.fetch_add(1, SeqCst) + 1 == 3 {
                inside.interrupt();
            }
        });
        assert_eq!(expect_reason(&report), &Reason::Bound(Bound::Interrupted));
        assert_eq!(report.coverage, Coverage::Bounded(Bound::Interrupted));
        assert_eq!((report.executions, progress.executions()), (3, 3));
    }
}

#[test]
fn an_execution_cut_by_the_bound_on_steps_proves_nothing() {
    // Nine steps: two spawns, two joins, four accesses and the last load.
    let body = || {
        count(2, 1, |n| {
            let value = n.load(SeqCst);
            n.store(value + 1, SeqCst);
        });
    };
    let report = Explorer::new(Engine::Dfs).max_steps(9).explore(body);
    assert!(matches!(report.verdict, Verdict::Holds));
    assert_eq!(report.truncated, 0);
    for past_failures in [false, true] {
        let explorer = Explorer::new(Engine::Dfs).max_steps(8);
        let explorer = if past_failures {
            explorer.past_failures()
        } else {
            explorer
        };
        let report = explorer.explore(body);
        let bound = Bound::MaxSteps(8);
        assert_eq!(expect_reason(&report), &Reason::Bound(bound));
        assert_eq!(report.coverage, Coverage::Bounded(bound));
        assert!(report.truncated > 0);
    }
    let report = Explorer::new(Engine::Random).max_steps(8).explore(body);
    assert!(matches!(report.verdict, Verdict::Inconclusive(_)));
    assert!(report.truncated > 0);
    assert_ne!(report.coverage, Coverage::Complete);
}

/// Goes round for ever unless the other thread comes first, and fails then.
fn goes_round_or_fails(fails: bool) {
    let is_set = Arc::new(AtomicUsize::new(0));
    let other = thread::spawn({
        let is_set = Arc::clone(&is_set);
        move || is_set.store(1, SeqCst)
    });
    let rounds = AtomicUsize::new(0);
    if is_set.load(SeqCst) == 0 {
        loop {
            rounds.fetch_add(1, SeqCst);
        }
    }
    other.join().unwrap();
    assert!(!fails, "behind the loop");
}

#[test]
fn an_exhaustive_search_goes_on_behind_an_execution_that_is_cut() {
    for engine in [Engine::Dpor, Engine::Dfs] {
        let explorer = Explorer::new(engine).max_steps(40);
        let report = explorer.explore(|| goes_round_or_fails(false));
        let bound = Bound::MaxSteps(40);
        assert_eq!(expect_reason(&report), &Reason::Bound(bound), "{report}");
        assert_eq!(report.coverage, Coverage::Bounded(bound), "{report}");
        assert_eq!(report.executions, 1, "{report}");
        assert!(report.truncated > 0, "{report}");
        let [found, ..] = &report.loops[..] else {
            panic!("no loop: {report}")
        };
        assert_eq!((found.thread.as_str(), found.round.len()), ("main", 1));
        assert!(found.rounds > 30, "{report}");
        let report = explorer.jobs(2).explore(|| goes_round_or_fails(true));
        assert_eq!(expect_failure(&report).message, "behind the loop");
    }
}

#[test]
fn a_body_that_loops_without_a_step_is_given_up_with_its_last_event() {
    static STOP: AtomicBool = AtomicBool::new(false);
    for engine in [
        Engine::Dfs,
        Engine::Random,
        #[cfg(feature = "shuttle")]
        Engine::Shuttle,
    ] {
        STOP.store(false, SeqCst);
        let explorer = Explorer::new(engine).stall_limit(Duration::from_millis(200));
        let report = explorer.explore(|| {
            AtomicUsize::new(0).load(SeqCst);
            while !black_box(STOP.load(SeqCst)) {}
        });
        // The thread that was given up is to end with the test.
        STOP.store(true, SeqCst);
        let Reason::Stuck { waited, last } = expect_reason(&report) else {
            panic!("not stuck: {:?}", report.verdict)
        };
        assert_eq!(*waited, Duration::from_millis(200));
        assert_eq!(report.engine, Some(engine));
        let (thread, operation, at) = last.expect("there was an event");
        assert_eq!((thread, operation.name()), (ThreadId::MAIN, "load"));
        assert!(at.file().ends_with("limits.rs"));
        assert_ne!(report.coverage, Coverage::Complete);
    }
}

#[test]
fn an_exploration_that_is_stuck_does_not_count_the_executions_of_the_one_before() {
    static STOP: AtomicBool = AtomicBool::new(false);
    let explorer = Explorer::new(Engine::Dfs);
    assert!(explorer.explore(counter_2_1).failure().is_some());
    // The clone has the same progress.
    let explorer = explorer.clone().stall_limit(Duration::from_millis(200));
    let report = explorer.explore(|| while !black_box(STOP.load(SeqCst)) {});
    STOP.store(true, SeqCst);
    assert!(matches!(
        expect_reason(&report),
        Reason::Stuck { last: None, .. }
    ));
    assert_eq!(report.executions, 0);
}

#[test]
fn an_endless_loop_of_steps_hits_the_bound_on_steps() {
    for engine in [
        Engine::Dfs,
        Engine::Random,
        #[cfg(feature = "shuttle")]
        Engine::Shuttle,
    ] {
        let report = Explorer::new(engine).max_steps(50).explore(|| {
            let n = AtomicUsize::new(0);
            loop {
                n.fetch_add(1, SeqCst);
            }
        });
        assert_eq!(expect_reason(&report), &Reason::Bound(Bound::MaxSteps(50)));
    }
}
