//! What a pool does with workers that fail.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::{self, Folder, Run};

/// The functions of these names, as tests.
macro_rules! tests {
    ($($test:ident)*) => {
        vec![$(Trial::test(stringify!($test), || {
            $test();
            Ok(())
        })),*]
    };
}

pub(crate) fn tests() -> Vec<Trial> {
    let mut tests = tests![
        answers_are_in_the_order_of_the_tasks_whatever_the_speed_of_the_workers
        the_initialiser_runs_once_in_each_worker
        a_pool_without_tasks_comes_to_an_end
        a_task_is_taken_from_its_source_when_a_worker_is_free
        what_a_worker_prints_is_no_answer
        the_task_of_a_worker_that_is_lost_is_given_to_another_one
        a_task_that_ends_every_worker_ends_the_pool
        an_initialiser_that_ends_every_worker_ends_the_pool
        an_error_is_an_answer_and_is_not_asked_for_again
        a_pool_needs_a_worker
        the_times_of_workers_are_on_the_axis_of_the_pool
    ];
    #[cfg(target_os = "linux")]
    tests.extend(killed::tests());
    tests
}

/// Orders for the workers of a pool, and what they have noted.
struct Drill {
    folder: Folder,
    workers: usize,
    orders: Vec<Value>,
    fault: Option<&'static str>,
    /// How long a worker may take, in seconds.
    limit: u64,
}

impl Drill {
    fn new(test: &str, workers: usize) -> Drill {
        Drill {
            folder: Folder::new(test),
            workers,
            orders: Vec::new(),
            fault: None,
            limit: 300,
        }
    }

    /// Two workers, of which some fail in this way.
    fn failing(test: &str, fault: &str) -> Drill {
        Drill {
            limit: if fault == "hang" { 2 } else { 300 },
            ..Drill::new(&format!("{test}-{fault}"), 2)
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.file(name)
    }

    fn start(&self) -> Child {
        let setup = json!({ "log": self.file("log"), "fault": self.fault });
        let plan = json!({ "workers": self.workers, "limit": self.limit, "setup": setup });
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["drill", &plan.to_string()])
            // What would be there if something of ours panicked should be seen.
            .env("RUST_BACKTRACE", "1")
            .env("RACELAB_DRILL", self.file(""))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines: Vec<String> = self.orders.iter().map(Value::to_string).collect();
        // A pool that fails does not read to the end.
        let _ = child
            .stdin
            .take()
            .unwrap()
            .write_all(lines.join("\n").as_bytes());
        child
    }

    fn run(&self) -> Drilled {
        let output = self.start().wait_with_output().unwrap();
        let run = Run::of(&output).exits(0);
        let report = support::parsed(&run);
        self.assert_nobody_stays();
        Drilled { run, report }
    }

    /// The lines of the log that begin with a word, without it.
    fn noted(&self, word: &str) -> Vec<String> {
        let log = fs::read_to_string(self.file("log")).unwrap_or_default();
        let lines = log.lines().filter_map(|line| line.strip_prefix(word));
        lines.map(|rest| rest.trim().to_owned()).collect()
    }

    /// The processes of this test, wherever they are.
    #[cfg(target_os = "linux")]
    fn processes(&self) -> Vec<u32> {
        support::processes_with("RACELAB_DRILL", self.file("").as_os_str())
    }

    fn assert_nobody_stays(&self) {
        #[cfg(target_os = "linux")]
        assert_eq!(self.processes(), [0; 0]);
    }
}

struct Drilled {
    run: Run,
    report: Value,
}

impl Drilled {
    #[track_caller]
    fn values(&self) -> Vec<u64> {
        let answers = self.report["answers"].as_array();
        let answers = answers.unwrap_or_else(|| panic!("no answers: {}", self.report));
        let value = |answer: &Value| answer["value"].as_u64().unwrap();
        answers.iter().map(value).collect()
    }

    fn texts(&self, key: &str) -> Vec<&str> {
        let texts = self.report[key].as_array().unwrap().iter();
        texts.map(|text| text.as_str().unwrap()).collect()
    }

    #[track_caller]
    fn broken(&self) -> &str {
        let broken = self.report["broken"].as_str();
        broken.unwrap_or_else(|| panic!("not broken: {}", self.report))
    }
}

fn squares(numbers: impl Iterator<Item = u64>) -> Vec<u64> {
    numbers.map(|number| number * number).collect()
}

fn orders_for_squares(numbers: impl Iterator<Item = u64>) -> impl Iterator<Item = Value> {
    numbers.map(|number| json!({ "square": number }))
}

fn answers_are_in_the_order_of_the_tasks_whatever_the_speed_of_the_workers() {
    let mut drill = Drill::new("order", 2);
    let gate = drill.file("gate");
    // One worker waits at the first task for what the other one does at the last.
    drill.orders.push(json!({ "await": gate }));
    drill.orders.extend(orders_for_squares(1..50));
    drill.orders.push(json!({ "make": gate }));
    let drilled = drill.run();
    let mut expected = squares(0..50);
    expected.push(0);
    assert_eq!(drilled.values(), expected);
    let answers = drilled.report["answers"].as_array().unwrap();
    let names: BTreeSet<_> = answers[1..]
        .iter()
        .map(|answer| &answer["name"])
        .map(Value::to_string)
        .collect();
    assert_eq!(names.len(), 1, "{}", drilled.report);
    assert_ne!(answers[0]["name"], answers[1]["name"]);
    assert_eq!(drilled.texts("lost"), [""; 0]);
}

fn the_initialiser_runs_once_in_each_worker() {
    let mut drill = Drill::new("initialiser", 3);
    drill.orders.extend(orders_for_squares(0..30));
    let drilled = drill.run();
    assert_eq!(drilled.values(), squares(0..30));
    let started = drill.noted("start");
    assert_eq!(started.len(), 3);
    let answers = drilled.report["answers"].as_array().unwrap();
    for answer in answers {
        assert!(started.contains(&answer["process"].to_string()), "{answer}");
    }
}

fn a_pool_without_tasks_comes_to_an_end() {
    let drilled = Drill::new("none", 2).run();
    assert_eq!(drilled.values(), [0; 0]);
}

fn a_task_is_taken_from_its_source_when_a_worker_is_free() {
    let mut drill = Drill::new("pressure", 2);
    drill.orders.extend(orders_for_squares(0..100));
    drill.run();
    let log = fs::read_to_string(drill.file("log")).unwrap();
    let (mut taken, mut done) = (0, 0);
    for line in log.lines() {
        // A worker notes that it is done before it says so.
        match line.split(' ').next() {
            Some("take") => taken += 1,
            Some("done") => done += 1,
            _ => {}
        }
        assert!(
            taken - done <= 2,
            "{taken} are taken, {done} are done: {log}"
        );
    }
    assert_eq!((taken, done), (100, 100));
}

fn what_a_worker_prints_is_no_answer() {
    let mut drill = Drill::new("prints", 1);
    let text = r#"{"Done":{"answer":{"value":5,"name":"","process":1},"spans":[]}}"#;
    drill.orders.push(json!({ "print": text }));
    drill.orders.extend(orders_for_squares(1..4));
    let drilled = drill.run();
    assert_eq!(drilled.values(), [0, 1, 4, 9]);
    assert_eq!(drilled.run.stderr, format!("{text}\n"));
}

/// What a pool says of a worker that fails in a way.
const FAULTS: &[(&str, &str)] = &[
    (
        "panic",
        "panicked: it was told to panic, at tests/pool/drill.rs:",
    ),
    ("exit", "ended with exit code 7"),
    #[cfg(unix)]
    ("abort", "ended by signal 6 (SIGABRT)"),
    ("hang", "did not answer within 2s"),
];

fn the_task_of_a_worker_that_is_lost_is_given_to_another_one() {
    for (fault, words) in FAULTS {
        let mut drill = Drill::failing("once", fault);
        drill.orders.extend(orders_for_squares(1..4));
        drill
            .orders
            .push(json!({ "once": [drill.file("failed"), fault] }));
        drill.orders.extend(orders_for_squares(4..7));
        let drilled = drill.run();
        assert_eq!(drilled.values(), [1, 4, 9, 0, 16, 25, 36], "{fault}");
        let lost = drilled.texts("lost");
        assert!(
            lost.iter().any(|lost| lost.contains(words)),
            "{fault}: {lost:?}"
        );
        assert_eq!(drilled.run.stderr, "", "{fault}");
    }
}

fn a_task_that_ends_every_worker_ends_the_pool() {
    for (fault, words) in FAULTS {
        let mut drill = Drill::failing("always", fault);
        drill.orders.extend(orders_for_squares(1..4));
        drill.orders.push(json!({ "fault": fault }));
        let drilled = drill.run();
        let broken = drilled.broken();
        assert!(broken.starts_with("process "), "{broken}");
        assert!(broken.contains(words), "{fault}: {broken}");
        assert!(
            broken.ends_with("with a task; given up after 3 lost workers"),
            "{broken}"
        );
        assert_eq!(drilled.run.stderr, "", "{fault}");
    }
}

fn an_initialiser_that_ends_every_worker_ends_the_pool() {
    for (fault, words) in FAULTS {
        let mut drill = Drill::failing("start", fault);
        drill.fault = Some(fault);
        drill.orders.extend(orders_for_squares(1..4));
        let drilled = drill.run();
        let broken = drilled.broken();
        assert!(broken.contains(words), "{fault}: {broken}");
        assert!(
            broken.ends_with("at its start; given up after 3 lost workers"),
            "{broken}"
        );
        assert_eq!(drill.noted("take").len(), 0);
    }
}

fn an_error_is_an_answer_and_is_not_asked_for_again() {
    let mut drill = Drill::new("error", 1);
    drill.orders.push(json!({ "fault": "error" }));
    let drilled = drill.run();
    assert_eq!(drilled.broken(), "process 1: it was told to fail");
    assert_eq!(drill.noted("start").len(), 1);

    let mut drill = Drill::new("error-at-start", 1);
    drill.fault = Some("error");
    assert_eq!(drill.run().broken(), "process 1: it was told to fail");
    assert_eq!(drill.noted("start").len(), 1);
}

fn a_pool_needs_a_worker() {
    let refused = Drill::new("nobody", 0).run().report;
    assert_eq!(
        refused["refused"],
        "there must be at least one worker process"
    );
}

fn the_times_of_workers_are_on_the_axis_of_the_pool() {
    // The clock by which two processes compare can be set meanwhile, but by little.
    const SLACK: f64 = 0.01;
    let mut drill = Drill::new("lanes", 2);
    let gate = drill.file("gate");
    drill.orders.push(json!({ "await": gate }));
    drill.orders.extend(orders_for_squares(1..9));
    drill.orders.push(json!({ "make": gate }));
    let drilled = drill.run();
    let seconds = drilled.report["seconds"].as_f64().unwrap();
    let lanes = drilled.report["lanes"].as_array().unwrap();
    let names: Vec<_> = lanes.iter().map(|lane| &lane["name"]).collect();
    assert_eq!(names, ["process 1", "process 2"]);
    let spans = |activity: &str| -> Vec<(f64, f64)> {
        let spans = lanes
            .iter()
            .flat_map(|lane| lane["spans"].as_array().unwrap());
        let spans = spans.filter(|span| span["activity"] == activity);
        let time = |span: &Value, key: &str| span[key].as_f64().unwrap();
        spans
            .map(|span| (time(span, "start"), time(span, "end")))
            .collect()
    };
    let (work, wait) = (spans("work"), spans("wait"));
    assert_eq!((work.len(), wait.len()), (8, 1));
    for (start, end) in work.iter().chain(&wait) {
        assert!(
            -SLACK < *start && start <= end && *end < seconds + SLACK,
            "{lanes:?}"
        );
    }
    // The one waits until the other one has done all of its work.
    for (_, end) in work {
        assert!(end < wait[0].1 + SLACK, "{lanes:?}");
    }
}

#[cfg(target_os = "linux")]
fn the_memory_of_all_workers_is_added_up() {
    const MIB: u64 = 1 << 20;
    let memory = |workers| {
        let drill = Drill::new(&format!("memory-{workers}"), workers);
        drill.run().report["memory"].as_u64().unwrap()
    };
    let (one, four) = (memory(1), memory(4));
    assert!((MIB..1024 * MIB).contains(&one), "{one}");
    assert!(
        (3 * one..5 * one).contains(&four),
        "one has {one}, four have {four}"
    );
}

#[cfg(target_os = "linux")]
mod killed {
    use std::thread;
    use std::time::{Duration, Instant};

    use rand::seq::SliceRandom;
    use rand::{Rng, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    use super::{
        Drill, Drilled, Run, Stdio, Trial, fs, json, orders_for_squares, squares, support,
        the_memory_of_all_workers_is_added_up,
    };

    pub(super) fn tests() -> Vec<Trial> {
        tests![
            the_memory_of_all_workers_is_added_up
            workers_that_are_killed_at_random_lead_to_the_right_answers_or_to_a_clear_failure
            a_worker_that_is_stopped_is_taken_for_one_that_hangs
            no_worker_outlives_a_pool_whose_process_is_killed
        ]
    }

    /// How long processes that should end may take at the most, on a machine that does much else.
    const LONG: Duration = Duration::from_secs(60);

    const TASKS: u64 = 400;

    /// Kills a process, if it is there.
    fn kill(process: u32) {
        let status = std::process::Command::new("kill")
            .args(["-KILL", &process.to_string()])
            .stderr(Stdio::null())
            .status();
        status.expect("there is kill");
    }

    fn workers_that_are_killed_at_random_lead_to_the_right_answers_or_to_a_clear_failure() {
        let mut finished = 0;
        for seed in 0..6 {
            let mut random = Pcg64Mcg::seed_from_u64(seed);
            let mut drill = Drill::new(&format!("killed-{seed}"), 3);
            let gate = drill.file("gate");
            // It does not come to its end before a worker was killed.
            drill.orders.push(json!({ "await": gate }));
            drill.orders.extend(orders_for_squares(1..TASKS));
            let mut pool = drill.start();
            let mut kills = 0;
            while pool.try_wait().unwrap().is_none() {
                let due = drill.noted("done").len() as u64 > kills * 20 + random.gen_range(0..20);
                let workers: Vec<u32> = drill.processes();
                let workers: Vec<_> = workers.into_iter().filter(|p| *p != pool.id()).collect();
                if let Some(worker) = workers.choose(&mut random).filter(|_| due) {
                    kill(*worker);
                    kills += 1;
                    fs::write(&gate, "").unwrap();
                }
            }
            let run = Run::of(&pool.wait_with_output().unwrap()).exits(0).quiet();
            let drilled = Drilled {
                report: support::parsed(&run),
                run,
            };
            if drilled.report["broken"].is_null() {
                assert_eq!(drilled.values(), squares(0..TASKS), "seed {seed}");
                finished += 1;
            } else {
                let broken = drilled.broken();
                assert!(broken.contains("ended by signal 9 (SIGKILL)"), "{broken}");
                assert!(
                    broken.ends_with("given up after 3 lost workers"),
                    "{broken}"
                );
            }
            drill.assert_nobody_stays();
        }
        assert!(finished > 0, "no pool came to its end");
    }

    fn a_worker_that_is_stopped_is_taken_for_one_that_hangs() {
        let mut drill = Drill::failing("stopped", "hang");
        let gate = drill.file("gate");
        drill.orders = vec![json!({ "await": gate }), json!({ "await": gate })];
        drill.orders.extend(orders_for_squares(1..20));
        let pool = drill.start();
        while drill.noted("take").len() < 2 {
            thread::yield_now();
        }
        let stopped: u32 = drill.noted("start")[0].parse().unwrap();
        support::send("STOP", stopped);
        fs::write(gate, "").unwrap();
        let run = Run::of(&pool.wait_with_output().unwrap()).exits(0).quiet();
        let drilled = Drilled {
            report: support::parsed(&run),
            run,
        };
        assert_eq!(drilled.values()[2..], squares(1..20));
        let lost = drilled.texts("lost");
        assert!(
            lost.contains(&"process 1 did not answer within 2s")
                || lost.contains(&"process 2 did not answer within 2s"),
            "{lost:?}"
        );
        drill.assert_nobody_stays();
    }

    fn no_worker_outlives_a_pool_whose_process_is_killed() {
        // Not SIGINT: what runs in the background of a shell may be told to ignore it.
        for signal in ["KILL", "TERM"] {
            let mut drill = Drill::new(&format!("orphans-{signal}"), 3);
            // One works for ever, the others wait.
            drill.orders.push(json!({ "fault": "hang" }));
            drill.orders.extend(orders_for_squares(0..5));
            let mut pool = drill.start();
            let start = Instant::now();
            while drill.noted("done").len() < 5 {
                assert!(start.elapsed() < LONG, "{:?}", drill.noted(""));
                thread::yield_now();
            }
            assert_eq!(drill.processes().len(), 4);
            support::send(signal, pool.id());
            pool.wait().unwrap();
            let start = Instant::now();
            while !drill.processes().is_empty() {
                assert!(start.elapsed() < LONG, "{signal}: {:?}", drill.processes());
                thread::yield_now();
            }
        }
    }
}
