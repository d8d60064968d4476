//! What a check that fails shows, and how one that holds passes.

use super::*;

#[test]
fn a_failure_shows_the_table_the_reason_and_how_to_replay_it() {
    let run = run("loses_an_update", NONE)
        .fails()
        .says("check::child::loses_an_update   VIOLATED   assertion `left == right` failed: left 1, right 2\n")
        .says("\n  step   main")
        .says("  load  n → 0")
        .says("\n  why      lost update: ")
        .says("\n  minimal  1 preemption; no failing interleaving has fewer\n")
        .says("\n  searched dpor, sequential consistency, ")
        .says("' cargo test check::child::loses_an_update\n");
    assert!(run.replay().starts_with("check::child::loses_an_update@0"));
}

#[test]
fn a_failure_is_reported_at_the_line_of_the_check() {
    let line = include_str!("child.rs")
        .lines()
        .position(|line| line.contains("racelab::check(lose_an_update)"))
        .expect("the line is there")
        + 1;
    run("loses_an_update", NONE)
        .fails()
        .says(&format!("panicked at tests/lab/check/child.rs:{line}:"));
}

#[test]
fn the_name_of_the_test_does_not_depend_on_how_tests_are_run() {
    for flags in [
        &["--test-threads=1", "--nocapture"][..],
        &["--test-threads=4"],
    ] {
        let run = run_with(flags, "loses_an_update", NONE);
        assert!(run.replay().starts_with("check::child::loses_an_update@"));
    }
}

#[test]
fn a_body_that_holds_passes_in_silence() {
    run("holds", NONE).passes().omits("racelab:");
}

#[test]
fn wrong_use_of_the_lab_fails_and_is_no_verdict_on_the_body() {
    run("uses_an_object_from_outside", NONE)
        .fails()
        .says("INCONCLUSIVE")
        .says("tests/lab/check/child.rs:");
}
