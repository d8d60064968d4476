//! The engine `threads`: the body again and again on the real machine.

use std::sync::Barrier;
use std::sync::atomic::AtomicUsize as RealAtomicUsize;
use std::time::Duration;

use crate::own_process;
use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Mutex, mpsc};
use racelab::{
    Bound, Coverage, DEFAULT_RUNS, Engine, Explorer, Failure, FailureKind, MemoryModel, Progress,
    Reason, Report, Verdict, thread,
};

fn explorer() -> Explorer {
    Explorer::new(Engine::Threads)
}

fn expect_failure(report: &Report) -> &Failure {
    report
        .failure()
        .unwrap_or_else(|| panic!("no failure: {:?}", report.verdict))
}

fn expect_reason(report: &Report) -> &Reason {
    match &report.verdict {
        Verdict::Inconclusive(reason) => reason,
        verdict => panic!("not inconclusive: {verdict:?}"),
    }
}

/// A body, and where it counts how often it was run.
fn counting() -> (Arc<RealAtomicUsize>, impl Fn() + Send + Sync + 'static) {
    let runs = Arc::new(RealAtomicUsize::new(0));
    let count = Arc::clone(&runs);
    (runs, move || {
        count.fetch_add(1, SeqCst);
    })
}

mod verdicts {
    use super::*;

    #[test]
    fn what_never_fails_is_inconclusive_and_names_the_runs() {
        for (explorer, runs) in [
            (explorer(), DEFAULT_RUNS),
            (explorer().max_executions(7), 7),
            (explorer().max_executions(7).past_failures(), 7),
        ] {
            let (count, body) = counting();
            let report = explorer.explore(body);
            let bound = Bound::Runs(runs);
            assert_eq!(expect_reason(&report), &Reason::Bound(bound));
            assert_eq!(report.coverage, Coverage::Bounded(bound));
            assert_eq!(report.executions, runs);
            assert_eq!(count.load(SeqCst) as u64, runs);
            assert_eq!(report.engine, Some(Engine::Threads));
            assert_eq!(report.memory_model, MemoryModel::Machine);
        }
    }

    #[test]
    fn a_failure_of_every_schedule_is_found_in_the_first_run() {
        let report = explorer().explore(|| {
            let n = Arc::new(AtomicUsize::new(0));
            let other = thread::spawn({
                let n = Arc::clone(&n);
                move || n.fetch_add(1, SeqCst)
            });
            other.join().unwrap();
            assert_eq!(n.load(SeqCst), 2);
        });
        let failure = expect_failure(&report);
        assert_eq!(
            (failure.kind, failure.message.as_str()),
            (
                FailureKind::Panic,
                "assertion `left == right` failed\n  left: 1\n right: 2"
            )
        );
        assert!(
            failure
                .at
                .as_ref()
                .is_some_and(|at| at.starts_with("tests/lab/threads.rs:"))
        );
        assert_eq!((report.executions, report.violations), (1, 1));
        assert_eq!(report.coverage, Coverage::FirstFailure);
    }

    #[test]
    fn there_is_no_schedule_and_no_trace() {
        let report = explorer().explore(|| panic!("always"));
        let failure = expect_failure(&report);
        assert_eq!(failure.schedule, None);
        assert_eq!(failure.preemptions, None);
        assert!(failure.trace.events.is_empty());
        assert_eq!(failure.minimal, None);
        let text = report.to_string();
        assert!(text.starts_with("VIOLATED   always\n"), "{text}");
        assert!(
            text.contains("\n  at       tests/lab/threads.rs:"),
            "{text}"
        );
        assert!(
            text.contains("\n  replay   not possible: real threads\n"),
            "{text}"
        );
        assert!(
            !text.contains("step") && !text.contains("minimal"),
            "{text}"
        );
    }

    #[test]
    fn past_failures_all_runs_are_made_and_failures_and_outcomes_counted() {
        let (count, body) = counting();
        let runs = Arc::clone(&count);
        let explorer = explorer().max_executions(10).past_failures();
        let report = explorer.explore(move || {
            body();
            let is_odd = runs.load(SeqCst) % 2 == 1;
            racelab::outcome(is_odd);
            assert!(!is_odd, "odd");
        });
        assert_eq!((report.executions, report.violations), (10, 5));
        let outcomes: Vec<(&str, u64)> = report
            .outcomes
            .iter()
            .map(|outcome| (outcome.value.as_str(), outcome.executions))
            .collect();
        assert_eq!(outcomes, [("false", 5), ("true", 5)]);
        assert_eq!(expect_failure(&report).message, "odd");
    }

    #[test]
    fn the_time_limit_and_an_interrupt_stop_it_between_runs() {
        let report = explorer().time_limit(Duration::ZERO).explore(|| {});
        let bound = Bound::TimeLimit(Duration::ZERO);
        assert_eq!(expect_reason(&report), &Reason::Runs { made: 0, bound });
        assert_eq!(report.executions, 0);

        let progress = Progress::default();
        let interrupting = progress.clone();
        let report = explorer()
            .progress(progress.clone())
            .explore(move || interrupting.interrupt());
        let bound = Bound::Interrupted;
        assert_eq!(expect_reason(&report), &Reason::Runs { made: 1, bound });
        assert_eq!((report.executions, progress.executions()), (1, 1));
    }
}

mod threads_of_a_run {
    use super::*;

    #[test]
    fn they_run_at_the_same_time() {
        // With one OS thread for all, nobody would pass.
        let report = explorer().max_executions(3).explore(|| {
            let barrier = Arc::new(Barrier::new(3));
            let others = [(); 2].map(|()| {
                let barrier = Arc::clone(&barrier);
                thread::spawn(move || barrier.wait())
            });
            barrier.wait();
            for other in others {
                other.join().unwrap();
            }
        });
        assert_eq!(expect_reason(&report), &Reason::Bound(Bound::Runs(3)));
    }

    #[test]
    fn a_panic_in_a_thread_that_nobody_joins_is_the_failure() {
        let report = explorer().explore(|| {
            thread::spawn(|| panic!("unjoined"));
        });
        assert_eq!(expect_failure(&report).message, "unjoined");
    }

    #[test]
    fn a_panic_in_a_task_that_nobody_awaits_is_the_failure() {
        let report = explorer().explore(|| {
            racelab::future::block_on(async {
                let (sender, mut receiver) = racelab::future::sync::mpsc::channel::<()>(1);
                racelab::future::spawn(async move {
                    // The end of the channel tells main that the panic has begun.
                    let _sender = sender;
                    racelab::outcome("recorded by a task");
                    panic!("in a task");
                });
                assert_eq!(receiver.recv().await, None);
            });
        });
        assert_eq!(expect_failure(&report).message, "in a task");
        assert_eq!(report.outcomes[0].value, "\"recorded by a task\"");
    }

    #[test]
    fn a_panic_whose_join_is_ignored_is_the_failure() {
        let report = explorer().explore(|| {
            let builder = thread::Builder::new().name("worker".to_owned());
            let worker = builder.spawn(|| panic!("ignored")).unwrap();
            assert!(worker.join().is_err());
        });
        assert_eq!(expect_failure(&report).message, "ignored");
    }

    #[test]
    fn a_panic_in_a_thread_of_a_thread_is_the_failure() {
        let report = explorer().explore(|| {
            thread::spawn(|| {
                thread::spawn(|| panic!("deep"));
            });
        });
        assert_eq!(expect_failure(&report).message, "deep");
    }

    #[test]
    fn a_panic_in_a_scoped_thread_is_the_failure_and_not_what_the_scope_says_of_it() {
        let report = explorer().explore(|| {
            thread::scope(|scope| {
                scope.spawn(|| panic!("scoped"));
            });
        });
        assert_eq!(expect_failure(&report).message, "scoped");
    }

    #[test]
    fn the_first_failure_counts_and_not_the_join_that_follows_from_it() {
        let report = explorer().explore(|| {
            let worker = thread::spawn(|| panic!("the cause"));
            worker.join().unwrap();
        });
        assert_eq!(expect_failure(&report).message, "the cause");
    }

    #[test]
    fn a_panic_that_the_code_catches_is_none_and_poisons() {
        let report = explorer().max_executions(3).explore(|| {
            let lock = Mutex::new(0);
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let _guard = lock.lock().unwrap();
                panic!("caught");
            }));
            assert!(caught.is_err() && lock.is_poisoned());
        });
        assert_eq!(expect_reason(&report), &Reason::Bound(Bound::Runs(3)));
    }

    #[test]
    fn a_run_waits_for_threads_that_nobody_joins() {
        static ENDED: RealAtomicUsize = RealAtomicUsize::new(0);
        let report = explorer().max_executions(20).explore(|| {
            assert_eq!(ENDED.load(SeqCst) % 2, 0, "the run before has not ended");
            let (sender, receiver) = mpsc::channel::<()>();
            thread::spawn(move || {
                assert!(receiver.recv().is_err());
                ENDED.fetch_add(2, SeqCst);
            });
            drop(sender);
        });
        assert_eq!(expect_reason(&report), &Reason::Bound(Bound::Runs(20)));
        assert_eq!(ENDED.load(SeqCst), 40);
    }

    #[test]
    fn outcomes_of_all_threads_are_recorded() {
        let report = explorer().max_executions(4).explore(|| {
            thread::spawn(|| racelab::outcome(1)).join().unwrap();
            thread::scope(|scope| {
                scope.spawn(|| racelab::outcome("two"));
            });
            racelab::outcome(3);
        });
        assert_eq!(report.outcomes.len(), 1);
        assert_eq!(report.outcomes[0].value, "3, 1, \"two\"");
        assert_eq!(report.outcomes[0].executions, 4);
    }

    #[test]
    fn the_body_runs_on_a_thread_called_main() {
        let report = explorer().max_executions(1).explore(|| {
            assert_eq!(thread::current().name(), Some("main"));
        });
        assert_eq!(expect_reason(&report), &Reason::Bound(Bound::Runs(1)));
    }
}

mod hangs {
    use super::*;

    #[test]
    fn a_run_that_does_not_end_is_left_behind_and_named() {
        let runs = RealAtomicUsize::new(0);
        let limit = Duration::from_millis(200);
        let report = explorer().stall_limit(limit).explore(move || {
            if runs.fetch_add(1, SeqCst) == 2 {
                // Nobody will ever send.
                let (_sender, receiver) = mpsc::channel::<()>();
                let _ = receiver.recv();
            }
        });
        let reason = expect_reason(&report);
        assert_eq!(
            *reason,
            Reason::Endless {
                run: 3,
                waited: limit
            }
        );
        assert_eq!(
            reason.to_string(),
            "run 3 did not end within 200ms: a deadlock, a livelock or an endless loop"
        );
        assert_eq!(report.executions, 2);
        assert_eq!(report.coverage, Coverage::Ended);
    }

    #[test]
    fn a_spawned_thread_that_does_not_end_is_noticed_too() {
        let report = explorer()
            .stall_limit(Duration::from_millis(200))
            .explore(|| {
                thread::spawn(|| {
                    loop {
                        thread::park();
                    }
                });
            });
        assert!(matches!(
            expect_reason(&report),
            Reason::Endless { run: 1, .. }
        ));
    }

    #[test]
    fn a_failure_before_the_hang_is_the_verdict() {
        let runs = RealAtomicUsize::new(0);
        let explorer = explorer()
            .stall_limit(Duration::from_millis(200))
            .past_failures();
        let report = explorer.explore(move || {
            assert!(runs.fetch_add(1, SeqCst) > 0, "the first");
            loop {
                thread::park();
            }
        });
        assert_eq!(expect_failure(&report).message, "the first");
        assert_ne!(report.coverage, Coverage::Complete);
    }
}

#[test]
fn panics_of_a_run_are_quiet_and_others_are_not() {
    if !own_process::is_child() {
        let mut command =
            own_process::command("threads::panics_of_a_run_are_quiet_and_others_are_not");
        let output = own_process::output(command.arg("--nocapture"));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}\n{stderr}", output.status);
        assert_eq!(stderr.matches("panicked at").count(), 1, "{stderr}");
        assert!(stderr.contains("afterwards"), "{stderr}");
        return;
    }
    let report = explorer().max_executions(5).past_failures().explore(|| {
        thread::spawn(|| panic!("in a thread"));
        panic!("in main");
    });
    assert_eq!(report.violations, 5);
    let afterwards = thread::spawn(|| panic!("afterwards"));
    assert!(afterwards.join().is_err());
}
