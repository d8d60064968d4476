//! Timings made by hand, as the commands measure them.

#![expect(clippy::cast_precision_loss, reason = "there are few workers")]

use serde_json::{Map, Value, json};

use super::conclusion;
use crate::timing::{Activity, Lane, Origin, Span, TimedWay, Timing};

/// How many cores the machine has.
const CORES: usize = 2;

/// A row of these runs, without what depends on others.
pub(super) fn row(method: &str, workers: usize, runs: &[f64]) -> TimedWay {
    let mut sorted = runs.to_vec();
    sorted.sort_by(f64::total_cmp);
    TimedWay {
        method: method.to_owned(),
        variant: None,
        workers,
        items: 20,
        seconds: sorted[(runs.len() - 1) / 2],
        runs: runs.to_vec(),
        ideal_seconds: None,
        speedup: None,
        cpu_seconds: None,
        peak_in_flight: None,
        peak_memory_bytes: None,
        checksum: "833334583335000000".to_owned(),
        lost_workers: Vec::new(),
        found: None,
        seconds_on_cores: Vec::new(),
        messages_per_second: None,
        latency_seconds: None,
        messages_per_second_of_runs: Vec::new(),
        latency_seconds_of_runs: Vec::new(),
        lanes: Vec::new(),
        thread_of_tasks: None,
    }
}

/// A timing of these rows, with what follows from them.
pub(super) fn timing(workload: &str, parameters: &Value, rows: Vec<TimedWay>) -> Timing {
    let parameters = parameters.as_object().cloned().unwrap_or_else(Map::new);
    let mut timing = Timing::new(workload, parameters, CORES);
    let sync = rows.iter().find(|row| row.method == "sync");
    let sync = sync.map(|row| row.seconds);
    timing.rows = rows;
    for row in &mut timing.rows {
        row.thread_of_tasks = (row.method == "async").then(|| thread_of(&row.lanes));
        row.speedup = sync.map(|sync| sync / row.seconds);
    }
    timing.conclusion = conclusion(&timing);
    timing.origin = Some(Origin {
        command: format!("racelab time {workload} --plot '{workload} 1.html'"),
        date: "Sun, 06 Nov 1994 08:49:37 GMT".to_owned(),
        processor: "i486".to_owned(),
        version: "0.1.0".to_owned(),
    });
    timing
}

/// 160 downloads with a latency of 20 ms.
pub(super) fn io() -> Timing {
    let rows = [
        ("sync", 1, [3.412, 3.398, 3.441], 3.2, 0.09, 1),
        ("threads", 5, [0.679, 0.688, 0.676], 0.64, 0.081, 5),
        ("threads", 10, [0.344, 0.342, 0.351], 0.32, 0.083, 10),
        ("threads", 15, [0.239, 0.241, 0.236], 0.22, 0.086, 15),
        ("threads", 20, [0.174, 0.171, 0.178], 0.16, 0.088, 20),
        ("threads", 30, [0.133, 0.172, 0.131], 0.12, 0.094, 30),
        ("async", 160, [0.0382, 0.0371, 0.0419], 0.02, 0.026, 160),
        ("processes", 2, [1.72, 1.731, 1.742], 1.6, 0.13, 2),
    ];
    let rows = rows.map(|(method, workers, runs, ideal, cpu, in_flight)| TimedWay {
        items: 160,
        ideal_seconds: Some(ideal),
        cpu_seconds: Some(cpu),
        peak_in_flight: Some(in_flight),
        peak_memory_bytes: Some(12_900_000 + 70_000 * workers as u64),
        lanes: lanes(method, workers, 160, [0.0005, 0.0208]),
        ..row(method, workers, &runs)
    });
    let parameters =
        json!({"latency": "20ms", "jitter": null, "serve": "many", "size": [10_490, 278]});
    timing("io", &parameters, rows.into())
}

/// 20 sums of squares.
pub(super) fn cpu() -> Timing {
    let rows = [
        ("sync", 1, [1.243, 1.251, 1.239], 1.243, 1.24),
        ("threads", 2, [0.641, 0.652, 0.639], 0.622, 1.251),
        ("async", 20, [1.247, 1.239, 1.262], 1.243, 1.242),
        ("processes", 2, [0.649, 0.644, 0.671], 0.622, 1.263),
        ("rayon", 2, [0.637, 0.645, 0.64], 0.622, 1.249),
    ];
    let rows = rows.map(|(method, workers, runs, ideal, cpu)| TimedWay {
        ideal_seconds: Some(ideal),
        cpu_seconds: Some(cpu),
        peak_memory_bytes: Some(3_400_000),
        lanes: match method {
            "async" => lanes(method, 20, 20, [runs[0] / 20.0, 0.0]),
            _ => lanes(method, workers, 20, [0.0622, 0.0]),
        },
        ..row(method, workers, &runs)
    });
    timing("cpu", &json!({"items": 20, "n": 5_000_000}), rows.into())
}

/// Primes, divided in several ways.
pub(super) fn primes() -> Timing {
    let rows = [
        ("sync", None, 1, [0.412, 0.409, 0.415], 0.41),
        (
            "threads",
            Some("three ranges, merged once"),
            3,
            [0.231, 0.228, 0.24],
            0.414,
        ),
        ("threads", Some("even"), 2, [0.219, 0.217, 0.222], 0.413),
        ("threads", Some("dynamic"), 2, [0.213, 0.22, 0.211], 0.415),
        (
            "processes",
            Some("three ranges, discarded"),
            3,
            [0.236, 0.233, 0.241],
            0.421,
        ),
        (
            "processes",
            Some("three ranges, manager"),
            3,
            [1.842, 1.871, 1.829],
            2.93,
        ),
        (
            "processes",
            Some("three ranges, merged once"),
            3,
            [0.241, 0.239, 0.25],
            0.428,
        ),
    ];
    let rows = rows.map(|(method, variant, workers, runs, cpu)| TimedWay {
        variant: variant.map(str::to_owned),
        items: 3,
        ideal_seconds: Some(if workers == 1 { 0.412 } else { 0.223 }),
        cpu_seconds: Some(cpu),
        peak_memory_bytes: Some(5_400_000),
        checksum: "216816".to_owned(),
        lanes: match variant {
            Some("even" | "dynamic") => ranges(method, workers, runs[0], 0.02),
            _ => ranges(method, workers, runs[0], 0.25),
        },
        ..row(method, workers, &runs)
    });
    timing("primes", &json!({"below": 3_000_000}), rows.into())
}

/// Five waits of a second.
pub(super) fn sleep() -> Timing {
    let rows = [
        ("sync", 1, [5.001, 5.001, 5.002], 5.0, 0.0004),
        ("threads", 5, [1.0006, 1.0004, 1.0005], 1.0, 0.0009),
        ("async", 5, [1.0021, 1.0011, 1.0015], 1.0, 0.0006),
    ];
    let rows = rows.map(|(method, workers, runs, ideal, cpu)| TimedWay {
        items: 5,
        ideal_seconds: Some(ideal),
        cpu_seconds: Some(cpu),
        peak_in_flight: Some(workers as u64),
        checksum: "5".to_owned(),
        lanes: lanes(method, workers, 5, [0.0, 1.0]),
        ..row(method, workers, &runs)
    });
    timing("sleep", &json!({"seconds": 1.0, "count": 5}), rows.into())
}

/// Messages through a channel and through a pipe.
pub(super) fn pipe() -> Timing {
    let rows = [
        (
            "threads",
            [0.0141, 0.0139, 0.0152],
            7_092_198.6,
            0.000_004_4,
        ),
        (
            "processes",
            [0.1931, 0.2012, 0.1918],
            517_866.4,
            0.000_011_2,
        ),
    ];
    let rows = rows.map(|(method, runs, messages, latency)| TimedWay {
        items: 100_000,
        messages_per_second: Some(messages),
        latency_seconds: Some(latency),
        messages_per_second_of_runs: [0.98, 1.0, 1.03].map(|part| messages * part).into(),
        latency_seconds_of_runs: [1.0, 0.97, 1.02].map(|part| latency * part).into(),
        ..row(method, 2, &runs)
    });
    timing("pipe", &json!({"messages": 100_000}), rows.into())
}

/// One way, interrupted in its first round.
pub(super) fn interrupted() -> Timing {
    let mut timing = io();
    timing.rows.truncate(2);
    for row in &mut timing.rows {
        row.runs.truncate(1);
    }
    timing.interrupted = true;
    timing.conclusion = conclusion(&timing);
    timing
}

/// Workers that take items in turn, each of which is some work and then a wait. Those that can
/// compute at once share the cores.
fn lanes(method: &str, workers: usize, items: usize, [work, wait]: [f64; 2]) -> Vec<Lane> {
    let sharing = match method {
        "sync" | "async" => 1,
        _ => workers,
    };
    let share = (CORES as f64 / sharing as f64).min(1.0);
    let lane = |worker: usize| {
        let mut spans = Vec::new();
        // The tasks of an event loop compute one after another.
        let mut now = match method {
            "async" => worker as f64 * work,
            _ => 0.0,
        };
        for _ in (worker..items).step_by(workers) {
            for (time, activity) in [(work, Activity::Work), (wait, Activity::Wait)] {
                if time > 0.0 {
                    let end = now + time;
                    spans.push(Span {
                        start: now,
                        end,
                        activity,
                        cpu: Some(match activity {
                            Activity::Work => time * share,
                            Activity::Wait => 0.0,
                        }),
                        begins_item: activity == Activity::Work || work <= 0.0,
                    });
                    now = end;
                }
            }
        }
        let name = match method {
            "sync" => "main".to_owned(),
            "async" => format!("task {}", worker + 1),
            "processes" => format!("process {}", worker + 1),
            _ => format!("thread {}", worker + 1),
        };
        Lane { name, spans }
    };
    (0..workers).map(lane).collect()
}

/// The thread of tasks, which works while one of them does.
fn thread_of(tasks: &[Lane]) -> Lane {
    let spans = tasks.iter().flat_map(|lane| &lane.spans);
    let work = spans.filter(|span| span.activity == Activity::Work);
    let spans = work.map(|span| Span {
        begins_item: false,
        ..*span
    });
    Lane {
        name: "thread".to_owned(),
        spans: spans.collect(),
    }
}

/// Workers of which each has more to do than the one before, by this part of the time.
fn ranges(method: &str, workers: usize, seconds: f64, more: f64) -> Vec<Lane> {
    let mut lanes = lanes(method, workers, workers, [seconds, 0.0]);
    for (place, lane) in lanes.iter_mut().enumerate() {
        lane.spans[0].end *= 1.0 - more * (workers - 1 - place) as f64;
    }
    lanes
}
