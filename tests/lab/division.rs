//! Divided searches come to what the undivided ones come to, for any number of workers and shards.

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize as RealAtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use crate::oracle::{Op, Program, failing_programs, pausing_programs, programs};
use proptest::prelude::*;
use racelab::sync::atomic::AtomicUsize;
use racelab::sync::{Arc, Condvar, Mutex};
use racelab::{
    Bound, Coverage, Engine, Explorer, Failure, Progress, Reason, Report, Shard, Verdict, hint,
    thread,
};

const ENGINES: [Engine; 7] = [
    Engine::Dpor,
    Engine::Dfs,
    Engine::Random,
    Engine::Pct,
    Engine::Urw,
    Engine::Pos,
    Engine::Surw,
];

fn explore(explorer: &Explorer, program: &Program) -> Report {
    let program = program.clone();
    explorer.explore(move || program.run())
}

/// All threads add one in two steps.
fn counter(threads: usize, times: usize) -> Program {
    Program::alike(threads, times, &Op::Increment(0))
}

/// Threads that add one under a mutex.
fn locked(threads: usize) -> Program {
    Program::alike(threads, 1, &Op::Lock(0, vec![Op::Increment(0)]))
}

/// What must not depend on how a search is divided.
#[derive(Debug, PartialEq, Eq)]
struct Totals {
    executions: u64,
    /// Under `dpor` each part for itself comes to executions that end where only explored states
    /// follow.
    blocked: Option<u64>,
    traces: Option<u64>,
    truncated: u64,
    violations: u64,
    outcomes: BTreeMap<String, u64>,
    left_out: Vec<racelab::trace::LeftOut>,
}

impl Totals {
    fn of(report: &Report) -> Self {
        let outcomes = report.outcomes.iter();
        Totals {
            executions: report.executions,
            blocked: (report.engine != Some(Engine::Dpor)).then_some(report.blocked),
            // Of several parts `dfs` does not count them, since the same one is in several.
            traces: report
                .traces
                .filter(|_| report.engine == Some(Engine::Dpor)),
            truncated: report.truncated,
            violations: report.violations,
            outcomes: outcomes
                .map(|outcome| (outcome.value.clone(), outcome.executions))
                .collect(),
            left_out: report.left_out.clone(),
        }
    }

    fn add(&mut self, other: Totals) {
        let sum = |a: Option<u64>, b: Option<u64>| Some(a? + b?);
        self.executions += other.executions;
        self.blocked = sum(self.blocked, other.blocked);
        self.traces = sum(self.traces, other.traces);
        self.truncated += other.truncated;
        self.violations += other.violations;
        for (outcome, executions) in other.outcomes {
            *self.outcomes.entry(outcome).or_default() += executions;
        }
        self.left_out.extend(other.left_out);
        self.left_out.sort_by_key(|kind| *kind as u8);
        self.left_out.dedup();
    }
}

/// What is the same of two failures that are one.
fn essence(failure: &Failure) -> impl PartialEq + std::fmt::Debug + use<> {
    let schedule = failure.schedule.clone();
    (
        failure.kind,
        failure.message.clone(),
        schedule,
        failure.minimal,
        failure.trace.clone(),
    )
}

fn verdict(report: &Report) -> impl PartialEq + std::fmt::Debug + use<> {
    let reason = match &report.verdict {
        Verdict::Inconclusive(reason) => Some(reason.clone()),
        Verdict::Holds | Verdict::Violated(_) => None,
    };
    (
        report.verdict.name(),
        reason,
        report.coverage.clone(),
        report.failure().map(essence),
    )
}

/// A program with more executions than this is too large to be explored a dozen times.
const MAX_EXECUTIONS: u64 = 2_000;

/// Explores by several workers, and asserts that the report is the undivided one.
fn workers_agree(explorer: &Explorer, program: &Program) {
    workers_agree_with(&explore(explorer, program), explorer, program);
}

fn workers_agree_with(whole: &Report, explorer: &Explorer, program: &Program) {
    for jobs in 1..=3 {
        let divided = explore(&explorer.clone().jobs(jobs), program);
        assert_eq!(Totals::of(&divided), Totals::of(whole), "{jobs} jobs");
        assert_eq!(verdict(&divided), verdict(whole), "{jobs} jobs");
        assert!(divided.division.is_some() && whole.division.is_none());
    }
}

/// Explores in shards, and asserts that they are the whole, each part of it once.
fn shards_agree(explorer: &Explorer, program: &Program, shards: impl IntoIterator<Item = usize>) {
    shards_agree_with(&explore(explorer, program), explorer, program, shards);
}

fn shards_agree_with(
    whole: &Report,
    explorer: &Explorer,
    program: &Program,
    shards: impl IntoIterator<Item = usize>,
) {
    let division = explore(&explorer.clone().jobs(1), program)
        .division
        .unwrap();
    for of in shards {
        let mut sum: Option<Totals> = None;
        for index in 1..=of {
            let shard = Shard { index, of };
            let report = explore(&explorer.clone().shard(index, of), program);
            assert_eq!(report.coverage, Coverage::Bounded(Bound::Shard(shard)));
            let its = report.division.unwrap();
            assert_eq!((its.parts, its.digest), (division.parts, division.digest));
            assert_eq!(its.shard, Some(shard));
            match &report.verdict {
                Verdict::Holds => panic!("a shard alone proves nothing: {report}"),
                Verdict::Violated(_) => assert!(report.violations > 0),
                Verdict::Inconclusive(reason) => {
                    assert_eq!(reason, &Reason::Bound(Bound::Shard(shard)));
                    assert_eq!(report.violations, 0);
                }
            }
            match &mut sum {
                Some(sum) => sum.add(Totals::of(&report)),
                None => sum = Some(Totals::of(&report)),
            }
        }
        assert_eq!(sum, Some(Totals::of(whole)), "{of} shards");
    }
}

#[test]
fn workers_come_to_the_totals_of_the_undivided_search() {
    for program in [
        counter(1, 1),
        counter(2, 1),
        counter(2, 2),
        counter(3, 1),
        locked(3),
    ] {
        for engine in ENGINES {
            let explorer = Explorer::new(engine).max_executions(100_000).seed(7);
            let explorer = if engine.is_exhaustive() {
                explorer
            } else {
                explorer.max_executions(120)
            };
            workers_agree(&explorer.clone().past_failures(), &program);
            workers_agree(&explorer, &program);
        }
    }
}

#[test]
fn a_reduced_search_that_is_divided_comes_to_the_number_of_traces() {
    // The numbers are those of the oracle, and the parts are less than single executions.
    for (program, traces) in [(counter(2, 4), 3_334), (counter(3, 2), 7_134)] {
        let explorer = Explorer::new(Engine::Dpor).past_failures().jobs(2);
        let report = explore(&explorer, &program);
        assert_eq!(report.coverage, Coverage::Complete);
        assert_eq!((report.executions, report.traces), (traces, Some(traces)));
        assert!(report.division.unwrap().parts < 2_000);
    }
}

#[test]
fn shards_add_up_to_the_undivided_search() {
    for program in [counter(1, 1), counter(2, 2), counter(3, 1), locked(3)] {
        // A few shards of the larger programs, of which some parts have several executions.
        let shards: &[usize] = match program.threads.len() {
            3 => &[2, 5],
            _ => &[1, 2, 3, 4, 5],
        };
        for engine in [Engine::Dpor, Engine::Dfs] {
            let explorer = Explorer::new(engine).past_failures();
            shards_agree(&explorer, &program, shards.iter().copied());
        }
        for engine in [Engine::Random, Engine::Surw] {
            let random = Explorer::new(engine).past_failures().max_executions(789);
            shards_agree(&random, &program, [1, 2, 5, 100]);
        }
    }
}

#[test]
fn more_shards_than_parts_are_some_without_any() {
    let explorer = Explorer::new(Engine::Dfs).past_failures();
    shards_agree(&explorer, &counter(1, 1), [7]);
    let report = explore(&explorer.shard(7, 7), &counter(1, 1));
    assert_eq!(report.executions, 0);
}

#[test]
fn the_number_of_executions_is_that_of_the_oracle() {
    for program in [counter(2, 2), counter(3, 1), locked(3)] {
        let truth = program.truth();
        let report = explore(
            &Explorer::new(Engine::Dfs).past_failures().jobs(2),
            &program,
        );
        assert_eq!(report.coverage, Coverage::Complete);
        assert_eq!(report.executions, truth.executions);
        assert_eq!(report.violations, truth.violations);
        assert_eq!(Totals::of(&report).outcomes, truth.outcomes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn workers_and_shards_agree_on_any_program(
        program in prop_oneof![programs(200), failing_programs(100), pausing_programs(200)],
        of in 2..5_usize,
    ) {
        for engine in [Engine::Dpor, Engine::Dfs] {
            let explorer = Explorer::new(engine);
            // To an enumeration, every yield is a step that others can come before.
            let limited = explorer.clone().past_failures().max_executions(MAX_EXECUTIONS);
            let whole = explore(&limited, &program);
            if whole.coverage != Coverage::Complete {
                continue;
            }
            workers_agree(&explorer, &program);
            let explorer = explorer.past_failures();
            workers_agree_with(&whole, &explorer, &program);
            shards_agree_with(&whole, &explorer, &program, [of]);
        }
    }
}

#[test]
fn wake_ups_and_time_outs_are_divided_as_well() {
    let body = || {
        let pair = Arc::new((Mutex::new(0), Condvar::new()));
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let pair = Arc::clone(&pair);
                thread::spawn(move || {
                    let (count, changed) = &*pair;
                    let guard = count.lock().unwrap();
                    let limit = Duration::from_millis(1);
                    let (mut guard, _) = changed.wait_timeout(guard, limit).unwrap();
                    *guard += 1;
                    racelab::outcome(*guard);
                })
            })
            .collect();
        pair.1.notify_one();
        for waiter in waiters {
            waiter.join().unwrap();
        }
    };
    for engine in [Engine::Dpor, Engine::Dfs] {
        let explorer = Explorer::new(engine).past_failures();
        let whole = explorer.explore(body);
        for jobs in 1..=3 {
            let divided = explorer.clone().jobs(jobs).explore(body);
            assert_eq!(Totals::of(&divided), Totals::of(&whole));
            assert_eq!(verdict(&divided), verdict(&whole));
        }
        assert!(whole.executions > 10, "{whole}");
    }
}

/// A thread that gives up waiting after some rounds, so that a search learns not to let it rest.
fn gives_up_waiting() {
    let n = Arc::new(AtomicUsize::new(0));
    let m = Arc::clone(&n);
    let late = thread::spawn(move || {
        for _ in 0..3 {
            hint::spin_loop();
        }
        let v = m.load(SeqCst);
        m.store(v + 1, SeqCst);
    });
    n.fetch_add(1, SeqCst);
    late.join().unwrap();
    racelab::outcome(n.load(SeqCst));
}

#[test]
fn a_search_that_learns_of_loops_comes_to_the_same_outcomes_for_any_division() {
    for engine in [Engine::Dpor, Engine::Dfs] {
        learns_of_loops(&Explorer::new(engine).past_failures());
    }
}

fn learns_of_loops(explorer: &Explorer) {
    let outcomes = |report: &Report| -> Vec<String> {
        report.outcomes.iter().map(|o| o.value.clone()).collect()
    };
    let whole = explorer.explore(gives_up_waiting);
    assert_eq!(whole.coverage, Coverage::Complete);
    let one = explorer.clone().jobs(1).explore(gives_up_waiting);
    assert_eq!(outcomes(&one), outcomes(&whole));
    for jobs in 2..=3 {
        let divided = explorer.clone().jobs(jobs).explore(gives_up_waiting);
        assert_eq!(Totals::of(&divided), Totals::of(&one));
        assert_eq!(verdict(&divided), verdict(&one));
    }
    let mut sum = Totals::of(&explorer.clone().shard(1, 3).explore(gives_up_waiting));
    for index in 2..=3 {
        sum.add(Totals::of(
            &explorer.clone().shard(index, 3).explore(gives_up_waiting),
        ));
    }
    assert_eq!(sum, Totals::of(&one));
}

#[test]
fn a_limit_on_executions_is_one_for_all_workers() {
    for jobs in [1, 2, 3] {
        for max in [1, 2, 100, 1_000] {
            let explorer = Explorer::new(Engine::Dfs)
                .past_failures()
                .max_executions(max);
            let report = explore(&explorer.jobs(jobs), &counter(3, 1));
            assert_eq!(report.executions, max);
            let bound = Bound::MaxExecutions(max);
            assert_eq!(report.coverage, Coverage::Bounded(bound));
        }
    }
}

#[test]
fn a_search_that_is_through_when_it_reaches_its_limit_is_complete() {
    let all = counter(2, 1).truth().executions;
    let explorer = Explorer::new(Engine::Dfs).past_failures();
    for (max, coverage) in [
        (all, Coverage::Complete),
        (all - 1, Coverage::Bounded(Bound::MaxExecutions(all - 1))),
    ] {
        let explorer = explorer.clone().max_executions(max).jobs(2);
        let report = explore(&explorer, &counter(2, 1));
        assert_eq!((report.executions, report.coverage), (max, coverage));
    }
}

#[test]
fn a_time_limit_that_is_over_cuts_every_division() {
    for engine in ENGINES {
        let explorer = Explorer::new(engine).time_limit(Duration::ZERO);
        for explorer in [explorer.clone().jobs(2), explorer.shard(2, 3)] {
            let report = explore(&explorer, &counter(2, 1));
            let bound = Bound::TimeLimit(Duration::ZERO);
            assert_eq!(report.coverage, Coverage::Bounded(bound));
            assert_eq!(report.executions, 0);
        }
    }
}

#[test]
fn an_interrupt_stops_all_workers() {
    for jobs in 1..=3 {
        let progress = Progress::default();
        let inside = progress.clone();
        let begun = RealAtomicUsize::new(0);
        let explorer = Explorer::new(Engine::Dfs).jobs(jobs).progress(progress);
        let program = counter(4, 2);
        let explorer = explorer.past_failures();
        let report = explorer.explore(move || {
            if begun.fetch_add(1, SeqCst) == 2_000 {
                inside.interrupt();
            }
            program.run();
        });
        assert_eq!(report.coverage, Coverage::Bounded(Bound::Interrupted));
        assert!(report.executions < 10_000, "{report}");
    }
}

#[test]
fn a_worker_that_stands_still_is_given_up_with_its_last_event() {
    let is_first = RealAtomicUsize::new(0);
    let explorer = Explorer::new(Engine::Dfs).past_failures().jobs(2);
    let explorer = explorer.stall_limit(Duration::from_millis(200));
    let never = AtomicBool::new(false);
    let report = explorer.explore(move || {
        let n = Arc::new(AtomicUsize::new(0));
        let other = thread::spawn({
            let n = Arc::clone(&n);
            move || n.store(1, SeqCst)
        });
        let value = n.load(SeqCst);
        other.join().unwrap();
        // Not while the search is divided, but in one of its parts.
        if value == 1 && is_first.fetch_add(1, SeqCst) == 0 {
            while !never.load(SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    });
    let Verdict::Inconclusive(Reason::Stuck { last, .. }) = &report.verdict else {
        panic!("{report}");
    };
    assert!(last.is_some());
}

#[test]
fn a_body_that_is_not_deterministic_is_noticed_in_its_part() {
    let executions = RealAtomicUsize::new(0);
    let report = Explorer::new(Engine::Dfs).jobs(2).explore(move || {
        let n = Arc::new(AtomicUsize::new(0));
        let adds = 1 + executions.fetch_add(1, SeqCst) % 2;
        let other = thread::spawn({
            let n = Arc::clone(&n);
            move || {
                for _ in 0..adds {
                    n.fetch_add(1, SeqCst);
                }
            }
        });
        for _ in 0..4 {
            n.load(SeqCst);
        }
        other.join().unwrap();
    });
    let Verdict::Inconclusive(Reason::NotDeterministic { .. }) = report.verdict else {
        panic!("{report}");
    };
}

#[test]
fn loom_shuttle_and_real_threads_are_not_divided() {
    let names = ["loom", "shuttle", "shuttle-pct", "threads"];
    let engines = Engine::ALL.iter().copied();
    for engine in engines.filter(|engine| names.contains(&engine.name())) {
        assert!(!engine.is_divisible());
        let report = explore(&Explorer::new(engine).jobs(2).shard(1, 2), &locked(2));
        assert_eq!(report.division, None);
        assert!(!matches!(
            report.coverage,
            Coverage::Bounded(Bound::Shard(_))
        ));
    }
}

#[test]
fn a_shard_that_is_none_is_an_error_that_names_it() {
    for (index, of) in [(0, 2), (3, 2), (0, 0)] {
        let panic = catch_unwind(|| drop(Explorer::new(Engine::Dfs).shard(index, of)));
        let message = panic.unwrap_err().downcast::<String>().unwrap();
        let expected = format!("there is no shard {index} of {of}");
        assert!(message.contains(&expected), "{message}");
    }
}

#[test]
fn the_share_done_grows_to_the_whole() {
    // Seen at every 256th execution.
    for (program, explorer) in [
        (counter(3, 1), Explorer::new(Engine::Dfs)),
        (locked(3), Explorer::new(Engine::Dfs)),
        (counter(3, 1), Explorer::new(Engine::Random)),
    ] {
        let progress = Progress::default();
        let inside = progress.clone();
        let shares = Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = Arc::clone(&shares);
        let explorer = explorer.past_failures().progress(progress.clone());
        let report = explorer.explore(move || {
            seen.lock().unwrap().extend(inside.share_done());
            program.run();
        });
        let shares = shares.lock().unwrap();
        assert!(shares.is_sorted(), "it never shrinks");
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
        let all = report.executions;
        if all >= 512 {
            assert!(shares.len() as u64 >= all - 256);
        }
    }
}
