//! The searches, held against an independent oracle and against what is known of small programs.

mod enumeration;
mod limits;
mod minimisation;
mod nondeterminism;
mod process_ends;
mod random_walk;
mod replay;
mod schedule_text;

use std::sync::atomic::Ordering::SeqCst;

use crate::oracle::{Op, Program};
use racelab::sync::Arc;
use racelab::sync::atomic::AtomicUsize;
use racelab::trace::Schedule;
use racelab::{Coverage, Engine, Explorer, Failure, Reason, Report, Verdict, thread};

const LOAD_STORE: Op = Op::Increment(0);
const FETCH_ADD: Op = Op::FetchAdd(0, 1);

fn locked_increment() -> Op {
    Op::Lock(0, vec![LOAD_STORE])
}

fn explore(explorer: &Explorer, program: &Program) -> Report {
    let program = program.clone();
    explorer.explore(move || program.run())
}

fn enumerate(program: &Program) -> Report {
    explore(&Explorer::new(Engine::Dfs).past_failures(), program)
}

fn replay(schedule: &Schedule, program: &Program) -> Report {
    let program = program.clone();
    racelab::replay(schedule, move || program.run())
}

fn outcomes(report: &Report) -> Vec<(String, u64)> {
    report
        .outcomes
        .iter()
        .map(|outcome| (outcome.value.clone(), outcome.executions))
        .collect()
}

/// The failure without what differs between a search and a replay.
fn essence(failure: &Failure) -> impl PartialEq + std::fmt::Debug {
    let Failure {
        kind,
        message,
        at,
        thread,
        trace,
        schedule,
        preemptions,
        blocked,
        ..
    } = failure;
    (
        (*kind, message.clone(), at.clone(), *thread),
        (
            trace.clone(),
            schedule.clone(),
            *preemptions,
            blocked.clone(),
        ),
    )
}

fn expect_failure(report: &Report) -> &Failure {
    report
        .failure()
        .unwrap_or_else(|| panic!("no failure: {:?}", report.verdict))
}

fn schedule_of(failure: &Failure) -> &Schedule {
    let schedule = failure.schedule.as_ref();
    schedule.expect("a model engine has a schedule")
}

fn expect_reason(report: &Report) -> &Reason {
    match &report.verdict {
        Verdict::Inconclusive(reason) => reason,
        other => panic!("not inconclusive: {other:?}"),
    }
}

fn expect_divergence(report: &Report) -> &str {
    match expect_reason(report) {
        Reason::Diverged(message) => message,
        other => panic!("not diverged: {other:?}"),
    }
}

/// A program with many outcomes, which fails in some of its executions.
fn varied() -> Program {
    Program::new(vec![
        vec![LOAD_STORE, Op::Lock(0, vec![Op::Lock(1, vec![])])],
        vec![LOAD_STORE, Op::Lock(1, vec![Op::Lock(0, vec![])])],
    ])
}

/// What a counter holds after some threads have done something to it so many times each.
fn count(threads: usize, times: usize, increment: fn(&AtomicUsize)) -> usize {
    let n = Arc::new(AtomicUsize::new(0));
    let workers = (0..threads).map(|_| {
        let n = Arc::clone(&n);
        thread::spawn(move || (0..times).for_each(|_| increment(&n)))
    });
    workers
        .collect::<Vec<_>>()
        .into_iter()
        .for_each(|worker| worker.join().unwrap());
    n.load(SeqCst)
}

fn counter_2_1() {
    lost_update(2);
}

fn lost_update(threads: usize) {
    let total = count(threads, 1, |n| {
        let value = n.load(SeqCst);
        n.store(value + 1, SeqCst);
    });
    assert_eq!(total, threads);
}

fn diverges(schedule: &str, body: impl Fn() + Send + Sync + 'static) -> String {
    let report = racelab::replay(&schedule.parse().unwrap(), body);
    assert!(!matches!(report.coverage, Coverage::Complete));
    assert_eq!(
        report.executions, 0,
        "a replay that diverged is no execution"
    );
    expect_divergence(&report).to_owned()
}
