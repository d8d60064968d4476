//! Searches that are divided among workers and shards, and `racelab merge`.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Folder, Run, line, parsed, racelab};

/// The JSON of a run, without what differs between any two runs.
fn timeless(run: &Run) -> Value {
    let mut json = parsed(run);
    json["seconds"] = Value::Null;
    json
}

/// Explores all shards of a search, and returns their reports.
fn shards(folder: &Folder, search: &str, of: usize) -> Vec<PathBuf> {
    let shard = |index| {
        let file = folder.file(&format!("{index}.json"));
        let run = line(&format!(
            "racelab explore {search} --shard {index}/{of} --format json -o {}",
            file.display()
        ));
        assert!([1, 3].contains(&run.code), "{run:?}");
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
        file
    };
    (1..=of).map(shard).collect()
}

fn merge(files: &[PathBuf], options: &[&str]) -> Run {
    let files = files.iter().map(|file| file.to_str().unwrap());
    racelab(
        ["merge"]
            .into_iter()
            .chain(files)
            .chain(options.iter().copied()),
    )
}

#[test]
fn merged_shards_are_the_whole_search_word_for_word() {
    for search in [
        "counter --all --engine dfs",
        "counter --all --engine dfs --threads 3",
        "counter/mutex --engine dfs",
        "counter/mutex --engine dpor --threads 3",
        "counter/mutex --engine random --max-executions 500 --seed 3",
        "shared-list/check-then-push --engine dpor --all",
    ] {
        let folder = Folder::new("whole");
        for of in [1, 3, 5] {
            let files = shards(&folder, search, of);
            for format in ["text", "json"] {
                let whole = line(&format!(
                    "racelab explore {search} --jobs 1 --format {format}"
                ));
                let merged = merge(&files, &["--format", format])
                    .exits(whole.code)
                    .quiet();
                if format == "text" {
                    assert_eq!(merged.stdout, whole.stdout, "{of} shards of {search}");
                } else {
                    let (mut merged, mut whole) = (timeless(&merged), timeless(&whole));
                    for json in [&mut merged, &mut whole] {
                        // Each part for itself comes to more of them under dpor.
                        json["blocked"] = Value::Null;
                        // It begins with another failure.
                        if let Some(failure) = json["failure"].as_object_mut() {
                            failure.remove("minimise_executions");
                        }
                    }
                    assert_eq!(merged, whole, "{of} shards of {search}");
                }
            }
        }
    }
}

#[test]
fn merged_shards_and_resumed_searches_say_of_loops_and_sharing_what_the_whole_says() {
    for (search, said) in [
        ("counter/thread-local --engine dfs", "  warning "),
        (
            "shared-list/check-then-push --engine dfs --ops 9 --max-steps 60 --max-executions 900",
            "  loop ",
        ),
    ] {
        let folder = Folder::new("says");
        let whole = line(&format!("racelab explore {search} --jobs 1"));
        assert!(whole.stdout.contains(said), "{whole:?}");
        let said_by = |run: &Run| -> Vec<String> {
            let lines = run.stdout.lines();
            let lines = lines.skip_while(|line| !line.starts_with(said));
            lines.map(str::to_owned).collect()
        };
        let merged = merge(&shards(&folder, search, 3), &[]);
        assert_eq!(said_by(&merged), said_by(&whole), "{search}");
        let checkpoint = folder.file("c.json");
        let resumed = format!(
            "racelab explore {search} --checkpoint {}",
            checkpoint.display()
        );
        line(&resumed).exits(whole.code);
        assert_eq!(said_by(&line(&resumed)), said_by(&whole), "{search}");
    }
}

#[test]
fn a_report_that_contradicts_itself_is_not_merged() {
    let folder = Folder::new("contradictions");
    let cases = [
        (
            "",
            "verdict",
            "\"holds\"",
            "a shard alone cannot be `holds`",
        ),
        (
            "",
            "verdict",
            "\"maybe\"",
            "a shard alone cannot be `maybe`",
        ),
        (
            "",
            "verdict",
            "\"inconclusive\"",
            "`inconclusive`, with a failure",
        ),
        ("", "failure", "null", "`violated`, without a failure"),
        ("", "reason", "\"x\"", "`violated`, with a reason"),
        ("", "complete", "true", "not a complete search"),
        ("", "executions", "0", "1 of 0 executions failed"),
        (
            "--all",
            "violations",
            "0",
            "0 executions failed, with a failure",
        ),
        ("--all", "executions", "5", "of 5 executions"),
        ("--all", "outcomes", "null", "only a search with `--all`"),
        (
            "--all",
            "outcomes",
            "[{\"value\":\"1\",\"executions\":20}]",
            "20 of 19 executions recorded an outcome",
        ),
    ];
    for (options, key, value, why) in cases {
        let search = format!("counter --engine dfs {options}");
        let [file] = &shards(&folder, &search, 1)[..] else {
            panic!("there is one shard")
        };
        let mut json: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        json[key] = serde_json::from_str(value).unwrap();
        fs::write(file, json.to_string()).unwrap();
        let run = merge(std::slice::from_ref(file), &[]).refused(why);
        assert!(run.stderr.contains("it contradicts itself"), "{run:?}");
    }
    let [file] = &shards(&folder, "counter/mutex --engine dpor", 1)[..] else {
        panic!("there is one shard")
    };
    let mut json: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    json["traces"] = 99.into();
    fs::write(file, json.to_string()).unwrap();
    merge(std::slice::from_ref(file), &[]).refused("executions are of 99 traces");
}

#[test]
fn the_failure_of_merged_shards_is_the_smallest_and_replays() {
    let folder = Folder::new("failure");
    let files = shards(&folder, "counter --threads 3 --engine dfs", 4);
    let json = parsed(&merge(&files, &["--format", "json"]).exits(1).quiet());
    assert_eq!(json["verdict"], "violated");
    assert_eq!(json["complete"], false);
    assert_eq!(json["failure"]["preemptions"], 1);
    let text = merge(&files, &[]).exits(1);
    let replay = text.fact("replay");
    line(replay).exits(1);
    assert!(
        text.stdout.contains("stopped at the first"),
        "{}",
        text.stdout
    );
    merge(&files, &["--expect", "violated"]).exits(0);
    merge(&files, &["--expect", "holds"]).exits(1);
}

#[test]
fn a_shard_alone_proves_nothing() {
    let run = line("racelab explore counter/mutex --shard 2/3 --format json").exits(3);
    let json = parsed(&run);
    assert_eq!(json["verdict"], "inconclusive");
    assert_eq!(json["complete"], false);
    assert_eq!(json["bound"]["kind"], "shard");
    assert_eq!(json["bound"]["value"], 2);
    assert_eq!(json["shard"]["index"], 2);
    assert_eq!(json["shard"]["of"], 3);
    let reason = json["reason"].as_str().unwrap();
    assert!(
        reason.contains("only shard 2 of 3 was explored"),
        "{reason}"
    );
    let text = line("racelab explore counter/mutex --shard 2/3")
        .exits(3)
        .stdout;
    assert!(text.contains("racelab merge"), "{text}");
}

#[test]
fn shards_that_were_cut_prove_nothing_either() {
    let folder = Folder::new("cut");
    let mut files = shards(&folder, "counter/mutex --engine dfs --threads 3", 3);
    let cut = folder.file("cut.json");
    let run = line(&format!(
        "racelab explore counter/mutex --engine dfs --threads 3 --shard 3/3 --max-executions 1 \
         --format json -o {}",
        cut.display()
    ));
    run.exits(3);
    files[2] = cut;
    let json = parsed(&merge(&files, &["--format", "json"]).exits(3).quiet());
    assert_eq!(json["verdict"], "inconclusive");
    assert_eq!(json["complete"], false);
    assert_eq!(json["bound"]["kind"], "max-executions");
    let reason = json["reason"].as_str().unwrap();
    assert!(reason.starts_with("shard 3 of 3: "), "{reason}");
}

#[test]
fn what_does_not_belong_together_is_not_merged() {
    let folder = Folder::new("apart");
    let search = "counter/mutex --engine dfs";
    let files = shards(&folder, search, 4);
    let but = |index: usize| -> Vec<PathBuf> {
        let mut files = files.clone();
        files.remove(index - 1);
        files
    };
    merge(&but(2), &[]).refused("shard 2 of 4 is missing");
    merge(&files[2..], &[]).refused("shards 1, 2 of 4 are missing");
    let twice = [&files[..], &files[1..2]].concat();
    merge(&twice, &[]).refused("is shard 2 of 4, and so is");
    racelab(["merge"]).refused("<FILE>");
    for (other, what) in [
        (
            "counter/fetch-add --engine dfs",
            "its exhibit is counter/fetch-add",
        ),
        (
            "counter/mutex --engine dfs --threads 3",
            "its number of threads is 3",
        ),
        (
            "counter/mutex --engine dfs --ops 2",
            "its number of operations is 2",
        ),
        ("counter/mutex --engine random", "its engine is random"),
        ("counter/mutex --engine dfs --all", "its `--all` is true"),
        (
            "counter/mutex --engine dfs --max-steps 500",
            "its bound on steps is 500",
        ),
    ] {
        let others = Folder::new("others");
        let foreign = shards(&others, other, 4).remove(3);
        let mixed = [&files[..3], &[foreign]].concat();
        let run = merge(&mixed, &[]).refused(what);
        assert!(run.stderr.contains("4.json"), "{run:?}");
    }
    let others = Folder::new("others");
    let mixed = [&files[..3], &shards(&others, search, 5)[3..4]].concat();
    merge(&mixed, &[]).refused("its number of shards is 5");
}

#[test]
fn random_searches_of_other_lengths_and_seeds_are_not_merged() {
    let folder = Folder::new("lengths");
    let search = "counter/mutex --engine random --max-executions 100";
    let first = shards(&folder, search, 2).remove(0);
    for (other, what) in [
        (
            "counter/mutex --engine random --max-executions 200",
            "parts",
        ),
        (
            "counter/mutex --engine random --max-executions 100 --seed 1",
            "seed",
        ),
    ] {
        let others = Folder::new("others-lengths");
        let second = shards(&others, other, 2).remove(1);
        merge(&[first.clone(), second], &[]).refused(what);
    }
}

#[test]
fn what_is_no_report_of_a_shard_is_named() {
    let folder = Folder::new("no-report");
    let file = folder.file("r.json");
    let whole = line("racelab explore counter/mutex --format json").stdout;
    let shard = line("racelab explore counter/mutex --shard 1/1 --format json").stdout;
    for (text, why) in [
        ("", "is no report"),
        ("{}", "is no report"),
        ("null", "is no report"),
        ("[1]", "is no report"),
        (&shard[..shard.len() / 2], "is no report"),
        (&whole, "is not the report of a shard"),
        (&shard.replace("explore/1", "explore/2"), "its schema"),
        (
            &shard.replace(env!("CARGO_PKG_VERSION"), "99.0.0"),
            "is of racelab 99.0.0",
        ),
        (
            &shard.replace("\"index\":1", "\"index\":0"),
            "no shard 0 of 1",
        ),
        (
            &shard.replace("counter/mutex", "counter/mutx"),
            "unknown variant",
        ),
    ] {
        fs::write(&file, text).unwrap();
        let run = merge(std::slice::from_ref(&file), &[]).refused(why);
        assert!(run.stderr.contains("r.json"), "{run:?}");
    }
    // A failure that cannot be read must not count as none.
    let failing = line("racelab explore counter --all --shard 1/1 --format json").stdout;
    let schedule = failing.split("\"schedule\":").nth(1).unwrap();
    let schedule = schedule.split(',').next().unwrap();
    for (damaged, why) in [
        ("\"0.x\"", "its failure has a"),
        ("null", "its failure has no schedule"),
    ] {
        fs::write(&file, failing.replace(schedule, damaged)).unwrap();
        merge(std::slice::from_ref(&file), &[]).refused(why);
    }
    merge(&[folder.file("nothing.json")], &[]).refused("cannot be read");
    merge(&[folder.file("")], &[]).refused("cannot be read");
}

#[test]
fn divisions_that_make_no_sense_are_refused() {
    for shard in [
        "0/4", "5/4", "x", "1/0", "0/0", "", "1", "/", "1/2/3", "-1/2", "1/-2", "1.0/2",
    ] {
        let arguments = ["explore", "counter", "--shard", shard];
        racelab(arguments).refused("write 1/4 for the first of four");
    }
    for jobs in ["0", "-1", "x", "1025", "99999999999999999999"] {
        racelab(["explore", "counter", "--jobs", jobs]).refused("a number from 1 to 1024");
    }
    for engine in ["loom", "shuttle", "shuttle-pct", "threads"] {
        for division in ["--jobs 2", "--shard 1/2", "--checkpoint c.json"] {
            let flag = division.split(' ').next().unwrap();
            line(&format!(
                "racelab explore counter --engine {engine} {division}"
            ))
            .refused(&format!("{flag} is not for the engine {engine}"));
        }
    }
    line("racelab explore counter --jobs 2 --preemptions 1").refused("--preemptions");
}

#[test]
fn jobs_change_nothing_that_is_printed() {
    for search in [
        "counter --engine dfs --all",
        "counter --engine dfs",
        "counter/mutex --engine dpor",
        "counter --engine random --seed 4",
    ] {
        let one = line(&format!("racelab explore {search} --jobs 1"));
        for jobs in [2, 5] {
            let many = line(&format!("racelab explore {search} --jobs {jobs}"));
            assert_eq!(many, one, "{search}");
        }
        let undivided = line(&format!("racelab explore {search}"));
        if !search.contains("--engine dfs") {
            assert_eq!(undivided, one, "{search}");
        }
    }
}
