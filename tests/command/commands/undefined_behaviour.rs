//! Variants with undefined behaviour: run in a child process, and nowhere else.

#[cfg(target_os = "linux")]
use std::fs;
#[cfg(target_os = "linux")]
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::support::{Folder, line, parsed};
#[cfg(target_os = "linux")]
use crate::support::{Run, assert_ends, command, interrupt, is_alive, send, words};

const VARIANT: &str = "counter/unsafe-cell";

#[test]
fn it_is_verified_on_real_threads_in_a_child() {
    let run = line(&format!(
        "racelab verify {VARIANT} --engine threads --format json"
    ));
    let rows = parsed(&run.exits(0).quiet());
    let row = &rows[0];
    // It is a matter of luck whether one of the runs fails.
    assert_eq!(
        (&row["expected"], &row["as_expected"]),
        (&json!("any"), &json!(true))
    );
    assert_eq!(row["executions"], 1000);
}

#[test]
fn its_verdict_is_that_of_its_runs() {
    let run = line(&format!(
        "racelab explore {VARIANT} --engine threads --format json"
    ));
    let report = parsed(&run);
    let ended_with = |value: &str| {
        let outcomes = report["outcomes"].as_array().unwrap().iter();
        let mut same = outcomes.filter(|outcome| outcome["value"] == value);
        same.next()
            .map_or(0, |outcome| outcome["executions"].as_u64().unwrap())
    };
    let lost = ended_with("1");
    assert_eq!(ended_with("2") + lost, 1000, "{report}");
    assert_eq!(report["violations"], lost);
    // It is a matter of luck which of them it is.
    let (verdict, code) = match lost {
        0 => ("inconclusive", 3),
        _ => ("violated", 1),
    };
    assert_eq!((&report["verdict"], run.code), (&json!(verdict), code));
}

#[test]
fn list_names_the_engine_that_explores_it_in_a_child() {
    let listed = parsed(&line("racelab list --format json").exits(0).quiet());
    for entry in listed.as_array().unwrap() {
        let engines = entry["engines"].as_array().unwrap();
        assert!(engines.contains(&json!("threads")), "{entry}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_that_the_system_does_not_start_is_no_error_of_the_lab() {
    use crate::support::limited;

    let commands = [
        format!("racelab verify {VARIANT} --engine loom"),
        format!("racelab verify {VARIANT} --engine threads"),
    ];
    for command in commands {
        // With so few open files there is no pipe to a process.
        let run = limited(4, &command).exits(3);
        assert_eq!(run.stdout, "", "{command}: {run:?}");
        assert!(run.stderr.contains("cannot start a "), "{command}: {run:?}");
        assert!(run.stderr.contains("ulimit"), "{command}: {run:?}");
    }
}

#[test]
fn to_select_nothing_is_an_exit_code_of_its_own() {
    for format in ["text", "json"] {
        let run = line(&format!(
            "racelab verify queue-consumer/condvar --engine loom --format {format}"
        ));
        let run = run.exits(4);
        assert_eq!(run.stdout, "");
        assert!(
            run.stderr.contains("there is nothing to verify: "),
            "{run:?}"
        );
        assert!(run.stderr.contains("the order of wake-ups"), "{run:?}");
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
    // It is a matter of luck whether an update is lost.
    let is_complete = run.stdout.starts_with("outcome  500000\n");
    let (code, result) = if is_complete {
        (0, "\npassed  ")
    } else {
        (1, "\nfailed  ")
    };
    assert!(run.stdout.contains(result), "{run:?}");
    assert_eq!(run.code, code, "{run:?}");
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
            // Before it is the command again, its parent waits for it, and it has the environment of
            // its parent.
            let environment = fs::read(format!("/proc/{child}/environ")).unwrap_or_default();
            let is_command = environment
                .split(|byte| *byte == 0)
                .any(|variable| variable.starts_with(b"RACELAB_IS_CHILD="));
            if is_command {
                return child.parse().unwrap();
            }
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
fn no_child_outlives_a_command_that_is_ended() {
    for signal in ["KILL", "TERM", "HUP"] {
        let mut process = waiting("");
        let child = child_of(process.id());
        // It waits for what is typed here, which does not come to an end.
        let _stdin = process.stdin.take();
        send(signal, process.id());
        process.wait().unwrap();
        assert_ends(child);
    }
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

#[test]
fn a_run_that_came_out_right_says_how_often_it_goes_wrong() {
    // In some runs it goes wrong visibly, and then there is nothing to add.
    for _ in 0..20 {
        let run = line("racelab run shared-list/unsafe-vec").quiet();
        assert!(
            run.stdout.contains(
                "\nnote     safe Rust does not compile it: error[E0499]: cannot borrow `list` as \
                 mutable more than once at a time\n"
            ),
            "{run:?}"
        );
        if run.code != 0 {
            continue;
        }
        let counted = run
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix("counted  "));
        let counted = counted.unwrap_or_else(|| panic!("it does not say how often: {run:?}"));
        let (bad, rest) = counted.split_once(" of ").unwrap();
        assert!(bad.parse::<u64>().unwrap() > 0, "{counted}");
        assert!(
            rest.ends_with(" runs went wrong whose threads began together (--threads 2 --ops 10)"),
            "{counted}"
        );
        return;
    }
    panic!("it went wrong in each of 20 runs");
}

#[test]
fn safe_rust_does_not_compile_the_racy_append_and_says_what_is_noted() {
    let shown = line("racelab show shared-list/unsafe-vec --format json");
    let shown = parsed(&shown.exits(0).quiet());
    let note = shown["note"].as_str().expect("it has a note");
    let (_, error) = note.split_once(": ").expect("the error");
    let source = shown["source"].as_str().expect("it has a source");
    let lines = source.lines().filter_map(|line| line.strip_prefix("//!"));
    let example = lines
        .skip_while(|line| *line != " ```compile_fail,E0499")
        .skip(1)
        .take_while(|line| *line != " ```");
    let program = example.collect::<Vec<_>>().join("\n");
    let folder = Folder::new("racy_append");
    let file = folder.file("racy_append.rs");
    std::fs::write(&file, format!("fn main() {{\n{program}\n}}\n")).unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = std::process::Command::new(rustc)
        .args(["--edition", "2024", "--emit", "metadata", "--out-dir"])
        .args([folder.file("").as_os_str(), file.as_os_str()])
        .output()
        .expect("there is a compiler");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.lines().next(), Some(error), "{said}");
}
