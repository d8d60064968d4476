//! `racelab time`.

use serde_json::Value;

#[cfg(target_os = "linux")]
use std::process::Stdio;

use crate::support::{Folder, Run, assert_fits, keys, line, parsed};
#[cfg(target_os = "linux")]
use crate::support::{command, interrupt, processes_with, words};

/// Small works, which take no time to speak of.
const CPU: &str = "racelab time cpu --numbers 1000 --runs 2";
const PRIMES: &str = "racelab time primes --below 10000 --runs 2";
const SLEEP: &str = "racelab time sleep --items 4 --seconds 1ms --runs 2";

fn rows(run: Run) -> Vec<Value> {
    let json = parsed(&run.exits(0).quiet());
    json["rows"].as_array().unwrap().clone()
}

/// The sum of i² for i below n, one by one.
fn squares(n: u128) -> u128 {
    (0..n).map(|i| i * i).sum()
}

#[test]
fn every_way_comes_to_the_same() {
    let expected: u128 = (1000..1020).map(squares).sum();
    let rows_of_cpu = rows(line(&format!("{CPU} --format json")));
    let mut methods: Vec<_> = rows_of_cpu
        .iter()
        .map(|row| row["method"].clone())
        .collect();
    // Threads as many as there are cores, and five.
    methods.dedup();
    assert_eq!(methods, ["sync", "threads", "async", "processes", "rayon"]);
    for row in &rows_of_cpu {
        assert_eq!(row["checksum"], expected.to_string(), "{row}");
        assert_eq!(row["runs"].as_array().unwrap().len(), 2, "{row}");
    }
    let rows_of_primes = rows(line(&format!("{PRIMES} --format json")));
    assert_eq!(rows_of_primes.len(), 11);
    for row in &rows_of_primes {
        assert_eq!(row["checksum"], "1229", "{row}");
    }
    let rows_of_sleep = rows(line(&format!("{SLEEP} --format json")));
    assert_eq!(rows_of_sleep.len(), 4);
    for row in &rows_of_sleep {
        assert_eq!(row["checksum"], "4", "{row}");
    }
}

#[test]
fn the_object_has_the_keys_that_are_promised() {
    let run = line(&format!("{CPU} --method sync --format json")).exits(0);
    let object = [
        "schema",
        "workload",
        "parameters",
        "cores",
        "rows",
        "conclusion",
        "interrupted",
        "origin",
    ];
    assert_eq!(keys(&run.stdout), object);
    let json = parsed(&run);
    assert_eq!(json["schema"], "racelab/time/1");
    assert_eq!(json["workload"], "cpu");
    let row = &json["rows"][0];
    for key in [
        "method",
        "workers",
        "items",
        "seconds",
        "runs",
        "ideal_seconds",
        "speedup",
        "checksum",
    ] {
        assert!(!row[key].is_null(), "{key} of {row}");
    }
}

#[test]
fn the_seconds_are_the_median_of_the_runs() {
    for row in rows(line(
        "racelab time sleep --items 2 --seconds 1ms --runs 4 --format json",
    )) {
        let mut runs: Vec<f64> = serde_json::from_value(row["runs"].clone()).unwrap();
        runs.sort_by(f64::total_cmp);
        assert_eq!(
            row["seconds"].as_f64().unwrap().to_bits(),
            runs[1].to_bits(),
            "{row}"
        );
    }
}

#[test]
fn waits_overlap_as_far_as_there_are_workers() {
    let run =
        line("racelab time sleep --items 6 --seconds 20ms --workers 2,6 --runs 1 --format json");
    for row in rows(run) {
        let workers = row["workers"].as_f64().unwrap();
        let ideal = (6.0 / workers).ceil() * 0.02;
        assert!(
            (row["ideal_seconds"].as_f64().unwrap() - ideal).abs() < 1e-9,
            "{row}"
        );
        // No wait is shorter than it should be.
        assert!(row["seconds"].as_f64().unwrap() >= ideal, "{row}");
        assert!(row["peak_in_flight"].as_f64().unwrap() <= workers, "{row}");
    }
}

#[test]
fn methods_and_numbers_of_workers_are_chosen() {
    let run = line(&format!(
        "{CPU} --method threads,sync --workers 1,3,1 --format json"
    ));
    let ways: Vec<(String, u64)> = rows(run)
        .iter()
        .map(|row| {
            let method = row["method"].as_str().unwrap().to_owned();
            (method, row["workers"].as_u64().unwrap())
        })
        .collect();
    let expected = [("sync", 1), ("threads", 1), ("threads", 3)];
    assert_eq!(
        ways,
        expected.map(|(method, workers)| (method.to_owned(), workers))
    );
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_run() {
    line("racelab time sleep --workers 0").refused("from 1");
    line("racelab time sleep --workers 2,x").refused("from 1");
    line("racelab time sleep --items 0").refused("from 1");
    line("racelab time sleep --runs 0").refused("1");
    line("racelab time sleep --seconds soon").refused("soon");
    line("racelab time sleep --method rayon").refused("rayon");
    line("racelab time cpu --method thread").refused("threads");
    line("racelab time cpu --numbers 0").refused("1");
    line("racelab time primes --below 1000000000000").refused("100000000");
    line("racelab time nothing").refused("nothing");
    line("racelab time cpu --method sync,async --workers 3").refused("--workers is for");
    line("racelab time io --fault-after 3").refused("--fault");
    line("racelab time cpu --plot picture.png").refused(".svg or .html");
    line("racelab time cpu --plot /nowhere/picture.svg").refused("/nowhere/picture.svg");
}

#[test]
fn more_workers_than_the_machine_can_have_are_refused() {
    line("racelab time sleep --items 100000 --seconds 1ms --method threads").refused("too many");
    line("racelab time cpu --workers 1000000 --method rayon").refused("too many");
    line("racelab time cpu --workers 100000 --method processes").refused("too many");
}

#[test]
fn a_picture_does_not_replace_the_results() {
    let folder = Folder::new("time_same_file");
    let file = folder.file("same.svg");
    std::fs::create_dir_all(folder.file("other")).unwrap();
    let other = folder.file("other/../same.svg");
    let run = format!("{SLEEP} --plot {} -o {}", file.display(), other.display());
    line(&run).refused("the same file");
    assert_eq!(folder.names(), ["other"]);
}

#[test]
fn primes_can_be_shared_out_among_many() {
    let run = "racelab time primes --below 1000 --workers 30,200 --method threads --runs 1";
    for row in rows(line(&format!("{run} --format json"))) {
        assert_eq!(row["checksum"], "168", "{row}");
    }
}

#[test]
fn five_pages_can_have_a_thread_each() {
    let run = "racelab time io --items 5 --workers 5 --latency 1ms --method sync,threads --runs 1";
    let rows = rows(line(&format!("{run} --format json")));
    let ideals: Vec<f64> = rows
        .iter()
        .map(|row| row["ideal_seconds"].as_f64().unwrap())
        .collect();
    assert!((ideals[0] / ideals[1] - 5.0).abs() < 1e-6, "{ideals:?}");
}

#[test]
fn a_thousand_threads_can_wait_at_once() {
    let run = "racelab time sleep --items 1000 --seconds 100ms --method threads --runs 1";
    let rows = rows(line(&format!("{run} --format json")));
    assert_eq!(
        (&rows[0]["workers"], &rows[0]["checksum"]),
        (&1000.into(), &"1000".into())
    );
}

#[test]
fn ten_thousand_tasks_can_wait_at_once() {
    let run = "racelab time sleep --items 10000 --seconds 100ms --method async --runs 1";
    let rows = rows(line(&format!("{run} --format json")));
    assert_eq!(rows[0]["peak_in_flight"], 10000);
    assert_eq!(rows[0]["checksum"], "10000");
}

#[test]
fn pictures_and_tables_are_of_the_same_rows() {
    let folder = Folder::new("time_plot");
    for (name, root) in [("plot.svg", "<svg"), ("plot.html", "<!DOCTYPE html>")] {
        let file = folder.file(name);
        let run = line(&format!("{SLEEP} --plot {}", file.display()))
            .exits(0)
            .quiet();
        assert_fits(&run.stdout);
        for method in ["sync", "threads", "async", "processes"] {
            assert!(run.stdout.contains(method), "{run:?}");
        }
        let picture = std::fs::read_to_string(file).unwrap();
        assert!(picture.starts_with(root), "{picture}");
        assert!(picture.contains("processes"), "{picture}");
    }
    let markdown = line(&format!("{SLEEP} --format markdown")).exits(0).quiet();
    assert!(
        markdown.stdout.contains("\n| threads | 4 |"),
        "{markdown:?}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_the_picture_and_not_the_figures() {
    let folder = Folder::new("time_full_disk");
    let file = folder.file("full.svg");
    std::os::unix::fs::symlink("/dev/full", &file).unwrap();
    let run = line(&format!("{SLEEP} --plot {}", file.display())).exits(2);
    assert!(run.stdout.contains("threads"), "{run:?}");
    assert!(run.stderr.contains("full.svg"), "{run:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_prints_what_was_measured_and_leaves_no_child() {
    let (name, value) = ("RACELAB_TEST_MARK", std::process::id().to_string());
    let marked = || processes_with(name, value.as_ref());
    let run = "racelab time sleep --items 3 --seconds 1ms --method processes --runs 1000000";
    let mut child = command()
        .args(words(&format!("{run} --format json")))
        .env(name, &value)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Itself and its workers: so it measures.
    while marked().len() < 4 {
        std::thread::yield_now();
    }
    interrupt(&mut child);
    let run = Run::of(&child.wait_with_output().unwrap())
        .exits(130)
        .quiet();
    assert_eq!(parsed(&run)["interrupted"], true);
    // They see that their parent is gone, and end.
    while !marked().is_empty() {
        std::thread::yield_now();
    }
}

#[test]
fn each_wait_and_each_range_is_told_when_it_is_over() {
    let run = line("racelab time sleep --seconds 1ms --items 2 --runs 1 -v").exits(0);
    // Which worker takes a wait is not known.
    let told = run
        .stderr
        .lines()
        .filter(|line| line.ends_with(": after 1ms"));
    assert_eq!(told.count(), 2 * 4, "{run:?}");
    let run = line("racelab time primes --below 30 --runs 1 --method sync,processes -v").exits(0);
    assert!(
        run.stderr.contains("main: 10 primes from 0 to 30\n"),
        "{run:?}"
    );
    assert!(run.stderr.contains(": 4 primes from 0 to 10\n"), "{run:?}");
}

#[test]
fn the_rows_of_primes_say_how_many_were_found() {
    let command = "racelab time primes --below 3000 --runs 1 --method sync,threads";
    let run = line(command).exits(0);
    let mut words = run.stdout.split_whitespace();
    assert!(words.any(|word| word == "found"), "{run:?}");
    for row in rows(line(&format!("{command} --format json"))) {
        assert_eq!(row["found"], 430, "{row}");
    }
}

#[test]
fn the_tutorials_number_of_threads_is_in_the_table_of_cpu() {
    let run = line("racelab time cpu --numbers 1000 --runs 1 --method threads --format json");
    let json = parsed(&run.exits(0));
    let rows = json["rows"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["workers"] == 5), "{json}");
}

#[test]
fn busy_loops_keep_no_more_cores_busy_than_there_are_loops() {
    let run = line("racelab time busy --seconds 20ms --format json");
    let json = parsed(&run.exits(0));
    for row in json["rows"].as_array().unwrap() {
        let workers = row["workers"].as_f64().unwrap();
        let busy = row["cpu_seconds"].as_f64().unwrap() / row["seconds"].as_f64().unwrap();
        assert!(busy <= workers * 1.1, "{row}");
    }
    let conclusion = json["conclusion"].to_string();
    assert!(conclusion.contains("1 busy loop kept "), "{conclusion}");
}
