//! What the commands report.

use super::*;

#[test]
fn list_names_every_variant_and_its_expectation() {
    let text = line("racelab list").exits(0).quiet();
    let json = parsed(&line("racelab list --format json").exits(0).quiet());
    let entries = json.as_array().expect("it is an array");
    assert!(
        entries.contains(&json!({
            "name": "counter/load-store", "kind": "unsafe", "expected": "violated",
            "bug": "lost update", "engines": [
                "dpor", "dfs", "random", "pct", "urw", "pos", "surw", "loom", "shuttle",
                "shuttle-pct", "threads",
            ],
        })),
        "{json}"
    );
    assert!(
        entries.contains(&json!({
            "name": "counter/mutex", "kind": "safe", "expected": "holds",
            "bug": null, "engines": [
                "dpor", "dfs", "random", "pct", "urw", "pos", "surw", "loom", "shuttle",
                "shuttle-pct", "threads",
            ],
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
    let source = fs::read_to_string("src/exhibits/counter/mutex.rs").expect("the source is there");
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
            "traces",
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
    assert_eq!(json["engine"], "dpor");
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
        keys(&run.stdout)[16..],
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
        cut("--max-executions 1"),
        json!({"kind": "max-executions", "value": 1})
    );
    assert_eq!(
        cut("--max-steps 3"),
        json!({"kind": "max-steps", "value": 3})
    );
    assert_eq!(
        cut("--engine loom --preemptions 1"),
        json!({"kind": "preemptions", "value": 1})
    );
    assert_eq!(
        cut("--threads 3 --preemptions 0"),
        json!({"kind": "preemptions", "value": 0})
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
fn executions_and_traces_within_a_bound_are_both_shown() {
    let counts = |engine: &str| {
        let flags = format!("--engine {engine} --threads 3 --all --preemptions 1");
        let command = format!("racelab explore counter {flags}");
        let json = parsed(&line(&format!("{command} --format json")).exits(1));
        assert_eq!(json["bound"], json!({"kind": "preemptions", "value": 1}));
        let text = line(&command).exits(1).stdout;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let count = |key: &str| json[key].as_u64().expect("it is a number");
        (count("executions"), count("blocked"), count("traces"), text)
    };
    // Three threads that load and then store have 24 traces with at most one preemption.
    let (executions, blocked, traces, text) = counts("dfs");
    assert_eq!((blocked, traces), (0, 24));
    assert!(executions > traces, "{executions}");
    let shown = format!(" {executions} executions of 24 traces, ");
    assert!(text.contains(&shown), "{shown:?} is not in {text}");
    // With reduction, an execution of a trace that was seen is abandoned, or is one too many.
    let (executions, blocked, traces, text) = counts("dpor");
    assert_eq!(traces, 24);
    assert!(executions >= traces, "{executions}");
    let shown = format!(" {blocked} repetitions abandoned, ");
    assert!(
        blocked > 1 && text.contains(&shown),
        "{shown:?} is not in {text}"
    );
}

#[test]
fn a_search_with_reduction_runs_each_trace_once() {
    for (variant, traces) in [("load-store", 4), ("fetch-add", 2), ("mutex", 2)] {
        let run = line(&format!(
            "racelab explore counter/{variant} --all --format json"
        ));
        let json = parsed(&run);
        assert_eq!(json["engine"], "dpor");
        assert_eq!(
            (&json["traces"], &json["executions"]),
            (&json!(traces), &json!(traces))
        );
        assert_eq!(
            (&json["blocked"], &json["complete"]),
            (&json!(0), &json!(true))
        );
    }
}

#[test]
fn a_seed_decides_a_random_search() {
    for engine in [
        "random",
        "pct",
        "urw",
        "pos",
        "surw",
        "shuttle",
        "shuttle-pct",
    ] {
        let executions = |seed: u64| {
            let flags = format!(
                "--engine {engine} --seed {seed} --max-executions 2000 --threads 3 --all \
                 --format json"
            );
            let run = line(&format!("racelab explore counter {flags}")).exits(1);
            let json = parsed(&run);
            assert_eq!(json["seed"], seed);
            assert_eq!(json["engine"], engine);
            assert_eq!(json["memory_model"], "sc");
            json["outcomes"].clone()
        };
        assert_eq!(executions(7), executions(7));
        assert_ne!(executions(7), executions(u64::MAX));
    }
}

#[test]
fn a_size_is_reported_and_obeyed() {
    let json = parsed(&line("racelab explore counter --threads 3 --ops 2 --format json").exits(1));
    assert_eq!(json["parameters"], json!({"threads": 3, "ops": 2}));
    let steps = json["failure"]["steps"].as_array().expect("an array");
    let of = |operation: &str| steps.iter().filter(|step| step["op"] == operation).count();
    assert_eq!((of("spawn"), of("store"), of("load")), (3, 6, 7));
}
