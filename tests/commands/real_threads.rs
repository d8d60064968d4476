//! `racelab explore --engine threads`.

#[cfg(target_os = "linux")]
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Run, line, parsed};
#[cfg(target_os = "linux")]
use crate::support::{command, interrupt, words};

/// Large enough that updates are lost in a good part of all runs.
const RACY: &str = "racelab explore counter --engine threads --threads 8 --ops 1000";

#[test]
fn it_never_says_that_something_holds() {
    let run = line("racelab explore counter/mutex --engine threads --runs 50 --format json");
    let json = parsed(&run.exits(3).quiet());
    assert_eq!(json["verdict"], "inconclusive");
    assert_eq!(json["engine"], "threads");
    assert_eq!(json["memory_model"], "machine");
    assert_eq!(json["executions"], 50);
    assert_eq!(json["complete"], false);
    assert_eq!(json["bound"], json!({"kind": "runs", "value": 50}));
    assert!(
        json["reason"]
            .as_str()
            .is_some_and(|reason| reason.starts_with("none of 50 runs failed")),
        "{json}"
    );
    let run = line("racelab explore counter/mutex --engine threads --format json");
    assert_eq!(parsed(&run.exits(3))["executions"], 1000);
}

#[test]
fn a_failure_has_neither_schedule_nor_steps() {
    let json = parsed(&line(&format!("{RACY} --runs 100000 --format json")).exits(1));
    let failure = &json["failure"];
    for key in ["schedule", "preemptions", "minimal", "why"] {
        assert_eq!(failure[key], Value::Null, "{key}");
    }
    assert_eq!(failure["steps"], json!([]));
    assert_eq!(failure["kind"], "panic");

    let run: Run = line(&format!("{RACY} --runs 100000")).exits(1).quiet();
    assert_eq!(run.fact("replay"), "not possible: real threads");
    assert!(
        run.fact("at")
            .starts_with("src/exhibits/counter/load_store.rs:")
    );
    assert!(
        run.fact("searched")
            .starts_with("threads, the real machine, ")
    );
    assert!(!run.stdout.contains("minimal"), "{run:?}");
}

#[test]
fn all_counts_every_run_and_its_outcome() {
    let run = line(&format!("{RACY} --runs 200 --all --format json"));
    let json = parsed(&run);
    assert_eq!(json["executions"], 200);
    let outcomes = json["outcomes"].as_array().unwrap();
    let count = |is: &dyn Fn(&Value) -> bool| -> u64 {
        let counted = outcomes.iter().filter(|outcome| is(&outcome["value"]));
        counted
            .map(|outcome| outcome["executions"].as_u64().unwrap())
            .sum()
    };
    assert_eq!(count(&|_| true), 200);
    assert_eq!(json["violations"], count(&|value| *value != "8000"));
}

#[test]
fn the_flags_of_runs_and_of_executions_are_not_mixed() {
    line("racelab explore counter --engine threads --max-executions 3").refused("--runs");
    line("racelab explore counter --runs 3").refused("--max-executions");
    line("racelab explore counter --engine random --runs 3").refused("--max-executions");
    line("racelab explore counter --engine threads --runs 0").refused("from 1");
    line("racelab explore counter --engine threads --runs -1").refused("from 1");
    line("racelab explore counter --engine threads --runs x").refused("from 1");
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_ends_it_between_runs() {
    let runs = "racelab explore counter/mutex --engine threads --runs 1000000000";
    let mut child = command()
        .args(words(&format!("{runs} --format json")))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    interrupt(&mut child);
    let run = Run::of(&child.wait_with_output().unwrap()).exits(130);
    assert_eq!(parsed(&run.quiet())["bound"]["kind"], "interrupted");
}
