//! Outcomes: what the threads of an execution record, whichever of them is the first.

use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Mutex};
use racelab::{Engine, Explorer, outcome, thread};

/// The outcomes that an engine sees.
fn outcomes(engine: Engine, body: impl Fn() + Send + Sync + 'static) -> Vec<String> {
    let explorer = Explorer::new(engine).past_failures().max_executions(200);
    let report = explorer.explore(body);
    assert!(report.executions > 1, "{report}");
    let outcomes = report.outcomes.into_iter();
    outcomes.map(|outcome| outcome.value).collect()
}

const ENGINES: &[Engine] = &[
    Engine::Dpor,
    Engine::Dfs,
    Engine::Random,
    #[cfg(feature = "loom")]
    Engine::Loom,
    #[cfg(feature = "shuttle")]
    Engine::Shuttle,
    Engine::Threads,
];

#[test]
fn an_outcome_does_not_depend_on_which_thread_records_first() {
    let body = || {
        // So that there are many orders.
        let turns = Arc::new(Mutex::new(()));
        let record = move |value: &str| {
            let _turn = turns.lock().unwrap();
            outcome(value);
        };
        let one = thread::spawn({
            let record = record.clone();
            move || {
                let other = record.clone();
                let child = thread::spawn(move || other("child of one"));
                record("one");
                child.join().unwrap();
                record("one again");
            }
        });
        let two = thread::spawn({
            let record = record.clone();
            move || {
                let other = record.clone();
                thread::spawn(move || other("child of two")).join().unwrap();
                record("two");
            }
        });
        record("main");
        one.join().unwrap();
        two.join().unwrap();
    };
    let expected = r#""main", "one", "one again", "two", "child of one", "child of two""#;
    for &engine in ENGINES {
        assert_eq!(outcomes(engine, body), [expected], "{engine}");
    }
}

#[test]
fn what_threads_have_read_tells_their_order() {
    let seen = outcomes(Engine::Dfs, || {
        let n = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| outcome(n.fetch_add(1, SeqCst)));
            }
        });
    });
    assert_eq!(seen, ["0, 1", "1, 0"]);
}

#[cfg(feature = "future")]
#[test]
fn a_task_records_as_a_thread_does() {
    use racelab::future;

    for &engine in ENGINES {
        let seen = outcomes(engine, || {
            future::block_on(async {
                let tasks = [1, 2].map(|number| {
                    future::spawn(async move {
                        future::task::yield_now().await;
                        outcome(number);
                    })
                });
                outcome("main");
                for task in tasks {
                    task.await.unwrap();
                }
            });
        });
        assert_eq!(seen, [r#""main", 1, 2"#], "{engine}");
    }
}
