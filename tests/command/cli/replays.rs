//! Replays of what a search has printed.

use super::*;

#[cfg(unix)]
#[test]
fn a_printed_line_can_be_pasted_into_a_shell() {
    use std::process::Command;

    use crate::support::{Folder, Run, command};

    let folder = Folder::new("pasted");
    // What an unquoted schedule would be expanded to.
    std::fs::write(folder.file("0x2.1.2x2.1.0x3"), "").unwrap();
    std::fs::write(folder.file("0*2.1"), "").unwrap();
    let binary = command().get_program().to_owned();
    for search in [
        "counter",
        "counter --ops 2",
        "queue-consumer --engine dfs",
        "pool/leaked-permit",
        "counter --engine loom",
    ] {
        let explored = line(&format!("racelab explore {search}")).exits(1);
        let printed = explored.fact("replay");
        let script = format!("racelab() {{ \"$BINARY\" \"$@\"; }}; shopt -s failglob; {printed}");
        let output = Command::new("bash")
            .args(["-c", &script])
            .env("BINARY", &binary)
            .current_dir(folder.file(""))
            .output();
        let replayed = Run::of(&output.unwrap()).exits(1).quiet();
        assert_eq!(replayed.fact("replay"), printed);
    }
}

#[test]
fn the_printed_line_gives_the_same_failure() {
    for flags in [
        "",
        "--threads 3 --ops 2",
        "--threads 2 --ops 3",
        "--threads 5",
        "--max-steps 500",
        "--engine random",
        "--engine random --seed 9 --threads 3",
        "--engine shuttle --seed 9 --threads 3",
        "--engine shuttle-pct",
        "--all",
    ] {
        for look in ["", "--detail", "--ascii"] {
            let explored = line(&format!("racelab explore counter {flags} {look}"))
                .exits(1)
                .quiet();
            let command = explored.fact("replay");
            let replayed = racelab(words(command).chain(words(&format!("racelab {look}"))))
                .exits(1)
                .quiet();
            assert_eq!(shown(&explored), shown(&replayed), "{command}");
            assert_eq!(replayed.fact("replay"), command);
        }
    }
}

#[test]
fn the_steps_of_a_replay_are_those_of_the_search() {
    for flags in [
        "",
        "--threads 4",
        "--threads 3 --ops 3",
        "--engine random --seed 5",
        "--engine shuttle --seed 5",
        "--engine shuttle-pct --seed 5",
    ] {
        let explored = line(&format!("racelab explore counter {flags}")).exits(1);
        let found = line(&format!("racelab explore counter {flags} --format json")).exits(1);
        let json = format!("{} --format json", explored.fact("replay"));
        let replayed = line(&json).exits(1).quiet();
        assert_eq!(failure(&found), failure(&replayed), "{flags}");
        // A replay is one execution, and counts no traces.
        let mut counted = keys(&found.stdout);
        counted.retain(|key| key != "traces");
        assert_eq!(counted, keys(&replayed.stdout));
    }
}

#[test]
fn a_schedule_can_be_written_without_repeats() {
    let short = line(&format!("racelab replay counter {FAILS}"));
    let long = line("racelab replay counter 0.0.1.2.2.1.0.0.0");
    assert_eq!(short, long);
}

#[test]
fn a_schedule_that_does_not_fail_is_shown_too() {
    let run = line(&format!("racelab replay counter {PASSES}"))
        .exits(3)
        .quiet();
    assert!(run.stdout.contains("does not fail"), "{run:?}");
    assert!(run.stdout.contains("store n ← 2"), "{run:?}");
}
