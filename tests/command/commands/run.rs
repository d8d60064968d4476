//! `racelab run`, of programs that neither read nor print.

use std::fs;

use crate::support::{Folder, keys, line, parsed, racelab};

#[test]
fn a_safe_program_comes_out_right() {
    for variant in ["mutex", "fetch-add", "channel", "thread-local"] {
        let run = line(&format!("racelab run counter/{variant}"))
            .exits(0)
            .quiet();
        assert_eq!(run.stdout, "outcome  500000\n");
    }
}

#[test]
fn an_unsafe_program_fails_with_its_message_or_proves_nothing() {
    let run = line("racelab run counter/load-store").quiet();
    let (outcome, rest) = run.stdout.split_once('\n').unwrap();
    let total: u64 = outcome.strip_prefix("outcome  ").unwrap().parse().unwrap();
    if total == 500_000 {
        assert_eq!(run.code, 0);
        assert!(
            rest.starts_with("passed   this time, which proves nothing"),
            "{rest}"
        );
    } else {
        assert_eq!(run.code, 1);
        let failed = format!(
            "failed   assertion `left == right` failed: left {total}, right 500000, at \
             src/exhibits/counter/load_store.rs:"
        );
        assert!(rest.starts_with(&failed), "{rest}");
    }
}

#[test]
fn the_json_of_every_end_has_the_same_keys() {
    for (command, code, result) in [
        ("counter/mutex", 0, "passed"),
        ("counter/mutex --time-limit 0", 3, "endless"),
    ] {
        let run = line(&format!("racelab run {command} --format json"));
        let run = run.exits(code).quiet();
        assert_eq!(
            keys(&run.stdout),
            [
                "schema", "exhibit", "result", "outcome", "failure", "reason", "output", "seconds"
            ]
        );
        let json = parsed(&run);
        assert_eq!(json["schema"], "racelab/run/1");
        assert_eq!(json["exhibit"], command.split(' ').next().unwrap());
        assert_eq!(json["result"], result);
        assert_eq!(json["failure"].is_object(), result == "failed");
        assert_eq!(json["reason"].is_string(), result == "endless");
        assert_eq!(json["output"], "");
        assert!(json["seconds"].is_f64());
    }
}

#[test]
fn bad_arguments_are_refused() {
    line("racelab run cuonter").refused("did you mean `counter`?");
    line("racelab run counter/mutx").refused("did you mean `mutex`?");
    line("racelab run").refused("<EXHIBIT>");
    line("racelab run counter --time-limit soon").refused("20ms, 10s");
    line("racelab run counter --time-limit -1s").refused("20ms, 10s");
    line("racelab run counter --threads 3").refused("--threads");
    line("racelab run counter -o /dev/null/x").refused("/dev/null/x");
    racelab(["run", "a\nb\u{1b}[31m"]).refused(r"a\nb\u{1b}[31m");
}

#[test]
fn a_program_that_takes_too_long_is_ended() {
    // It starts 5,000 threads.
    for variant in ["mutex", "load-store"] {
        let run = line(&format!("racelab run counter/{variant} --time-limit 1ms"));
        let run = run.exits(3).quiet();
        assert!(
            run.stdout.starts_with("endless  did not end within 1ms: "),
            "{run:?}"
        );
    }
}

#[test]
fn a_file_gets_the_result() {
    let folder = Folder::new("run_to_a_file");
    let file = folder.file("result.txt");
    let run = line(&format!("racelab run counter/mutex -o {}", file.display()));
    assert_eq!(run.exits(0).quiet().stdout, "");
    assert_eq!(fs::read_to_string(file).unwrap(), "outcome  500000\n");
}
