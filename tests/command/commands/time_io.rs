//! `racelab time io`.

use std::time::Duration;

use racelab::timing::workloads::io::{Serve, Server, ServerSettings};
use serde_json::Value;

use crate::support::{Run, line, parsed};

/// Downloads that take no time to speak of.
const IO: &str = "racelab time io --latency 1ms --runs 1 --format json";

/// Downloads from addresses that follow.
const SITE: &str = "racelab time io --runs 1 --format json --url";

fn rows(run: Run) -> Vec<Value> {
    let json = parsed(&run.exits(0));
    json["rows"].as_array().unwrap().clone()
}

/// A server of another process than the one that is tested.
fn server() -> Server {
    Server::start(&ServerSettings {
        port: 0,
        sizes: vec![10_490, 278],
        latency: Duration::from_millis(1),
        jitter: Duration::ZERO,
        seed: 0,
        serve: Serve::Many,
        fault: None,
    })
    .unwrap()
}

fn urls(server: &Server) -> String {
    server.urls().join(",")
}

#[test]
fn every_way_downloads_the_same() {
    let rows = rows(line(&format!("{IO} --workers 2,5")).quiet());
    let ways: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["method"].as_str().unwrap(),
                row["workers"].as_u64().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("sync", 1),
        ("threads", 2),
        ("threads", 5),
        ("async", 160),
        ("processes", 2),
        ("processes", 5),
    ];
    assert_eq!(ways, expected);
    for row in &rows {
        assert_eq!(row["items"], 160, "{row}");
        assert_eq!(row["checksum"], rows[0]["checksum"], "{row}");
        assert!(
            row["peak_in_flight"].as_u64() <= row["workers"].as_u64(),
            "{row}"
        );
        // No answer is there before its time.
        assert!(
            row["seconds"].as_f64() >= row["ideal_seconds"].as_f64(),
            "{row}"
        );
    }
}

#[test]
fn each_item_is_a_request_and_each_worker_a_connection() {
    let server = server();
    let command = format!("{SITE} {} --items 40", urls(&server));
    let first = server.urls().len() as u64;
    for (way, workers) in [
        ("sync", 1),
        ("threads --workers 4", 4),
        ("processes --workers 3", 3),
    ] {
        server.reset();
        rows(line(&format!("{command} --method {way}")).quiet());
        assert_eq!(server.served(), first + 40, "{way}");
        // One more for the first downloads. A worker may find nothing left to do.
        assert!((2..=1 + workers).contains(&server.connections()), "{way}");
    }
    server.reset();
    rows(line(&format!("{command} --method async")).quiet());
    assert_eq!(server.served(), first + 40);
}

#[test]
fn a_server_that_serves_one_at_a_time_makes_all_ways_alike() {
    for row in rows(line(&format!("{IO} --items 12 --serve one")).quiet()) {
        assert_eq!(row["peak_in_flight"], 1, "{row}");
        assert_eq!(row["ideal_seconds"], 0.012, "{row}");
    }
}

#[test]
fn jitter_is_the_same_for_the_same_seed() {
    let ideal = |seed| -> f64 {
        let flags = format!("--method sync --items 4 --jitter 5ms --seed {seed}");
        let rows = rows(line(&format!("{IO} {flags}")).quiet());
        rows[0]["ideal_seconds"].as_f64().unwrap()
    };
    assert_eq!(ideal(1).to_bits(), ideal(1).to_bits());
    assert_ne!(ideal(1).to_bits(), ideal(2).to_bits());
    assert!((0.004..0.024).contains(&ideal(1)), "{}", ideal(1));
}

#[test]
fn each_download_is_told_of_with_its_worker() {
    let told = |way: &str| -> Vec<String> {
        let run = line(&format!("{IO} --items 5 --method {way} -v")).exits(0);
        let mut lines: Vec<String> = run.stderr.lines().map(str::to_owned).collect();
        let last = lines.pop().unwrap();
        assert!(
            last.starts_with("Downloaded 5 in ") && last.ends_with(" seconds"),
            "{last}"
        );
        lines
    };
    for way in ["sync", "threads --workers 5", "async"] {
        let lines = told(way);
        assert_eq!(lines.len(), 5, "{lines:?}");
        for line in lines {
            let read = [
                "Read 10490 from http://127.0.0.1:",
                "Read 278 from http://127.0.0.1:",
            ];
            assert!(read.iter().any(|read| line.starts_with(read)), "{line}");
        }
    }
    let lines = told("processes --workers 2");
    assert_eq!(lines.len(), 5, "{lines:?}");
    for line in lines {
        let workers = ["process 1: Read ", "process 2: Read "];
        assert!(
            workers.iter().any(|worker| line.starts_with(worker)),
            "{line}"
        );
    }
}

#[test]
fn each_fault_fails_each_way_with_what_happened() {
    let faults = [
        ("reset", &["the server reset the connection"][..]),
        ("500", &["the server answered 500 Internal Server Error"]),
        (
            "short-body",
            &["the server closed the connection in the body, after"],
        ),
        ("wrong-body", &["the body has the right length"]),
        // Whoever asks when the server has stopped sees another thing than who has asked before.
        (
            "stop",
            &[
                "the server closed the connection without an answer",
                "the server reset the connection",
                "nothing listens there (connection refused)",
            ],
        ),
    ];
    for (fault, messages) in faults {
        for way in ["sync", "threads", "async", "processes"] {
            let run = line(&format!("{IO} --method {way} --fault {fault}")).exits(1);
            assert!(
                run.stderr.contains("cannot download http://127.0.0.1:"),
                "{way}: {run:?}"
            );
            let is_told = |message: &&str| run.stderr.contains(*message);
            assert!(messages.iter().any(is_told), "{way}, {fault}: {run:?}");
        }
    }
}

#[test]
fn what_cannot_be_downloaded_is_refused() {
    let server = server();
    let port = server.address().port();
    line(&format!("{IO} --port {port}")).refused(&format!("port {port} of 127.0.0.1 is taken"));
    line(&format!("{SITE} https://localhost/")).refused("https is not supported");
    line(&format!("{SITE} localhost:8000")).refused("http://");
    let missing = format!("http://{}/third", server.address());
    line(&format!("{SITE} {missing}")).refused("404 Not Found");
    drop(server);
    line(&format!("{SITE} http://127.0.0.1:{port}/")).refused("nothing listens there");
}

#[cfg(target_os = "linux")]
#[test]
fn more_connections_than_there_may_be_files_are_refused() {
    line(&format!("{IO} --items 1000000 --method async")).refused("ulimit -n");
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_that_is_killed_costs_no_download() {
    use std::process::Stdio;

    use crate::support::{command, send, words};

    let expected = rows(line(&format!("{IO} --method sync --items 40")).quiet());
    let slow = "racelab time io --latency 100ms --items 40 --method processes --workers 2 --runs 1 \
                -v --format json";
    let mut running = command()
        .args(words(slow))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let id = running.id();
    // Some downloads are over: the workers are at work.
    let mut lines = std::io::BufReader::new(running.stderr.take().unwrap());
    std::io::BufRead::read_line(&mut lines, &mut String::new()).unwrap();
    let tasks = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
    let children: Vec<u32> = tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok())
        .flat_map(|children| {
            children
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .map(|child| child.parse().unwrap())
        .collect();
    assert_eq!(children.len(), 2);
    send("KILL", children[0]);
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut lines, &mut rest).unwrap();
    let run = Run::of(&running.wait_with_output().unwrap());
    let rows = rows(run);
    assert_eq!(rows[0]["checksum"], expected[0]["checksum"], "{rest}");
}

#[test]
fn both_kinds_of_server_are_measured_in_one_run() {
    let run = line(
        "racelab time io --latency 5ms --items 20 --serve one,many --method threads --workers 20 \
         --format json",
    );
    let json = parsed(&run.exits(0).quiet());
    let rows = json["rows"].as_array().unwrap();
    let found: Vec<_> = rows
        .iter()
        .map(|row| (row["variant"].as_str(), row["peak_in_flight"] == 1))
        .collect();
    assert_eq!(
        found,
        [
            (Some("served one by one"), true),
            (Some("served at once"), false)
        ]
    );
    assert_eq!(json["parameters"]["serve"], "one,many");
    let conclusion = json["conclusion"].to_string();
    assert!(
        conclusion.contains("The server is the cause: 20 threads (served at once) were"),
        "{conclusion}"
    );
}

#[test]
fn two_servers_have_no_port_in_common() {
    line("racelab time io --serve one,many --port 8080")
        .refused("--port is the port of one server: with --serve one,many there are two");
}

#[test]
fn an_unknown_kind_of_server_is_refused() {
    line("racelab time io --serve one,few").refused("invalid value 'few' for '--serve <HOW>'");
}

#[test]
fn a_library_that_blocks_is_measured_where_it_is_asked_for() {
    let json = parsed(&line(&format!("{IO} --items 10")).exits(0));
    assert!(!json.to_string().contains("async-blocking"));
    let rows = rows(line(&format!("{IO} --items 10 --method async-blocking,async")).quiet());
    let found: Vec<_> = rows
        .iter()
        .map(|row| (row["method"].as_str().unwrap(), &row["peak_in_flight"]))
        .collect();
    assert_eq!(found[0].0, "async");
    assert_eq!(
        (found[1].0, found[1].1.as_u64()),
        ("async-blocking", Some(1))
    );
}

#[test]
fn five_pages_are_listed_as_they_come() {
    let run = line(
        "racelab time io --size 1,2,3,4,5 --items 5 --workers 5 --method sync,threads \
         --connections fresh --runs 1 --latency 1ms -v",
    )
    .exits(0);
    for (size, page) in (1..=5).zip(["first", "second", "third", "fourth", "fifth"]) {
        let lines = run.stderr.lines();
        let told = lines.filter(|line| {
            line.starts_with(&format!("Read {size} from http://"))
                && line.ends_with(&format!("/{page}"))
        });
        assert_eq!(told.count(), 2, "{page}: {run:?}");
    }
    assert!(run.stdout.contains("connections fresh"), "{run:?}");
}

#[test]
fn of_five_addresses_the_one_that_fails_is_named() {
    let server = server();
    let good = urls(&server);
    let bad = server.urls()[0].replace("/first", "/missing");
    let run = line(&format!("{SITE} {good},{bad},{good} --items 5")).exits(2);
    assert!(
        run.stderr.contains(&format!("cannot download {bad}: ")),
        "{run:?}"
    );
    assert!(run.stderr.contains("404"), "{run:?}");
}

#[test]
fn six_pages_are_too_many() {
    line("racelab time io --size 1,2,3,4,5,6").refused("--size takes the sizes of 5 pages at most");
}
