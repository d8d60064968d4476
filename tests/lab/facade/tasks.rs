//! How tasks end, and what ends them: aborts, panics, timers, the end of a runtime.

use std::future::{pending, poll_fn, ready};
use std::task::Poll;
use std::time::Duration;

use racelab::future::runtime::{Builder, Handle, Runtime};
use racelab::future::task::{JoinHandle, JoinSet, spawn_blocking, yield_now};
use racelab::future::time::{interval, sleep, timeout};
use racelab::future::{self, block_on, spawn};
use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Mutex};
use racelab::{Engine, Explorer, FailureKind, Reason, Verdict, outcome, thread};

use super::{MAX_STEPS, fails, holds};

const LONG: Duration = Duration::from_secs(3600);

/// What a body records, which must hold: the same under `dfs` and `dpor`.
fn outcomes(body: impl Fn() + Clone + Send + Sync + 'static) -> Vec<String> {
    let all = [Engine::Dfs, Engine::Dpor].map(|engine| {
        let explorer = Explorer::new(engine).max_steps(MAX_STEPS);
        let report = explorer.past_failures().explore(body.clone());
        assert!(matches!(report.verdict, Verdict::Holds), "{report}");
        let outcomes = report.outcomes.into_iter();
        outcomes.map(|outcome| outcome.value).collect::<Vec<_>>()
    });
    let [all, reduced] = all;
    assert_eq!(reduced, all);
    all
}

/// Records that it was dropped.
struct Noted(Arc<AtomicUsize>);

impl Drop for Noted {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

// Aborts.

#[test]
fn an_aborted_task_is_cancelled_at_its_next_await_or_has_ended() {
    let results = outcomes(|| {
        block_on(async {
            let n = Arc::new(AtomicUsize::new(0));
            let task = spawn({
                let n = Arc::clone(&n);
                async move {
                    n.fetch_add(1, SeqCst);
                    yield_now().await;
                    n.fetch_add(1, SeqCst);
                }
            });
            task.abort();
            let ended = task.await;
            let is_cancelled = ended.is_err_and(|error| error.is_cancelled());
            outcome((n.load(SeqCst), is_cancelled));
        });
    });
    assert_eq!(results, ["(0, true)", "(1, true)", "(2, false)"]);
}

#[test]
fn the_future_of_an_aborted_task_is_dropped_before_its_handle_resolves() {
    let results = outcomes(|| {
        block_on(async {
            let dropped = Arc::new(AtomicUsize::new(0));
            let noted = Noted(Arc::clone(&dropped));
            let task = spawn(async move {
                pending::<()>().await;
                drop(noted);
            });
            task.abort_handle().abort();
            assert!(task.await.unwrap_err().is_cancelled());
            outcome(dropped.load(SeqCst));
        });
    });
    assert_eq!(results, ["1"]);
}

#[test]
fn an_abort_of_a_task_that_has_ended_does_nothing() {
    let results = outcomes(|| {
        block_on(async {
            let mut task = spawn(async { 7 });
            let abort = task.abort_handle();
            let value = (&mut task).await.unwrap();
            task.abort();
            abort.abort();
            outcome((value, task.is_finished(), abort.is_finished()));
        });
    });
    assert_eq!(results, ["(7, true, true)"]);
}

#[test]
fn a_task_can_abort_itself() {
    let results = outcomes(|| {
        block_on(async {
            let handle = Arc::new(Mutex::new(None::<JoinHandle<()>>));
            let own = Arc::clone(&handle);
            let task = spawn(async move {
                yield_now().await;
                if let Some(task) = &*own.lock().unwrap() {
                    task.abort();
                }
                yield_now().await;
                outcome("went on");
            });
            *handle.lock().unwrap() = Some(task);
        });
        outcome("ended");
    });
    // It can also be cancelled, or have gone on, before there is a handle.
    let expected = [r#""ended""#, r#""ended", "went on""#];
    assert_eq!(results, expected);
}

#[test]
fn what_an_abort_knows_is_known_to_the_destructors() {
    holds(|| {
        use racelab::cell::UnsafeCell;
        struct Cell(UnsafeCell<u32>);
        // SAFETY: the lab finds the race, if there is one.
        #[expect(unsafe_code, reason = "a cell that threads share")]
        unsafe impl Sync for Cell {}
        struct Reads(Arc<Cell>);
        impl Drop for Reads {
            fn drop(&mut self) {
                self.0.0.with(|_| ());
            }
        }
        block_on(async {
            let cell = Arc::new(Cell(UnsafeCell::new(0)));
            let reads = Reads(Arc::clone(&cell));
            let task = spawn(async move {
                pending::<()>().await;
                drop(reads);
            });
            cell.0.with_mut(|_| ());
            task.abort();
            assert!(task.await.is_err());
        });
    });
}

// Panics.

#[test]
fn a_panic_of_a_task_is_an_error_where_its_handle_is_awaited() {
    let results = outcomes(|| {
        block_on(async {
            let task: JoinHandle<()> = spawn(async { panic!("in a task") });
            let id = task.id();
            let error = task.await.unwrap_err();
            assert!(error.is_panic() && !error.is_cancelled() && error.id() == id);
            let text = error.to_string();
            let payload = error.into_panic();
            outcome((text, payload.downcast_ref::<&str>().copied()));
        });
    });
    let expected = r#"("task 1 panicked with message \"in a task\"", Some("in a task"))"#;
    assert_eq!(results, [expected]);
}

#[test]
fn a_panic_of_a_task_that_nobody_awaits_is_the_failure_at_its_place() {
    let detached = || {
        block_on(async {
            let task = spawn(async { panic!("in a task") });
            while !task.is_finished() {
                yield_now().await;
            }
        });
    };
    let failure = fails(FailureKind::Panic, detached);
    assert_eq!(failure.message, "in a task");
    assert!(
        failure
            .at
            .as_ref()
            .is_some_and(|at| at.contains("tasks.rs")),
        "{failure:?}"
    );
    // Also if it was detached before.
    let failure = fails(FailureKind::Panic, || {
        block_on(async {
            drop(spawn(async { panic!("in a task") }));
            yield_now().await;
        });
    });
    assert_eq!(failure.message, "in a task");
}

#[test]
fn a_panic_that_is_unwrapped_is_the_failure_of_who_awaits() {
    let failure = fails(FailureKind::Panic, || {
        block_on(async {
            let task: JoinHandle<()> = spawn(async { panic!("in a task") });
            task.await.unwrap();
        });
    });
    assert!(failure.message.contains("in a task"), "{failure:?}");
}

// The end of a runtime.

#[test]
fn a_task_that_waits_forever_is_no_deadlock_when_its_runtime_has_ended() {
    let results = outcomes(|| {
        let dropped = Arc::new(AtomicUsize::new(0));
        let noted = Noted(Arc::clone(&dropped));
        block_on(async {
            drop(spawn(async move {
                pending::<()>().await;
                drop(noted);
            }));
        });
        outcome(dropped.load(SeqCst));
    });
    assert_eq!(results, ["1"]);
    fails(FailureKind::Deadlock, || {
        block_on(async { spawn(pending::<()>()).await.unwrap() });
    });
}

#[test]
fn a_task_that_is_started_while_its_runtime_ends_is_cancelled_too() {
    let results = outcomes(|| {
        let dropped = Arc::new(AtomicUsize::new(0));
        let noted = Noted(Arc::clone(&dropped));
        block_on(async {
            drop(spawn(async move {
                drop(spawn(async move {
                    pending::<()>().await;
                    drop(noted);
                }));
            }));
        });
        outcome(dropped.load(SeqCst));
    });
    assert_eq!(results, ["1"]);
}

#[test]
fn a_runtime_runs_tasks_between_its_calls_of_block_on() {
    for build in [Builder::new_current_thread, Builder::new_multi_thread] {
        let body = move || {
            let runtime = build().enable_all().build().unwrap();
            let task = runtime.spawn(async { 1 });
            let first = runtime.block_on(task).unwrap();
            let guard = runtime.enter();
            let entered = spawn(async { 2 });
            drop(guard);
            assert!(Handle::try_current().is_err());
            assert_eq!(first + runtime.block_on(entered).unwrap(), 3);
        };
        body();
        let report = Explorer::new(Engine::Dpor).explore(body);
        assert!(matches!(report.verdict, Verdict::Holds), "{report}");
    }
}

#[test]
fn a_runtime_from_outside_is_a_misuse_in_an_execution() {
    let runtime = std::sync::Arc::new(Runtime::new().unwrap());
    let report = Explorer::new(Engine::Dfs).explore(move || {
        runtime.block_on(async {});
    });
    let Verdict::Inconclusive(Reason::Misused(what)) = &report.verdict else {
        panic!("{report:?}");
    };
    assert!(what.starts_with("the Runtime used at "), "{what}");
}

#[test]
fn a_closure_that_blocks_runs_on_a_thread_and_can_be_aborted_until_it_has_begun() {
    let results = outcomes(|| {
        block_on(async {
            let task = spawn_blocking(|| thread::current().name().map(str::to_owned));
            task.abort();
            outcome(task.await.is_ok());
        });
    });
    assert_eq!(results, ["false", "true"]);
}

// Sets.

#[test]
fn a_set_hands_its_tasks_out_in_the_order_in_which_they_end() {
    let results = outcomes(|| {
        block_on(async {
            let mut set = JoinSet::new();
            for n in [1, 2] {
                set.spawn(async move { n });
            }
            let mut order = Vec::new();
            while let Some(ended) = set.join_next().await {
                order.push(ended.unwrap());
            }
            outcome(order);
        });
    });
    assert_eq!(results, ["[1, 2]", "[2, 1]"]);
}

#[test]
fn a_set_never_hands_a_task_out_before_one_that_it_has_waited_for() {
    let results = outcomes(|| {
        block_on(async {
            let (sender, mut receiver) = future::sync::mpsc::channel(1);
            let mut set = JoinSet::new();
            set.spawn(async move {
                receiver.recv().await.unwrap();
                2
            });
            set.spawn_blocking(|| 1);
            let first = set.join_next().await.unwrap().unwrap();
            sender.send(()).await.unwrap();
            let second = set.join_next().await.unwrap().unwrap();
            outcome((first, second, set.is_empty()));
        });
    });
    assert_eq!(results, ["(1, 2, true)"]);
}

#[test]
fn the_tasks_of_a_set_are_aborted_with_it() {
    let results = outcomes(|| {
        block_on(async {
            let dropped = Arc::new(AtomicUsize::new(0));
            let mut set = JoinSet::new();
            let noted = Noted(Arc::clone(&dropped));
            set.spawn(async move {
                pending::<()>().await;
                drop(noted);
            });
            assert!(set.try_join_next().is_none());
            set.shutdown().await;
            outcome((dropped.load(SeqCst), set.len()));
            set.spawn(pending());
            drop(set);
        });
    });
    assert_eq!(results, ["(1, 0)"]);
}

// Timers.

#[test]
fn a_sleep_passes_before_or_after_what_others_do() {
    let results = outcomes(|| {
        block_on(async {
            let n = Arc::new(AtomicUsize::new(0));
            let other = Arc::clone(&n);
            let task = spawn(async move { other.store(1, SeqCst) });
            sleep(LONG).await;
            outcome(n.load(SeqCst));
            task.await.unwrap();
        });
    });
    assert_eq!(results, ["0", "1"]);
}

#[test]
fn a_time_limit_may_run_out_or_not_and_what_is_there_is_taken() {
    let results = outcomes(|| {
        block_on(async {
            let (sender, mut receiver) = future::sync::mpsc::channel(1);
            let task = spawn(async move { sender.send(7).await });
            let received = timeout(LONG, receiver.recv()).await;
            outcome(received.map_err(|elapsed| elapsed.to_string()));
            drop(receiver);
            drop(task.await);
        });
    });
    assert_eq!(results, [r#"Err("deadline has elapsed")"#, "Ok(Some(7))"]);
    let results = outcomes(|| {
        let ready = block_on(timeout(LONG, async { 7 }));
        outcome(ready.is_ok());
    });
    assert_eq!(results, ["true"]);
}

#[test]
fn of_two_timers_either_expires_first() {
    let results = outcomes(|| {
        block_on(async {
            let first = future::select! {
                biased;
                () = sleep(LONG) => 1,
                () = sleep(LONG) => 2,
            };
            outcome(first);
        });
    });
    assert_eq!(results, ["1", "2"]);
}

#[test]
fn the_first_tick_is_at_once_and_the_next_one_at_any_moment() {
    let results = outcomes(|| {
        block_on(async {
            let mut ticks = interval(LONG);
            let polled = poll_fn(|context| Poll::Ready(ticks.poll_tick(context))).await;
            assert!(polled.is_ready());
            let next = poll_fn(|context| Poll::Ready(ticks.poll_tick(context))).await;
            outcome(next.is_ready());
            ticks.tick().await;
        });
    });
    assert_eq!(results, ["false", "true"]);
}

#[test]
fn a_loop_that_waits_for_a_flag_by_timers_ends_if_it_is_set() {
    fn body(is_set: usize) {
        block_on(async {
            let flag = Arc::new(AtomicUsize::new(0));
            let other = Arc::clone(&flag);
            let task = spawn(async move { other.store(is_set, SeqCst) });
            while flag.load(SeqCst) == 0 {
                sleep(LONG).await;
            }
            task.await.unwrap();
        });
    }
    let report = Explorer::new(Engine::Dpor)
        .max_steps(MAX_STEPS)
        .explore(|| body(1));
    assert_eq!(report.violations, 0, "{report}");
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
}

// Several futures.

#[test]
fn any_branch_of_a_select_is_polled_first_and_with_biased_the_first_one() {
    let results = outcomes(|| {
        block_on(async {
            outcome(future::select! {
                n = ready(1) => n,
                n = ready(2) => n,
                n = ready(3), if false => n,
            });
        });
    });
    assert_eq!(results, ["1", "2"]);
    let results = outcomes(|| {
        block_on(async {
            outcome(future::select! {
                biased;
                n = ready(1) => n,
                n = ready(2) => n,
            });
        });
    });
    assert_eq!(results, ["1"]);
}

#[test]
fn a_branch_whose_pattern_does_not_fit_is_disabled_and_else_is_what_is_left() {
    let body = || {
        block_on(async {
            let mut owned = Some(vec![1]);
            let seen = future::select! {
                biased;
                Some(_) = async { None::<u8> } => 0,
                Some(mut taken) = async { owned.take() } => {
                    taken.push(2);
                    yield_now().await;
                    taken.len()
                }
                else => 9,
            };
            assert_eq!(seen, 2);
            let none = future::select! {
                Some(n) = async { None } => n,
                n = pending(), if seen == 0 => n,
                else => 7,
            };
            assert_eq!(none, 7);
        });
    };
    body();
    holds(body);
}

#[test]
fn a_select_without_an_enabled_branch_panics_as_tokios_does() {
    let body = || {
        block_on(async {
            future::select! {
                () = pending(), if false => {}
            }
        });
    };
    let failure = fails(FailureKind::Panic, body);
    let expected = "all branches are disabled and there is no else branch";
    assert_eq!(failure.message, expected);
}

#[test]
fn the_branches_that_were_not_taken_are_dropped_before_the_handler_runs() {
    let body = || {
        block_on(async {
            let dropped = Arc::new(AtomicUsize::new(0));
            let noted = Noted(Arc::clone(&dropped));
            future::select! {
                () = async move { pending::<()>().await; drop(noted); } => {}
                () = async {} => assert_eq!(dropped.load(SeqCst), 1),
            }
        });
    };
    body();
    holds(body);
}

#[test]
fn a_join_waits_for_all_and_a_try_join_for_the_first_error() {
    let body = || {
        block_on(async {
            let (sender, mut receiver) = future::sync::mpsc::channel(1);
            let send = async {
                sender.send(7).await.unwrap();
                1
            };
            assert_eq!(future::join!(receiver.recv(), send), (Some(7), 1));
            let failed: Result<((), ()), u8> = future::try_join!(pending(), async {
                yield_now().await;
                Err(3)
            });
            assert_eq!(failed, Err(3));
            let both: Result<(u8, u8), ()> =
                future::try_join!(biased; async { Ok(1) }, async { Ok(2) },);
            assert_eq!(both, Ok((1, 2)));
            future::join!();
        });
    };
    body();
    holds(body);
}

// Values of tasks.

future::task_local! {
    static NAME: u32;
}

#[test]
fn each_task_has_its_own_value_whatever_others_do_meanwhile() {
    let report = Explorer::new(Engine::Dpor).explore(|| {
        block_on(async {
            let tasks = [1, 2].map(|n| {
                spawn(NAME.scope(n, async move {
                    assert_eq!(NAME.get(), n);
                    yield_now().await;
                    NAME.sync_scope(n + 10, || assert_eq!(NAME.get(), n + 10));
                    NAME.get()
                }))
            });
            let mut seen = Vec::new();
            for task in tasks {
                seen.push(task.await.unwrap());
            }
            assert_eq!(seen, [1, 2]);
            assert!(NAME.try_with(|_| ()).is_err());
        });
    });
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
}
