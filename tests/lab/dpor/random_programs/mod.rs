//! Random programs over all operations of the façade, on which reduction and enumeration agree.
//!
//! `PROPTEST_CASES` sets how many of each kind.

mod channel;
mod counts;
pub(crate) mod kinds;
mod program;
pub(crate) mod tasks;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use racelab::sync::atomic::Ordering::SeqCst;
use racelab::trace::LeftOut;
use racelab::{Bound, Coverage, Explorer, Failure, Report, SpuriousWakeUps};

use self::counts::count_programs;
use self::kinds::{
    CHANNELS, CROSSBEAM, MPSC, atomics, barriers, cells, condition_variables, initialisations,
    messages, mixed, mutexes, nested_reads, panics, parking, programs,
    programs_that_poll_under_a_spin_lock, programs_that_spin_under_locks,
    programs_that_undo_rounds, programs_with, queues, read_write_locks, spinning_programs,
    threads_of_threads, timed_mutexes, upgradable_locks,
};
use self::program::{Op, Program};
use self::tasks::{TaskProgram, task_programs};
use super::cases;
use super::reduction::{enumeration, outcomes, reduced, traces};

/// Programs with more interleavings are left out.
const MAX_EXECUTIONS: u64 = 1_000;

/// A thread that waits by looking again goes on alone for 1,000 steps. Two of them come to an end,
/// as a livelock, within this.
pub(crate) const MAX_STEPS: usize = 2_500;

/// A program that the lab can run.
pub(crate) trait Runs: Clone + Send + Sync + 'static {
    fn run(&self);
}

impl Runs for Program {
    fn run(&self) {
        Program::run(self);
    }
}

impl Runs for TaskProgram {
    fn run(&self) {
        TaskProgram::run(self);
    }
}

pub(crate) fn explore(explorer: &Explorer, program: &impl Runs) -> Report {
    let program = program.clone();
    let explorer = explorer.clone().max_steps(MAX_STEPS);
    explorer.explore(move || program.run())
}

/// What a failure is, apart from how it was found.
fn essence(failure: &Failure) -> impl PartialEq + std::fmt::Debug {
    (
        failure.kind,
        failure.message.clone(),
        failure.preemptions,
        failure.schedule.as_ref().map(ToString::to_string),
    )
}

/// Whether enumeration has neither abandoned anything nor left anything out, so that it has seen
/// every trace.
fn has_seen_every_trace(report: &Report) -> bool {
    let repeated = [
        LeftOut::RepeatedFailures,
        LeftOut::RepeatedTimeouts,
        LeftOut::RepeatedWakeUps,
    ];
    report.blocked == 0
        && report.violations == 0
        && !report.left_out.iter().any(|kind| repeated.contains(kind))
}

/// Whether a search may begin an execution that turns out to be redundant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Redundancy {
    /// It begins none.
    Never,
    /// Behind a step that was planned to release the locks of a thread that panics, and does not
    /// panic there. What a step does besides its operation is not known before it is done.
    BehindPanics,
    /// Rarely, behind a wait on a condition variable with a time limit, which a notification can end as
    /// well.
    BehindTimeouts,
    /// Behind the start of a wait that ends its thread if the wait ends spuriously, and does not if it
    /// does not.
    BehindWakeUps,
}

/// What a program of condition variables may begin that is redundant.
fn redundancy_of_waits(program: &Program) -> Redundancy {
    let mut ops = program.threads.iter().flatten();
    if ops.any(|op| matches!(op, Op::WaitTimeout)) {
        Redundancy::BehindTimeouts
    } else {
        Redundancy::Never
    }
}

fn agree(program: &impl Runs, redundancy: Redundancy) -> TestCaseResult {
    agree_with(program, redundancy, SpuriousWakeUps::LeftOut)
}

fn agree_with(
    program: &impl Runs,
    redundancy: Redundancy,
    wake_ups: SpuriousWakeUps,
) -> TestCaseResult {
    let enumeration = || enumeration().spurious(wake_ups);
    let reduced = || reduced().spurious(wake_ups);
    let limited = enumeration().past_failures().max_executions(MAX_EXECUTIONS);
    let all = explore(&limited, program);
    prop_assume!(all.coverage == Coverage::Complete);

    // What enumeration can end, reduction ends as well, in no more executions.
    let bounded = reduced().past_failures().max_executions(2 * MAX_EXECUTIONS);
    let report = explore(&bounded, program);
    if report.coverage == Coverage::Bounded(Bound::LeftOut(LeftOut::AfterRaces)) {
        // It says that what follows a race is missing, and invents nothing.
        let known = outcomes(&all);
        prop_assert!(
            outcomes(&report)
                .iter()
                .all(|outcome| known.contains(outcome))
        );
    } else {
        prop_assert_eq!(&report.coverage, &Coverage::Complete, "{}", report);
        prop_assert_eq!(outcomes(&report), outcomes(&all));
    }
    prop_assert_eq!(report.verdict.name(), all.verdict.name());
    prop_assert_eq!(report.violations > 0, all.violations > 0);
    if has_seen_every_trace(&all) {
        prop_assert_eq!(traces(&report), traces(&all));
        prop_assert_eq!(report.executions, traces(&all));
        match redundancy {
            Redundancy::Never => prop_assert_eq!(report.blocked, 0, "{}", report),
            Redundancy::BehindTimeouts => {
                prop_assert!(10 * report.blocked <= report.executions, "{}", report);
            }
            Redundancy::BehindPanics | Redundancy::BehindWakeUps => {}
        }
    }
    agree_on_the_failure(program, &all, &reduced())
}

/// Without `past_failures`, a search ends with the smallest failure there is.
fn agree_on_the_failure(program: &impl Runs, all: &Report, reduced: &Explorer) -> TestCaseResult {
    let Some(expected) = all.failure() else {
        return Ok(());
    };
    let report = explore(reduced, program);
    let Some(failure) = report.failure() else {
        prop_assert!(false, "no failure: {}", report);
        return Ok(());
    };
    prop_assert!(!failure.is_nondeterministic);
    // The enumeration that minimises has a budget.
    if failure.minimal == Some(true) {
        prop_assert_eq!(essence(failure), essence(expected));
    }
    let schedule = failure.schedule.as_ref().expect("a model engine has one");
    let body = program.clone();
    let replayed = racelab::replay(schedule, move || body.run());
    prop_assert_eq!(replayed.failure().map(essence), Some(essence(failure)));
    Ok(())
}

macro_rules! agree_on {
    ($cases:expr, $redundancy:ident; $($name:ident: $programs:expr,)*) => {
        proptest! {
            #![proptest_config(cases($cases))]

            $(
                #[test]
                fn $name(program in $programs) {
                    agree(&program, Redundancy::$redundancy)?;
                }
            )*
        }
    };
}

agree_on! { 50, Never;
    reduction_loses_no_outcome_of_atomics: programs(atomics()),
    reduction_loses_no_outcome_of_mutexes: programs(mutexes()),
    reduction_loses_no_outcome_of_read_write_locks: programs(read_write_locks()),
    reduction_loses_no_outcome_of_timed_mutexes: programs(timed_mutexes()),
    reduction_loses_no_outcome_of_upgradable_locks: programs(upgradable_locks()),
    reduction_loses_no_outcome_of_barriers: programs(barriers()),
    reduction_loses_no_outcome_of_initialisations: programs(initialisations()),
    reduction_loses_no_outcome_of_channels_with_one_receiver: programs_with(MPSC, messages()),
    reduction_loses_no_outcome_of_channels_with_receivers: programs_with(CROSSBEAM, messages()),
    reduction_loses_no_outcome_of_queues: programs(queues()),
    reduction_loses_no_outcome_of_parking: programs(parking()),
    reduction_loses_no_outcome_of_counts: count_programs(),
    reduction_loses_no_outcome_and_no_race_of_cells: programs(cells()),
}

agree_on! { 50, BehindPanics;
    reduction_loses_no_outcome_and_no_panic: programs(panics()),
    reduction_loses_no_outcome_of_mixed_programs: programs_with(CHANNELS, mixed()),
}

proptest! {
    #![proptest_config(cases(200))]

    /// With those in which all threads wait behind writers, each of them once.
    #[test]
    fn reduction_runs_each_trace_of_nested_reads_once(program in programs(nested_reads())) {
        let limited = enumeration().past_failures().max_executions(MAX_EXECUTIONS);
        let all = explore(&limited, &program);
        prop_assume!(all.coverage == Coverage::Complete);
        let report = explore(&reduced().past_failures(), &program);
        prop_assert_eq!(&report.coverage, &Coverage::Complete, "{}", report);
        let run = (traces(&report), report.executions, report.blocked);
        prop_assert_eq!(run, (traces(&all), traces(&all), 0), "{}\n{}", report, all);
        prop_assert_eq!(outcomes(&report), outcomes(&all));
        prop_assert_eq!(report.violations > 0, all.violations > 0);
        let divided = explore(&reduced().past_failures().jobs(2), &program);
        prop_assert_eq!(divided.executions, report.executions, "{}\n{}", divided, report);
        prop_assert_eq!(divided.violations, report.violations);
        agree_on_the_failure(&program, &all, &reduced())?;
    }
}

proptest! {
    #![proptest_config(cases(50))]

    #[test]
    fn reduction_loses_no_outcome_of_condition_variables(
        program in programs(condition_variables())
    ) {
        agree(&program, redundancy_of_waits(&program))?;
    }

    #[test]
    fn reduction_loses_no_spurious_wake_up_of_condition_variables(
        program in programs(condition_variables())
    ) {
        agree_with(&program, redundancy_of_waits(&program), SpuriousWakeUps::Explored)?;
    }

    #[test]
    fn reduction_loses_no_spurious_wake_up_of_parking(program in programs(parking())) {
        agree_with(&program, Redundancy::BehindWakeUps, SpuriousWakeUps::Explored)?;
    }
}

// Each of them has many interleavings.
agree_on! { 30, Never;
    reduction_loses_no_outcome_of_threads_of_threads: programs(threads_of_threads()),
    reduction_loses_no_outcome_of_tasks: task_programs(),
}

// Each of them takes very many steps.
agree_on! { 4, Never;
    reduction_loses_no_outcome_of_spinning: spinning_programs(),
    reduction_loses_no_outcome_of_spinning_under_locks: programs_that_spin_under_locks(),
    reduction_loses_no_outcome_of_rounds_that_are_undone: programs_that_undo_rounds(),
}

// A program takes half a minute.
agree_on! { 2, Never;
    reduction_loses_no_outcome_of_polls_under_a_spin_lock: programs_that_poll_under_a_spin_lock(),
}

/// Main only starts and joins the threads.
fn program_of(threads: impl IntoIterator<Item = Vec<Op>>) -> Program {
    Program {
        channel: None,
        threads: [Vec::new()].into_iter().chain(threads).collect(),
    }
}

#[test]
fn a_step_that_panics_in_some_places_makes_a_redundant_execution_and_no_second_trace() {
    // Of the loads, only one that sees the addition panics, and releases the mutex with that.
    let mut program = program_of([
        vec![Op::TryLock(1, vec![])],
        vec![Op::Catch(vec![Op::Lock(1, vec![Op::Refuse(0, 1)])])],
    ]);
    program.threads[0] = vec![Op::FetchAdd(0, 1, SeqCst)];
    let report = explore(&reduced(), &program);
    assert_eq!(
        report.executions,
        traces(&explore(&enumeration(), &program))
    );
    assert_eq!((report.executions, report.blocked), (6, 1), "{report}");
}

#[test]
fn a_writer_comes_before_a_thread_that_tries_to_read_twice() {
    let mut program = program_of([
        vec![Op::Read(vec![])],
        vec![Op::TryRead(vec![]), Op::TryRead(vec![Op::Write(vec![])])],
    ]);
    program.threads[0] = vec![Op::Write(vec![])];
    agree(&program, Redundancy::Never).expect("reduction loses nothing");
}

#[test]
fn an_early_panic_hides_nothing_of_what_other_threads_do_later() {
    // In an execution that panics at once, the second thread has not stored yet.
    let program = program_of([
        vec![Op::Refuse(0, 0), Op::Load(1, SeqCst)],
        vec![Op::Load(1, SeqCst), Op::Store(0, 1, SeqCst)],
    ]);
    let report = explore(&reduced().past_failures(), &program);
    assert!(report.violations > 0, "{report}");
    assert_eq!(report.outcomes.len(), 1, "{report}");
}

#[test]
fn an_early_race_hides_nothing_of_what_other_threads_do_later() {
    // The accesses race unless the second thread has found the mutex free after the first.
    let program = program_of([
        vec![Op::Lock(0, vec![Op::WriteCell(1)]), Op::Store(0, 1, SeqCst)],
        vec![Op::TryLock(0, vec![]), Op::WriteCell(2)],
        vec![Op::Load(1, SeqCst), Op::Load(0, SeqCst)],
    ]);
    let all = explore(&enumeration().past_failures(), &program);
    let report = explore(&reduced().past_failures(), &program);
    assert!(all.violations > 0 && !all.outcomes.is_empty(), "{all}");
    assert!(report.violations > 0, "{report}");
    assert_eq!(outcomes(&report), outcomes(&all));
}
