//! What the command does: results, exit codes, and how it takes bad input.
#![cfg(not(loom))]

mod support;

use std::fs;

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use support::{Folder, Run, command, keys, line, parsed, racelab, words};

// The schedule of the smallest failure of the counter, and one that does not fail.
const FAILS: &str = "0*2.1.2*2.1.0*3";
const PASSES: &str = "0*2.1*2.2*2.0*3";

/// The text of the part of a JSON text that begins after `"key":`.
fn part<'a>(text: &'a str, key: &str) -> &'a str {
    let start = text.find(&format!("\"{key}\":")).expect("the key is there") + key.len() + 3;
    let mut parts = serde_json::Deserializer::from_str(&text[start..]).into_iter::<IgnoredAny>();
    parts
        .next()
        .expect("there is a value")
        .expect("it is well-formed");
    &text[start..start + parts.byte_offset()]
}

/// What a report in JSON says of the failure, apart from how it was found.
fn failure(run: &Run) -> Value {
    let mut failure = parsed(run)["failure"].take();
    for key in ["minimal", "minimise_executions"] {
        failure
            .as_object_mut()
            .expect("there is a failure")
            .remove(key);
    }
    failure
}

/// The report up to what is known of the search: verdict, table and why.
fn shown(run: &Run) -> &str {
    let end = run
        .stdout
        .find("\n  minimal ")
        .or_else(|| run.stdout.find("\n  searched "));
    &run.stdout[..end.expect("a report has the search in it")]
}

mod results {
    use super::*;

    #[test]
    fn list_names_every_variant_and_its_expectation() {
        let text = line("racelab list").exits(0).quiet();
        let json = parsed(&line("racelab list --format json").exits(0).quiet());
        let entries = json.as_array().expect("it is an array");
        assert!(
            entries.contains(&json!({
                "name": "counter/load-store", "kind": "unsafe", "expected": "violated",
                "bug": "lost update", "engines": ["dfs", "random", "loom", "threads"],
            })),
            "{json}"
        );
        assert!(
            entries.contains(&json!({
                "name": "counter/mutex", "kind": "safe", "expected": "holds",
                "bug": null, "engines": ["dfs", "random", "loom", "threads"],
            })),
            "{json}"
        );
        for entry in entries {
            let name = entry["name"].as_str().expect("a name is a text");
            let (_, variant) = name
                .split_once('/')
                .expect("a name is of exhibit and variant");
            assert!(text.stdout.contains(&format!("\n  {variant} ")), "{name}");
        }
    }

    #[test]
    fn the_keys_of_list_are_in_the_documented_order() {
        let run = line("racelab list --format json");
        let first = &run.stdout[1..=run.stdout.find('}').expect("there is an object")];
        assert_eq!(keys(first), ["name", "kind", "expected", "bug", "engines"]);
    }

    #[test]
    fn every_listed_variant_can_be_shown_and_explored_as_expected() {
        for entry in parsed(&line("racelab list --format json"))
            .as_array()
            .expect("it is an array")
        {
            let (name, expected) = (
                entry["name"].as_str().expect("a name"),
                &entry["expected"].as_str().expect("an expectation"),
            );
            line(&format!("racelab show {name}")).exits(0).quiet();
            line(&format!("racelab explore {name} --expect {expected}"))
                .exits(0)
                .quiet();
        }
    }

    #[test]
    fn show_prints_the_source_as_it_is_on_disk() {
        let source =
            fs::read_to_string("src/exhibits/counter/mutex.rs").expect("the source is there");
        let text = line("racelab show counter/mutex").exits(0).quiet();
        assert!(text.stdout.ends_with(&source));
        let json = parsed(&line("racelab show counter/mutex --format json").exits(0));
        assert_eq!(json["source"], source);
        assert_eq!(json["file"], "src/exhibits/counter/mutex.rs");
        assert_eq!(json["name"], "counter/mutex");
    }

    #[test]
    fn an_exhibit_alone_is_its_first_unsafe_variant() {
        assert!(
            line("racelab explore counter")
                .stdout
                .starts_with("counter/load-store   VIOLATED ")
        );
        assert!(
            line("racelab show counter")
                .stdout
                .starts_with("counter/load-store ")
        );
        assert!(
            line(&format!("racelab replay counter {FAILS}"))
                .stdout
                .starts_with("counter/load-store   VIOLATED ")
        );
    }

    #[test]
    fn the_json_of_a_violation_is_as_documented() {
        let run = line("racelab explore counter --format json")
            .exits(1)
            .quiet();
        assert_eq!(
            keys(&run.stdout),
            [
                "schema",
                "exhibit",
                "parameters",
                "engine",
                "memory_model",
                "seed",
                "verdict",
                "executions",
                "blocked",
                "complete",
                "bound",
                "reason",
                "seconds",
                "left_out",
                "failure"
            ]
        );
        assert_eq!(keys(part(&run.stdout, "parameters")), ["threads", "ops"]);
        assert_eq!(
            keys(part(&run.stdout, "failure")),
            [
                "kind",
                "message",
                "at",
                "schedule",
                "preemptions",
                "minimal",
                "minimise_executions",
                "why",
                "steps"
            ]
        );
        let json = parsed(&run);
        assert_eq!(json["schema"], "racelab/explore/1");
        assert_eq!(json["exhibit"], "counter/load-store");
        assert_eq!(json["parameters"], json!({"threads": 2, "ops": 1}));
        assert_eq!(json["engine"], "dfs");
        assert_eq!(json["memory_model"], "sc");
        assert_eq!(json["seed"], 0);
        assert_eq!(json["verdict"], "violated");
        assert!(json["executions"].as_u64().is_some_and(|count| count > 0));
        assert_eq!(json["blocked"], 0);
        assert_eq!(json["complete"], false);
        assert_eq!(json["bound"], Value::Null);
        assert!(json["seconds"].is_f64());
        let failure = &json["failure"];
        assert_eq!(failure["kind"], "panic");
        assert_eq!(
            failure["message"],
            "assertion `left == right` failed\n  left: 1\n right: 2"
        );
        assert_eq!(failure["schedule"], FAILS);
        assert_eq!(failure["preemptions"], 1);
        assert_eq!(failure["minimal"], true);
        assert!(failure["minimise_executions"].is_u64());
        assert!(
            failure["why"]
                .as_str()
                .is_some_and(|why| why.starts_with("lost update: "))
        );
    }

    #[test]
    fn the_json_of_a_step_is_as_documented() {
        let run = line("racelab explore counter --format json");
        let steps = part(&run.stdout, "steps");
        let first = &steps[1..=steps.find('}').expect("there is a step")];
        let documented = [
            "step",
            "thread",
            "thread_name",
            "op",
            "object",
            "value",
            "ordering",
            "at",
        ];
        assert_eq!(keys(first)[..8], documented);
        let steps: Value = serde_json::from_str(steps).expect("steps are JSON");
        assert_eq!(
            steps[0],
            json!({"step": 1, "thread": 0, "thread_name": "main", "op": "spawn", "object": null,
                "value": null, "ordering": null, "at": steps[0]["at"], "target": 1})
        );
        assert_eq!(
            steps[5],
            json!({"step": 6, "thread": 1, "thread_name": "T1", "op": "store", "object": "n",
                "value": 1, "ordering": "SeqCst", "at": steps[5]["at"]})
        );
        let at = steps[5]["at"].as_str().expect("a place is a text");
        let (file, number) = at.rsplit_once(':').expect("a place has a line");
        let source = fs::read_to_string(file).expect("the file of the place is there");
        let number: usize = number.parse().expect("a line is a number");
        assert!(
            source
                .lines()
                .nth(number - 1)
                .is_some_and(|line| line.contains("store"))
        );
    }

    #[test]
    fn steps_are_numbered_without_a_gap() {
        let json = parsed(&line("racelab explore counter --format json --threads 3"));
        let steps = json["failure"]["steps"].as_array().expect("an array");
        let numbers: Vec<u64> = steps
            .iter()
            .filter_map(|step| step["step"].as_u64())
            .collect();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    }

    #[test]
    fn all_counts_every_failure_and_every_outcome() {
        let run = line("racelab explore counter --all --format json")
            .exits(1)
            .quiet();
        assert_eq!(
            keys(&run.stdout)[15..],
            ["violations".to_owned(), "outcomes".to_owned()]
        );
        let json = parsed(&run);
        assert_eq!(json["complete"], true);
        assert_eq!(json["bound"], Value::Null);
        let outcomes = json["outcomes"].as_array().expect("an array");
        let values: Vec<&str> = outcomes
            .iter()
            .filter_map(|outcome| outcome["value"].as_str())
            .collect();
        assert_eq!(values, ["1", "2"]);
        assert_eq!(outcomes[0]["executions"], json["violations"]);
        let sum: u64 = outcomes
            .iter()
            .filter_map(|outcome| outcome["executions"].as_u64())
            .sum();
        assert_eq!(json["executions"], sum);

        let text = line("racelab explore counter --all").exits(1).quiet();
        assert!(
            text.stdout.contains("\n  outcome   executions\n  1 "),
            "{text:?}"
        );
    }

    #[test]
    fn all_of_a_safe_variant_is_complete_and_without_violations() {
        let json = parsed(&line("racelab explore counter/mutex --all --format json").exits(0));
        assert_eq!(json["violations"], 0);
        assert_eq!(json["complete"], true);
        assert_eq!(json["verdict"], "holds");
        assert_eq!(json["failure"], Value::Null);
        assert_eq!(json["outcomes"][0]["value"], "2");
    }

    #[test]
    fn a_search_that_was_cut_names_its_bound() {
        let cut = |flags: &str| {
            let run = line(&format!(
                "racelab explore counter/mutex {flags} --format json"
            ));
            let json = parsed(&run.exits(3).quiet());
            assert_eq!(json["verdict"], "inconclusive");
            assert_eq!(json["complete"], false);
            assert!(json["reason"].is_string());
            json["bound"].clone()
        };
        assert_eq!(
            cut("--max-executions 2"),
            json!({"kind": "max-executions", "value": 2})
        );
        assert_eq!(
            cut("--max-steps 3"),
            json!({"kind": "max-steps", "value": 3})
        );
        assert_eq!(
            cut("--engine loom --preemptions 1"),
            json!({"kind": "preemptions", "value": 1})
        );
        // Far more interleavings than there are milliseconds.
        assert_eq!(
            cut("--time-limit 20ms --threads 9 --ops 9"),
            json!({"kind": "time-limit", "value": 0.02})
        );
        assert_eq!(
            cut("--engine random --seed 3"),
            json!({"kind": "max-executions", "value": 10_000})
        );
    }

    #[test]
    fn a_bound_that_was_not_reached_does_not_count() {
        let json = parsed(
            &line("racelab explore counter/mutex --max-executions 100000 --format json").exits(0),
        );
        assert_eq!(json["complete"], true);
        assert_eq!(json["bound"], Value::Null);
    }

    #[test]
    fn a_seed_decides_a_random_search() {
        let executions = |seed: u64| {
            let flags = format!("--engine random --seed {seed} --threads 3 --all --format json");
            let run = line(&format!("racelab explore counter {flags}")).exits(1);
            let json = parsed(&run);
            assert_eq!(json["seed"], seed);
            assert_eq!(json["engine"], "random");
            json["outcomes"].clone()
        };
        assert_eq!(executions(7), executions(7));
        assert_ne!(executions(7), executions(u64::MAX));
    }

    #[test]
    fn a_size_is_reported_and_obeyed() {
        let json =
            parsed(&line("racelab explore counter --threads 3 --ops 2 --format json").exits(1));
        assert_eq!(json["parameters"], json!({"threads": 3, "ops": 2}));
        let steps = json["failure"]["steps"].as_array().expect("an array");
        let of = |operation: &str| steps.iter().filter(|step| step["op"] == operation).count();
        assert_eq!((of("spawn"), of("store"), of("load")), (3, 6, 7));
    }
}

mod exit_codes {
    use super::*;

    #[test]
    fn the_verdict_is_the_exit_code() {
        line("racelab explore counter/mutex").exits(0).quiet();
        line("racelab explore counter").exits(1).quiet();
        line("racelab explore nothing").exits(2);
        line("racelab explore counter/mutex --max-executions 1")
            .exits(3)
            .quiet();
        line(&format!("racelab replay counter {FAILS}"))
            .exits(1)
            .quiet();
        line(&format!("racelab replay counter {PASSES}"))
            .exits(3)
            .quiet();
    }

    #[test]
    fn an_expectation_turns_the_exit_code() {
        for (command, met, not_met) in [
            ("explore counter", "violated", "holds"),
            ("explore counter/mutex", "holds", "violated"),
        ] {
            line(&format!("racelab {command} --expect {met}"))
                .exits(0)
                .quiet();
            line(&format!("racelab {command} --expect {not_met}"))
                .exits(1)
                .quiet();
        }
        line(&format!("racelab replay counter {FAILS} --expect violated"))
            .exits(0)
            .quiet();
        line(&format!("racelab replay counter {FAILS} --expect holds"))
            .exits(1)
            .quiet();
    }

    #[test]
    fn an_inconclusive_search_meets_no_expectation() {
        for expected in ["violated", "holds"] {
            let flags = format!("--max-executions 1 --expect {expected}");
            line(&format!("racelab explore counter/mutex {flags}"))
                .exits(1)
                .quiet();
            line(&format!(
                "racelab replay counter {PASSES} --expect {expected}"
            ))
            .exits(1)
            .quiet();
        }
    }

    #[test]
    fn an_expectation_does_not_excuse_a_usage_error() {
        for expected in ["violated", "holds"] {
            line(&format!(
                "racelab explore counter --threads 0 --expect {expected}"
            ))
            .refused("0");
            line(&format!("racelab replay counter 7 --expect {expected}")).refused("thread 7");
        }
    }

    #[test]
    fn asking_for_help_succeeds_and_needing_it_does_not() {
        for command in [
            "--help",
            "-h",
            "help",
            "help replay",
            "explore --help",
            "--version",
        ] {
            line(&format!("racelab {command}")).exits(0).quiet();
        }
        let lost = line("racelab").exits(2);
        assert_eq!(lost.stdout, "");
        assert!(lost.stderr.contains("Usage: racelab"), "{lost:?}");
    }
}

mod replays {
    use super::*;

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
        ] {
            let explored = line(&format!("racelab explore counter {flags}")).exits(1);
            let found = line(&format!("racelab explore counter {flags} --format json")).exits(1);
            let json = format!("{} --format json", explored.fact("replay"));
            let replayed = line(&json).exits(1).quiet();
            assert_eq!(failure(&found), failure(&replayed), "{flags}");
            assert_eq!(keys(&found.stdout), keys(&replayed.stdout));
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
}

mod bad_input {
    use super::*;

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        line("racelab explore cuonter").refused("did you mean `counter`?");
        line("racelab show counter/mutx").refused("did you mean `mutex`?");
        line("racelab replay counter/fetchadd 0").refused("did you mean `fetch-add`?");
        line("racelab explore counter --engine dfx").refused("'dfs'");
        line("racelab explore xyz").refused("there is counter, ");
        line("racelab explore counter --engine xyz").refused("dfs, random");
        line("racelab explor counter").refused("'explore'");
        racelab(["explore", ""]).refused("unknown exhibit");
        line("racelab explore counter/").refused("unknown variant");
        line("racelab explore /").refused("unknown exhibit");
        line("racelab explore counter/mutex/x").refused("unknown variant");
    }

    #[test]
    fn a_name_of_any_length_and_kind_makes_a_short_message() {
        racelab(["explore", &"x".repeat(100_000)]).refused("unknown exhibit");
        racelab(["explore", "a\nb\u{1b}[31m"]).refused(r"a\nb\u{1b}[31m");
        racelab(["explore", &format!("counter/{}", "é".repeat(9999))]).refused("unknown variant");
    }

    #[test]
    fn a_number_out_of_range_is_refused_with_the_range() {
        for (flags, message) in [
            ("--threads 0", "1 to 64"),
            ("--threads 65", "1 to 64"),
            ("--threads 10000", "1 to 64"),
            ("--threads nine", "nine"),
            ("--threads -1", "-1"),
            ("--threads 99999999999999999999", "99999999999999999999"),
            ("--ops 0", "1 to 1000"),
            ("--ops 1001", "1 to 1000"),
            ("--ops -5", "-5"),
            ("--max-executions 0", "from 1"),
            ("--max-executions -1", "from 1"),
            ("--max-executions 99999999999999999999", "from 1"),
            ("--max-steps 0", "from 1 to 1000000"),
            ("--max-steps 1000001", "from 1 to 1000000"),
            ("--max-steps -3", "from 1 to 1000000"),
            ("--time-limit x", "20ms, 10s"),
            ("--time-limit -1s", "20ms, 10s"),
            ("--time-limit 99999999999999999999999h", "20ms, 10s"),
            ("--preemptions 1", "for the engine loom only"),
            ("--engine loom --preemptions 256", "0 to 255"),
            ("--engine loom --preemptions -1", "0 to 255"),
            ("--seed -1", "from 0"),
            ("--seed 99999999999999999999", "from 0"),
            ("--seed x", "from 0"),
            ("--expect fails", "violated"),
            ("--format xml", "json"),
            ("--color sometimes", "auto"),
        ] {
            let run = line(&format!("racelab explore counter {flags}")).refused(message);
            assert!(!run.stderr.contains("to pass '-"), "misleading: {run:?}");
        }
    }

    #[test]
    fn a_malformed_schedule_is_refused_in_one_line() {
        let long = "x".repeat(100_000);
        let long_part = format!("0.{}", "1".repeat(100_000));
        for schedule in [
            "",
            "x",
            "0*99999999999",
            "1..2",
            "0~",
            "0*",
            "0*0",
            ".",
            "0.",
            "é",
            "０",
            "0\n1",
            "0\u{1b}[2J",
            " 0",
            "99999999999",
            &long,
            &long_part,
        ] {
            let run = racelab(["replay", "counter", schedule]).refused("malformed schedule");
            assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
        }
    }

    #[test]
    fn a_schedule_of_a_megabyte_is_refused_and_not_feared() {
        // One argument is 128 KiB at most, so that a longer one never reaches the command. The
        // longest possible one is well-formed here, and stands for a million steps.
        let schedule = format!("{}0*999000", "0.1.".repeat(250));
        racelab(["replay", "counter", &schedule]).refused("cannot follow");
        let schedule = "0.".repeat(65_000) + "0";
        racelab(["replay", "counter", &schedule]).refused("cannot follow");
    }

    #[test]
    fn a_schedule_of_something_else_is_refused_with_the_step() {
        for (command, message) in [
            ("counter 7", "step 1 names thread 7"),
            ("counter 0*2.7.0", "step 3 names thread 7"),
            ("counter 4294967295", "thread 4294967295"),
            ("counter 0", "ends before step 2"),
            ("counter -", "ends before step 1"),
            ("counter 0*2.1.2*2.1.0*2", "ends before step 9"),
            ("counter 0*2.1.2*2.1.0*4", "ends after 9 steps"),
            ("counter 0~1", "step 1 is 0~1"),
            ("counter/mutex 0*2.1.2*2.1.0*3", "step 4"),
            ("counter/fetch-add 0*2.1.2*2.1.0*3", "step 5"),
            ("counter 0*2.1.2*2.1.0*3 --threads 3", "step "),
            ("counter 0*2.1.2*2.1.0*3 --ops 2", "step "),
        ] {
            let run = line(&format!("racelab replay {command}")).refused("cannot follow");
            assert!(run.stderr.contains(message), "{run:?}");
            assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
            line(&format!("racelab replay {command} --format json")).refused(message);
        }
    }

    #[test]
    fn a_missing_or_a_superfluous_argument_is_named() {
        line("racelab explore").refused("<EXHIBIT>");
        line("racelab replay counter").refused("<SCHEDULE>");
        line("racelab explore counter counter").refused("counter");
        line("racelab explore counter --threads").refused("--threads");
        line("racelab explore counter --thread 2").refused("--threads");
        line("racelab explore counter --all --all").refused("--all");
    }

    #[cfg(unix)]
    #[test]
    fn arguments_that_are_no_text_are_refused() {
        use std::os::unix::ffi::OsStrExt;
        let bytes = std::ffi::OsStr::from_bytes(b"\xff\xfe");
        for args in [
            ["explore".as_ref(), bytes],
            ["replay".as_ref(), bytes],
            [bytes, bytes],
        ] {
            racelab(args).exits(2);
        }
    }
}

mod output {
    use super::*;

    #[test]
    fn a_file_gets_what_stdout_would_get() {
        let folder = Folder::new("a_file_gets");
        let file = folder.file("report.txt");
        let path = file.to_str().expect("the path is a text");
        for command in ["list", "show counter", "explore counter"] {
            let stdout = line(&format!("racelab {command}"));
            let run = line(&format!("racelab {command} -o {path}"))
                .exits(stdout.code)
                .quiet();
            assert_eq!(run.stdout, "");
            // What was there before is replaced, not appended to.
            assert_eq!(
                fs::read_to_string(&file).expect("it was written"),
                stdout.stdout
            );
        }
        assert_eq!(folder.names(), ["report.txt"]);
    }

    #[test]
    fn a_dash_is_stdout() {
        assert_eq!(
            line("racelab explore counter -o -"),
            line("racelab explore counter")
        );
    }

    #[test]
    fn the_options_of_the_output_can_stand_before_the_command() {
        assert_eq!(
            line("racelab --color always explore counter"),
            line("racelab explore counter --color always")
        );
    }

    #[test]
    fn an_output_that_cannot_be_written_is_named() {
        let folder = Folder::new("an_output_that");
        let missing = folder.file("missing/report.txt");
        let of = |path: &std::path::Path| {
            racelab([
                "explore".as_ref(),
                "counter".as_ref(),
                "-o".as_ref(),
                path.as_os_str(),
            ])
        };
        of(&missing).refused("missing/report.txt");
        of(&folder.file("")).refused("cannot write to");
        racelab(["list", "-o", ""]).exits(2);
        assert!(folder.names().is_empty());
    }

    #[test]
    fn a_command_that_is_refused_leaves_no_file_behind() {
        let folder = Folder::new("a_command_that");
        let file = folder.file("report.txt");
        let path = file.to_str().expect("the path is a text");
        line(&format!("racelab explore nothing -o {path}")).refused("unknown exhibit");
        line(&format!("racelab replay counter 7 -o {path}")).refused("thread 7");
        assert!(folder.names().is_empty());
        fs::write(&file, "old").expect("the file can be written");
        line(&format!("racelab replay counter 7 -o {path}")).refused("thread 7");
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "old");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = Folder::new("a_link_stays");
        let (file, link) = (folder.file("file.txt"), folder.file("link.txt"));
        fs::write(&file, "old").expect("the file can be written");
        std::os::unix::fs::symlink(&file, &link).expect("the link can be made");
        racelab(["list".as_ref(), "-o".as_ref(), link.as_os_str()])
            .exits(0)
            .quiet();
        assert!(
            fs::symlink_metadata(&link)
                .expect("it is there")
                .is_symlink()
        );
        let written = fs::read_to_string(&file).expect("it is there");
        assert_eq!(written, line("racelab list").stdout);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_keeps_its_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new("a_file_keeps");
        let file = folder.file("report.txt");
        fs::write(&file, "old").expect("the file can be written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("they can be set");
        racelab(["list".as_ref(), "-o".as_ref(), file.as_os_str()]).exits(0);
        let mode = fs::metadata(&file)
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o640);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_without_permission_is_refused_and_kept() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new("a_file_without");
        let file = folder.file("report.txt");
        fs::write(&file, "old").expect("the file can be written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).expect("they can be set");
        if fs::OpenOptions::new().write(true).open(&file).is_ok() {
            // The superuser may write everything, so that there is nothing to see.
            return;
        }
        racelab(["list".as_ref(), "-o".as_ref(), file.as_os_str()]).refused("report.txt");
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "old");
    }

    #[cfg(unix)]
    #[test]
    fn a_write_that_fails_loses_nothing() {
        let folder = Folder::new("a_write_that");
        let file = folder.file("report.txt");
        fs::write(&file, "old").expect("the file can be written");
        // Files may not grow beyond nothing, which is what a full disk looks like. The signal
        // that comes with it is ignored, so that the write itself fails.
        let script = format!(
            "trap '' XFSZ; ulimit -f 0; exec {} explore counter -o {}",
            env!("CARGO_BIN_EXE_racelab"),
            file.display()
        );
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .output()
            .expect("there is a shell");
        Run::of(&output).refused("report.txt");
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "old");
        assert_eq!(folder.names(), ["report.txt"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_device_is_a_clear_message() {
        for command in [
            "list",
            "show counter",
            "explore counter",
            "--help",
            "help show",
        ] {
            let full = fs::OpenOptions::new()
                .write(true)
                .open("/dev/full")
                .expect("there is a full device");
            let output = command_with(command).stdout(full).output();
            Run::of(&output.expect("the binary can be run")).refused("standard output");
        }
        line("racelab explore counter -o /dev/full").refused("/dev/full");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_with_a_name_is_written_to() {
        let folder = Folder::new("a_pipe_with");
        let pipe = folder.file("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("there is mkfifo").success());
        let mut writer = command()
            .args(["list".as_ref(), "-o".as_ref(), pipe.as_os_str()])
            .spawn()
            .expect("the binary can be run");
        let read = fs::read_to_string(&pipe).expect("the pipe can be read");
        assert!(writer.wait().expect("it ends").success());
        assert_eq!(read, line("racelab list").stdout);
    }

    fn command_with(line: &str) -> std::process::Command {
        let mut command = command();
        command.args(line.split_whitespace());
        command
    }

    #[test]
    fn a_closed_pipe_is_no_error() {
        for command in [
            "list",
            "show counter",
            "explore counter",
            "explore counter --all --format json",
            "--help",
        ] {
            let (reader, writer) = std::io::pipe().expect("a pipe can be made");
            drop(reader);
            let output = command_with(command).stdout(writer).output();
            let output = output.expect("the binary can be run");
            let run = Run::of(&output).quiet();
            assert_eq!(run.code, 0, "{command}");
        }
    }

    #[test]
    fn colours_come_when_they_are_asked_for() {
        let colored = |flags: &str, variable: Option<(&str, &str)>| {
            let output = command_with(&format!("explore counter {flags}"))
                .envs(variable)
                .output()
                .expect("the binary can be run");
            Run::of(&output).exits(1).quiet().stdout.contains('\u{1b}')
        };
        let no_color = Some(("NO_COLOR", "1"));
        assert!(!colored("", None), "a pipe has no colours");
        assert!(!colored("", no_color));
        assert!(!colored("--color never", None));
        assert!(!colored("--color auto", None));
        assert!(colored("--color always", None));
        assert!(colored("--color always", no_color), "a flag is stronger");
        assert!(!colored("--color never", Some(("CLICOLOR_FORCE", "1"))));
        assert!(!colored("--format json --color always", None));
    }

    #[test]
    fn colours_change_nothing_else() {
        let plain = line("racelab explore counter").stdout;
        let colored = line("racelab explore counter --color always").stdout;
        let mut stripped = String::new();
        let mut rest = colored.as_str();
        while let Some((before, after)) = rest.split_once("\u{1b}[") {
            stripped += before;
            rest = after.split_once('m').expect("an escape code ends").1;
        }
        stripped += rest;
        assert_eq!(stripped, plain);
    }

    #[test]
    fn ascii_keeps_its_promise() {
        for command in ["counter --all", "counter --threads 5", "counter --detail"] {
            let run = line(&format!("racelab explore {command} --ascii"));
            assert!(run.stdout.is_ascii(), "{run:?}");
        }
        let run = line(&format!("racelab replay counter {PASSES} --ascii"));
        assert!(run.stdout.is_ascii(), "{run:?}");
    }

    #[test]
    fn no_line_ends_with_a_space_and_none_is_too_wide() {
        for command in [
            "list",
            "explore counter",
            "explore counter --threads 3 --ops 2",
            "explore counter --threads 5",
            "explore counter/mutex --max-executions 3",
            "replay counter 0*2.1*2.2*2.0*3",
        ] {
            let run = line(&format!("racelab {command}"));
            for line in run.stdout.lines() {
                assert_eq!(line, line.trim_end(), "{command}");
                let is_to_paste = line.starts_with("  replay ");
                assert!(is_to_paste || line.chars().count() <= 81, "{line}");
            }
        }
    }
}
