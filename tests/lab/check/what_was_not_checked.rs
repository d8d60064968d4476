//! Checks of what they cannot check, which fail or warn.

use super::*;

#[test]
fn a_body_that_uses_nothing_of_racelab_fails() {
    run("is_all_of_std", NONE)
        .fails()
        .tells("racelab: check::child::is_all_of_std explored nothing: the body used nothing of racelab: use `racelab::sync` and `racelab::thread`");
}

#[test]
fn threads_that_share_nothing_of_racelab_are_a_warning() {
    let run = run("shares_a_mutex_of_std", NONE)
        .passes()
        .tells("racelab: check::child::shares_a_mutex_of_std holds in every interleaving: 1 trace, but its threads share nothing of racelab");
    let lines = run.text.lines().filter(|line| line.contains("racelab"));
    assert_eq!(lines.count(), 1, "{}", run.text);
}

#[test]
fn a_body_that_starts_no_thread_of_racelab_is_a_warning() {
    run("starts_no_thread", NONE)
        .passes()
        .tells("but the body started no thread of racelab");
}

#[test]
fn a_body_of_which_no_execution_ends_fails_and_shows_its_loop() {
    let line = include_str!("child.rs")
        .lines()
        .position(|line| line.contains("n.fetch_add(1, SeqCst);"))
        .expect("the line is there")
        + 1;
    run("never_ends", NONE)
        .fails()
        .tells("INCONCLUSIVE")
        .tells("did not end within 10,000 steps")
        .tells(&format!(
            "main went round 10,000 times: rmw tests/lab/check/child.rs:{line}"
        ))
        .tells("no execution came to its end, so that nothing was checked");
}

#[test]
fn a_time_that_is_over_before_an_execution_ends_fails() {
    run("holds", &[("RACELAB_TIME_LIMIT", "0")])
        .fails()
        .tells("no execution came to its end, so that nothing was checked");
}

#[test]
fn a_body_that_does_not_end_in_some_interleavings_passes_and_says_where_it_goes_round() {
    let limits = [
        ("RACELAB_MAX_STEPS", "200"),
        ("RACELAB_TIME_LIMIT", "500ms"),
    ];
    run("may_not_end", &limits)
        .passes()
        .tells("racelab: check::child::may_not_end is inconclusive after 1 execution: ")
        .tells("an execution did not end within 200 steps")
        .tells("main went round")
        .tells("times: rmw tests/lab/check/child.rs:")
        .tells("of surw and")
        .tells("of random did not fail either");
}

#[test]
fn a_bug_does_not_hide_behind_a_loop_that_polls() {
    for test in [
        "polls_and_misses_a_message",
        "polls_without_a_pause_and_misses_a_message",
    ] {
        run(test, &[("RACELAB_TIME_LIMIT", "4s")])
            .fails()
            .tells("VIOLATED assertion `left == right` failed: left None, right Some(5)");
    }
    run(
        "polls_and_misses_nothing",
        &[("RACELAB_TIME_LIMIT", "500ms")],
    )
    .passes();
}

#[test]
fn a_body_that_is_not_deterministic_fails_and_says_what_to_do() {
    run("follows_a_hash_map", NONE)
        .fails()
        .tells("the body is not deterministic")
        .tells("let it do the same in each execution")
        .tells("on another object or value in each execution: likely the order of a HashMap");
    run("decides_by_a_clock", NONE)
        .fails()
        .tells("main did store tests/lab/check/child.rs:")
        .tells("what decides between them is likely an Instant, a random number");
    run("writes_a_time_and_decides_by_it", NONE)
        .fails()
        .tells("with another value in each execution: likely an Instant");
}

#[test]
fn a_body_that_stalls_fails_and_names_what_of_std_can_block() {
    run("waits_for_a_channel_of_std", NONE)
        .fails()
        .tells("the body made no step for 200ms")
        .tells("std's Mutex, Condvar, mpsc or thread::sleep");
}

#[test]
fn objects_that_threads_of_others_use_fail_with_one_message() {
    let tests = [
        "starts_threads_of_std",
        #[cfg(feature = "cli")]
        "starts_threads_of_rayon",
        #[cfg(feature = "future")]
        "starts_tasks_of_tokio",
    ];
    for test in tests {
        run(test, NONE)
            .fails()
            .tells("INCONCLUSIVE a thread that racelab did not start has used the Mutex")
            .tells("start threads with `racelab::thread`");
    }
}

#[test]
fn an_atomic_that_a_foreign_thread_uses_as_well_is_no_failure_of_the_body() {
    let run = run("starts_threads_of_both", NONE);
    assert!(!run.passed, "{}", run.text);
    assert!(run.text.lines().count() < 40, "{}", run.text);
    run.tells("INCONCLUSIVE a thread that racelab did not start has used the")
        .omits("VIOLATED");
}

#[test]
fn a_check_inside_of_a_check_fails_and_says_where() {
    run("checks_inside_of_a_check", NONE)
        .fails()
        .tells("a check was begun at tests/lab/check/child.rs:")
        .tells("inside of the body of another one");
}

#[test]
fn a_closed_stderr_changes_nothing() {
    for (test, passes) in [("holds", true), ("loses_an_update", false)] {
        let (reader, writer) = std::io::pipe().expect("the system gives a pipe");
        drop(reader);
        let mut command = own_process::command(&format!("check::child::{test}"));
        command
            .args(["--ignored", "--nocapture"])
            .env("RACELAB_MAX_EXECUTIONS", "3")
            .stderr(writer);
        let status = own_process::output(&mut command).status;
        assert_eq!(status.code(), Some(if passes { 0 } else { 101 }), "{test}");
    }
}
