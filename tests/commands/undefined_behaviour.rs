//! Variants with undefined behaviour: run in a child process, and nowhere else.

#[cfg(target_os = "linux")]
use std::fs;
#[cfg(target_os = "linux")]
use std::process::{Child, Stdio};

use serde_json::{Value, json};

#[cfg(target_os = "linux")]
use crate::support::{Run, command, interrupt, is_alive, send, words};
use crate::support::{line, parsed};

const VARIANT: &str = "counter/unsafe-cell";

const REASON: &str = "undefined behaviour is run only in a child process";

#[test]
fn it_is_missing_from_the_matrix_with_its_reason() {
    let command = format!("racelab verify {VARIANT} --engine threads --engine dpor");
    let rows = parsed(&line(&format!("{command} --format json")).exits(0).quiet());
    let mut rows = rows.as_array().unwrap().iter();
    let row = rows.find(|row| row["engine"] == "threads").unwrap();
    assert_eq!(
        *row,
        json!({"exhibit": VARIANT, "engine": "threads", "expected": null, "verdict": null,
            "executions": 0, "complete": false, "as_expected": true, "reason": REASON})
    );
    let text = line(&command).exits(0).quiet();
    let flat = text.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.ends_with(&format!(
            "not run {VARIANT} under threads: {REASON} 1 verdict, all as expected; 1 not run"
        )),
        "{text:?}"
    );
}

#[test]
fn to_select_nothing_is_an_exit_code_of_its_own() {
    for format in ["text", "json"] {
        let flags = format!("--engine threads --format {format}");
        let run = line(&format!("racelab verify {VARIANT} {flags}")).exits(4);
        assert_eq!(run.stdout, "");
        assert!(
            run.stderr.contains("there is nothing to verify: "),
            "{run:?}"
        );
        assert!(run.stderr.contains(REASON), "{run:?}");
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    }
}

#[test]
fn a_child_that_takes_too_long_is_ended() {
    let run = line(&format!("racelab run {VARIANT} --time-limit 1ms"));
    let run = run.exits(3).quiet();
    assert!(
        run.stdout.starts_with("endless  did not end within 1ms: "),
        "{run:?}"
    );
}

#[test]
fn a_run_reports_from_its_child_process() {
    let run = line(&format!("racelab run {VARIANT}")).quiet();
    assert!(run.stdout.starts_with("outcome  "), "{run:?}");
    assert!([0, 1].contains(&run.code), "{run:?}");
}

/// Starts a program that waits for input, which stays open.
#[cfg(target_os = "linux")]
fn waiting(flags: &str) -> Child {
    command()
        .args(words(&format!(
            "racelab run queue-consumer/unsafe-deque {flags}"
        )))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The child process of a process, once there is one.
#[cfg(target_os = "linux")]
fn child_of(process: u32) -> u32 {
    let children = format!("/proc/{process}/task/{process}/children");
    loop {
        assert!(is_alive(process), "it ended without a child process");
        let children = fs::read_to_string(&children).unwrap();
        if let Some(child) = children.split_whitespace().next() {
            return child.parse().unwrap();
        }
        std::thread::yield_now();
    }
}

/// The output of a process whose input stays open until then.
#[cfg(target_os = "linux")]
fn ended(mut process: Child) -> Run {
    let stdin = process.stdin.take();
    let run = Run::of(&process.wait_with_output().unwrap());
    drop(stdin);
    run
}

#[cfg(target_os = "linux")]
#[test]
fn the_signal_that_ends_a_child_is_reported_in_words() {
    for (format, expected) in [("text", None), ("json", Some("crashed"))] {
        let process = waiting(&format!("--format {format}"));
        send("KILL", child_of(process.id()));
        let run = ended(process).exits(1).quiet();
        let reason = "ended by signal 9 (SIGKILL)";
        match expected {
            None => assert!(
                run.stdout.ends_with(&format!("crashed  {reason}\n")),
                "{run:?}"
            ),
            Some(result) => {
                let json = parsed(&run);
                assert_eq!(
                    (&json["result"], &json["reason"]),
                    (&json!(result), &json!(reason))
                );
                assert_eq!(json["output"], Value::Null);
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_that_does_not_look_at_its_limit_is_killed() {
    let process = waiting("--time-limit 200ms");
    let child = child_of(process.id());
    send("STOP", child);
    let run = ended(process).exits(3).quiet();
    assert!(
        run.stdout.contains("endless  did not end within 200ms"),
        "{run:?}"
    );
    assert!(!is_alive(child), "it was left behind");
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_ends_the_process_and_its_child() {
    let mut process = waiting("");
    let child = child_of(process.id());
    interrupt(&mut process);
    let run = ended(process).exits(130);
    assert!(!is_alive(child), "it was left behind: {run:?}");
}
