//! Replays: of the schedules of failures, and of schedules that do not fit.

use std::sync::atomic::Ordering::SeqCst;

use proptest::prelude::*;
use racelab::sync::atomic::AtomicUsize;
use racelab::sync::{Arc, Mutex};
use racelab::trace::{Choice, Schedule, ThreadId};
use racelab::{Bound, Engine, Explorer, Reason, Verdict, thread};

use super::{
    counter_2_1, diverges, essence, expect_divergence, expect_failure, expect_reason, explore,
    lost_update, replay, schedule_of,
};
use crate::oracle::{failing_programs, programs};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_printed_schedule_of_a_failure_replays_it(program in failing_programs(1_000)) {
        for engine in [
            Engine::Dpor,
            Engine::Dfs,
            Engine::Random,
            #[cfg(feature = "shuttle")]
            Engine::Shuttle,
            #[cfg(feature = "shuttle")]
            Engine::ShuttlePct,
        ] {
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

#[cfg(not(feature = "loom"))]
#[test]
fn a_replay_of_an_execution_of_loom_names_the_feature_that_it_needs() {
    let report = racelab::replay(&"loom:7/bound=2".parse().unwrap(), || {
        unreachable!("there is nothing that could run it")
    });
    let reason = expect_reason(&report).to_string();
    assert_eq!(
        reason,
        "`loom:7/bound=2` is an execution of loom's, and to replay it needs the feature `loom` of racelab"
    );
}
