//! `racelab verify`.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{
    Folder, Run, assert_fits, command, interrupt, into_closed_pipe, keys, line, parsed, words,
};

const MODELS: &str = "--engine dpor --engine random";

fn rows(run: &Run) -> Vec<Value> {
    parsed(run).as_array().expect("it is an array").clone()
}

/// What `list` says of each variant: name, kind and engines.
fn listed() -> Vec<Value> {
    let run = line("racelab list --format json").exits(0);
    parsed(&run).as_array().unwrap().clone()
}

#[test]
fn the_json_is_as_documented() {
    let run = line(&format!(
        "racelab verify counter/mutex counter/load-store {MODELS} --format json"
    ))
    .exits(0)
    .quiet();
    let first = &run.stdout[1..=run.stdout.find('}').unwrap()];
    assert_eq!(
        keys(first),
        [
            "exhibit",
            "engine",
            "expected",
            "verdict",
            "executions",
            "complete",
            "as_expected",
            "reason"
        ]
    );
    let rows = rows(&run);
    let shown: Vec<_> = rows
        .iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap().to_owned();
            (
                text("exhibit"),
                text("engine"),
                text("expected"),
                text("verdict"),
                row["complete"].as_bool().unwrap(),
                row["as_expected"].as_bool().unwrap(),
            )
        })
        .collect();
    let row = |exhibit: &str, engine: &str, verdict: &str, complete| {
        let [exhibit, engine] = [exhibit, engine].map(str::to_owned);
        (
            exhibit,
            engine,
            verdict.to_owned(),
            verdict.to_owned(),
            complete,
            true,
        )
    };
    // In the order of the gallery.
    assert_eq!(
        shown,
        [
            row("counter/load-store", "dpor", "violated", false),
            row("counter/load-store", "random", "violated", false),
            row("counter/mutex", "dpor", "holds", true),
            row("counter/mutex", "random", "inconclusive", false),
        ]
    );
    assert_eq!(rows[3]["executions"], 10_000);
    assert!(
        rows[3]["reason"]
            .as_str()
            .unwrap()
            .contains("10,000 executions")
    );
    for row in &rows[..3] {
        assert_eq!(row["reason"], Value::Null);
        assert!(row["executions"].as_u64().unwrap() > 0);
    }
}

#[test]
fn an_exhibit_alone_is_all_of_its_variants_each_once() {
    let run = line("racelab verify counter counter/mutex counter --engine dpor --format json");
    let rows = rows(&run.exits(0));
    let names: Vec<&Value> = rows.iter().map(|row| &row["exhibit"]).collect();
    let listed = listed();
    let expected = listed.iter().map(|entry| &entry["name"]);
    let expected: Vec<&Value> = expected
        .filter(|name| name.as_str().unwrap().starts_with("counter/"))
        .collect();
    assert_eq!(names, expected);
}

#[test]
fn real_threads_are_expected_to_show_what_they_like_of_an_unsafe_variant() {
    let run =
        line("racelab verify counter/load-store counter/mutex --engine threads --format json");
    let rows = rows(&run.exits(0).quiet());
    assert_eq!(rows[0]["expected"], "any");
    assert_eq!(rows[1]["expected"], "inconclusive");
    assert_eq!(rows[1]["executions"], 1000);
    assert!(rows.iter().all(|row| row["complete"] == false));
}

#[test]
fn a_time_limit_that_is_too_short_is_not_as_expected() {
    // Nothing can be explored in no time.
    let flags = "counter/load-store counter/mutex --time-limit 0";
    let run = line(&format!("racelab verify {flags} --format json"))
        .exits(1)
        .quiet();
    let row = |exhibit: &str, engine: &str| {
        let rows = rows(&run);
        let mut rows = rows.into_iter();
        let found = rows.find(|row| row["exhibit"] == exhibit && row["engine"] == engine);
        found.expect("the row is there")
    };
    for (exhibit, engine, as_expected) in [
        ("counter/load-store", "dpor", false),
        ("counter/load-store", "random", false),
        ("counter/load-store", "threads", true),
        ("counter/mutex", "dpor", false),
        ("counter/mutex", "random", true),
        ("counter/mutex", "threads", true),
    ] {
        let row = row(exhibit, engine);
        assert_eq!(row["as_expected"], as_expected, "{row}");
        assert_eq!(row["verdict"], "inconclusive");
        assert!(
            row["reason"].as_str().unwrap().contains("time limit"),
            "{row}"
        );
    }

    let text = line(&format!("racelab verify {flags}")).exits(1).quiet();
    assert!(text.stdout.contains("\nnot as expected\n"), "{text:?}");
    assert!(
        text.stdout
            .contains("  counter/mutex under dpor: inconclusive, but holds was expected; "),
        "{text:?}"
    );
    assert!(text.stdout.contains(" verdicts, "), "{text:?}");
}

#[test]
fn bad_input_is_refused() {
    line("racelab verify cuonter").refused("did you mean `counter`?");
    line("racelab verify counter counter/mutx").refused("did you mean `mutex`?");
    line("racelab verify counter --engine dfx").refused("'dfs'");
    line("racelab verify counter --time-limit soon").refused("20ms, 10s");
    line("racelab verify counter --time-limit -1s").refused("20ms, 10s");
    line("racelab verify counter -o /dev/null/x").refused("/dev/null/x");
}

#[test]
fn a_file_gets_what_stdout_would_get() {
    let folder = Folder::new("verify_to_a_file");
    let file = folder.file("matrix.txt");
    let command = format!("racelab verify counter/mutex {MODELS}");
    let run = line(&format!("{command} -o {}", file.display()));
    assert_eq!(run.exits(0).quiet().stdout, "");
    assert_eq!(fs::read_to_string(file).unwrap(), line(&command).stdout);
}

#[test]
fn no_line_is_too_wide_and_none_ends_with_a_space() {
    let run = line(&format!(
        "racelab verify {MODELS} --engine threads --time-limit 0"
    ))
    .exits(1);
    assert_fits(&run.stdout);
}

#[test]
fn a_closed_pipe_is_no_error() {
    into_closed_pipe("racelab verify counter/mutex --engine dpor")
        .exits(0)
        .quiet();
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_ends_it_with_the_rows_that_are_known() {
    let mut child = command()
        .args(words("racelab verify --format json"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    interrupt(&mut child);
    let run = Run::of(&child.wait_with_output().unwrap()).exits(130);
    let known = rows(&run.quiet());
    let all = listed().len() * engines();
    assert!(known.len() < all, "it was over before it was interrupted");
    assert!(known.iter().all(|row| row["as_expected"] == true));
}

/// How many engines there are.
fn engines() -> usize {
    let listed = listed();
    let engines = listed
        .iter()
        .map(|entry| entry["engines"].as_array().unwrap().len());
    engines.max().unwrap()
}
