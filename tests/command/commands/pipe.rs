//! `racelab time pipe`: messages from a sender to a receiver.

use serde_json::Value;

use crate::support::{self, line};

fn rows(arguments: &str) -> Vec<Value> {
    let run = line(&format!(
        "racelab time pipe --runs 1 --format json {arguments}"
    ));
    let timing = support::parsed(&run.exits(0).quiet());
    timing["rows"].as_array().unwrap().clone()
}

#[test]
fn all_ways_come_to_the_same_sum_of_messages_and_answers() {
    for (messages, sum) in [
        // 0, and its answer 1.
        (1, 1),
        // 0 to 9, and the one answer.
        (10, 45 + 1),
        // 0 to 9999, and the answers 1 to 1000.
        (10_000, 49_995_000 + 500_500),
    ] {
        let rows = rows(&format!("--messages {messages}"));
        let methods: Vec<_> = rows
            .iter()
            .map(|row| row["method"].as_str().unwrap())
            .collect();
        assert_eq!(methods, ["sync", "threads", "async", "processes"]);
        for row in rows {
            assert_eq!(row["checksum"], sum.to_string(), "{row}");
            assert_eq!(row["items"], messages, "{row}");
        }
    }
}

#[test]
fn the_rate_and_the_latency_are_those_of_parts_of_the_run() {
    const MESSAGES: f64 = 20_000.0;
    const ANSWERED: f64 = 2_000.0;
    for row in rows(&format!("--messages {MESSAGES}")) {
        let number = |key: &str| row[key].as_f64().unwrap();
        let stream = MESSAGES / number("messages_per_second");
        let answers = ANSWERED * 2.0 * number("latency_seconds");
        assert!(stream > 0.0 && answers > 0.0, "{row}");
        assert!(stream + answers <= number("seconds"), "{row}");
    }
}

#[test]
fn methods_can_be_chosen_and_there_is_no_rayon() {
    let rows = rows("--messages 10 --method processes,sync");
    let methods: Vec<_> = rows
        .iter()
        .map(|row| row["method"].as_str().unwrap())
        .collect();
    assert_eq!(methods, ["sync", "processes"]);
    line("racelab time pipe --method rayon").refused("'rayon'");
    line("racelab time pipe --messages 0").refused("0 is not in 1..=100000000");
}

#[test]
fn of_processes_no_lanes_are_drawn_since_nobody_has_seen_them_wait() {
    let text = |method: &str| {
        let run = line(&format!(
            "racelab time pipe --runs 1 --messages 1000 --method {method}"
        ));
        run.exits(0).quiet().stdout
    };
    assert!(text("threads").contains("receiver"));
    assert!(!text("processes").contains("receiver"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_sender_or_a_receiver_that_is_killed_ends_the_run() {
    use std::ffi::OsStr;
    use std::process::Stdio;

    use crate::support::{Run, command, processes_with, send};

    const MARK: &str = "RACELAB_TEST_OF_PIPES";
    for place in 0..2 {
        let value = format!("{}-{place}", std::process::id());
        let talkers = || -> Vec<u32> {
            let mut processes = processes_with(MARK, OsStr::new(&value));
            // Of the three that are to be there, the first one is their parent.
            processes.sort_unstable();
            processes
        };
        let mut time = command()
            .args([
                "time",
                "pipe",
                "--messages",
                "100000000",
                "--method",
                "processes",
            ])
            .env(MARK, &value)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        while talkers().len() < 3 {
            assert_eq!(time.try_wait().unwrap(), None);
            std::thread::yield_now();
        }
        let parent = time.id();
        let talkers_there: Vec<_> = talkers().into_iter().filter(|p| *p != parent).collect();
        send("KILL", talkers_there[place]);
        let run = Run::of(&time.wait_with_output().unwrap()).exits(1);
        assert!(
            run.stderr.contains("ended by signal 9 (SIGKILL)"),
            "{run:?}"
        );
        assert_eq!(talkers(), [0; 0]);
    }
}
