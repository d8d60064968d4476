//! The searches, held against an independent oracle and against what is known of small programs.
#![cfg(not(loom))]

#[cfg(feature = "cli")]
mod known_bugs;
mod oracle;

use std::collections::{BTreeSet, HashMap};
use std::hint::black_box;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicUsize as RealAtomicUsize, Ordering::SeqCst};
use std::time::Duration;

#[cfg(feature = "cli")]
use known_bugs::KnownBug;
use oracle::{Op, Program, failing_programs, pausing_programs, programs};
use proptest::prelude::*;
use racelab::sync::atomic::AtomicUsize;
use racelab::sync::{Arc, Mutex};
use racelab::trace::{Choice, Schedule, ThreadId};
use racelab::{
    Bound, Coverage, Engine, Explorer, Failure, FailureKind, Progress, Reason, Report, Verdict,
    thread,
};

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

// Enumeration.

#[test]
fn dfs_runs_as_many_executions_of_two_threads_as_the_closed_formula_says() {
    // Of the first thread's `k` steps, `i` come before the second spawn. The others, and then the
    // first join, interleave with the `k` steps of the second thread; the second join is last.
    let formula = |k: u64| (0..=k).map(|i| choose(2 * k + 1 - i, k)).sum::<u64>();
    assert_eq!(formula(2), 10 + 6 + 3);
    for k in 1..7 {
        let program = Program::alike(2, k, &FETCH_ADD);
        assert_eq!(program.interleavings(), formula(k as u64));
        assert_eq!(enumerate(&program).executions, formula(k as u64));
    }
}

/// The number of ways to choose `k` of `n`.
fn choose(n: u64, k: u64) -> u64 {
    (0..k).fold(1, |ways, i| ways * (n - i) / (i + 1))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn dfs_runs_as_many_executions_of_a_counter_as_there_are_interleavings(
        threads in 1usize..4, times in 1usize..4,
        op in prop_oneof![Just(LOAD_STORE), Just(FETCH_ADD), Just(locked_increment())],
    ) {
        let program = Program::alike(threads, times, &op);
        let expected = program.interleavings();
        prop_assume!(expected < 60_000);
        let report = enumerate(&program);
        prop_assert_eq!(report.executions, expected);
        prop_assert_eq!(report.coverage, Coverage::Complete);
        prop_assert_eq!((report.blocked, report.truncated), (0, 0));
    }
}

proptest! {
    // Each of them is explored again and again, until it is known which yields wait for nobody.
    #![proptest_config(ProptestConfig::with_cases(25))]

    #[test]
    fn yields_change_no_outcome(program in pausing_programs(60)) {
        let truth = program.truth();
        let expected: Vec<String> = truth.outcomes.into_keys().collect();
        let report = enumerate(&program);
        let found: Vec<String> = outcomes(&report).into_iter().map(|(value, _)| value).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(report.violations > 0, truth.violations > 0);
        prop_assert_eq!(&report.coverage, &Coverage::Complete);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn dfs_reports_the_outcomes_and_violations_of_every_interleaving(
        program in failing_programs(3_000)
    ) {
        let truth = program.truth();
        prop_assert_eq!(truth.executions, program.interleavings());
        let report = enumerate(&program);
        prop_assert_eq!(report.executions, truth.executions);
        prop_assert_eq!(report.violations, truth.violations);
        prop_assert_eq!(outcomes(&report), truth.outcomes.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(&report.coverage, &Coverage::Complete);
        match truth.smallest {
            None => prop_assert!(matches!(report.verdict, Verdict::Holds)),
            Some(smallest) => {
                let failure = expect_failure(&report);
                prop_assert_eq!((failure.preemptions, schedule_of(failure).len()), smallest);
                prop_assert_eq!(failure.minimal, Some(true));
            }
        }
    }

    #[test]
    fn the_reported_failure_is_the_smallest_of_all(program in failing_programs(3_000)) {
        let truth = program.truth();
        for explorer in [
            Explorer::new(Engine::Dfs),
            // Enough to hit what is not extremely rare.
            Explorer::new(Engine::Random).max_executions(20_000),
        ] {
            let report = explore(&explorer, &program);
            let Some(smallest) = truth.smallest else {
                prop_assert!(report.failure().is_none());
                continue;
            };
            if report.failure().is_none() && report.engine == Some(Engine::Random) {
                continue;
            }
            let failure = expect_failure(&report);
            prop_assert_eq!((failure.preemptions, schedule_of(failure).len()), smallest);
            prop_assert_eq!(failure.minimal, Some(true));
            prop_assert!(!failure.is_nondeterministic);
            prop_assert_eq!(report.coverage, Coverage::FirstFailure);
        }
    }

    #[test]
    fn the_printed_schedule_of_a_failure_replays_it(program in failing_programs(1_000)) {
        for engine in [Engine::Dfs, Engine::Random] {
            let report = explore(&Explorer::new(engine).max_executions(2_000), &program);
            let Some(failure) = report.failure() else { continue };
            let schedule: Schedule = schedule_of(failure).to_string().parse().unwrap();
            let replayed = replay(&schedule, &program);
            prop_assert_eq!(essence(expect_failure(&replayed)), essence(failure));
            prop_assert_eq!(replayed.replayed.as_ref(), Some(&failure.trace));
            prop_assert_eq!((replayed.executions, replayed.violations), (1, 1));
            prop_assert_eq!(failure.trace.steps(), schedule.len());
        }
    }

    #[test]
    fn a_schedule_is_followed_or_the_step_that_left_it_is_named(
        program in programs(1_000), choices in prop::collection::vec(0u32..4, 0..30)
    ) {
        let choices: Vec<_> = choices.into_iter().map(|thread| Choice::of(ThreadId(thread))).collect();
        let schedule = Schedule::from(choices);
        let report = replay(&schedule, &program);
        if let Verdict::Inconclusive(Reason::Diverged(message)) = &report.verdict {
            prop_assert!(message.contains(" step") || message.starts_with("step"), "{}", message);
        } else {
            let trace = report.replayed.as_ref().unwrap();
            prop_assert_eq!(trace.steps(), schedule.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_damaged_schedule_of_a_failure_is_not_taken_for_it(
        program in failing_programs(500), at: prop::sample::Index, damage in damages()
    ) {
        let report = explore(&Explorer::new(Engine::Dfs), &program);
        let Some(failure) = report.failure() else { return Ok(()) };
        let mut choices = schedule_of(failure).choices().to_vec();
        let at = at.index(choices.len());
        let step = match damage {
            Damage::UnknownThread => {
                choices[at] = Choice::of(ThreadId(9));
                at + 1
            }
            Damage::UnknownAlternative => {
                choices[at].alternative = 5;
                at + 1
            }
            Damage::TooShort => {
                choices.truncate(at);
                at + 1
            }
            Damage::TooLong => {
                choices.push(Choice::of(ThreadId::MAIN));
                choices.len() - 1
            }
        };
        let report = replay(&Schedule::from(choices), &program);
        let message = expect_divergence(&report);
        let mut numbers = message.split(|c: char| !c.is_ascii_digit());
        let names_step = numbers.any(|number| number == step.to_string());
        prop_assert!(names_step, "step {}: {}", step, message);
    }
}

#[derive(Clone, Copy, Debug)]
enum Damage {
    UnknownThread,
    UnknownAlternative,
    TooShort,
    TooLong,
}

fn damages() -> impl Strategy<Value = Damage> {
    prop_oneof![
        Just(Damage::UnknownThread),
        Just(Damage::UnknownAlternative),
        Just(Damage::TooShort),
        Just(Damage::TooLong),
    ]
}

#[test]
fn a_failure_behind_more_steps_than_usual_is_replayed() {
    let body = || {
        let n = AtomicUsize::new(0);
        for _ in 0..2 * racelab::DEFAULT_MAX_STEPS {
            n.fetch_add(1, SeqCst);
        }
        panic!("after the last step");
    };
    let report = Explorer::new(Engine::Dfs).max_steps(50_000).explore(body);
    let failure = expect_failure(&report);
    assert_eq!(failure.minimal, Some(true));
    let replayed = racelab::replay(schedule_of(failure), body);
    assert_eq!(essence(expect_failure(&replayed)), essence(failure));
}

#[test]
fn a_load_store_counter_ends_with_every_proved_value_and_no_other() {
    for (threads, times) in [(1, 1), (1, 4), (2, 1), (2, 2), (2, 3), (3, 1)] {
        let seen = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
        let report = Explorer::new(Engine::Dfs).past_failures().explore({
            let seen = Arc::clone(&seen);
            move || {
                let total = count(threads, times, |n| {
                    let value = n.load(SeqCst);
                    n.store(value + 1, SeqCst);
                });
                seen.lock().unwrap().insert(total);
            }
        });
        assert_eq!(report.coverage, Coverage::Complete);
        let lowest = match (threads, times) {
            (1, times) => times,
            (_, 1) => 1,
            _ => 2,
        };
        let proved: BTreeSet<_> = (lowest..=threads * times).collect();
        assert_eq!(
            *seen.lock().unwrap(),
            proved,
            "{threads} threads, {times} times"
        );
    }
}

#[test]
fn a_fetch_add_counter_holds_in_every_interleaving() {
    for (threads, times) in [(2, 1), (2, 3), (3, 2), (4, 1)] {
        let report = Explorer::new(Engine::Dfs).explore(move || {
            let total = count(threads, times, |n| {
                n.fetch_add(1, SeqCst);
            });
            assert_eq!(total, threads * times);
        });
        assert!(
            matches!(report.verdict, Verdict::Holds),
            "{threads} threads, {times} times"
        );
    }
}

#[test]
fn a_mutex_counter_holds_in_every_interleaving() {
    for (threads, times) in [(2, 1), (2, 2), (3, 1)] {
        let report = Explorer::new(Engine::Dfs).explore(move || {
            let n = Arc::new(Mutex::new(0));
            let workers = (0..threads).map(|_| {
                let n = Arc::clone(&n);
                thread::spawn(move || (0..times).for_each(|_| *n.lock().unwrap() += 1))
            });
            workers
                .collect::<Vec<_>>()
                .into_iter()
                .for_each(|worker| worker.join().unwrap());
            assert_eq!(*n.lock().unwrap(), threads * times);
        });
        assert!(
            matches!(report.verdict, Verdict::Holds),
            "{threads} threads, {times} times"
        );
    }
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

// Known bugs.

#[cfg(feature = "cli")]
#[test]
fn known_bugs_are_reported_with_their_fewest_preemptions() {
    for bug in KnownBug::ALL {
        for engine in [Engine::Dfs, Engine::Random] {
            if bug.is_large && engine == Engine::Dfs {
                continue;
            }
            let report = Explorer::new(engine)
                .max_executions(50_000)
                .explore(bug.body);
            let failure = expect_failure(&report);
            assert_eq!(
                failure.preemptions, bug.preemptions,
                "{} under {engine}",
                bug.name
            );
            assert_eq!(failure.minimal, Some(true), "{} under {engine}", bug.name);
            assert_eq!(failure.kind, bug.kind, "{} under {engine}", bug.name);
        }
    }
}

#[cfg(feature = "cli")]
#[test]
fn a_random_walk_hits_known_bugs_with_their_exact_probabilities() {
    const EXECUTIONS: u32 = 25_000;
    for bug in KnownBug::ALL {
        let explorer = Explorer::new(Engine::Random)
            .max_executions(EXECUTIONS.into())
            .seed(1);
        let report = explorer.past_failures().explore(bug.body);
        // The published probabilities are rounded to their last digit.
        assert_hits(bug.name, &report, EXECUTIONS, bug.probability, bug.rounding);
    }
}

/// Holds the share of violations against its probability, within five standard deviations.
fn assert_hits(name: &str, report: &Report, executions: u32, probability: f64, rounding: f64) {
    let hits = f64::from(u32::try_from(report.violations).unwrap());
    let executions = f64::from(executions);
    let deviation = (probability * (1.0 - probability) / executions).sqrt();
    let share = hits / executions;
    assert!(
        (share - probability).abs() <= 5.0 * deviation + rounding,
        "{name}: {share} of the executions fail, expected {probability}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_random_walk_is_uniform_over_the_possible_steps(
        mut program in failing_programs(1_000), seed: u64
    ) {
        const EXECUTIONS: u32 = 5_000;
        program.forbidden = None;
        let explorer = Explorer::new(Engine::Random).max_executions(EXECUTIONS.into()).seed(seed);
        let report = explore(&explorer.past_failures(), &program);
        let probability = program.failure_probability();
        assert_hits("the program", &report, EXECUTIONS, probability, 0.0);
    }
}

// Schedules.

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

#[test]
fn a_replay_that_leaves_its_schedule_names_the_step() {
    assert!(diverges("0*2.1.9.2*2.0*3", counter_2_1).starts_with("step 4 names thread 9, "));
    assert!(diverges("2.0*8", counter_2_1).starts_with("step 1 names thread 2, "));
    assert!(
        diverges("0*3.1*2.2*2.0*2", counter_2_1)
            .starts_with("step 3 names thread 0, which cannot go on: main is at join T1, ")
    );
    assert!(
        diverges("0*2.1*3.2*2.0*2", counter_2_1)
            .starts_with("step 5 names thread 1, which has finished")
    );
    assert!(diverges("0*2.1.1~7.2*2.0*3", counter_2_1).starts_with("step 4 is 1~7, "));
    assert!(
        diverges("0*2.1*2.2", counter_2_1)
            .contains("ends before step 6, but the program goes on: ")
    );
    assert!(diverges("-", counter_2_1).contains("ends before step 1, "));
    assert!(diverges("0*2.1*2.2*2.0*4", counter_2_1).contains("the program ends after 9 steps, "));
}

#[test]
fn the_schedule_of_another_size_diverges() {
    let report = Explorer::new(Engine::Dfs).explore(counter_2_1);
    let small = schedule_of(expect_failure(&report)).to_string();
    assert!(diverges(&small, || lost_update(3)).contains("step"));
    let report = Explorer::new(Engine::Dfs).explore(|| lost_update(3));
    let large = schedule_of(expect_failure(&report)).to_string();
    assert!(diverges(&large, counter_2_1).contains("step"));
}

#[test]
fn a_schedule_that_goes_on_after_the_failure_diverges() {
    let report = Explorer::new(Engine::Dfs).explore(|| lost_update(2));
    let schedule = format!("{}.0", schedule_of(expect_failure(&report)));
    assert!(diverges(&schedule, counter_2_1).contains("but the schedule goes on"));
}

#[test]
fn a_lock_that_is_held_diverges_with_its_name() {
    let schedule = "0.1.0";
    let message = diverges(schedule, || {
        let n = Arc::new(racelab::Named::named(Mutex::new(0), "n"));
        let other = thread::spawn({
            let n = Arc::clone(&n);
            move || *n.lock().unwrap() += 1
        });
        *n.lock().unwrap() += 1;
        other.join().unwrap();
    });
    assert!(
        message.starts_with("step 3 names thread 0, which cannot go on: main is at lock n, "),
        "{message}"
    );
}

#[test]
fn a_replay_of_an_execution_that_does_not_fail_proves_nothing() {
    let report = racelab::replay(&"0*2.1*2.2*2.0*3".parse().unwrap(), counter_2_1);
    assert_eq!(expect_reason(&report), &Reason::Bound(Bound::OneExecution));
    assert_eq!(report.executions, 1);
    assert_eq!(report.replayed.unwrap().steps(), 9);
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let choice = (
        prop_oneof![0u32..4, any::<u32>()],
        prop_oneof![4 => Just(0u32), 1 => any::<u32>()],
    );
    let run = (choice, prop_oneof![Just(1usize), 1usize..20]);
    prop::collection::vec(run, 0..20).prop_map(|runs| {
        let runs = runs
            .into_iter()
            .flat_map(|((thread, alternative), length)| {
                std::iter::repeat_n(
                    Choice {
                        thread: ThreadId(thread),
                        alternative,
                    },
                    length,
                )
            });
        Schedule::from(runs.collect::<Vec<_>>())
    })
}

/// Parses without a panic, and what parses prints to a text that parses to the same.
fn parses_soundly(text: &str) -> Result<(), TestCaseError> {
    match text.parse::<Schedule>() {
        Ok(schedule) => {
            prop_assert_eq!(schedule.to_string().parse::<Schedule>(), Ok(schedule));
        }
        Err(error) => prop_assert!(error.to_string().starts_with("malformed schedule: part ")),
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_schedule_is_parsed_from_what_it_prints(schedule in schedules()) {
        prop_assert_eq!(schedule.to_string().parse::<Schedule>(), Ok(schedule));
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in ".*") {
        parses_soundly(&text)?;
    }

    #[test]
    fn any_text_of_the_characters_of_schedules_is_parsed_or_refused(text in "[0-9.*~-]{0,24}") {
        parses_soundly(&text)?;
    }

    #[test]
    fn a_damaged_schedule_is_parsed_or_refused(
        schedule in schedules(), at: prop::sample::Index, with in any::<char>()
    ) {
        let mut text: Vec<char> = schedule.to_string().chars().collect();
        let at = at.index(text.len());
        text[at] = with;
        parses_soundly(&text.into_iter().collect::<String>())?;
    }
}

// Random walks and bounds.

/// A program with many outcomes, which fails in some of its executions.
fn varied() -> Program {
    Program::new(vec![
        vec![LOAD_STORE, Op::Lock(0, vec![Op::Lock(1, vec![])])],
        vec![LOAD_STORE, Op::Lock(1, vec![Op::Lock(0, vec![])])],
    ])
}

#[test]
fn the_same_seed_makes_the_same_report() {
    let explorer = Explorer::new(Engine::Random).seed(11).max_executions(2_000);
    for explorer in [explorer.clone(), explorer.past_failures()] {
        let (first, second) = (explore(&explorer, &varied()), explore(&explorer, &varied()));
        let counts = |r: &Report| (r.executions, r.violations, r.truncated, outcomes(r), r.seed);
        assert_eq!(counts(&first), counts(&second));
        assert_eq!(
            essence(expect_failure(&first)),
            essence(expect_failure(&second))
        );
    }
}

#[test]
fn different_seeds_choose_differently() {
    let reports: BTreeSet<_> = (0..8)
        .map(|seed| {
            let explorer = Explorer::new(Engine::Random).seed(seed).max_executions(500);
            outcomes(&explore(&explorer.past_failures(), &varied()))
        })
        .collect();
    assert_eq!(reports.len(), 8);
}

#[test]
fn a_random_walk_makes_as_many_executions_as_asked_and_is_never_complete() {
    for executions in [0, 1, 2, 777] {
        let explorer = Explorer::new(Engine::Random).max_executions(executions);
        let report = explore(&explorer, &Program::alike(2, 1, &FETCH_ADD));
        assert_eq!(report.executions, executions);
        let bound = Bound::MaxExecutions(executions);
        assert_eq!(report.coverage, Coverage::Bounded(bound));
        assert_eq!(expect_reason(&report), &Reason::Bound(bound));
        let report = explore(&explorer.past_failures(), &varied());
        assert_eq!(report.executions, executions);
        assert_eq!(report.coverage, Coverage::Bounded(bound));
    }
}

#[test]
fn a_random_walk_makes_ten_thousand_executions_unless_told_otherwise() {
    let report = Explorer::new(Engine::Random).explore(|| {});
    assert_eq!(report.executions, 10_000);
    assert!(matches!(report.verdict, Verdict::Inconclusive(_)));
}

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
    for engine in [Engine::Dfs, Engine::Random] {
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
fn an_interrupt_ends_the_search_after_the_running_execution() {
    for engine in [Engine::Dfs, Engine::Random] {
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
fn a_failure_that_was_not_minimised_is_not_called_minimal() {
    let progress = Progress::default();
    let inside = progress.clone();
    let report = Explorer::new(Engine::Random)
        .progress(progress)
        .explore(move || {
            let total = count(2, 1, |n| {
                let value = n.load(SeqCst);
                n.store(value + 1, SeqCst);
            });
            if total != 2 {
                inside.interrupt();
            }
            assert_eq!(total, 2);
        });
    let failure = expect_failure(&report);
    assert_eq!(failure.minimal, Some(false));
    assert!(!failure.is_nondeterministic);
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

// Bodies that cannot be explored.

/// Does one thing in one execution and another in the next.
fn alternating(executions: &RealAtomicUsize) -> bool {
    executions.fetch_add(1, SeqCst).is_multiple_of(2)
}

#[test]
fn dfs_notices_that_a_body_branches_on_state_that_outlives_it() {
    static EXECUTIONS: RealAtomicUsize = RealAtomicUsize::new(0);
    let report = Explorer::new(Engine::Dfs).explore(|| {
        let n = Arc::new(AtomicUsize::new(0));
        let other = thread::spawn({
            let n = Arc::clone(&n);
            move || n.store(1, SeqCst)
        });
        if alternating(&EXECUTIONS) {
            n.load(SeqCst);
        } else {
            n.store(2, SeqCst);
        }
        other.join().unwrap();
    });
    assert_eq!(
        expect_reason(&report),
        &Reason::NotDeterministic { step: 2 }
    );
    assert_ne!(report.coverage, Coverage::Complete);
}

#[test]
fn dfs_notices_that_a_body_follows_the_order_of_a_hash_map() {
    let report = Explorer::new(Engine::Dfs).explore(|| {
        let atomics: HashMap<_, _> = (0..16).map(|key| (key, AtomicUsize::new(key))).collect();
        let atomics = Arc::new(atomics);
        let other = thread::spawn({
            let atomics = Arc::clone(&atomics);
            move || {
                atomics[&0].load(SeqCst);
            }
        });
        for atomic in atomics.values() {
            atomic.fetch_add(1, SeqCst);
        }
        other.join().unwrap();
    });
    assert!(matches!(
        expect_reason(&report),
        Reason::NotDeterministic { .. }
    ));
    assert_ne!(report.coverage, Coverage::Complete);
}

#[test]
fn a_failure_that_does_not_come_again_is_said_to_be_nondeterministic() {
    for engine in [Engine::Dfs, Engine::Random] {
        let executions = RealAtomicUsize::new(0);
        let report = Explorer::new(engine).explore(move || {
            let n = AtomicUsize::new(0);
            n.load(SeqCst);
            assert!(!alternating(&executions));
        });
        let failure = expect_failure(&report);
        assert!(failure.is_nondeterministic, "under {engine}");
        assert_eq!(failure.minimal, Some(false), "under {engine}");
    }
}

#[test]
fn a_body_that_loops_without_a_step_is_given_up_with_its_last_event() {
    static STOP: AtomicBool = AtomicBool::new(false);
    for engine in [Engine::Dfs, Engine::Random] {
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
        let (thread, operation, at) = last.expect("there was an event");
        assert_eq!((thread, operation.name()), (ThreadId::MAIN, "load"));
        assert!(at.file().ends_with("search.rs"));
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
    for engine in [Engine::Dfs, Engine::Random] {
        let report = Explorer::new(engine).max_steps(50).explore(|| {
            let n = AtomicUsize::new(0);
            loop {
                n.fetch_add(1, SeqCst);
            }
        });
        assert_eq!(expect_reason(&report), &Reason::Bound(Bound::MaxSteps(50)));
    }
}

// What reaches the terminal, and what ends the process.

const CHILD: &str = "RACELAB_TEST_CHILD";

/// Whether this process is the child that runs one test in earnest.
fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Runs one test of this file in a process of its own.
fn run_child(test: &str) -> Output {
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program);
    child
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .env_remove("RUST_BACKTRACE");
    child.output().unwrap()
}

fn livelock() {
    let flag = AtomicUsize::new(0);
    while flag.load(SeqCst) == 0 {
        thread::yield_now();
    }
}

fn deadlock() {
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let other = thread::spawn({
        let (a, b) = (Arc::clone(&a), Arc::clone(&b));
        move || {
            let _a = a.lock().unwrap();
            let _b = b.lock().unwrap();
        }
    });
    {
        let _b = b.lock().unwrap();
        let _a = a.lock().unwrap();
    }
    other.join().unwrap();
}

#[test]
fn engines_print_nothing() {
    if !is_child() {
        let output = run_child("engines_print_nothing");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}\n{stderr}", output.status);
        assert_eq!(stderr, "");
        return;
    }
    let bodies: [(fn(), FailureKind); 3] = [
        (counter_2_1, FailureKind::Panic),
        (deadlock, FailureKind::Deadlock),
        (livelock, FailureKind::Livelock),
    ];
    for engine in [Engine::Dfs, Engine::Random, Engine::Loom] {
        for (body, kind) in bodies {
            if engine == Engine::Loom && kind == FailureKind::Livelock {
                // To loom that is an execution without an end.
                continue;
            }
            let explorer = Explorer::new(engine);
            for explorer in [
                explorer.clone(),
                explorer.max_executions(200).past_failures(),
            ] {
                let report = explorer.explore(body);
                let failure = expect_failure(&report);
                assert_eq!(failure.kind, kind);
                let replayed = racelab::replay(schedule_of(failure), body);
                assert_eq!(expect_failure(&replayed).kind, kind);
            }
        }
        let cut = Explorer::new(engine).max_steps(3).explore(counter_2_1);
        assert!(cut.failure().is_none());
        // A panic that the body catches itself, and one whose payload is no text.
        let caught = Explorer::new(engine).max_executions(10).explore(|| {
            assert!(std::panic::catch_unwind(|| panic!("caught")).is_err());
            std::panic::panic_any(7);
        });
        assert_eq!(expect_failure(&caught).kind, FailureKind::Panic);
    }
    diverges("0*9", counter_2_1);
}

#[test]
fn panics_outside_of_executions_are_still_printed() {
    if !is_child() {
        let output = run_child("panics_outside_of_executions_are_still_printed");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}\n{stderr}", output.status);
        assert!(stderr.contains("not under test"), "{stderr}");
        assert!(!stderr.contains("left: 1"), "{stderr}");
        return;
    }
    Explorer::new(Engine::Dfs).explore(counter_2_1);
    assert!(std::panic::catch_unwind(|| panic!("not under test")).is_err());
}

/// Panics when it is dropped.
struct Explosive;

impl Drop for Explosive {
    fn drop(&mut self) {
        panic!("in the destructor");
    }
}

fn assert_aborts_with(test: &str, parts: &[&str]) {
    let output = run_child(test);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    for part in parts {
        assert!(stderr.contains(part), "{part:?} is not in:\n{stderr}");
    }
}

#[test]
fn a_destructor_that_panics_while_unwinding_ends_the_process_with_the_schedule() {
    if !is_child() {
        return assert_aborts_with(
            "a_destructor_that_panics_while_unwinding_ends_the_process_with_the_schedule",
            &[
                "racelab: a destructor panicked",
                "first     in the body",
                "in the destructor",
                "schedule  0.1\n",
            ],
        );
    }
    Explorer::new(Engine::Dfs).explore(|| {
        let other = thread::spawn(|| {
            AtomicUsize::new(0).load(SeqCst);
            let _explosive = Explosive;
            panic!("in the body");
        });
        other.join().unwrap();
    });
}

#[test]
fn a_destructor_that_panics_in_a_deadlock_ends_the_process_with_the_schedule() {
    if !is_child() {
        return assert_aborts_with(
            "a_destructor_that_panics_in_a_deadlock_ends_the_process_with_the_schedule",
            &[
                "racelab: a destructor panicked",
                "in the destructor",
                "schedule  0\n",
            ],
        );
    }
    Explorer::new(Engine::Dfs).explore(|| {
        let _explosive = Explosive;
        let mutex = Mutex::new(0);
        let _first = mutex.lock().unwrap();
        let _second = mutex.lock().unwrap();
    });
}

/// Locks a mutex when it is dropped.
struct LockInDrop(Arc<Mutex<u32>>);

impl Drop for LockInDrop {
    fn drop(&mut self) {
        *self.0.lock().unwrap() += 1;
    }
}

#[test]
fn destructors_that_wait_for_each_other_end_the_process_rather_than_share_a_lock() {
    if !is_child() {
        return assert_aborts_with(
            "destructors_that_wait_for_each_other_end_the_process_rather_than_share_a_lock",
            &[
                "racelab: destructors wait for each other",
                "search.rs:",
                "failure   a deadlock",
                "schedule  0",
            ],
        );
    }
    Explorer::new(Engine::Dfs).explore(|| {
        let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
        let hold_and_park = |held: Arc<Mutex<u32>>, wanted: Arc<Mutex<u32>>| {
            let _guard = held.lock().unwrap();
            let _locks = LockInDrop(wanted);
            thread::park();
        };
        let other = thread::spawn({
            let (a, b) = (Arc::clone(&a), Arc::clone(&b));
            move || hold_and_park(b, a)
        });
        hold_and_park(a, b);
        other.join().unwrap();
    });
}

fn recurse(depth: u64) -> u64 {
    if depth == u64::MAX {
        0
    } else {
        black_box(recurse(black_box(depth + 1))) + 1
    }
}

fn overflow() {
    let other = thread::spawn(|| {
        AtomicUsize::new(0).load(SeqCst);
        recurse(0)
    });
    other.join().unwrap();
}

#[test]
fn a_stack_overflow_ends_the_process_with_the_last_event() {
    if !is_child() {
        return assert_aborts_with(
            "a_stack_overflow_ends_the_process_with_the_last_event",
            &[
                "racelab: a thread under test overflowed its stack",
                "T1 load at ",
                "search.rs:",
            ],
        );
    }
    Explorer::new(Engine::Dfs).explore(overflow);
}

#[test]
fn a_stack_overflow_under_loom_is_a_reason() {
    let report = Explorer::new(Engine::Loom).explore(overflow);
    let Verdict::Inconclusive(reason) = &report.verdict else {
        panic!("{report}");
    };
    let reason = reason.to_string();
    assert!(reason.contains("overflowed its stack"), "{reason}");
}
