//! `racelab test`, on the tests of this package and on small ones without a check.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Folder, Run, command, parsed, words};

/// A test of this package that makes a check, and is run by others only.
const OF_THIS_PACKAGE: &str =
    "--runner cargo -- --test lab check::child::holds -- --ignored --exact";

fn in_folder(folder: &Path, line: &str) -> Run {
    let mut command = command();
    // What is built for it goes into its folder.
    command.env_remove("CARGO_TARGET_DIR");
    Run::of(
        &command
            .args(words(line))
            .current_dir(folder)
            .output()
            .unwrap(),
    )
}

/// A package without dependencies, with this test.
fn package(name: &str, test: &str) -> Folder {
    let folder = Folder::new(name);
    fs::create_dir(folder.file("src")).unwrap();
    fs::write(folder.file("src/lib.rs"), test).unwrap();
    // A workspace of its own, wherever the folder is.
    let manifest = format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[workspace]\n");
    fs::write(folder.file("Cargo.toml"), manifest).unwrap();
    folder
}

fn of_this_package(options: &str) -> Command {
    let mut command = command();
    command
        .args(words("racelab test"))
        .args(options.split_whitespace())
        .args(OF_THIS_PACKAGE.split_whitespace())
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

#[test]
fn a_check_is_a_row_with_what_it_explored() {
    let run = Run::of(&of_this_package("--format json").output().unwrap()).exits(0);
    let parsed = parsed(&run);
    assert_eq!(parsed["schema"], "racelab/test/1");
    let checks = parsed["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 1, "{run:?}");
    let expected = json!({
        "target": "lab",
        "test": "check::child::holds",
        "engine": "dpor",
        "memory_model": "sc",
        "passed": true,
        "verdict": "holds",
        "executions": 2,
        "complete": true,
        "searched": "complete",
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&checks[0][key], value, "{key} in {run:?}");
    }
}

#[test]
fn each_engine_is_a_column() {
    let mut command = of_this_package("--engine dpor --engine dfs --engine random");
    let run = Run::of(&command.output().unwrap()).exits(0);
    let rows: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(
        rows,
        [
            "lab                    dpor sc   dfs sc     random sc",
            "  check::child::holds  holds, 2  holds, 10  no failure, 10,000",
            "",
            "3 checks: 2 complete, 1 sampled",
        ]
    );
}

#[test]
fn what_is_required_and_the_limit_reach_the_checks() {
    let options = "--engine random --require complete --format json --time-limit 1s";
    // The test that fails says so on stderr, with its panic.
    let output = of_this_package(options).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let stdout: Value = serde_json::from_slice(&output.stdout).unwrap();
    let check = &stdout["checks"][0];
    assert_eq!(check["passed"], false);
    assert_eq!(
        check["message"],
        "check::child::holds fails: RACELAB_REQUIRE=complete does not allow that"
    );
}

#[test]
fn lines_go_into_the_file_of_the_user_as_well() {
    let folder = Folder::new("summary-of-the-user");
    let file = folder.file("summary");
    let mut command = of_this_package("");
    command.env("RACELAB_SUMMARY", &file);
    Run::of(&command.output().unwrap()).exits(0);
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.starts_with("racelab/check/1\tlab\tcheck::child::holds\t"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn as_a_subcommand_of_cargo_it_is_the_same_command() {
    let version = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_cargo-racelab"))
            .args(arguments)
            .output();
        Run::of(&output.unwrap()).exits(0).quiet().stdout
    };
    assert_eq!(version(&["racelab", "--version"]), version(&["--version"]));
}

#[test]
fn outside_of_a_project_there_is_nothing_to_test() {
    let folder = std::env::temp_dir();
    in_folder(&folder, "racelab test").refused("there is no project here: neither ");
}

#[test]
fn tests_that_do_not_compile_are_a_usage_error() {
    let folder = package("does-not-compile", "fn f( {");
    let run = in_folder(&folder.file(""), "racelab test --runner cargo").exits(2);
    assert_eq!(run.stdout, "");
    let last = run.stderr.lines().last();
    assert_eq!(
        last,
        Some("error: the tests were not built: cargo says why above")
    );
}

#[test]
fn tests_without_a_check_are_an_empty_selection() {
    let folder = package("has-no-check", "#[test]\nfn passes() {}\n");
    for options in [
        "--runner cargo",
        "--runner cargo --format json",
        "--runner cargo -- none",
    ] {
        let run = in_folder(&folder.file(""), &format!("racelab test {options}")).exits(4);
        let last = run.stderr.lines().last().unwrap_or_default();
        assert!(
            last.starts_with("error: no test has made a check: "),
            "{run:?}"
        );
    }
}

#[test]
fn a_test_that_fails_without_a_check_is_a_failure() {
    let folder = package(
        "fails-without-a-check",
        "#[test]\nfn fails() -> Result<(), String> { Err(String::new()) }\n",
    );
    let run = in_folder(&folder.file(""), "racelab test --runner cargo").exits(1);
    let last = run.stderr.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("error: tests failed, and no test has made a check: "),
        "{run:?}"
    );
}
