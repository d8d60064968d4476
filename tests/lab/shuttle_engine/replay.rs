//! Schedules on both runtimes: our coroutines and shuttle's.

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use racelab::trace::{Choice, Schedule, ThreadId};
use racelab::{Coverage, Engine, Explorer, Reason, Report, Verdict};

use super::ENGINES;
use crate::dpor::cases;
use crate::dpor::random_programs::kinds::{
    CHANNELS, CROSSBEAM, MPSC, atomics, barriers, cells, condition_variables, initialisations,
    messages, mixed, mutexes, panics, parking, programs, programs_with, queues, read_write_locks,
    spinning_programs, threads_of_threads, upgradable_locks,
};
use crate::dpor::random_programs::tasks::task_programs;
use crate::dpor::random_programs::{MAX_STEPS, Runs, explore};

/// Longer walks are left out.
const MAX_WALK: usize = 60;

/// Follows a schedule on the runtime of an engine.
fn replay(engine: Engine, choices: &[Choice], program: &impl Runs) -> Report {
    let schedule = Schedule::from(choices.to_vec());
    let program = program.clone();
    let explorer = Explorer::new(engine).max_steps(MAX_STEPS);
    explorer.replay(&schedule, move || program.run())
}

/// Where the program has left the schedule, if it has.
fn divergence(report: &Report) -> Option<&str> {
    match &report.verdict {
        Verdict::Inconclusive(Reason::Diverged(message)) => Some(message),
        _ => None,
    }
}

/// A random schedule of the program, found step by step. It does not depend on any strategy.
fn walk(program: &impl Runs, turns: &[u32]) -> Option<Vec<Choice>> {
    let mut choices = Vec::new();
    let mut turns = turns.iter().cycle();
    while choices.len() < MAX_WALK {
        let first = *turns.next()?;
        let way = |turn| Choice {
            thread: ThreadId(turn % 5),
            alternative: turn / 5 % 3,
        };
        // All fifteen, beginning with any.
        let mut ways = (first..first + 15).map(way);
        let fits = ways.find_map(|choice| {
            choices.push(choice);
            let report = replay(Engine::Dpor, &choices, program);
            let refused = format!("step {} ", choices.len());
            let message = divergence(&report).map(ToOwned::to_owned);
            match message {
                Some(message) if message.starts_with(&refused) => {
                    choices.pop();
                    None
                }
                Some(_) => Some(false),
                None => Some(true),
            }
        });
        if fits? {
            return Some(choices);
        }
    }
    None
}

/// All that a report of a replay says, but for how long it took.
fn essence(report: &Report) -> String {
    let Report {
        verdict,
        executions,
        violations,
        outcomes,
        coverage,
        left_out,
        replayed,
        ..
    } = report;
    format!(
        "{verdict:#?} {executions} {violations} {outcomes:?} {coverage:?} {left_out:?} {replayed:#?}"
    )
}

fn both_runtimes_agree(program: &impl Runs, turns: &[u32]) -> TestCaseResult {
    let choices = walk(program, turns);
    prop_assume!(choices.is_some());
    let choices = choices.unwrap_or_default();
    let ours = replay(Engine::Dpor, &choices, program);
    prop_assert!(ours.replayed.is_some());
    let shuttles = replay(Engine::Shuttle, &choices, program);
    prop_assert_eq!(essence(&shuttles), essence(&ours));
    // A schedule that does not fit leaves both at the same step.
    let cut = &choices[..choices.len() / 2];
    let ours = replay(Engine::Dpor, cut, program);
    let shuttles = replay(Engine::Shuttle, cut, program);
    prop_assert_eq!(essence(&shuttles), essence(&ours));
    Ok(())
}

/// shuttle's engines see nothing that enumeration does not see.
fn shuttle_invents_nothing(program: &impl Runs, seed: u64) -> TestCaseResult {
    let all = Explorer::new(Engine::Dfs).past_failures();
    let all = explore(&all.max_executions(1_000), program);
    prop_assume!(all.coverage == Coverage::Complete);
    for engine in ENGINES {
        let some = Explorer::new(engine).past_failures().seed(seed);
        let some = explore(&some.max_executions(50), program);
        prop_assert_eq!(some.executions + some.truncated, 50, "{}", some);
        let known = |value| all.outcomes.iter().any(|outcome| outcome.value == value);
        for outcome in some.outcomes {
            prop_assert!(known(outcome.value.clone()), "{}", outcome.value);
        }
        prop_assert!(some.violations == 0 || all.violations > 0);

        let first = explore(
            &Explorer::new(engine).seed(seed).max_executions(50),
            program,
        );
        if let Some(failure) = first.failure() {
            let schedule = failure.schedule.as_ref().expect("a model has one");
            for runtime in [Engine::Dpor, Engine::Shuttle] {
                let replayed = replay(runtime, schedule.choices(), program);
                prop_assert_eq!(replayed.replayed.as_ref(), Some(&failure.trace));
            }
        }
    }
    Ok(())
}

fn turns() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(0u32..15, 20)
}

macro_rules! on_both_runtimes {
    ($cases:expr; $($name:ident: $programs:expr,)*) => {
        mod the_same_schedule_has_the_same_events {
            use super::*;
            proptest! {
                #![proptest_config(cases($cases))]
                $(
                    #[test]
                    fn $name(program in $programs, turns in turns()) {
                        both_runtimes_agree(&program, &turns)?;
                    }
                )*
            }
        }

        mod shuttle_sees_what_enumeration_sees {
            use super::*;
            proptest! {
                #![proptest_config(cases($cases))]
                $(
                    #[test]
                    fn $name(program in $programs, seed: u64) {
                        shuttle_invents_nothing(&program, seed)?;
                    }
                )*
            }
        }
    };
}

on_both_runtimes! { 12;
    of_atomics: programs(atomics()),
    of_mutexes: programs(mutexes()),
    of_read_write_locks: programs(read_write_locks()),
    of_upgradable_locks: programs(upgradable_locks()),
    of_condition_variables: programs(condition_variables()),
    of_barriers: programs(barriers()),
    of_initialisations: programs(initialisations()),
    of_channels_with_one_receiver: programs_with(MPSC, messages()),
    of_channels_with_receivers: programs_with(CROSSBEAM, messages()),
    of_queues: programs(queues()),
    of_parking: programs(parking()),
    of_cells: programs(cells()),
    of_panics: programs(panics()),
    of_mixed_programs: programs_with(CHANNELS, mixed()),
    of_threads_of_threads: programs(threads_of_threads()),
    of_tasks: task_programs(),
}

proptest! {
    #![proptest_config(cases(3))]

    #[test]
    fn the_same_schedule_has_the_same_events_where_threads_spin(
        program in spinning_programs(), turns in turns()
    ) {
        both_runtimes_agree(&program, &turns)?;
    }
}
