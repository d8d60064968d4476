//! Whether workloads take what they should, and what the same work takes in Python: `cargo bench
//! --bench time`.
//!
//! Every figure is a ratio of two times that were measured in turns in one run, by the command
//! itself. What it should be stands beside it.
#![cfg_attr(
    not(network),
    allow(
        dead_code,
        unused_imports,
        reason = "under `--cfg loom` there is no network, and so no server to measure with"
    )
)]

mod sections;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

#[cfg(network)]
use racelab::timing::workloads::io::{Serve, Server, ServerSettings};
use serde_json::Value;

/// How long the server takes for an answer, in seconds.
const LATENCY: f64 = 0.02;

/// The work of the tutorials in Python.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/tutorials.py");

fn main() {
    sections::run(&[
        ("io", io),
        ("waits", waits),
        ("cpu", cpu),
        ("primes", primes),
        ("lanes", lanes),
        #[cfg(network)]
        ("python", python),
    ]);
}

/// 160 downloads with a latency of 20 ms: the time, divided by the least that the waits take.
fn io() {
    heading("io, 160 downloads, 20 ms latency: times the ideal");
    let rows = timed("io --latency 20ms --method sync,threads,async --workers 5,10,15,20,30");
    for row in &rows {
        let most = match row.method.as_str() {
            "sync" => 1.10,
            "async" => 2.0,
            _ => 1.15,
        };
        at_most(&row.name(), row.seconds / row.ideal, most);
    }
}

/// 10,000 tasks that wait at once.
fn waits() {
    heading("sleep, 10,000 tasks, 100 ms: times the ideal");
    for row in timed("sleep --items 10000 --seconds 100ms --method async") {
        at_most(&row.name(), row.seconds / row.ideal, 2.0);
    }
}

/// Sums of squares: how many times as fast as one after another.
fn cpu() {
    heading("cpu: times as fast as sync");
    for row in timed("cpu --method sync,threads,processes,rayon --runs 7") {
        if row.method != "sync" {
            at_least(&row.name(), row.speedup, 1.8);
        }
    }
}

/// Primes: how many times as fast as one after another, and what the manager costs.
fn primes() {
    heading("primes: times as fast as sync");
    let rows = timed("primes --method sync,threads,processes,rayon --runs 7");
    for row in &rows {
        match row.variant.as_deref() {
            Some("even" | "dynamic") => at_least(&row.name(), row.speedup, 1.8),
            Some("three ranges, manager") | None => {}
            Some(_) => at_least(&row.name(), row.speedup, 1.6),
        }
    }
    let seconds = |variant: &str| {
        let mut rows = rows.iter();
        let row =
            rows.find(|row| row.method == "processes" && row.variant.as_deref() == Some(variant));
        row.expect("it was measured").seconds
    };
    let times = seconds("three ranges, manager") / seconds("three ranges, merged once");
    at_least("merged once, beside the manager", times, 5.0);
}

/// How many times each work is measured with lanes and without, to see what recording costs.
const PAIRS: usize = 41;

/// The places of two pairs, in the order of their ratios, between which the median of all such pairs
/// is with a probability of 95 %.
const INTERVAL: [usize; 2] = [13, 27];

/// What it costs to record when each worker is at work: the processor time with it, divided by the
/// one without, in the median of many pairs. What else the machine has to do disturbs the processor
/// time less than the time. That of `io` is what the server has left, so that its time is compared.
///
/// Threads that pass messages are not there: whether they block or find a message is chance, which
/// changes both by far more than recording does.
fn lanes() {
    heading("recording of lanes: with it, divided by without; at most, with a confidence of 95 %");
    let cpu: fn(&Row) -> f64 = |row| row.cpu;
    let time: fn(&Row) -> f64 = |row| row.seconds;
    for (work, cost) in [
        ("io --items 40 --latency 20ms --method sync,threads", time),
        ("cpu --method sync,threads,async,rayon", cpu),
        ("primes --method sync,threads,rayon", cpu),
        ("pipe --method async --messages 1000000", cpu),
    ] {
        let with = format!("{work} --runs 1");
        let without = format!("{with} --no-lanes");
        let mut ratios: Vec<(String, Vec<f64>)> = Vec::new();
        for pair in 0..PAIRS {
            // Neither is always the first.
            let (with, without) = if pair % 2 == 0 {
                let with = timed(&with);
                (with, timed(&without))
            } else {
                let without = timed(&without);
                (timed(&with), without)
            };
            ratios.resize_with(with.len(), Default::default);
            for ((name, ratios), (with, without)) in
                ratios.iter_mut().zip(with.iter().zip(&without))
            {
                *name = with.name();
                ratios.push(cost(with) / cost(without));
            }
        }
        let workload = work.split_whitespace().next().unwrap_or_default();
        for (name, mut ratios) in ratios {
            ratios.sort_by(f64::total_cmp);
            let [low, high] = INTERVAL.map(|place| ratios[place]);
            let median = ratios[PAIRS / 2];
            let name = format!("{workload} {name}: {median:.3}, from {low:.3}");
            at_most(&name, high, 1.02);
        }
    }
}

/// The same work in Python, where it is installed: how many times as long it takes.
#[cfg(network)]
fn python() {
    heading("CPython, the rows of the tutorials: times as long as here");
    let settings = ServerSettings {
        port: 0,
        sizes: vec![10_490, 278],
        latency: Duration::from_secs_f64(LATENCY),
        jitter: Duration::ZERO,
        seed: 0,
        serve: Serve::Many,
        fault: None,
    };
    let server = Server::start(&settings).expect("a free port can be had");
    let script = Command::new("python3")
        .arg(SCRIPT)
        .arg("--in-turns")
        .args(server.urls())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut script = match script {
        Ok(script) => script,
        Err(error) => {
            println!("  python3 cannot be run: {error}");
            return;
        }
    };
    let mut turns = script.stdin.take().expect("it is piped");
    let lines = BufReader::new(script.stdout.take().expect("it is piped")).lines();
    for line in lines {
        let line = line.expect("the script prints text");
        let row: Value = serde_json::from_str(&line).expect("the script prints JSON");
        let (id, what) = (text(&row["id"]), text(&row["what"]));
        let (work, variant) = here(id);
        let here = timed(&work);
        let mut here = here.iter();
        let here = here.find(|row| variant.is_none() || row.variant.as_deref() == variant);
        let here = here.expect("it was measured");
        let there = row["seconds"]
            .as_f64()
            .expect("the script prints its seconds");
        let name = format!("{id} {what}: {there:.3} s, here {:.3} s", here.seconds);
        at_least(&name, there / here.seconds, 1.0);
        // It does nothing while the work is measured here. After its last row it has ended.
        let _ = writeln!(turns);
    }
    let status = script.wait().expect("it can be waited for");
    assert!(status.success(), "{SCRIPT}: {status}");
}

/// The work of a row of the tutorials, for `racelab time`, and its variant.
fn here(id: &str) -> (String, Option<&'static str>) {
    let (id, workers) = id.split_once('/').unwrap_or((id, ""));
    let work = match (id, workers) {
        ("S9", _) => "io --method sync",
        ("S10", _) => "io --method threads --workers 5",
        ("S11", workers) => return (format!("io --method threads --workers {workers}"), None),
        ("S12", _) => "io --method async",
        ("S13", _) => "io --method processes",
        ("S14", "sync") => "io --items 5 --method sync",
        ("S14", _) => "io --items 5 --method threads --workers 5",
        ("S15", "sync") => "sleep --method sync --runs 1",
        ("S15", _) => "sleep --method threads --runs 1",
        ("S16", "threads") => "sleep --items 1000 --seconds 100ms --method threads",
        ("S16", _) => "sleep --items 1000 --seconds 100ms --method async",
        ("S17", _) => "cpu --method sync",
        ("S18", _) => "cpu --method threads --workers 5",
        ("S19", _) => "cpu --method async",
        ("S20", _) => "cpu --method processes",
        ("S21", _) => "primes --method sync",
        ("S22" | "S23" | "S24", _) => "primes --method processes",
        ("S25", _) => "primes --method threads",
        _ => panic!("the script has a row {id}, which is not known here"),
    };
    let variant = match id {
        "S22" => Some("three ranges, discarded"),
        "S23" => Some("three ranges, manager"),
        "S24" | "S25" => Some("three ranges, merged once"),
        _ => None,
    };
    (work.to_owned(), variant)
}

/// A row of `racelab time`.
struct Row {
    method: String,
    variant: Option<String>,
    workers: u64,
    seconds: f64,
    cpu: f64,
    ideal: f64,
    speedup: f64,
}

impl Row {
    fn name(&self) -> String {
        let variant = self.variant.as_ref();
        let variant = variant.map(|variant| format!(", {variant}"));
        let variant = variant.unwrap_or_default();
        format!("{}{variant}, {} workers", self.method, self.workers)
    }
}

/// What `racelab time` measures.
fn timed(work: &str) -> Vec<Row> {
    let output = Command::new(env!("CARGO_BIN_EXE_racelab"))
        .arg("time")
        .args(work.split_whitespace())
        .args(["--format", "json"])
        .stderr(Stdio::inherit())
        .output()
        .expect("the command can be run");
    assert!(output.status.success(), "racelab time {work}");
    let timing: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    let rows = timing["rows"].as_array().expect("it has rows");
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    rows.iter()
        .map(|row| Row {
            method: text(&row["method"]).to_owned(),
            variant: row["variant"].as_str().map(str::to_owned),
            workers: row["workers"].as_u64().expect("it is a number"),
            seconds: number(&row["seconds"]),
            cpu: number(&row["cpu_seconds"]),
            ideal: number(&row["ideal_seconds"]),
            speedup: number(&row["speedup"]),
        })
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("it is a text")
}

fn heading(text: &str) {
    println!("\n{text}");
}

fn at_most(name: &str, measured: f64, most: f64) {
    figure(
        name,
        measured,
        &format!("at most {most:.2}"),
        measured <= most,
    );
}

fn at_least(name: &str, measured: f64, least: f64) {
    figure(
        name,
        measured,
        &format!("at least {least:.2}"),
        measured >= least,
    );
}

fn figure(name: &str, measured: f64, wanted: &str, is_met: bool) {
    let missed = if is_met { "" } else { "   MISSED" };
    println!("  {name:56} {measured:8.3}   {wanted}{missed}");
}
