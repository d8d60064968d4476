//! Conclusions of timings made by hand, and what must hold of all.

use proptest::prelude::*;
use serde_json::json;

use super::super::samples::{self, row, timing};
use super::conclusion;
use crate::timing::{Activity, Cost, Costs, Lane, Span, TimedWay, Timing};

/// A timing of these rows on two cores, as one text.
fn concluded(rows: Vec<TimedWay>) -> String {
    timing("work", &json!({}), rows).conclusion.join(" ")
}

/// A row that kept so many cores busy.
fn busy(cores: f64, row: TimedWay) -> TimedWay {
    TimedWay {
        cpu_seconds: Some(cores * row.seconds),
        ..row
    }
}

#[test]
fn waiting_and_computing_are_told_by_how_busy_sync_is() {
    let kind = |cores: f64| concluded(vec![busy(cores, row("sync", 1, &[1.0, 1.0, 1.0]))]);
    assert!(kind(0.03).contains("I/O-bound: sync kept one core busy for 3.0 % of the time"));
    assert!(kind(0.6).contains("both computes and waits"));
    assert!(kind(0.99).contains("CPU-bound"));
}

/// What is said of a way alone, with these lanes, that kept so many cores busy.
fn kind_of(cores: f64, way: TimedWay, lanes: &[&[(f64, f64, Activity)]]) -> String {
    let lane = |spans: &&[(f64, f64, Activity)]| {
        let spans = spans.iter().map(|&(start, end, activity)| Span {
            start,
            end,
            activity,
            cpu: None,
            begins_item: true,
        });
        Lane {
            name: "main".to_owned(),
            spans: spans.collect(),
        }
    };
    let lanes = lanes.iter().map(lane).collect();
    concluded(vec![busy(cores, TimedWay { lanes, ..way })])
}

#[test]
fn work_that_had_to_share_its_core_with_others_is_no_waiting() {
    let sync = row("sync", 1, &[1.0, 1.0, 1.0]);
    let computes = kind_of(0.4, sync.clone(), &[&[(0.0, 1.0, Activity::Work)]]);
    assert!(computes.contains(
        "CPU-bound: sync kept one core busy for 40 % of the time, and had work to do for longer: \
         the machine was busy with something else"
    ));
    let waits = [(0.0, 0.4, Activity::Work), (0.4, 1.0, Activity::Wait)];
    let waits = kind_of(0.4, sync, &[&waits]);
    assert!(waits.contains("I/O-bound: sync kept one core busy for 40 % of the time."));
}

#[test]
fn lanes_do_not_change_what_the_processor_time_says() {
    let sync = || row("sync", 1, &[1.0, 1.0, 1.0]);
    let all_wait: &[_] = &[(0.0, 1.0, Activity::Wait)];
    for cores in [0.1, 0.49, 0.51, 0.71, 0.88, 1.0] {
        let with = kind_of(cores, sync(), &[all_wait]);
        assert_eq!(with, kind_of(cores, sync(), &[]), "{cores}");
    }
    let busy = kind_of(1.0, sync(), &[all_wait]);
    assert!(busy.contains("CPU-bound: sync kept one core busy for 100 % of the time."));
}

#[test]
fn workers_without_work_are_not_kept_from_it_by_others() {
    // One of two threads has nearly all of the work, so that one core is idle.
    let work = |end| (0.0, end, Activity::Work);
    let threads = row("threads", 2, &[1.0, 1.0, 1.0]);
    let text = kind_of(1.1, threads.clone(), &[&[work(1.0)], &[work(0.1)]]);
    assert!(!text.contains("something else"), "{text}");
    // Both have work all the time, and got one core of two.
    let text = kind_of(1.0, threads, &[&[work(1.0)], &[work(1.0)]]);
    assert!(
        text.contains("2 threads kept the cores that they could use busy"),
        "{text}"
    );
    assert!(text.contains("something else"), "{text}");
}

#[test]
fn one_thread_alone_is_no_way_to_pass_messages() {
    let passing = |method, workers, runs: [f64; 3]| TimedWay {
        messages_per_second: Some(1000.0 / runs[0]),
        ..row(method, workers, &runs)
    };
    let text = concluded(vec![
        passing("sync", 1, [0.001, 0.0011, 0.001]),
        passing("threads", 2, [0.1, 0.11, 0.1]),
        passing("processes", 2, [0.4, 0.41, 0.4]),
    ]);
    assert!(
        text.contains("One thread takes 1.0 µs to put a message into a queue"),
        "{text}"
    );
    assert!(
        text.contains("Take threads: 2 threads were 4.00 times as fast as 2 processes."),
        "{text}"
    );
    assert!(!text.contains("sync"), "{text}");
}

#[test]
fn one_way_is_not_compared() {
    let text = concluded(vec![row("threads", 4, &[1.0, 1.1, 1.0])]);
    assert_eq!(text, "There is no other way to compare 4 threads with.");
}

#[test]
fn tasks_are_taken_for_waiting_and_threads_for_computing() {
    let rows = |cores: f64, tasks: f64| {
        vec![
            busy(cores, row("sync", 1, &[4.0, 4.1, 4.0])),
            busy(cores, row("threads", 2, &[2.0, 2.1, 2.0])),
            busy(cores, row("async", 8, &[tasks, tasks + 0.1, tasks])),
            busy(cores, row("processes", 2, &[2.05, 2.15, 2.05])),
        ]
    };
    let waiting = concluded(rows(0.02, 2.05));
    assert!(waiting.contains(
        "Take async tasks: 8 async tasks were 1.95 times as fast as sync, not distinguishable \
         from 2 threads and 2 processes."
    ));
    let computing = concluded(rows(0.99, 4.05));
    assert!(computing.contains(
        "Take threads: 2 threads were 2.00 times as fast as sync, not distinguishable from 2 \
         processes."
    ));
    assert!(computing.contains("in Rust they run in parallel: 2 threads were 2.00 times"));
    assert!(computing.contains("8 async tasks were not distinguishable from sync: "));
}

#[test]
fn a_way_that_hardly_gains_is_not_worth_what_it_costs() {
    let text = concluded(vec![
        row("sync", 1, &[1.02, 1.021, 1.02]),
        row("processes", 2, &[1.0, 1.001, 1.0]),
    ]);
    assert!(text.contains("Take sync: sync was less than 5 % apart from 2 processes."));
}

#[test]
fn a_sweep_stops_paying_where_the_next_step_gains_less_than_noise() {
    let sweep = |last: [f64; 3]| {
        concluded(vec![
            row("threads", 1, &[4.0, 4.1, 4.0]),
            row("threads", 2, &[2.0, 2.1, 2.0]),
            row("threads", 4, &last),
        ])
    };
    assert!(sweep([2.05, 2.2, 2.05]).contains(
        "The sweep of threads stops paying at 2: 4 threads were not distinguishable from 2 threads."
    ));
    assert!(sweep([3.0, 3.1, 3.0]).contains("4 threads took 1.50 times as long as 2 threads."));
    assert!(
        sweep([1.95, 1.99, 1.95]).contains("4 threads were less than 5 % apart from 2 threads.")
    );
    assert!(
        sweep([1.0, 1.1, 1.0])
            .contains("The sweep of threads paid up to 4 workers, the most that were measured.")
    );
}

#[test]
fn a_sweep_goes_on_paying_over_a_step_that_gained_nothing() {
    let text = concluded(vec![
        row("threads", 1, &[4.0, 4.1, 4.0]),
        row("threads", 2, &[4.0, 4.1, 4.0]),
        row("threads", 4, &[2.0, 2.1, 2.0]),
    ]);
    assert!(
        text.contains("The sweep of threads paid up to 4 workers"),
        "{text}"
    );
}

#[test]
fn no_more_workers_are_advised_than_pay() {
    let text = concluded(vec![
        row("sync", 1, &[0.150, 0.151, 0.1501]),
        row("threads", 1, &[0.150, 0.151, 0.1502]),
        row("threads", 5, &[0.0306, 0.0307, 0.0306]),
        row("threads", 10, &[0.0303, 0.0305, 0.0304]),
    ]);
    assert!(
        text.contains("stops paying at 5: 10 threads were less than 5 % apart from 5 threads."),
        "{text}"
    );
    assert!(text.contains("Take threads: 5 threads were 4.9"), "{text}");
    assert!(!text.contains("1 % faster"), "{text}");
}

#[test]
fn of_two_runs_no_order_is_told() {
    let text = concluded(vec![
        row("sync", 1, &[4.0, 4.1]),
        row("threads", 2, &[2.0, 2.1]),
    ]);
    assert_eq!(
        text,
        "Each way ran only twice, so that no difference could be told from noise: ask for more \
         `--runs`."
    );
}

#[test]
fn the_manager_is_slower_than_sync_and_the_reason_is_said() {
    let text = samples::primes().conclusion.join(" ");
    assert!(text.contains(
        "3 processes (three ranges, manager) took 4.47 times as long as sync: each result is a \
         message to the manager process"
    ));
}

#[test]
fn of_an_interrupted_measurement_it_is_said() {
    let conclusion = samples::interrupted().conclusion;
    let said = "This is of what was measured before the interruption.";
    assert_eq!(conclusion[1], said);
    assert!(
        conclusion
            .join(" ")
            .contains("Each way ran only once, so that no difference could be told")
    );
}

/// Ways that a timing can have, each at most once.
const WAYS: &[(&str, Option<&str>, usize)] = &[
    ("sync", None, 1),
    ("threads", None, 2),
    ("threads", None, 4),
    ("threads", None, 8),
    ("threads", Some("dynamic"), 2),
    ("async", None, 16),
    ("processes", None, 2),
    ("processes", Some("manager"), 2),
    ("rayon", None, 2),
];

fn timings() -> impl Strategy<Value = Timing> {
    // Few different times, so that ranges often touch.
    let time = prop_oneof![
        (1..40_u32).prop_map(|time| f64::from(time) * 0.05),
        Just(0.0)
    ];
    let runs = prop::collection::vec(time, 1..5);
    let cpu = prop::option::of(0.0..8.0);
    let row = (runs, cpu).prop_map(|(runs, cpu_seconds)| TimedWay {
        cpu_seconds,
        ..row("", 1, &runs)
    });
    let rows = prop::collection::vec(prop::option::of(row), WAYS.len());
    (rows, 0..9_usize, any::<bool>()).prop_map(|(rows, cores, interrupted)| {
        let rows = rows.into_iter().zip(WAYS);
        let rows = rows.filter_map(|(row, (method, variant, workers))| {
            Some(TimedWay {
                method: (*method).to_owned(),
                variant: variant.map(str::to_owned),
                workers: *workers,
                ..row?
            })
        });
        let mut timing = timing("work", &json!({}), rows.collect());
        timing.cores = cores;
        timing.interrupted = interrupted;
        timing.conclusion = conclusion(&timing);
        timing
    })
}

/// The row whose label a text begins with, whatever its first letter.
fn at_start<'a>(timing: &'a Timing, text: &str) -> Option<&'a TimedWay> {
    let text = text.to_lowercase();
    let rows = timing.rows.iter();
    let rows = rows.filter(|row| text.starts_with(&row.label()));
    rows.max_by_key(|row| row.label().len())
}

/// The orders that a sentence tells: which row was faster, and which slower.
///
/// Reads the text alone: what comes after the words of an order is one row, and what comes before
/// the verb of the sentence is the other.
fn orders<'a>(timing: &'a Timing, sentence: &str) -> Vec<(&'a TimedWay, &'a TimedWay)> {
    let mut orders = Vec::new();
    let faster = [" times as fast as ", " % faster than "];
    let slower = [" times as long as ", " % longer than "];
    for (phrases, is_faster) in [(faster, true), (slower, false)] {
        for phrase in phrases {
            for (place, _) in sentence.match_indices(phrase) {
                let other = at_start(timing, &sentence[place + phrase.len()..]);
                let verbs = [" was ", " were ", " took "];
                let verb = verbs
                    .iter()
                    .filter_map(|verb| sentence[..place].rfind(verb));
                let before = &sentence[..verb.max().expect("an order has a verb")];
                let starts = before.char_indices().map(|(start, _)| &before[start..]);
                let is_label = |rest: &&str| {
                    let rest = rest.to_lowercase();
                    timing.rows.iter().any(|row| row.label() == rest)
                };
                let subject = starts.into_iter().find(is_label).expect("a subject");
                let subject = at_start(timing, subject).expect("it is a label");
                let other = other.expect("an order has another row");
                orders.push(if is_faster {
                    (subject, other)
                } else {
                    (other, subject)
                });
            }
        }
    }
    orders
}

proptest! {
    #[test]
    fn an_order_is_told_only_of_ranges_that_lie_apart(timing in timings()) {
        for sentence in &timing.conclusion {
            for (faster, slower) in orders(&timing, sentence) {
                prop_assert!(faster.max() < slower.min(), "{sentence}");
                prop_assert!(slower.seconds / faster.seconds > 1.04, "{sentence}");
                prop_assert!(faster.runs.len() > 2 && slower.runs.len() > 2, "{sentence}");
            }
        }
    }

    #[test]
    fn ways_that_are_alike_are_in_no_order(mut timing in timings()) {
        for row in &mut timing.rows {
            row.runs = vec![1.0, 2.0, row.runs[0].clamp(1.0, 2.0)];
            row.seconds = row.runs[2];
        }
        for sentence in conclusion(&timing) {
            for word in [" times as ", "faster", "longer", "slower", "paid"] {
                prop_assert!(!sentence.contains(word), "{sentence}");
            }
        }
    }

    #[test]
    fn all_figures_are_finite(timing in timings()) {
        for sentence in &timing.conclusion {
            prop_assert!(!sentence.contains("NaN") && !sentence.contains("inf"), "{sentence}");
        }
    }

    #[test]
    fn a_sweep_is_spoken_of_only_if_there_is_one(timing in timings()) {
        let is_of_sweep = |row: &&TimedWay| row.method == "threads" && row.variant.is_none();
        let steps = timing.rows.iter().filter(is_of_sweep).count();
        let speaks = timing.conclusion.iter().any(|sentence| sentence.contains("sweep"));
        prop_assert!(!speaks || steps > 1);
    }
}

/// A row of 20 pieces of work that wait.
fn waiting(method: &str, workers: usize, seconds: f64) -> TimedWay {
    busy(0.02, row(method, workers, &[seconds; 3]))
}

fn served(how: &str, row: TimedWay) -> TimedWay {
    TimedWay {
        variant: Some(format!("served {how}")),
        ..row
    }
}

#[test]
fn whether_it_is_worth_it_comes_first() {
    let threads = TimedWay {
        ideal_seconds: Some(0.18),
        ..waiting("threads", 5, 0.2)
    };
    let text = concluded(vec![waiting("sync", 1, 1.0), threads]);
    assert!(
        text.starts_with(
            "Should you at all? Yes: 5 threads save 800 ms of 1.000 s. They took 20.0 ms longer \
             than the ideal: where less than that can be saved, it is not worth it."
        ),
        "{text}"
    );
    let text = concluded(vec![waiting("sync", 1, 1.0), waiting("threads", 5, 1.0)]);
    let no = "Should you at all? No: 5 threads gained nothing over sync beyond 5 %";
    assert!(text.starts_with(no), "{text}");
}

#[test]
fn the_server_is_named_as_the_cause() {
    let text = concluded(vec![
        served("one by one", waiting("sync", 1, 1.0)),
        served("at once", waiting("sync", 1, 1.0)),
        served("one by one", waiting("threads", 5, 1.0)),
        served("at once", waiting("threads", 5, 0.2)),
    ]);
    assert!(
        text.contains(
            "The server is the cause: 5 threads (served at once) were 5.00 times as fast as 5 \
             threads (served one by one), with the same clients."
        ),
        "{text}"
    );
    let text = concluded(vec![
        served("one by one", waiting("sync", 1, 1.0)),
        served("at once", waiting("sync", 1, 1.0)),
    ]);
    assert!(
        text.contains("It made no difference here whether"),
        "{text}"
    );
}

#[test]
fn tasks_that_block_are_said_to_stop_the_event_loop() {
    let text = concluded(vec![
        waiting("sync", 1, 1.0),
        waiting("async-blocking", 20, 1.0),
    ]);
    let expected = "20 async tasks that block were no faster than sync: a call that blocks stops \
                    the one thread of the event loop";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_thread_for_each_piece_of_work_is_held_against_the_claim() {
    let of = |few: f64, each: f64| {
        concluded(vec![
            waiting("sync", 1, 9.0),
            waiting("threads", 5, few),
            waiting("threads", 20, each),
        ])
    };
    let faster = of(1.0, 0.5);
    assert!(
        faster.contains("it is not so here: 20 threads were 2.00 times as fast as 5 threads."),
        "{faster}"
    );
    let slower = of(1.0, 2.0);
    assert!(
        slower.contains(
            "a thread for each piece of work is slower than a handful of threads: 20 threads took \
             2.00 times as long as 5 threads."
        ),
        "{slower}"
    );
    let fewer_than_the_pieces = concluded(vec![
        waiting("sync", 1, 9.0),
        waiting("threads", 5, 2.0),
        waiting("threads", 19, 1.0),
    ]);
    assert!(!fewer_than_the_pieces.contains("The tutorials hold"));
}

#[test]
fn what_a_thread_costs_stands_beside_what_a_task_costs() {
    let mut timing = timing(
        "io",
        &json!({}),
        vec![waiting("sync", 1, 1.0), waiting("threads", 5, 0.2)],
    );
    timing.costs = Some(Costs {
        thread: Cost {
            start_seconds: 20e-6,
            memory_bytes: 10_240,
        },
        task: Cost {
            start_seconds: 400e-9,
            memory_bytes: 512,
        },
    });
    let text = conclusion(&timing).join(" ");
    assert!(
        text.contains(
            "a thread costs 20 µs to start and 10.0 KiB of memory here, a task 400 ns and 512 \
             B: 50.0 and 20.0 times as much."
        ),
        "{text}"
    );
}

#[test]
fn workers_that_made_it_slower_are_named() {
    let text = concluded(vec![
        waiting("sync", 1, 9.0),
        waiting("threads", 2, 1.0),
        waiting("threads", 4, 1.0),
        waiting("threads", 8, 3.0),
    ]);
    assert!(
        text.contains(
            "The sweep of threads stops paying at 2: 4 threads were not distinguishable from 2 \
             threads; 8 threads took 3.00 times as long as 2 threads: more workers made it slower."
        ),
        "{text}"
    );
}

#[test]
fn what_a_result_costs_that_goes_through_the_manager_is_told() {
    let of = |runs: &[f64]| {
        let manager = TimedWay {
            variant: Some("three ranges, manager".to_owned()),
            found: Some(200_000),
            ..busy(1.7, row("processes", 3, runs))
        };
        concluded(vec![busy(1.0, row("sync", 1, &[0.2, 0.2, 0.2])), manager])
    };
    let steady = of(&[2.0, 2.0, 2.0]);
    assert!(
        steady.contains(
            "all workers wait for that one process, which took 10 µs for each of 200,000 results."
        ),
        "{steady}"
    );
    let wide = of(&[2.0, 1.5, 2.5]);
    assert!(
        wide.contains("200,000 results; the runs lie far apart: one"),
        "{wide}"
    );
}
