//! How the command ends.

use super::*;

#[test]
fn the_verdict_is_the_exit_code() {
    line("racelab explore counter/mutex").exits(0).quiet();
    line("racelab explore counter").exits(1).quiet();
    line("racelab explore nothing").exits(2);
    line("racelab explore counter/mutex --max-executions 1")
        .exits(3)
        .quiet();
    line(&format!("racelab replay counter {FAILS}"))
        .exits(1)
        .quiet();
    line(&format!("racelab replay counter {PASSES}"))
        .exits(3)
        .quiet();
}

#[test]
fn an_expectation_turns_the_exit_code() {
    for (command, met, not_met) in [
        ("explore counter", "violated", "holds"),
        ("explore counter/mutex", "holds", "violated"),
    ] {
        line(&format!("racelab {command} --expect {met}"))
            .exits(0)
            .quiet();
        line(&format!("racelab {command} --expect {not_met}"))
            .exits(1)
            .quiet();
    }
    line(&format!("racelab replay counter {FAILS} --expect violated"))
        .exits(0)
        .quiet();
    line(&format!("racelab replay counter {FAILS} --expect holds"))
        .exits(1)
        .quiet();
}

#[test]
fn an_inconclusive_search_meets_no_expectation() {
    for expected in ["violated", "holds"] {
        let flags = format!("--max-executions 1 --expect {expected}");
        line(&format!("racelab explore counter/mutex {flags}"))
            .exits(1)
            .quiet();
        line(&format!(
            "racelab replay counter {PASSES} --expect {expected}"
        ))
        .exits(1)
        .quiet();
    }
}

#[test]
fn an_expectation_does_not_excuse_a_usage_error() {
    for expected in ["violated", "holds"] {
        line(&format!(
            "racelab explore counter --threads 0 --expect {expected}"
        ))
        .refused("0");
        line(&format!("racelab replay counter 7 --expect {expected}")).refused("thread 7");
    }
}

#[test]
fn asking_for_help_succeeds_and_needing_it_does_not() {
    for command in [
        "--help",
        "-h",
        "help",
        "help replay",
        "explore --help",
        "--version",
    ] {
        line(&format!("racelab {command}")).exits(0).quiet();
    }
    let lost = line("racelab").exits(2);
    assert_eq!(lost.stdout, "");
    assert!(lost.stderr.contains("Usage: racelab"), "{lost:?}");
}
