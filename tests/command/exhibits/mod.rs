//! What every variant of the gallery comes to under every engine, and all that it can come to.

mod at_any_size;
mod programs;

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use proptest::prelude::*;

use racelab::exhibits::{self, Kind, Settings, Size, Terminal, Variant};
use racelab::{Bound, Coverage, Engine, Explorer, FailureKind, Reason, Report, Verdict, replay};

/// What a variant comes to.
#[derive(Clone, Copy, Debug)]
enum Expected {
    /// Some interleaving fails so, with this in the message.
    Fails(FailureKind, &'static str),
    /// No interleaving fails.
    Holds,
}

use Expected::{Fails, Holds};
use FailureKind::{DataRace, Deadlock, Panic};

const UNEQUAL: &str = "assertion `left == right` failed";
const MIXED: &str = "lines are mixed";
const OF_OTHERS: &str = "asked for page";
const LATE: &str = "a key has waited for";
const NOT_ALL: &str = "each job is done once";
const EMPTY: &str = "popped from an empty queue";
const LOST: &str = "not each item was consumed once";
const NONE_FREE: &str = "no connection is free";
const STANDSTILL: &str = "no thread can go on";

/// How many executions a random walk gets to find a failure, or to find none.
const WALKS: u64 = 1000;

/// A test for each variant and engine, in modules of their names, and the table that it comes
/// from. A dash in a name is an underscore here; one that is a keyword of Rust ends with one.
macro_rules! table {
    ($($exhibit:ident { $($variant:ident: $expected:expr,)* })*) => {
        const TABLE: &[(&str, &str, Expected)] = &[
            $($((stringify!($exhibit), stringify!($variant), $expected),)*)*
        ];

        mod verdicts {
            $(mod $exhibit {
                $(mod $variant {
                    #[allow(unused_imports, reason = "not every row needs every name")]
                    use super::super::super::*;

                    #[test]
                    fn dpor() {
                        assert_verdict(
                            named(stringify!($exhibit), stringify!($variant)),
                            Engine::Dpor,
                            $expected,
                        );
                    }

                    #[test]
                    fn dfs() {
                        assert_verdict(
                            named(stringify!($exhibit), stringify!($variant)),
                            Engine::Dfs,
                            $expected,
                        );
                    }

                    #[test]
                    fn random() {
                        assert_verdict(
                            named(stringify!($exhibit), stringify!($variant)),
                            Engine::Random,
                            $expected,
                        );
                    }
                })*
            })*
        }
    };
}

table! {
    counter {
        load_store: Fails(Panic, UNEQUAL),
        unsafe_cell: Fails(DataRace, "data race on n"),
        relaxed_publish: Fails(DataRace, "data race on n"),
        fetch_add: Holds,
        mutex: Holds,
        parking_lot: Holds,
        channel: Holds,
        thread_local: Holds,
    }
    shared_list {
        check_then_push: Fails(Panic, UNEQUAL),
        reserve_then_write: Fails(Panic, UNEQUAL),
        private_copies: Fails(Panic, UNEQUAL),
        unsafe_vec: Fails(DataRace, "data race on list"),
        mutex: Holds,
        local_then_extend: Holds,
        channel: Holds,
        seg_queue: Holds,
    }
    print_lock {
        text_then_newline: Fails(Panic, MIXED),
        lock_per_write: Fails(Panic, MIXED),
        lock_per_line: Holds,
        one_write: Holds,
        printer_thread: Holds,
        one_after_another: Holds,
    }
    session {
        shared: Fails(Panic, OF_OTHERS),
        lock_per_call: Fails(Panic, OF_OTHERS),
        mutex: Holds,
        thread_local: Holds,
        pool: Holds,
        event_loop: Holds,
    }
    queue_consumer {
        check_then_pop: Fails(Panic, EMPTY),
        lost_wakeup: Fails(Deadlock, STANDSTILL),
        if_not_while: Fails(Panic, EMPTY),
        wait_without_loop: Fails(Panic, EMPTY),
        one_sentinel: Fails(Deadlock, STANDSTILL),
        stop_flag: Fails(Panic, LOST),
        in_band_stop: Fails(Panic, LOST),
        unsafe_deque: Fails(DataRace, "data race on queue"),
        condvar: Holds,
        enum_stop: Holds,
        mpsc: Holds,
        crossbeam: Holds,
        async_: Holds,
    }
    pool {
        if_not_while: Fails(Panic, NONE_FREE),
        freed_too_early: Fails(Panic, NONE_FREE),
        leaked_permit: Fails(Deadlock, STANDSTILL),
        semaphore: Holds,
        catch_then_give_back: Holds,
        one_lock: Holds,
        channel: Holds,
    }
    event_loop {
        computes_in_loop: Fails(Panic, LATE),
        never_gives_back: Fails(Deadlock, STANDSTILL),
        gives_back: Holds,
        worker: Holds,
    }
    async_pitfalls {
        lock_over_await: Fails(Deadlock, STANDSTILL),
        lock_released: Holds,
        dropped_half_way: Fails(Panic, NOT_ALL),
        cancel_safe: Holds,
        notify_before_wait: Fails(Deadlock, STANDSTILL),
        notified_first: Holds,
        sends_to_itself: Fails(Deadlock, STANDSTILL),
        own_backlog: Holds,
        waker_after_look: Fails(Deadlock, STANDSTILL),
        waker_first: Holds,
    }
}

/// The variant of a row.
fn named(exhibit: &str, variant: &str) -> &'static Variant {
    let dashed = |name: &str| name.trim_end_matches('_').replace('_', "-");
    let name = format!("{}/{}", dashed(exhibit), dashed(variant));
    variants()
        .find(|variant| variant.to_string() == name)
        .unwrap_or_else(|| panic!("there is no {name}"))
}

fn variants() -> impl Iterator<Item = &'static Variant> {
    exhibits::ALL.iter().flat_map(|exhibit| exhibit.variants)
}

fn default_size(variant: &Variant) -> Size {
    let mut exhibits = exhibits::ALL.iter();
    exhibits
        .find(|exhibit| exhibit.name == variant.exhibit)
        .expect("a variant names its exhibit")
        .default_size()
}

fn explore(explorer: &Explorer, variant: &Variant, size: Size) -> Report {
    let body = variant.body;
    let explorer = explorer.clone().spurious(variant.spurious);
    explorer.explore(move || body(size))
}

/// Explores a variant at its default size, and compares with what it should come to.
fn assert_verdict(variant: &'static Variant, engine: Engine, expected: Expected) {
    let size = default_size(variant);
    let explorer = match engine {
        Engine::Random => Explorer::new(engine).max_executions(WALKS),
        _ => Explorer::new(engine),
    };
    let report = explore(&explorer, variant, size);
    let name = format!("{variant} under {engine}");
    match (expected, &report.verdict) {
        (Fails(kind, message), Verdict::Violated(failure)) => {
            assert_eq!(failure.kind, kind, "{name}: {report}");
            assert!(failure.message.contains(message), "{name}: {report}");
            assert_eq!(failure.minimal, Some(true), "{name}: {report}");
            let body = variant.body;
            let again = replay(failure.schedule.as_ref().unwrap(), move || body(size));
            let again = again.failure().expect("the schedule fails again");
            assert_eq!(again.kind, kind, "{name}");
            assert_eq!(again.message, failure.message, "{name}");
            assert_eq!(again.trace, failure.trace, "{name}");
        }
        (Holds, Verdict::Holds) => {
            assert_ne!(engine, Engine::Random, "a walk proves nothing");
            assert_eq!(report.coverage, Coverage::Complete, "{name}");
        }
        (Holds, Verdict::Inconclusive(reason)) => {
            assert_eq!(engine, Engine::Random, "{name}: {report}");
            let bound = Reason::Bound(Bound::MaxExecutions(WALKS));
            assert_eq!(*reason, bound, "{name}: {report}");
        }
        (expected, _) => panic!("{name} should be {expected:?}: {report}"),
    }
}

#[test]
fn the_table_has_every_variant_of_the_gallery_in_its_order() {
    let rows = TABLE
        .iter()
        .map(|(exhibit, variant, _)| named(exhibit, variant).to_string());
    let gallery = variants().map(ToString::to_string);
    assert_eq!(rows.collect::<Vec<_>>(), gallery.collect::<Vec<_>>());
}

#[test]
fn the_gallery_says_of_each_variant_what_the_table_says() {
    for &(exhibit, variant, expected) in TABLE {
        let variant = named(exhibit, variant);
        match expected {
            Fails(DataRace, _) => assert!(matches!(variant.kind, Kind::Undefined { .. })),
            Fails(..) => assert!(matches!(variant.kind, Kind::Unsafe { .. })),
            Holds => assert_eq!(variant.kind, Kind::Safe, "{variant}"),
        }
    }
}

#[test]
fn variants_with_a_closed_form_have_as_many_traces_as_it_says() {
    // Two threads with one step each on one object, or one critical section, have two orders. Two
    // that load and then store have (2!)², by the closed form for threads that do so. Two that send
    // to and receive from one queue, or have two critical sections, have C(4, 2), since all of that
    // is ordered. Two that pop from a queue that is empty at first and then push have 2 less, since
    // two pops that find nothing have no order.
    for (name, traces) in [
        ("counter/load-store", 4),
        ("counter/fetch-add", 2),
        ("counter/mutex", 2),
        ("counter/parking-lot", 2),
        ("counter/thread-local", 1),
        ("shared-list/mutex", 2),
        ("shared-list/local-then-extend", 2),
        ("print-lock/lock-per-line", 2),
        ("print-lock/one-write", 2),
        ("print-lock/one-after-another", 1),
        ("pool/channel", 2),
        ("session/shared", 6),
        ("session/lock-per-call", 6),
        ("session/mutex", 2),
        ("session/thread-local", 1),
        ("session/pool", 4),
        ("session/event-loop", 1),
    ] {
        let variant = variants().find(|variant| variant.to_string() == name);
        let variant = variant.expect("it is in the gallery");
        let explorer = Explorer::new(Engine::Dpor).past_failures();
        let report = explore(&explorer, variant, default_size(variant));
        assert_eq!(report.coverage, Coverage::Complete, "{name}");
        let run = (report.traces, report.executions, report.blocked);
        assert_eq!(run, (Some(traces), traces, 0), "{name}: {report}");
    }
}

#[test]
fn the_names_in_a_fix_are_safe_variants_of_the_same_exhibit() {
    for variant in variants() {
        let is_name = |word: &&str| word.contains('/');
        let words = variant.fix.split([' ', ',', ':']).filter(is_name);
        let fixes: Vec<&Variant> = words
            .map(|name| {
                variants()
                    .find(|fix| fix.to_string() == name)
                    .unwrap_or_else(|| panic!("{variant} names {name}, which is not there"))
            })
            .collect();
        assert_eq!(fixes.is_empty(), variant.kind == Kind::Safe, "{variant}");
        for fix in fixes {
            assert_eq!(fix.kind, Kind::Safe, "{variant} is fixed by {fix}");
            assert_eq!(fix.exhibit, variant.exhibit, "{variant} is fixed by {fix}");
        }
    }
}

#[test]
fn a_variant_is_where_it_says_it_is() {
    for variant in variants() {
        let source = std::fs::read_to_string(variant.file).expect("the file is there");
        assert_eq!(source, variant.source, "{variant}");
        let snake = |name: &str| name.replace('-', "_");
        let (exhibit, name) = (snake(variant.exhibit), snake(variant.name));
        let file = format!("src/exhibits/{exhibit}/{name}");
        assert!(variant.file.starts_with(&file), "{variant}");
        let word = match variant.kind {
            Kind::Unsafe { .. } => "//! Unsafe: ",
            Kind::Undefined { .. } => "//! Undefined: ",
            Kind::Safe => "//! Safe: ",
        };
        assert!(source.starts_with(word), "{variant}");
    }
}

#[test]
fn the_first_variant_of_an_exhibit_is_unsafe_and_not_undefined() {
    for exhibit in exhibits::ALL {
        let first = &exhibit.variants[0];
        assert!(matches!(first.kind, Kind::Unsafe { .. }), "{first}");
    }
}
