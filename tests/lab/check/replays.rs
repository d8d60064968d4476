//! One execution of a check, run again.

use super::*;

#[test]
fn the_printed_variable_gives_the_same_failure() {
    for engine in ["dpor", "dfs", "random"] {
        let found = run("loses_an_update", &[("RACELAB_ENGINE", engine)]).fails();
        let replayed = run("loses_an_update", &[("RACELAB_REPLAY", found.replay())])
            .fails()
            .says("one execution, as the schedule says");
        assert_eq!(found.failure(), replayed.failure());
        assert_eq!(found.replay(), replayed.replay());
    }
}

#[test]
fn a_replay_of_another_test_is_ignored() {
    let found = run("loses_an_update", NONE).fails();
    let replay = [("RACELAB_REPLAY", found.replay())];
    run("loses_an_update_too", &replay)
        .fails()
        .says("stopped at the first");
    run("holds", &replay).passes().omits("racelab:");
    run("holds", &[("RACELAB_REPLAY", "loses_an_update@nonsense")]).passes();
}

#[test]
fn a_replay_that_does_not_fail_passes_and_says_so() {
    run(
        "loses_an_update",
        &[("RACELAB_REPLAY", "check::child::loses_an_update@0.1*2.0*4")],
    )
    .passes()
    .says("after 1 execution: this execution does not fail");
}

#[test]
fn a_replay_that_cannot_be_followed_fails_and_says_where() {
    run(
        "loses_an_update",
        &[("RACELAB_REPLAY", "check::child::loses_an_update@0.7")],
    )
    .fails()
    .says("step 2 names thread 7");
}
