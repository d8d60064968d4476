//! The corpus: each program has the bug that it says, and no other.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

use racelab::exhibits::{CORPUS, Kind, Size, Variant, corpus};
use racelab::{Coverage, Engine, Explorer, FailureKind, Report, outcome, replay};

use FailureKind::{Deadlock, Panic};

/// What a program comes to.
struct Expected {
    name: &'static str,
    kind: FailureKind,
    /// What the failure says.
    message: &'static str,
    /// The fewest preemptions with which it fails.
    preemptions: u32,
    /// Its traces, if they are known and can be explored in a test: the executions that a search
    /// needs that explores each of them once.
    traces: Option<u64>,
}

const fn expected(
    name: &'static str,
    kind: FailureKind,
    message: &'static str,
    preemptions: u32,
    traces: Option<u64>,
) -> Expected {
    Expected {
        name,
        kind,
        message,
        preemptions,
        traces,
    }
}

const STANDSTILL: &str = "no thread can go on";
const UNEQUAL: &str = "assertion `left == right` failed";

/// The counts of traces follow from the programs: the orders of critical sections of one lock are
/// counted by factorials and binomial coefficients, the others by a recursion over all states, apart
/// from the lab. The fewest preemptions are published of the small ones.
const TABLE: [Expected; 15] = [
    // 3!
    expected("account", Panic, UNEQUAL, 0, Some(6)),
    expected(
        "bluetooth_driver",
        Panic,
        "served by a stopped driver",
        1,
        Some(10),
    ),
    // 14 choose 7
    expected("circular_buffer", Panic, UNEQUAL, 1, Some(3_432)),
    expected("deadlock01", Deadlock, STANDSTILL, 1, Some(3)),
    // 3!
    expected("lazy01", Panic, "seen 3", 0, Some(6)),
    // 40 choose 20
    expected("queue", Panic, UNEQUAL, 1, None),
    expected("reorder_3", Panic, "seen half of a change", 1, Some(56)),
    expected("reorder_5", Panic, "seen half of a change", 1, None),
    expected("reorder_10", Panic, "seen half of a change", 1, None),
    // 20 choose 10, which takes long
    expected("stack", Panic, "pops from an empty stack", 1, None),
    expected("twostage", Panic, UNEQUAL, 1, Some(3)),
    expected("wronglock_3", Panic, "changed meanwhile", 1, Some(360)),
    // Naive enumeration counts these two.
    expected("bounded_buffer", Deadlock, STANDSTILL, 0, Some(80)),
    expected(
        "bounded_buffer_if",
        Panic,
        "got from an empty buffer",
        0,
        Some(80),
    ),
    expected("dining_philosophers", Deadlock, STANDSTILL, 1, Some(7)),
];

/// An execution of `reorder_10` that fails: the checker comes between the writes of the first
/// setter, and all others follow.
const REORDER_10: &str = "0*10.1.10*3.1.2*2.3*2.4*2.5*2.6*2.7*2.8*2.9*2.0*10";

/// How many executions a random walk has.
const WALKS: u64 = 1_000;

impl Expected {
    fn program(&self) -> &'static Variant {
        let mut programs = corpus::EXHIBIT.variants.iter();
        let found = programs.find(|program| program.name == self.name);
        found.unwrap_or_else(|| panic!("there is no corpus/{}", self.name))
    }

    fn size(&self) -> Size {
        corpus::EXHIBIT.default_size_of(self.program())
    }

    fn body(&self) -> impl Fn() + Send + Sync + Copy + 'static {
        let (body, size) = (self.program().body, self.size());
        move || body(size)
    }

    /// The body, of which a panic is no failure but an outcome.
    fn body_that_recovers(&self) -> impl Fn() + Send + Sync + Copy + 'static {
        let body = self.body();
        move || {
            let ended = panic::catch_unwind(AssertUnwindSafe(body));
            match ended.as_ref().map_err(|payload| message(&**payload)) {
                Ok(()) => outcome("holds"),
                Err(Some(message)) => outcome(message),
                // The way in which the lab ends an execution.
                Err(None) => panic::resume_unwind(ended.unwrap_err()),
            }
        }
    }
}

/// What a panic said.
fn message(payload: &(dyn Any + Send)) -> Option<String> {
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| {
        payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
    })
}

fn walk(executions: u64) -> Explorer {
    Explorer::new(Engine::Random).max_executions(executions)
}

#[track_caller]
fn assert_fails_as_expected(expected: &Expected, report: &Report) {
    let name = expected.name;
    let Some(failure) = report.failure() else {
        panic!("{name} does not fail: {report}");
    };
    assert_eq!(failure.kind, expected.kind, "{name}: {report}");
    assert!(
        failure.message.contains(expected.message),
        "{name}: {report}"
    );
    assert_eq!(
        failure.preemptions,
        Some(expected.preemptions),
        "{name}: {report}"
    );
}

#[test]
fn the_table_has_every_program_in_its_order() {
    let rows: Vec<&str> = TABLE.iter().map(|expected| expected.name).collect();
    let programs = CORPUS.iter().flat_map(|exhibit| exhibit.variants);
    let programs: Vec<&str> = programs.map(|program| program.name).collect();
    assert_eq!(rows, programs);
}

#[test]
fn a_random_walk_finds_the_bug_of_each_program_but_that_of_ten_threads() {
    for expected in TABLE
        .iter()
        .filter(|expected| expected.name != "reorder_10")
    {
        let report = walk(10_000).explore(expected.body());
        assert_fails_as_expected(expected, &report);
        assert_eq!(report.failure().unwrap().minimal, Some(true), "{report}");
    }
}

#[test]
fn reorder_10_fails_if_the_checker_comes_between_the_first_two_writes() {
    let expected = TABLE
        .iter()
        .find(|expected| expected.name == "reorder_10")
        .unwrap();
    let report = replay(&REORDER_10.parse().unwrap(), expected.body());
    assert_fails_as_expected(expected, &report);
}

#[test]
fn no_execution_of_a_walk_fails_in_another_way_than_the_program_says() {
    for expected in &TABLE {
        let name = expected.name;
        let walk = walk(WALKS).past_failures();
        let report = walk.explore(expected.body_that_recovers());
        assert_eq!(report.executions, WALKS, "{name}");
        // What is left are failures that are no panic of the main thread.
        if expected.kind == Panic {
            assert_eq!(report.violations, 0, "{name}: {report}");
        }
        if let Some(failure) = report.failure() {
            assert_eq!(failure.kind, expected.kind, "{name}: {report}");
        }
        for outcome in &report.outcomes {
            let is_bug = expected.kind == Panic && outcome.value.contains(expected.message);
            assert!(
                outcome.value == "\"holds\"" || is_bug,
                "{name}: {outcome:?}"
            );
        }
    }
}

#[test]
fn each_program_holds_in_some_executions() {
    for expected in &TABLE {
        // Walks hardly ever see the queue hold, and enumeration begins with it.
        let first = Explorer::new(Engine::Dfs).max_executions(1);
        let mut explorers = [walk(WALKS), first].into_iter();
        let holds = explorers.any(|explorer| {
            let report = explorer
                .past_failures()
                .explore(expected.body_that_recovers());
            let mut outcomes = report.outcomes.iter();
            outcomes.any(|outcome| outcome.value == "\"holds\"")
        });
        assert!(holds, "{}", expected.name);
    }
}

#[test]
fn a_failure_ends_no_execution_early_so_that_all_traces_are_counted() {
    for expected in &TABLE {
        let Some(traces) = expected.traces else {
            continue;
        };
        let report = Explorer::new(Engine::Dpor)
            .past_failures()
            .explore(expected.body());
        assert_eq!(report.coverage, Coverage::Complete, "{}", expected.name);
        assert_eq!(report.executions, traces, "{}", expected.name);
        assert_eq!(report.blocked, 0, "{}", expected.name);
        assert_fails_as_expected(expected, &report);
    }
}

#[test]
fn naive_enumeration_sees_as_many_traces() {
    // The others take too long.
    for expected in TABLE.iter().filter(|expected| {
        let is_small = |traces| traces <= 100;
        expected.traces.is_some_and(is_small)
    }) {
        let report = Explorer::new(Engine::Dfs)
            .past_failures()
            .explore(expected.body());
        assert_eq!(report.coverage, Coverage::Complete, "{}", expected.name);
        assert_eq!(report.traces, expected.traces, "{}", expected.name);
        assert_fails_as_expected(expected, &report);
    }
}

#[test]
fn dinners_of_other_sizes_can_end_in_a_deadlock_too() {
    for (threads, ops) in [(2, 1), (4, 1), (2, 2)] {
        let program = TABLE.last().unwrap().program();
        let body = program.body;
        let report = Explorer::new(Engine::Dpor).explore(move || body(Size { threads, ops }));
        assert_eq!(report.failure().unwrap().kind, Deadlock, "{report}");
    }
}

#[test]
fn a_program_says_where_it_is_what_its_bug_is_and_what_to_do() {
    for expected in &TABLE {
        let program = expected.program();
        let source = std::fs::read_to_string(program.file).expect("the file is there");
        assert_eq!(source, program.source, "{program}");
        assert!(source.starts_with("//! Unsafe: "), "{program}");
        let Kind::Unsafe { bug } = program.kind else {
            panic!("{program} is not unsafe");
        };
        let sentence = source
            .lines()
            .find(|line| line.starts_with("//! The bug is "))
            .unwrap_or_else(|| panic!("{program} does not say what its bug is"));
        assert!(sentence.contains(bug), "{program}: {sentence}");
        assert!(!program.fix.is_empty(), "{program}");
    }
}

#[test]
fn a_program_has_one_size_unless_it_uses_the_one_it_gets() {
    for expected in &TABLE {
        let has_one = expected.program().only_size.is_some();
        assert_eq!(has_one, expected.name != "dining_philosophers");
    }
}
