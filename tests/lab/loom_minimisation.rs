//! Failures under loom come with the fewest preemptions, and what the report says of that is held
//! against enumeration.

use proptest::prelude::*;
use proptest::test_runner::Config;

use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Mutex};
use racelab::trace::Schedule;
use racelab::{Coverage, Engine, Explorer, Failure, Named, Report, Verdict, thread};

fn loom(body: impl Fn() + Send + Sync + 'static) -> Report {
    Explorer::new(Engine::Loom).explore(body)
}

/// The failure, of which the token leads to the same execution again.
#[track_caller]
fn replayed(report: Report, body: impl Fn() + Send + Sync + 'static) -> Failure {
    let Verdict::Violated(failure) = report.verdict else {
        panic!("it does not fail:\n{report}");
    };
    let schedule = failure.schedule.as_ref().expect("there is a schedule");
    let token = schedule.to_string().parse().expect("it is a schedule");
    let again = racelab::replay(&token, body);
    let again = again.failure().expect("it fails again");
    assert_eq!(again.trace, failure.trace, "{schedule}");
    assert_eq!(again.preemptions, failure.preemptions, "{schedule}");
    assert_eq!(again.schedule, failure.schedule);
    *failure
}

fn load_store_counter(threads: usize) -> impl Fn() + Clone + Send + Sync + 'static {
    move || {
        let n = Arc::new(AtomicUsize::new(0).named("n"));
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let n = Arc::clone(&n);
                thread::spawn(move || n.store(n.load(SeqCst) + 1, SeqCst))
            })
            .collect();
        for worker in workers {
            worker.join().unwrap();
        }
        assert_eq!(n.load(SeqCst), threads, "an update is lost");
    }
}

fn two_mutexes_in_two_orders() {
    let a = Arc::new(Mutex::new(()).named("a"));
    let b = Arc::new(Mutex::new(()).named("b"));
    let other = thread::spawn({
        let (a, b) = (Arc::clone(&a), Arc::clone(&b));
        move || {
            let _b = b.lock().unwrap();
            let _a = a.lock().unwrap();
        }
    });
    {
        let _a = a.lock().unwrap();
        let _b = b.lock().unwrap();
    }
    other.join().unwrap();
}

#[test]
fn load_store_counter_loses_an_update_with_one_preemption() {
    for threads in [2, 3] {
        let body = load_store_counter(threads);
        let failure = replayed(loom(body.clone()), body);
        assert_eq!(failure.preemptions, Some(1));
        // loom's reduction can have missed interleavings, so that nothing is proved.
        assert_eq!(failure.minimal, Some(false));
        assert!(failure.minimise_executions > 0);
    }
}

#[test]
fn two_mutexes_in_two_orders_deadlock_with_one_preemption_and_with_no_fewer() {
    let report = loom(two_mutexes_in_two_orders);
    let text = report.to_string();
    let sentence = "\n  minimal  1 preemption; no failing interleaving has fewer\n";
    assert!(text.contains(sentence), "{text}");
    let failure = replayed(report, two_mutexes_in_two_orders);
    assert_eq!(
        (failure.preemptions, failure.minimal),
        (Some(1), Some(true))
    );
}

/// loom runs the first of two threads first, unless it is preempted or its bound lets it try.
#[test]
fn a_failure_in_another_order_of_the_threads_has_no_preemption() {
    let body = || {
        let order = Arc::new(Mutex::new(Vec::new()));
        let workers = [1, 2].map(|number| {
            let order = Arc::clone(&order);
            thread::spawn(move || order.lock().unwrap().push(number))
        });
        for worker in workers {
            worker.join().unwrap();
        }
        assert_eq!(
            *order.lock().unwrap(),
            [1, 2],
            "the second thread came first"
        );
    };
    let report = loom(body);
    let text = report.to_string();
    assert!(
        text.contains("0 preemptions; whether a failing interleaving has fewer steps"),
        "{text}"
    );
    let failure = replayed(report, body);
    assert_eq!(
        (failure.preemptions, failure.minimal),
        (Some(0), Some(true))
    );
}

#[test]
fn minimisation_stays_within_the_bound_on_preemptions() {
    for bound in 1..4 {
        let explorer = Explorer::new(Engine::Loom).preemption_bound(bound);
        let report = explorer.explore(two_mutexes_in_two_orders);
        let failure = replayed(report, two_mutexes_in_two_orders);
        assert_eq!(
            (failure.preemptions, failure.minimal),
            (Some(1), Some(true))
        );
        let of_loom = failure.schedule.as_ref().and_then(Schedule::loom);
        let found = of_loom.and_then(|execution| execution.preemption_bound);
        assert!(found.is_some_and(|found| found <= bound));
    }
}

#[test]
fn an_interrupted_search_keeps_its_failure_and_does_not_minimise_it() {
    let progress = racelab::Progress::default();
    let explorer = Explorer::new(Engine::Loom)
        .past_failures()
        .progress(progress.clone());
    let report = explorer.explore(move || {
        let shared = Arc::new(AtomicUsize::new(0));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                shared.fetch_add(1, SeqCst);
                shared.fetch_add(1, SeqCst);
            }
        });
        if shared.load(SeqCst) == 1 {
            progress.interrupt();
            panic!("half of it is seen");
        }
        other.join().unwrap();
    });
    let failure = report.failure().expect("it fails");
    assert_eq!(
        (failure.minimal, failure.minimise_executions),
        (Some(false), 0)
    );
}

/// One operation of a thread, none of which reads a stale value under loom.
#[derive(Clone, Copy, Debug)]
enum Op {
    Add(usize),
    /// From what it was after the thread's own last one, or at first.
    Exchange(usize),
    Lock,
    TryLock,
    /// Both locks, in either order.
    Both(bool),
}

fn program() -> impl Strategy<Value = Vec<Vec<Op>>> {
    let op = || {
        prop_oneof![
            2 => (0..2_usize).prop_map(Op::Add),
            2 => (0..2_usize).prop_map(Op::Exchange),
            2 => Just(Op::Lock),
            1 => Just(Op::TryLock),
            1 => any::<bool>().prop_map(Op::Both),
        ]
    };
    let threads = |count, ops| prop::collection::vec(prop::collection::vec(op(), 1..=ops), count);
    prop_oneof![threads(2, 3), threads(3, 2)]
}

struct Shared {
    atomics: [AtomicUsize; 2],
    mutexes: [Mutex<usize>; 2],
}

fn run(thread: usize, ops: &[Op], shared: &Shared) -> Vec<usize> {
    let mut seen = Vec::new();
    for &op in ops {
        match op {
            Op::Add(atomic) => seen.push(shared.atomics[atomic].fetch_add(1, SeqCst)),
            Op::Exchange(atomic) => {
                let expected = seen.len();
                let atomic = &shared.atomics[atomic];
                seen.push(usize::from(
                    atomic
                        .compare_exchange(expected, 10 + thread, SeqCst, SeqCst)
                        .is_ok(),
                ));
            }
            Op::Lock => {
                let mut held = shared.mutexes[0].lock().unwrap();
                *held = 2 * *held + thread;
                seen.push(*held);
            }
            Op::TryLock => seen.push(shared.mutexes[0].try_lock().map_or(99, |held| *held)),
            Op::Both(is_reversed) => {
                let [first, second] = if is_reversed { [1, 0] } else { [0, 1] };
                let _first = shared.mutexes[first].lock().unwrap();
                let _second = shared.mutexes[second].lock().unwrap();
            }
        }
    }
    seen
}

/// Fails with a deadlock, or when what all threads have seen is `wrong`, at the end, so that a
/// failure cuts nothing short.
fn body(program: &[Vec<Op>], wrong: &str) -> impl Fn() + Send + Sync + 'static {
    let (program, wrong) = (program.to_vec(), wrong.to_owned());
    move || {
        let shared = Arc::new(Shared {
            atomics: [(); 2].map(|()| AtomicUsize::new(0)),
            mutexes: [(); 2].map(|()| Mutex::new(0)),
        });
        let others: Vec<_> = (1..program.len())
            .map(|thread| {
                let (ops, shared) = (program[thread].clone(), Arc::clone(&shared));
                thread::spawn(move || run(thread, &ops, &shared))
            })
            .collect();
        let mut seen = vec![run(0, &program[0], &shared)];
        seen.extend(others.into_iter().map(|other| other.join().unwrap()));
        let seen = format!("{seen:?}");
        racelab::outcome(&seen);
        assert_ne!(seen, wrong);
    }
}

/// Programs with more executions are left out.
const MOST_EXECUTIONS: u64 = 2_000;

proptest! {
    #![proptest_config(Config { cases: 100, failure_persistence: None, ..Config::default() })]

    #[test]
    fn no_failure_has_fewer_preemptions_than_enumeration_says_and_a_minimal_one_has_no_more(
        program in program(),
        which in any::<prop::sample::Index>(),
    ) {
        let all = Explorer::new(Engine::Dfs)
            .past_failures()
            .max_executions(MOST_EXECUTIONS)
            .explore(body(&program, ""));
        // Locks within locks can have more executions than anybody waits for.
        prop_assume!(all.coverage == Coverage::Complete);
        // Any outcome can be the wrong one.
        let outcomes = all.outcomes;
        let wrong = match outcomes.as_slice() {
            [] => String::new(),
            outcomes => which.get(outcomes).value.trim_matches('"').to_owned(),
        };
        let dfs = Explorer::new(Engine::Dfs).explore(body(&program, &wrong));
        let fewest = dfs.failure().expect("it fails");
        prop_assert_eq!(fewest.minimal, Some(true));
        let loom = Explorer::new(Engine::Loom)
            .max_executions(10 * MOST_EXECUTIONS)
            .explore(body(&program, &wrong));
        let Some(failure) = loom.failure() else {
            return Ok(());
        };
        prop_assert!(failure.preemptions >= fewest.preemptions, "{}{}", dfs, loom);
        if failure.minimal == Some(true) {
            prop_assert_eq!(failure.preemptions, fewest.preemptions, "{}{}", dfs, loom);
        }
    }
}
