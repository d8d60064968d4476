//! `racelab explore --engine threads`.

#[cfg(target_os = "linux")]
use std::fs;
#[cfg(target_os = "linux")]
use std::process::{Child, Stdio};

use serde_json::{Value, json};

#[cfg(unix)]
use crate::support::limited;
use crate::support::{Run, assert_fits, keys, line, parsed};
#[cfg(target_os = "linux")]
use crate::support::{command, interrupt, is_alive, send, words};

/// Large enough that updates are lost in a good part of all runs.
const RACY: &str = "racelab explore counter --engine threads --threads 8 --ops 1000";

/// How often it is tried to see what only most attempts show.
const RETRIES: u32 = 20;

/// The first of some attempts in which a run was bad.
#[track_caller]
fn racy(command: &str) -> Run {
    let attempts = (0..RETRIES).map(|_| line(command).quiet());
    let bad = attempts.into_iter().find(|run| run.code == 1);
    bad.expect("one of so many runs is bad")
}

/// How many runs had an outcome of some kind.
fn counted(json: &Value, is: &dyn Fn(&Value) -> bool) -> u64 {
    let outcomes = json["outcomes"].as_array().unwrap().iter();
    let counted = outcomes.filter(|outcome| is(&outcome["value"]));
    counted
        .map(|outcome| outcome["executions"].as_u64().unwrap())
        .sum()
}

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
    let json = parsed(&racy(&format!("{RACY} --runs 300 --format json")));
    let failure = &json["failure"];
    for key in ["schedule", "preemptions", "minimal", "why"] {
        assert_eq!(failure[key], Value::Null, "{key}");
    }
    assert_eq!(failure["steps"], json!([]));
    assert_eq!(failure["kind"], "panic");

    let run: Run = racy(&format!("{RACY} --runs 300"));
    assert_eq!(run.fact("replay"), "not possible: real threads");
    assert!(
        run.fact("at")
            .starts_with("src/exhibits/counter/load_store.rs:")
    );
    assert!(
        run.fact("searched")
            .starts_with("threads, the real machine, 300 executions, ")
    );
    assert!(!run.stdout.contains("minimal"), "{run:?}");
    // The first line is the message as it is.
    assert_fits(run.stdout.split_once('\n').unwrap().1);
}

#[test]
fn every_run_and_its_outcome_is_counted_once_with_and_without_all() {
    for all in ["", " --all", " --delays", " --oversubscribe 3"] {
        let run = line(&format!("{RACY} --runs 200{all} --format json")).quiet();
        let json = parsed(&run);
        assert_eq!(json["executions"], 200);
        assert_eq!(
            (&json["crashes"], &json["timeouts"]),
            (&json!([]), &json!(0))
        );
        assert_eq!(counted(&json, &|_| true), 200);
        let bad = counted(&json, &|value| *value != "8000");
        assert_eq!(json["violations"], bad);
        let share = json["bad_share"].as_f64().unwrap();
        assert!((share * 200.0 - json["violations"].as_f64().unwrap()).abs() < 1e-9);
        let end = |index: usize| json["bad_share_interval"][index].as_f64().unwrap();
        assert!(0.0 <= end(0) && end(0) <= share && share <= end(1) && end(1) <= 1.0);
        assert_eq!(run.code, if bad > 0 { 1 } else { 3 }, "{run:?}");
    }
}

#[test]
fn a_plain_number_loses_updates_on_real_threads() {
    let run = racy(&RACY.replace("counter", "counter/unsafe-cell"));
    assert!(
        run.fact("at")
            .starts_with("src/exhibits/counter/unsafe_cell.rs:")
    );
    // The first line is the message as it is.
    assert_fits(run.stdout.split_once('\n').unwrap().1);
}

#[test]
fn a_list_without_a_lock_crashes_in_a_child_and_the_lab_goes_on() {
    let command = "racelab explore shared-list/unsafe-vec --ops 1000 --engine threads --runs 50";
    let crashed = (0..RETRIES).find_map(|_| {
        let run = line(&format!("{command} --format json")).quiet();
        let json = parsed(&run);
        let crashes = json["crashes"].as_array().unwrap().clone();
        (!crashes.is_empty()).then_some((run, json, crashes))
    });
    let (run, json, crashes) = crashed.expect("one of so many runs crashes");
    assert_eq!(run.code, 1);
    assert_eq!(
        (&json["executions"], &json["verdict"]),
        (&json!(50), &json!("violated"))
    );
    let lost: u64 = crashes
        .iter()
        .map(|crash| crash["runs"].as_u64().unwrap())
        .sum();
    assert!(lost <= json["violations"].as_u64().unwrap(), "{json}");
    for crash in crashes {
        assert!(
            crash["signal"]
                .as_str()
                .is_some_and(|name| name.starts_with("SIG"))
        );
    }
}

#[test]
fn runs_that_do_not_end_are_time_outs() {
    // Without a second message one of two consumers waits for ever.
    let command = "racelab explore queue-consumer/one-sentinel --engine threads --runs 3";
    let run = line(&format!("{command} --stall-limit 100ms --format json"));
    let json = parsed(&run.exits(1).quiet());
    assert_eq!(
        (&json["executions"], &json["timeouts"]),
        (&json!(3), &json!(3))
    );
    assert_eq!(json["violations"], 3);
    assert_eq!(json["failure"]["kind"], "timeout");
    assert_eq!(json["failure"]["message"], "a run did not end within 100ms");
    let run = line(&format!("{command} --stall-limit 100ms"))
        .exits(1)
        .quiet();
    assert!(
        run.stdout
            .contains("\n  (did not end)      3   100 %   bad   "),
        "{run:?}"
    );
}

#[test]
fn the_share_stands_beside_that_of_the_traces() {
    let theory = |exhibit: &str| {
        let run = line(&format!(
            "racelab explore {exhibit} --engine threads --runs 5 --format json"
        ));
        parsed(&run)["theory"].clone()
    };
    let explored = |exhibit: &str| {
        let run = line(&format!("racelab explore {exhibit} --all --format json"));
        let json = parsed(&run);
        json!({"variant": exhibit, "traces": json["traces"], "bad": json["violations"],
            "complete": true})
    };
    let load_store = explored("counter/load-store");
    assert_eq!(theory("counter/load-store"), load_store);
    assert_eq!(theory("counter/unsafe-cell"), load_store);
    assert_eq!(theory("counter/mutex"), explored("counter/mutex"));
    assert_eq!(
        theory("shared-list/unsafe-vec --threads 2 --ops 1"),
        explored("shared-list/reserve-then-write")
    );
    assert_eq!(theory("counter/relaxed-publish"), Value::Null);
    let cut = theory("counter --threads 8 --ops 10");
    assert_eq!(cut["complete"], false);
    let run = line("racelab explore counter --threads 8 --ops 10 --engine threads --runs 5");
    assert!(
        run.fact("theory")
            .starts_with("not counted: counter/load-store has more than "),
        "{run:?}"
    );
}

#[test]
fn the_json_has_the_keys_of_every_exploration_and_its_own() {
    let run = line("racelab explore counter/mutex --engine threads --runs 3 --format json");
    let keys = keys(&run.exits(3).quiet().stdout);
    let own = [
        "without_outcome",
        "crashes",
        "timeouts",
        "bad_share",
        "bad_share_interval",
        "ended_early",
        "theory",
    ];
    assert!(keys.ends_with(&own.map(str::to_owned)), "{keys:?}");
    for key in [
        "schema",
        "executions",
        "violations",
        "outcomes",
        "failure",
        "bound",
    ] {
        assert!(keys.contains(&key.to_owned()), "{key}");
    }
}

#[test]
fn what_raises_the_odds_is_refused_elsewhere() {
    for flag in ["--delays", "--oversubscribe 2", "--stall-limit 1s"] {
        for engine in ["dpor", "random", "loom"] {
            let run = line(&format!("racelab explore counter --engine {engine} {flag}"));
            let run = run.refused("is for the engine threads only");
            assert!(run.stderr.contains(engine), "{run:?}");
        }
    }
    let threads = "racelab explore counter --engine threads";
    for bad in ["0", "257", "-1", "many"] {
        line(&format!("{threads} --oversubscribe {bad}")).refused("--oversubscribe");
    }
    line(&format!("{threads} --stall-limit soon")).refused("20ms, 10s");
    for short in ["0", "2ms", "99ms"] {
        let run = line(&format!("{threads} --stall-limit {short}"));
        run.refused("write 100ms or more");
    }
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

#[test]
fn what_would_do_nothing_on_real_threads_is_refused() {
    let threads = "racelab explore counter/mutex --engine threads --runs 2";
    line(&format!("{threads} --max-steps 5")).refused("--max-steps is not for the engine threads");
    line(&format!("{threads} --seed 4")).refused("--delays");
    line(&format!("{threads} --seed 4 --delays"))
        .exits(3)
        .quiet();
    line(&format!("{threads} --preemptions 1")).refused("--preemptions");
    line(&format!("{threads} --all --seed 0")).exits(3).quiet();
}

#[test]
fn runs_that_a_time_limit_ends_are_runs() {
    let threads = "racelab explore counter/mutex --engine threads --runs 1000000000";
    let run = line(&format!("{threads} --time-limit 300ms --format json"))
        .exits(3)
        .quiet();
    let json = parsed(&run);
    assert_eq!(json["bound"], json!({"kind": "time-limit", "value": 0.3}));
    let reason = json["reason"].as_str().unwrap();
    assert!(
        reason.contains(" before the time limit of 300ms"),
        "{reason}"
    );
    assert!(
        reason.contains("run") && !reason.contains("every interleaving"),
        "{reason}"
    );
}

#[test]
fn a_time_limit_of_runs_is_as_expected_where_nothing_is_proven() {
    let verify = "racelab verify counter --engine threads --time-limit 1ms --format json";
    let rows = parsed(&line(verify).exits(0).quiet());
    for row in rows.as_array().unwrap() {
        assert_eq!(row["as_expected"], true, "{row}");
    }
}

/// Starts runs without an end.
#[cfg(target_os = "linux")]
fn endless(exhibit: &str) -> Child {
    let runs = format!("racelab explore {exhibit} --engine threads --runs 1000000000");
    command()
        .args(words(&format!("{runs} --oversubscribe 2 --format json")))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The two child processes of a process, once they are there. Any of its threads can have started
/// them.
#[cfg(target_os = "linux")]
fn children_of(process: u32) -> Vec<u32> {
    loop {
        assert!(is_alive(process), "it ended without child processes");
        let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
        let of_task = |task: std::io::Result<fs::DirEntry>| {
            let children = fs::read_to_string(task.unwrap().path().join("children"));
            // A thread that has ended meanwhile has none.
            children.unwrap_or_default()
        };
        let children: String = tasks.map(of_task).collect();
        let children: Vec<u32> = children
            .split_whitespace()
            .map(|child| child.parse().unwrap())
            .collect();
        if children.len() == 2 {
            return children;
        }
        std::thread::yield_now();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_reports_what_is_known_and_leaves_no_child() {
    let mut process = endless("counter/mutex");
    let children = children_of(process.id());
    interrupt(&mut process);
    let run = Run::of(&process.wait_with_output().unwrap()).exits(130);
    let json = parsed(&run.quiet());
    assert_eq!(json["bound"]["kind"], "interrupted");
    let reason = json["reason"].as_str().unwrap();
    assert!(reason.contains(" before an interrupt"), "{reason}");
    assert_eq!(json["theory"], Value::Null);
    assert_eq!(Value::from(counted(&json, &|_| true)), json["executions"]);
    for child in children {
        assert!(!is_alive(child), "it was left behind");
    }
}

#[test]
fn outcomes_crashes_time_outs_and_runs_without_an_outcome_are_all_runs() {
    let sum = |command: &str| {
        let json = parsed(&line(command).quiet());
        let number = |value: &Value| value.as_u64().unwrap();
        let crashes = json["crashes"].as_array().unwrap().iter();
        let crashes: u64 = crashes.map(|crash| number(&crash["runs"])).sum();
        let without = number(&json["without_outcome"]);
        let others = without + crashes + number(&json["timeouts"]);
        assert_eq!(
            counted(&json, &|_| true) + others,
            number(&json["executions"])
        );
        without
    };
    let threads = "--engine threads --format json";
    // One of two consumers of one message fails, before there is an outcome.
    let racy =
        format!("racelab explore queue-consumer/check-then-pop --delays --runs 600 {threads}");
    assert!(
        (0..RETRIES).any(|_| sum(&racy) > 0),
        "one of so many runs panics"
    );
    sum(&format!(
        "racelab explore shared-list/unsafe-vec --ops 1000 --runs 50 {threads}"
    ));
    assert_eq!(
        sum(&format!("racelab explore counter/mutex --runs 9 {threads}")),
        0
    );
}

#[cfg(unix)]
#[test]
fn a_limit_of_files_is_no_error_of_the_lab() {
    let explore = "racelab explore counter/unsafe-cell --engine threads --runs 300";
    let says_so = |run: &Run| {
        assert_eq!(run.stdout, "", "{run:?}");
        let what = "cannot start a process for the runs: ";
        assert!(run.stderr.contains(what), "{run:?}");
        assert!(run.stderr.contains("ulimit"), "{run:?}");
    };
    says_so(&limited(7, explore).exits(3));
    let run = limited(40, &format!("{explore} --oversubscribe 50 --format json"));
    if run.stdout.is_empty() {
        // No run was made before.
        says_so(&run.exits(3));
    } else {
        let json = parsed(&run.quiet());
        assert!(json["executions"].as_u64().unwrap() > 0, "{json}");
        let early = json["ended_early"].as_str().unwrap();
        assert!(
            early.starts_with("cannot start a process for the runs: "),
            "{json}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_that_is_killed_from_outside_is_no_crash_of_the_variant() {
    for signal in ["KILL", "TERM"] {
        let process = endless("counter/mutex");
        let children = children_of(process.id());
        send(signal, children[0]);
        let run = Run::of(&process.wait_with_output().unwrap()).exits(3);
        let json = parsed(&run.quiet());
        assert_eq!(json["verdict"], "inconclusive");
        assert_eq!(
            (&json["violations"], &json["crashes"]),
            (&json!(0), &json!([]))
        );
        let why = format!("a process that made the runs was killed from outside (SIG{signal})");
        assert_eq!(json["reason"], why);
        assert_eq!(json["ended_early"], why);
        assert_eq!(Value::from(counted(&json, &|_| true)), json["executions"]);
        assert!(!is_alive(children[1]), "it was left behind");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn children_end_with_their_parent_even_if_their_runs_do_not() {
    for exhibit in ["counter/mutex", "queue-consumer/one-sentinel"] {
        let mut process = endless(exhibit);
        let children = children_of(process.id());
        send("KILL", process.id());
        process.wait().unwrap();
        for child in children {
            while is_alive(child) {
                std::thread::yield_now();
            }
        }
    }
}
