//! Traces within a bound on preemptions, held against a count that goes through all interleavings.

use proptest::prelude::*;
use racelab::{Coverage, Explorer, Report};

use super::cases;
use super::reduction::{enumeration, expect_each_trace_once, outcomes, reduced, traces};
use crate::oracle::{Op, Program, programs};

const X: usize = 0;
const Y: usize = 1;

fn explore(explorer: &Explorer, program: &Program) -> Report {
    let program = program.clone();
    explorer.explore(move || program.run())
}

// The count itself, held against numbers from elsewhere.

#[test]
fn the_count_of_traces_agrees_with_what_is_known() {
    let add = |variable| Op::FetchAdd(variable, 1);
    let locked = Op::Lock(0, vec![Op::Increment(X)]);
    let exchange = |new| {
        vec![Op::CompareExchange {
            variable: X,
            current: 0,
            new,
        }]
    };
    let guarded = Op::TryLock(0, vec![Op::FetchAdd(X, 1)]);
    let writers_and_reader = |writers: u8| {
        let mut threads: Vec<_> = (1..=writers)
            .map(|value| vec![Op::Store(X, value)])
            .collect();
        threads.push(vec![Op::Load(X)]);
        threads
    };
    let known = [
        ("counter(2,1)", Program::alike(2, 1, &Op::Increment(X)), 4),
        ("counter(2,2)", Program::alike(2, 2, &Op::Increment(X)), 34),
        ("counter(2,3)", Program::alike(2, 3, &Op::Increment(X)), 328),
        ("counter(3,1)", Program::alike(3, 1, &Op::Increment(X)), 36),
        ("fetch_add(2,3)", Program::alike(2, 3, &add(X)), 20),
        ("fetch_add(3,1)", Program::alike(3, 1, &add(X)), 6),
        ("mutex(2,2)", Program::alike(2, 2, &locked), 6),
        (
            "two fetch_adds(2)",
            Program::new(vec![vec![add(X), add(Y)]; 2]),
            4,
        ),
        (
            "two fetch_adds(3)",
            Program::new(vec![vec![add(X), add(Y)]; 3]),
            36,
        ),
        ("cas(2)", Program::new((1..=2).map(exchange).collect()), 2),
        ("cas(3)", Program::new((1..=3).map(exchange).collect()), 3),
        ("cas(4)", Program::new((1..=4).map(exchange).collect()), 4),
        (
            "2 writers and a reader",
            Program::new(writers_and_reader(2)),
            6,
        ),
        (
            "3 writers and a reader",
            Program::new(writers_and_reader(3)),
            24,
        ),
        (
            "readers(2)",
            Program::new(vec![
                vec![Op::Store(X, 1)],
                vec![Op::Load(X)],
                vec![Op::Load(X)],
            ]),
            4,
        ),
        ("lock(3)", Program::alike(3, 1, &Op::Lock(0, vec![])), 6),
        (
            "lock against try_lock(1)",
            Program::new(vec![
                vec![Op::Lock(0, vec![Op::FetchAdd(X, 1)])],
                vec![guarded.clone()],
            ]),
            3,
        ),
        (
            "lock against try_lock(2)",
            Program::new(vec![
                vec![Op::Lock(0, vec![Op::FetchAdd(X, 1)])],
                vec![guarded.clone()],
                vec![guarded],
            ]),
            15,
        ),
    ];
    for (name, program, expected) in known {
        assert_eq!(program.traces().count(), expected, "{name}");
    }
}

#[test]
fn the_count_of_traces_agrees_with_the_litmus_shapes() {
    let (x_1, y_1, y_2) = (Op::Store(X, 1), Op::Store(Y, 1), Op::Store(Y, 2));
    let shapes = [
        (
            "SB",
            vec![
                vec![x_1.clone(), Op::Load(Y)],
                vec![y_1.clone(), Op::Load(X)],
            ],
            3,
        ),
        (
            "MP",
            vec![
                vec![x_1.clone(), y_1.clone()],
                vec![Op::Load(Y), Op::Load(X)],
            ],
            3,
        ),
        (
            "LB",
            vec![
                vec![Op::Load(X), y_1.clone()],
                vec![Op::Load(Y), x_1.clone()],
            ],
            3,
        ),
        (
            "S",
            vec![
                vec![Op::Store(X, 2), y_1.clone()],
                vec![Op::Load(Y), x_1.clone()],
            ],
            3,
        ),
        (
            "R",
            vec![vec![x_1.clone(), y_1.clone()], vec![y_2, Op::Load(X)]],
            3,
        ),
        (
            "CoRR",
            vec![
                vec![x_1.clone(), Op::Store(X, 2)],
                vec![Op::Load(X), Op::Load(X)],
            ],
            6,
        ),
        (
            "WRC",
            vec![
                vec![x_1],
                vec![Op::Load(X), y_1],
                vec![Op::Load(Y), Op::Load(X)],
            ],
            7,
        ),
    ];
    for (name, threads, expected) in shapes {
        assert_eq!(Program::new(threads).traces().count(), expected, "{name}");
    }
}

#[test]
fn the_count_within_preemptions_agrees_with_what_is_known() {
    let x_1 = Op::Store(X, 1);
    let y_1 = Op::Store(Y, 1);
    let known = [
        (Program::alike(2, 1, &Op::Increment(X)), vec![2, 4]),
        (Program::alike(3, 1, &Op::Increment(X)), vec![6, 24, 36]),
        (
            Program::alike(2, 2, &Op::Increment(X)),
            vec![2, 8, 22, 32, 34],
        ),
        (
            Program::alike(2, 3, &Op::Increment(X)),
            vec![2, 12, 56, 132, 236, 304, 326, 328],
        ),
        (
            Program::new(vec![
                vec![x_1.clone(), Op::Load(Y)],
                vec![y_1.clone(), Op::Load(X)],
            ]),
            vec![2, 3],
        ),
        (
            Program::new(vec![
                vec![x_1.clone(), y_1.clone()],
                vec![Op::Load(Y), Op::Load(X)],
            ]),
            vec![2, 3],
        ),
        (
            Program::new(vec![vec![Op::Load(X), y_1], vec![Op::Load(Y), x_1]]),
            vec![2, 3],
        ),
    ];
    for (program, expected) in known {
        assert_eq!(
            program.traces().within_preemptions(),
            expected,
            "{program:?}"
        );
    }
}

// The searches, held against the count.

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn each_trace_is_run_once(program in programs(1_500)) {
        let expected = program.traces().count();
        let dfs = explore(&enumeration().past_failures(), &program);
        prop_assert_eq!(&dfs.coverage, &Coverage::Complete);
        prop_assert_eq!(traces(&dfs), expected);
        let report = explore(&reduced().past_failures(), &program);
        expect_each_trace_once(&report, expected, "a random program");
        prop_assert_eq!(outcomes(&report), outcomes(&dfs));
    }

    #[test]
    fn each_bound_on_preemptions_has_its_traces(program in programs(600)) {
        let within = program.traces().within_preemptions();
        for (bound, expected) in (0u8..).zip(&within) {
            let report = explore(&reduced().past_failures().preemption_bound(bound), &program);
            prop_assert_eq!(traces(&report), *expected, "at most {} preemptions", bound);
            prop_assert!(report.executions >= *expected);
        }
    }
}
