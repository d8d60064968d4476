//! What every variant of the gallery comes to under loom.

use racelab::exhibits::{self, Exhibit, Kind, Missing, Variant};
use racelab::trace::LeftOut;
use racelab::{Bound, Coverage, Engine, FailureKind, Reason, Verdict, replay};

use super::verdicts::{assert_fails, assert_holds, explore};

/// What a variant comes to.
#[derive(Clone, Copy, Debug)]
enum Expected {
    /// Some execution fails so, with this in the message.
    Fails(FailureKind, &'static str),
    /// No execution fails.
    Holds,
    /// loom cannot tell, for this reason, which is printed so. A search names what it leaves out.
    Unknown(Missing, LeftOut, &'static str),
    /// Some interleaving fails, and loom holds it for right, for this reason, which is printed so. A
    /// search names what it leaves out.
    Missed(Missing, LeftOut, &'static str),
}

use Expected::{Fails, Holds, Missed, Unknown};
use FailureKind::{DataRace, Deadlock, Panic};

const UNEQUAL: &str = "assertion `left == right` failed";
const MIXED: &str = "lines are mixed";
const OF_OTHERS: &str = "asked for page";
const LATE: &str = "a key has waited for";
const EMPTY: &str = "popped from an empty queue";
const LOST: &str = "not each item was consumed once";
const NONE_FREE: &str = "no connection is free";
const STANDSTILL: &str = "no thread can go on";
const WAKE_ORDER: Expected = Unknown(
    Missing::WakeOrder,
    LeftOut::WakeOrder,
    "loom does not explore the order of wake-ups",
);

const TIME_OUTS: Expected = Unknown(
    Missing::TimeOuts,
    LeftOut::Timeouts,
    "loom does not explore time-outs",
);

const SPURIOUS: Expected = Missed(
    Missing::SpuriousWakeUps,
    LeftOut::SpuriousWakeUps,
    "loom does not explore spurious wake-ups",
);

/// A test for each variant, in modules of their exhibits, and the table that they come from. A dash
/// in a name is an underscore here; one that is a keyword of Rust ends with one.
macro_rules! table {
    ($($exhibit:ident { $($variant:ident: $expected:expr,)* })*) => {
        const TABLE: &[(&str, &str, Expected)] = &[
            $($((stringify!($exhibit), stringify!($variant), $expected),)*)*
        ];

        $(mod $exhibit {
            use super::*;

            $(#[test]
            fn $variant() {
                assert_verdict(stringify!($exhibit), stringify!($variant), $expected);
            })*
        })*
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
        wait_without_loop: SPURIOUS,
        one_sentinel: Fails(Deadlock, STANDSTILL),
        stop_flag: Fails(Panic, LOST),
        in_band_stop: Fails(Panic, LOST),
        unsafe_deque: Fails(DataRace, "data race on queue"),
        condvar: WAKE_ORDER,
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
        dropped_half_way: TIME_OUTS,
        cancel_safe: TIME_OUTS,
        notify_before_wait: Fails(Deadlock, STANDSTILL),
        notified_first: Holds,
        sends_to_itself: Fails(Deadlock, STANDSTILL),
        own_backlog: Holds,
        waker_after_look: Fails(Deadlock, STANDSTILL),
        waker_first: Holds,
    }
}

/// Explores a variant at its default size, and compares with what it should come to.
fn assert_verdict(exhibit: &str, variant: &str, expected: Expected) {
    let (exhibit, variant) = named(exhibit, variant);
    let (size, body) = (exhibit.default_size(), variant.body);
    let report = explore(move || body(size));
    match expected {
        Fails(kind, message) => {
            assert_ne!(variant.kind, Kind::Safe);
            let failure = assert_fails(&report, kind);
            assert!(failure.message.contains(message), "{report}");
            let schedule = failure.schedule.as_ref().expect("it has a schedule");
            let again = replay(schedule, move || body(size));
            let again = assert_fails(&again, kind);
            assert_eq!(again.message, failure.message);
            assert_eq!(again.trace, failure.trace);
        }
        Holds => {
            assert_eq!(variant.kind, Kind::Safe);
            assert_holds(&report);
        }
        Missed(_, left_out, _) => {
            assert_ne!(variant.kind, Kind::Safe);
            assert_holds(&report);
            assert!(report.left_out.contains(&left_out), "{report}");
        }
        Unknown(_, left_out, _) => {
            let bound = Bound::LeftOut(left_out);
            let reason = Reason::Bound(bound);
            assert!(
                matches!(&report.verdict, Verdict::Inconclusive(r) if *r == reason),
                "{report}"
            );
            assert_eq!(report.coverage, Coverage::Bounded(bound), "{report}");
        }
    }
}

/// The variant of a row, with its exhibit.
fn named(exhibit: &str, variant: &str) -> (&'static Exhibit, &'static Variant) {
    let dashed = |name: &str| name.trim_end_matches('_').replace('_', "-");
    let name = format!("{}/{}", dashed(exhibit), dashed(variant));
    variants()
        .find(|(_, variant)| variant.to_string() == name)
        .unwrap_or_else(|| panic!("there is no {name}"))
}

fn variants() -> impl Iterator<Item = (&'static Exhibit, &'static Variant)> {
    exhibits::ALL.iter().flat_map(|exhibit| {
        let variants = exhibit.variants.iter();
        variants.map(|variant| (*exhibit, variant))
    })
}

#[test]
fn every_variant_has_its_row() {
    let mut rows: Vec<String> = TABLE
        .iter()
        .map(|(exhibit, variant, _)| named(exhibit, variant).1.to_string())
        .collect();
    let mut variants: Vec<String> = variants().map(|(_, variant)| variant.to_string()).collect();
    rows.sort();
    variants.sort();
    assert_eq!(rows, variants);
}

#[test]
fn a_variant_is_missing_only_for_the_reason_of_its_row() {
    for (exhibit, variant, expected) in TABLE {
        let (_, variant) = named(exhibit, variant);
        match (variant.runs_under(Engine::Loom), expected) {
            (Err(missing), Unknown(reason, _, words) | Missed(reason, _, words)) => {
                assert_eq!(missing, *reason, "{variant}");
                assert_eq!(missing.to_string(), *words, "{variant}");
            }
            (Ok(()), Fails(..) | Holds) => {}
            (runs, _) => panic!("{variant}: {runs:?}, but {expected:?} was expected"),
        }
    }
}
