//! The variant that nothing but a spurious wake-up breaks, and the option `--spurious`.

use crate::support::{Folder, line, parsed};

const BROKEN: &str = "queue-consumer/wait-without-loop";

#[test]
fn what_only_a_spurious_wake_up_breaks_is_explored_with_them_unless_they_are_turned_off() {
    let with_them = line(&format!("racelab explore {BROKEN} --spurious on")).exits(1);
    let searched = with_them.fact("searched").to_owned();
    assert!(searched.contains("with spurious wake-ups"), "{with_them:?}");
    assert!(
        with_them.fact("why").starts_with("spurious wake-up: "),
        "{with_them:?}"
    );
    assert_eq!(line(&format!("racelab explore {BROKEN}")), with_them);

    let without = line(&format!("racelab explore {BROKEN} --spurious off")).exits(0);
    assert!(without.stdout.contains("HOLDS"), "{without:?}");
    let said = without.stdout.replace("\n           ", " ");
    assert!(
        said.contains("not explored: spurious wake-ups"),
        "{without:?}"
    );
}

#[test]
fn what_breaks_otherwise_is_explored_without_them_unless_they_are_turned_on() {
    let run = |option: &str| {
        let run = line(&format!(
            "racelab explore queue-consumer/if-not-while --format json{option}"
        ));
        parsed(&run.exits(1))["spurious"].clone()
    };
    assert_eq!(run(""), serde_json::Value::Null);
    assert_eq!(run(" --spurious off"), serde_json::Value::Null);
    assert_eq!(run(" --spurious on"), "on");
}

#[test]
fn its_schedule_replays_without_an_option() {
    let json = parsed(&line(&format!("racelab explore {BROKEN} --format json")).exits(1));
    let schedule = json["failure"]["schedule"].as_str().unwrap();
    let replayed = line(&format!("racelab replay {BROKEN} {schedule}")).exits(1);
    assert!(
        replayed.stdout.contains("wake   arrival, spuriously"),
        "{replayed:?}"
    );
}

#[test]
fn an_engine_without_spurious_wake_ups_cannot_turn_them_on_and_is_not_verified() {
    for engine in ["loom", "threads"] {
        line(&format!(
            "racelab explore {BROKEN} --engine {engine} --spurious on"
        ))
        .refused("cannot wake a thread spuriously");
    }
    let verified = line(&format!(
        "racelab verify {BROKEN} --engine loom --engine dpor"
    ))
    .exits(0);
    let said = verified.stdout.replace("\n    ", " ");
    assert!(
        said.contains(&format!(
            "{BROKEN} under loom: loom does not explore spurious wake-ups"
        )),
        "{verified:?}"
    );
    let under_loom = line(&format!("racelab explore {BROKEN} --engine loom")).exits(0);
    let said = under_loom.stdout.replace("\n           ", " ");
    assert!(
        said.contains("not explored: spurious wake-ups"),
        "{under_loom:?}"
    );
}

#[test]
fn real_threads_are_compared_with_traces_that_have_them() {
    let run = line(&format!(
        "racelab explore {BROKEN} --engine threads --runs 5"
    ));
    let said = run.stdout.replace("\n           ", " ");
    assert!(
        said.contains("traces are bad: 47 % (dpor, ") && said.contains("with spurious wake-ups)"),
        "{run:?}"
    );
}

#[test]
fn trials_find_it_in_as_many_executions_as_a_search() {
    let bench = line(&format!(
        "racelab bench --program {BROKEN} --engine dpor --format json"
    ));
    let search = line(&format!("racelab explore {BROKEN} --format json"));
    let found = &parsed(&bench.exits(0))["rows"][0]["executions"][0];
    assert_eq!(*found, parsed(&search.exits(1))["executions"]);
}

#[test]
fn a_checkpoint_is_of_a_search_with_them_or_without() {
    let folder = Folder::new("spurious");
    let file = folder.file("c.json");
    let explore = |option: &str| {
        line(&format!(
            "racelab explore {BROKEN}{option} --format json --checkpoint {}",
            file.display()
        ))
    };
    explore("").exits(1);
    explore(" --spurious on").exits(1);
    explore(" --spurious off").refused("its `spurious` is true, not false");
}
