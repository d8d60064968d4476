//! `racelab bench`.

use std::fs;
use std::process::Stdio;

use racelab::{Engine, MemoryModel};
use serde_json::Value;

use crate::support::{
    Folder, Run, assert_fits, command, interrupt, into_closed_pipe, keys, line, parsed, words,
};

fn rows(run: &Run) -> Vec<Value> {
    parsed(run)["rows"]
        .as_array()
        .expect("it is an array")
        .clone()
}

/// The one row of a measurement of one program under one engine.
fn row(flags: &str) -> Value {
    let run = line(&format!("racelab bench {flags} --format json"));
    let rows = rows(&run.exits(0).quiet());
    assert_eq!(rows.len(), 1);
    rows[0].clone()
}

fn text_of<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().expect("it is a text")
}

/// The executions of `racelab explore`, which knows nothing of trials.
fn explored(flags: &str) -> Value {
    let run = line(&format!("racelab explore {flags} --format json"));
    parsed(&run.quiet())
}

#[test]
fn the_json_is_as_documented() {
    let flags = "--program corpus/account --engine random --engine dpor --trials 3";
    let run = line(&format!("racelab bench {flags} --format json"))
        .exits(0)
        .quiet();
    assert_eq!(
        keys(&run.stdout),
        ["schema", "trials", "cap", "exhaust_cap", "rows"]
    );
    let whole = parsed(&run);
    assert_eq!(whole["schema"], "racelab/bench/1");
    assert_eq!(whole["trials"], 3);
    assert_eq!(whole["cap"], 10_000);
    assert_eq!(whole["exhaust_cap"], 10_000);
    let first = &run.stdout[run.stdout.find("[{").unwrap() + 1..];
    let first = &first[..first.find(",{\"program\"").unwrap()];
    assert_eq!(
        keys(first),
        [
            "program",
            "engine",
            "exhaustive",
            "trials",
            "found",
            "first_bug",
            "executions",
            "exhaust",
            "reason"
        ]
    );
    let rows = rows(&run);
    // In the order of all engines, whichever was asked for first.
    let engines: Vec<&str> = rows.iter().map(|row| text_of(row, "engine")).collect();
    assert_eq!(engines, ["dpor", "random"]);
    assert_eq!(rows[0]["exhaustive"], true);
    assert_eq!(rows[0]["trials"], 1);
    assert_eq!(rows[0]["exhaust"]["complete"], true);
    assert_eq!(rows[1]["exhaustive"], false);
    assert_eq!(rows[1]["trials"], 3);
    assert_eq!(rows[1]["exhaust"], Value::Null);
}

#[test]
fn trial_k_is_an_exploration_with_the_seed_k() {
    let row = row("--program corpus/reorder_3 --engine random --trials 4 --cap 60");
    let executions = row["executions"].as_array().unwrap();
    assert_eq!(executions.len(), 4);
    for (trial, executions) in (1..).zip(executions) {
        let explored = explored(&format!(
            "corpus/reorder_3 --engine random --seed {trial} --max-executions 60"
        ));
        if explored["verdict"] == "violated" {
            assert_eq!(*executions, explored["executions"], "trial {trial}");
        } else {
            assert_eq!(*executions, Value::Null, "trial {trial}");
        }
    }
}

#[test]
fn the_spread_is_that_of_the_trials() {
    // With these seeds, some trials find it within the cap and some do not.
    let row = row("--program corpus/reorder_3 --engine random --trials 10 --cap 20");
    let trials: Vec<Option<u64>> = row["executions"]
        .as_array()
        .unwrap()
        .iter()
        .map(Value::as_u64)
        .collect();
    let found = trials.iter().flatten().count();
    assert!((1..10).contains(&found), "{row}");
    assert_eq!(row["found"], found);
    assert_eq!(row["first_bug"]["mean"], Value::Null);
    // The least number with at least so many trials up to it.
    let quartile = |p: usize| {
        let mut numbers: Vec<u64> = trials.iter().copied().flatten().collect();
        numbers.sort_unstable();
        let is_reached = |number: &u64| {
            let up_to = trials.iter().flatten().filter(|other| *other <= number);
            up_to.count() * 4 >= trials.len() * p
        };
        numbers.into_iter().find(is_reached)
    };
    for (p, key) in [(1, "q1"), (2, "median"), (3, "q3")] {
        assert_eq!(
            row["first_bug"][key].as_u64(),
            quartile(p),
            "{key} of {row}"
        );
    }
}

#[test]
fn an_exhaustive_engine_has_one_trial_and_then_goes_on_to_the_end() {
    for engine in Engine::ALL {
        if !engine.is_exhaustive() || engine.memory_model() != MemoryModel::Sc {
            continue;
        }
        let program = "corpus/deadlock01";
        let row = row(&format!("--program {program} --engine {engine}"));
        let first = explored(&format!("{program} --engine {engine}"));
        let all = explored(&format!("{program} --engine {engine} --all"));
        assert_eq!(row["trials"], 1, "{engine}");
        assert_eq!(row["found"], 1, "{engine}");
        assert_eq!(row["executions"][0], first["executions"], "{engine}");
        assert_eq!(row["exhaust"]["executions"], all["executions"], "{engine}");
        assert_eq!(row["exhaust"]["complete"], true, "{engine}");
    }
}

#[test]
fn what_is_not_exhausted_within_its_cap_is_not_called_so() {
    let flags = "--program corpus/deadlock01 --engine dfs --exhaust-cap 11";
    let row = row(flags);
    assert_eq!(row["found"], 1);
    assert_eq!(row["exhaust"]["complete"], false);
    assert_eq!(row["exhaust"]["capped"], true);
    let text = line(&format!("racelab bench {flags}")).exits(0).quiet();
    assert!(text.stdout.contains(" > 11\n"), "{text:?}");
}

#[test]
fn what_is_not_found_is_behind_the_cap() {
    let flags = "--program corpus/reorder_10 --engine random --trials 2 --cap 5";
    let row = row(flags);
    assert_eq!(row["found"], 0);
    assert_eq!(row["first_bug"]["median"], Value::Null);
    let text = line(&format!("racelab bench {flags}")).exits(0).quiet();
    assert!(
        text.stdout
            .contains("\n  random     0/2      > 5   > 5 to > 5\n"),
        "{text:?}"
    );
    let markdown = line(&format!("racelab bench {flags} --format markdown"));
    let markdown = markdown.exits(0).quiet();
    assert!(
        markdown
            .stdout
            .starts_with("| program | random |\n|---|---:|\n| corpus/reorder_10 | none of 2 |\n"),
        "{markdown:?}"
    );
}

#[test]
fn a_program_can_be_any_variant_also_one_without_a_bug() {
    let row = row("--program counter/fetch-add --engine dpor");
    assert_eq!(row["program"], "counter/fetch-add");
    assert_eq!(row["found"], 0);
    assert_eq!(row["exhaust"]["executions"], 2);
    let run = line("racelab bench --program counter/fetch-add --engine dpor");
    assert!(run.stdout.contains("  0/1     none "), "{run:?}");
}

#[test]
fn the_default_is_the_corpus_under_the_sequentially_consistent_models() {
    let run = line("racelab bench --trials 1 --cap 1 --format json").exits(0);
    let listed = parsed(&line("racelab list --corpus --format json").exits(0));
    let is_default = |engine: &&Engine| {
        engine.is_model() && engine.memory_model() == MemoryModel::Sc && **engine != Engine::Dfs
    };
    let engines: Vec<&Engine> = Engine::ALL.iter().filter(is_default).collect();
    let mut expected = Vec::new();
    for program in listed.as_array().unwrap() {
        for engine in &engines {
            expected.push((text_of(program, "name").to_owned(), engine.to_string()));
        }
    }
    let measured: Vec<_> = rows(&run.quiet())
        .iter()
        .map(|row| {
            let [program, engine] = ["program", "engine"].map(|key| text_of(row, key).to_owned());
            (program, engine)
        })
        .collect();
    assert_eq!(measured, expected);
}

#[test]
fn the_same_command_prints_the_same() {
    let command = "racelab bench --program corpus/twostage --program corpus/lazy01 --trials 3";
    let first = line(command).exits(0).quiet();
    assert_eq!(line(command), first);
    // The order of the corpus, and a program only once.
    let mixed = "racelab bench --program corpus/lazy01 --program corpus/twostage \
                 --program corpus/lazy01 --trials 3";
    assert_eq!(line(mixed), first);
}

#[test]
fn an_engine_that_cannot_run_a_program_is_named_with_the_reason() {
    let flags = "--program corpus/lazy01 --program corpus/reorder_10 --engine loom";
    let run = line(&format!("racelab bench {flags} --format json"));
    let rows = rows(&run.exits(0).quiet());
    // In a process of its own.
    assert_eq!(rows[0]["found"], 1);
    assert_eq!(rows[1]["trials"], 0);
    assert_eq!(rows[1]["first_bug"], Value::Null);
    let text = line(&format!("racelab bench {flags}")).exits(0).quiet();
    assert!(
        text.stdout
            .contains("\ncorpus/reorder_10 under loom: it starts more than"),
        "{text:?}"
    );
}

#[test]
fn nothing_to_measure_is_an_error() {
    let run = line("racelab bench --program corpus/reorder_10 --engine loom").exits(4);
    assert_eq!(run.stdout, "");
    assert!(
        run.stderr
            .contains("there is nothing to measure: corpus/reorder_10"),
        "{run:?}"
    );
}

#[test]
fn bad_input_is_refused() {
    line("racelab bench --trials 0").refused("'--trials <N>'");
    line("racelab bench --trials x").refused("'--trials <N>'");
    line("racelab bench --cap 0").refused("'--cap <N>'");
    line("racelab bench --cap -1").refused("'--cap <N>'");
    line("racelab bench --exhaust-cap 0").refused("'--exhaust-cap <N>'");
    line("racelab bench --program corpus/acount").refused("did you mean `account`?");
    line("racelab bench --program corpsu").refused("did you mean `corpus`?");
    line("racelab bench --engine dfx").refused("'dfx'");
    line("racelab bench --format xml").refused("'xml'");
    line("racelab bench -o /dev/null/x").refused("/dev/null/x");
}

#[test]
fn only_bench_has_markdown() {
    for command in ["list", "show counter", "explore counter", "verify counter"] {
        line(&format!("racelab {command} --format markdown")).refused("invalid value 'markdown'");
    }
}

#[test]
fn a_file_gets_what_stdout_would_get() {
    let folder = Folder::new("bench_to_a_file");
    let file = folder.file("table.md");
    let command = "racelab bench --program corpus/lazy01 --trials 2 --format markdown";
    let run = line(&format!("{command} -o {}", file.display()));
    assert_eq!(run.exits(0).quiet().stdout, "");
    assert_eq!(fs::read_to_string(file).unwrap(), line(command).stdout);
}

#[test]
fn no_line_is_too_wide_and_none_ends_with_a_space() {
    let run = line("racelab bench --trials 2 --cap 2").exits(0);
    assert_fits(&run.stdout);
}

#[test]
fn a_closed_pipe_is_no_error() {
    into_closed_pipe("racelab bench --program corpus/lazy01 --trials 1")
        .exits(0)
        .quiet();
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_ends_it_with_the_rows_that_are_known() {
    let flags = "--program corpus/lazy01 --engine dpor --engine random";
    let mut child = command()
        .args(words(&format!(
            "racelab bench {flags} --trials 1000000000 --format json"
        )))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    interrupt(&mut child);
    let run = Run::of(&child.wait_with_output().unwrap()).exits(130);
    // So many trials have no end, but those of the first row are over at once.
    let known = rows(&run.quiet());
    assert!(known.iter().all(|row| row["engine"] == "dpor"), "{known:?}");
}
