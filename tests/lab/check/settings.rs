//! Settings of a check, in code and in the environment.

use super::*;

#[test]
fn they_can_be_said_in_code_and_changed_by_the_environment() {
    run("has_settings_in_code", NONE)
        .fails()
        .says("searched random, sequential consistency, seed 3, ");
    run("has_settings_in_code", &[("RACELAB_SEED", "5")])
        .fails()
        .says("searched random, sequential consistency, seed 5, ");
    run("is_required_to_be_complete_in_code", NONE)
        .fails()
        .says("`Explorer::require_complete` does not allow that");
}

#[test]
fn a_variable_that_there_is_not_is_an_error_that_names_those_that_there_are() {
    run("holds", &[("RACELAB_TIMELIMIT", "1s")])
        .fails()
        .says("\nracelab: unknown variable RACELAB_TIMELIMIT: racelab knows RACELAB_ENGINE, ")
        .says("RACELAB_TIME_LIMIT");
}

#[test]
fn the_bounds_and_the_number_of_threads_can_be_changed() {
    run("holds", &[("RACELAB_MAX_STEPS", "3")])
        .fails()
        .says("did not end within 3 steps");
    run("loses_an_update", &[("RACELAB_PREEMPTIONS", "0")])
        .passes()
        .says("the bound of 0 preemptions");
    run(
        "holds",
        &[("RACELAB_JOBS", "2"), ("RACELAB_REQUIRE", "complete")],
    )
    .passes();
}

#[test]
fn the_engine_can_be_changed() {
    run("loses_an_update", &[("RACELAB_ENGINE", "random")])
        .fails()
        .says("searched random, sequential consistency, seed 0, ");
}

#[test]
fn real_threads_find_a_failure_of_every_schedule_and_offer_no_replay() {
    run("always_fails", &[("RACELAB_ENGINE", "threads")])
        .fails()
        .says("check::child::always_fails   VIOLATED   as always\n")
        .says("\n  searched threads, the real machine, 1 execution, ")
        .says("\n  replay   not possible: real threads\n");
}

#[test]
fn real_threads_prove_nothing() {
    let variables = [
        ("RACELAB_ENGINE", "threads"),
        ("RACELAB_MAX_EXECUTIONS", "20"),
    ];
    run("holds", &variables)
        .passes()
        .says("racelab: check::child::holds is inconclusive after 20 executions: ")
        .says("none of 20 runs failed");
    let [engine, runs] = variables;
    run("holds", &[engine, runs, ("RACELAB_REQUIRE", "complete")]).fails();
}

#[test]
fn the_seed_can_be_changed() {
    let variables = [("RACELAB_ENGINE", "random"), ("RACELAB_SEED", "41")];
    run("loses_an_update", &variables).fails().says("seed 41");
}

#[test]
fn an_inconclusive_check_passes_with_one_line_on_stderr() {
    let run = run("holds", &[("RACELAB_MAX_EXECUTIONS", "1")])
        .passes()
        .says("racelab: check::child::holds is inconclusive after 1 execution: ");
    let lines = run.text.lines().filter(|line| line.contains("racelab"));
    assert_eq!(lines.count(), 1, "{}", run.text);
}

#[test]
fn an_inconclusive_check_is_seen_although_output_is_captured() {
    run_with(&[], "holds", &[("RACELAB_MAX_EXECUTIONS", "1")])
        .passes()
        .says("racelab: check::child::holds is inconclusive after 1 execution: ");
}

#[test]
fn the_time_limit_can_be_changed() {
    run(
        "has_too_many_interleavings",
        &[("RACELAB_TIME_LIMIT", "20ms")],
    )
    .passes()
    .says("the time limit of 20ms");
}

#[cfg(debug_assertions)]
#[test]
fn a_check_that_runs_out_of_time_without_optimisation_says_what_makes_it_faster() {
    run(
        "has_too_many_interleavings",
        &[("RACELAB_TIME_LIMIT", "20ms")],
    )
    .passes()
    .says("explored; racelab was built without optimisation")
    .says("`racelab.opt-level = 3`");
}

#[test]
fn a_check_can_be_required_to_be_complete() {
    let complete = ("RACELAB_REQUIRE", "complete");
    run("holds", &[complete]).passes();
    run("holds", &[complete, ("RACELAB_MAX_EXECUTIONS", "1")])
        .fails()
        .says("INCONCLUSIVE")
        .says("RACELAB_REQUIRE=complete");
    run("holds", &[complete, ("RACELAB_ENGINE", "random")]).fails();
    // What a third round of its loop would change under the lock is not explored.
    run("polls_and_misses_nothing", &[complete])
        .fails()
        .tells("not explored: further rounds of loops that poll and may change what a lock guards")
        .says("RACELAB_REQUIRE=complete");
}

#[test]
fn a_malformed_variable_is_one_clear_message() {
    for (variable, value) in [
        ("RACELAB_ENGINE", "dsf"),
        ("RACELAB_MAX_EXECUTIONS", "many"),
        ("RACELAB_MAX_EXECUTIONS", "0"),
        ("RACELAB_MAX_EXECUTIONS", "-1"),
        ("RACELAB_TIME_LIMIT", "soon"),
        ("RACELAB_SEED", "-1"),
        ("RACELAB_REQUIRE", "all"),
        ("RACELAB_REPLAY", "0*2.1"),
        ("RACELAB_REPLAY", "check::child::holds@x"),
    ] {
        let run = run("holds", &[(variable, value)])
            .fails()
            .says(&format!("\nracelab: {variable}"))
            .says(value.trim_start_matches("check::child::holds@"));
        let lines = run.text.lines().filter(|line| line.contains(variable));
        assert_eq!(lines.count(), 1, "{}", run.text);
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_not_ignored() {
    use std::os::unix::ffi::OsStrExt;
    let value = OsStr::from_bytes(b"\xff");
    run("holds", &[("RACELAB_ENGINE", value)])
        .fails()
        .says("\nracelab: RACELAB_ENGINE");
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    for variable in [
        "RACELAB_ENGINE",
        "RACELAB_MAX_EXECUTIONS",
        "RACELAB_TIME_LIMIT",
        "RACELAB_SEED",
        "RACELAB_REQUIRE",
        "RACELAB_REPLAY",
        "RACELAB_SUMMARY",
    ] {
        run("holds", &[(variable, "")]).passes().omits("racelab:");
    }
}
