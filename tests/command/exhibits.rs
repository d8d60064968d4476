//! What every variant of the gallery comes to under every engine, and all that it can come to.

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

mod at_any_size {
    //! Whatever the size and the engine, a safe variant never fails, and an unsafe one comes only
    //! to what its description allows.

    use super::*;

    /// How a variant is explored.
    #[derive(Clone, Debug)]
    struct Search {
        size: Size,
        engine: Engine,
        seed: u64,
    }

    fn searches(most_ops: usize) -> impl Strategy<Value = Search> {
        let engines = prop::sample::select(vec![Engine::Dpor, Engine::Dfs, Engine::Random]);
        (1..=3_usize, 1..=most_ops, engines, any::<u64>()).prop_map(
            |(threads, ops, engine, seed)| Search {
                size: Size { threads, ops },
                engine,
                seed,
            },
        )
    }

    impl Search {
        /// Explores a variant, and gives each recorded outcome to `is_allowed`.
        fn outcomes<T: serde::de::DeserializeOwned>(
            &self,
            variant: &str,
            is_allowed: impl Fn(T) -> bool,
        ) -> Report {
            let (exhibit, name) = variant.split_once('/').expect("a full name");
            let explorer = Explorer::new(self.engine)
                .seed(self.seed)
                .max_executions(100)
                .past_failures();
            let report = explore(&explorer, named(exhibit, name), self.size);
            for outcome in &report.outcomes {
                // What `Debug` writes of numbers, texts and lists of them is JSON.
                let value = serde_json::from_str(&outcome.value).expect("the outcome is JSON");
                assert!(
                    is_allowed(value),
                    "{variant} came to {}: {report}",
                    outcome.value
                );
            }
            report
        }

        /// Explores a safe variant, and gives each recorded outcome to `is_right`.
        fn holds<T: serde::de::DeserializeOwned>(
            &self,
            variant: &str,
            is_right: impl Fn(T) -> bool,
        ) {
            let report = self.outcomes(variant, is_right);
            assert_eq!(report.violations, 0, "{variant}: {report}");
            if let Verdict::Inconclusive(reason) = &report.verdict {
                assert_eq!(*reason, Reason::Bound(Bound::MaxExecutions(100)));
            }
            assert!(!report.outcomes.is_empty(), "{variant}: {report}");
        }
    }

    /// Asserts that a failure, if there is one, is of this kind and has this in its message.
    fn assert_only(report: &Report, kind: FailureKind, message: &str) {
        if let Some(failure) = report.failure() {
            assert_eq!(failure.kind, kind, "{report}");
            assert!(failure.message.contains(message), "{report}");
        }
    }

    /// Whether this is all numbers of a shared list, those of each thread in their order.
    fn is_whole(list: &[usize], size: Size) -> bool {
        let of = |thread: usize| {
            let own = list.iter().filter(move |&item| item / size.ops == thread);
            own.copied()
        };
        list.len() == size.threads * size.ops
            && (0..size.threads)
                .all(|thread| of(thread).eq(thread * size.ops..(thread + 1) * size.ops))
    }

    /// Whether a text is what the printers write, each of them its line and then a newline, in
    /// some order.
    fn is_of_printers(text: &str, size: Size) -> bool {
        let pieces = text.split_inclusive('\n').flat_map(|line| {
            let texts = line.trim_end_matches('\n').split("After 1 second: ");
            let printers = texts.skip(1).map(|n| n.parse::<usize>().ok());
            let end = line.ends_with('\n').then_some(None);
            printers.chain(end).collect::<Vec<_>>()
        });
        is_merge(
            &pieces.collect::<Vec<_>>(),
            &mut vec![0; size.threads],
            size,
        )
    }

    /// Whether the pieces can be what is left if printer `p` has written `written[p]` pieces. A
    /// piece is a line of a printer, or `None` for the end of a line, which says nothing of its
    /// printer.
    fn is_merge(pieces: &[Option<usize>], written: &mut Vec<usize>, size: Size) -> bool {
        let Some((piece, rest)) = pieces.split_first() else {
            return written.iter().all(|&written| written == 2 * size.ops);
        };
        let candidates = (0..size.threads).filter(|&printer| match piece {
            Some(number) => *number == printer + 1,
            None => true,
        });
        let parity = usize::from(piece.is_none());
        candidates.collect::<Vec<_>>().into_iter().any(|printer| {
            if written[printer] % 2 != parity || written[printer] == 2 * size.ops {
                return false;
            }
            written[printer] += 1;
            let is_merge = is_merge(rest, written, size);
            written[printer] -= 1;
            is_merge
        })
    }

    fn lines(size: Size) -> Vec<String> {
        let lines = (1..=size.threads)
            .flat_map(|printer| vec![format!("After 1 second: {printer}\n"); size.ops]);
        lines.collect()
    }

    /// The pages of each reader of a session, in the order in which it asks for them.
    fn pages(size: Size) -> Vec<Vec<usize>> {
        let pages = (0..size.threads).map(|reader| {
            let first = reader * size.ops + 1;
            (first..first + size.ops).collect()
        });
        pages.collect()
    }

    /// Whether these are the keys of all users, one each, none of which has waited for longer.
    fn is_answered(waits: &[Vec<usize>], size: Size, longest: usize) -> bool {
        waits.len() == size.threads && waits.iter().all(|own| own.len() == 1 && own[0] <= longest)
    }

    /// Whether these are the items of a queue, each of them once.
    fn is_all(items: &[String], size: Size) -> bool {
        let mut items = items.to_vec();
        items.sort();
        items.into_iter().eq((1..=size.ops).map(|n| n.to_string()))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_counter_of_loads_and_stores_loses_no_more_than_it_can(search in searches(3)) {
            let Size { threads, ops } = search.size;
            let all = threads * ops;
            let least = if threads == 1 { all } else { ops.min(2) };
            let report = search.outcomes("counter/load-store", |n: usize| (least..=all).contains(&n));
            assert_only(&report, Panic, UNEQUAL);
        }

        #[test]
        fn a_counter_in_a_plain_cell_only_races(search in searches(3)) {
            let Size { threads, ops } = search.size;
            for variant in ["counter/unsafe-cell", "counter/relaxed-publish"] {
                // An access that races does not take place, so that nothing wrong comes out.
                let report = search.outcomes(variant, |n: usize| n == threads * ops);
                assert_only(&report, DataRace, "data race on n");
            }
        }

        #[test]
        fn a_safe_counter_is_right(search in searches(3)) {
            let Size { threads, ops } = search.size;
            for variant in ["fetch-add", "mutex", "parking-lot", "channel", "thread-local"] {
                search.holds(&format!("counter/{variant}"), |n: usize| n == threads * ops);
            }
        }

        #[test]
        fn a_look_before_a_push_adds_but_loses_nothing(search in searches(3)) {
            let Size { threads, ops } = search.size;
            let report = search.outcomes("shared-list/check-then-push", |list: Vec<usize>| {
                let count = |item| list.iter().filter(|&&other| other == item).count();
                list.iter().all(|&item| item < threads * ops)
                    && (0..threads * ops).all(|item| (1..=threads).contains(&count(item)))
            });
            assert_only(&report, Panic, UNEQUAL);
        }

        #[test]
        fn a_reservation_in_two_steps_loses_but_adds_nothing(search in searches(3)) {
            let Size { threads, ops } = search.size;
            let report = search.outcomes("shared-list/reserve-then-write", |list: Vec<usize>| {
                let mut items = list.clone();
                items.sort_unstable();
                items.dedup();
                let is_lossless = threads > 1 || list.len() == ops;
                !list.is_empty()
                    && is_lossless
                    && items.len() == list.len()
                    && items.iter().all(|&item| item < threads * ops)
            });
            assert_only(&report, Panic, UNEQUAL);
        }

        #[test]
        fn a_list_of_which_each_has_a_copy_stays_empty(search in searches(3)) {
            let empty = |list: Vec<usize>| list.is_empty();
            let report = search.outcomes("shared-list/private-copies", empty);
            assert_only(&report, Panic, UNEQUAL);
            assert_eq!(report.violations, report.executions, "it fails in every interleaving");
        }

        #[test]
        fn a_list_in_a_plain_cell_only_races(search in searches(3)) {
            let is_whole = |list: Vec<usize>| is_whole(&list, search.size);
            let report = search.outcomes("shared-list/unsafe-vec", is_whole);
            assert_only(&report, DataRace, "data race on list");
            assert_eq!(report.failure().is_some(), search.size.threads > 1);
        }

        #[test]
        fn a_safe_list_has_each_number_once(search in searches(3)) {
            for variant in ["mutex", "local-then-extend", "channel", "seg-queue"] {
                let is_whole = |list: Vec<usize>| is_whole(&list, search.size);
                search.holds(&format!("shared-list/{variant}"), is_whole);
            }
        }

        #[test]
        fn printers_keep_their_own_order(search in searches(3)) {
            for variant in ["print-lock/text-then-newline", "print-lock/lock-per-write"] {
                let is_allowed = |text: String| is_of_printers(&text, search.size);
                let report = search.outcomes(variant, is_allowed);
                assert_only(&report, Panic, MIXED);
                if search.size.threads == 1 {
                    assert_eq!(report.violations, 0, "{report}");
                }
            }
        }

        #[test]
        fn safe_printers_print_whole_lines(search in searches(3)) {
            for variant in ["lock-per-line", "one-write", "printer-thread", "one-after-another"] {
                search.holds(&format!("print-lock/{variant}"), |text: String| {
                    let mut seen: Vec<_> = text.split_inclusive('\n').collect();
                    seen.sort_unstable();
                    seen == lines(search.size)
                });
            }
        }

        #[test]
        fn a_shared_session_mixes_answers_up_but_loses_none(search in searches(3)) {
            for variant in ["session/shared", "session/lock-per-call"] {
                let report = search.outcomes(variant, |read: Vec<Vec<usize>>| {
                    let mut all = read.concat();
                    all.sort_unstable();
                    read.iter().all(|own| own.len() == search.size.ops)
                        && all == pages(search.size).concat()
                });
                assert_only(&report, Panic, OF_OTHERS);
                if search.size.threads == 1 {
                    assert_eq!(report.violations, 0, "{report}");
                }
            }
        }

        #[test]
        fn a_safe_session_gives_each_reader_its_own_answers(search in searches(3)) {
            for variant in ["mutex", "thread-local", "pool", "event-loop"] {
                let is_own = |read: Vec<Vec<usize>>| read == pages(search.size);
                search.holds(&format!("session/{variant}"), is_own);
            }
        }

        #[test]
        fn a_pool_that_fails_is_empty_for_somebody_with_a_permit(search in searches(1)) {
            for variant in ["pool/if-not-while", "pool/freed-too-early"] {
                let all = |asked: Vec<usize>| asked == vec![search.size.ops; search.size.threads];
                let report = search.outcomes(variant, all);
                assert_only(&report, Panic, NONE_FREE);
                if search.size.threads == 1 && variant == "pool/if-not-while" {
                    assert_eq!(report.violations, 0, "{report}");
                }
            }
        }

        #[test]
        fn a_permit_that_is_not_given_back_is_missing_for_ever(search in searches(2)) {
            let Size { threads, ops } = search.size;
            let all = |asked: Vec<usize>| asked == vec![ops; threads];
            let report = search.outcomes("pool/leaked-permit", all);
            match (threads, ops) {
                // Nobody waits for it.
                (1, 1) => assert_only(&report, Panic, "all connections are back"),
                _ => assert_only(&report, Deadlock, STANDSTILL),
            }
            assert_eq!(report.violations, report.executions, "{report}");
        }

        #[test]
        fn a_safe_pool_serves_all_threads(search in searches(2)) {
            for variant in ["semaphore", "catch-then-give-back", "one-lock", "channel"] {
                let all = |asked: Vec<usize>| asked == vec![search.size.ops; search.size.threads];
                search.holds(&format!("pool/{variant}"), all);
            }
        }

        #[test]
        fn a_loop_that_computes_lets_a_key_wait_for_no_more_than_all_pieces(search in searches(3)) {
            let Size { ops, .. } = search.size;
            let report = search.outcomes("event-loop/computes-in-loop", |waits: Vec<Vec<usize>>| {
                is_answered(&waits, search.size, ops)
            });
            assert_only(&report, Panic, LATE);
            if ops == 1 {
                assert_eq!(report.violations, 0, "{report}");
            }
        }

        #[test]
        fn a_task_that_never_gives_back_ends_in_no_interleaving(search in searches(3)) {
            let report = search.outcomes("event-loop/never-gives-back", |_: Vec<Vec<usize>>| false);
            assert_only(&report, Deadlock, STANDSTILL);
            assert_eq!(report.violations, report.executions, "{report}");
        }

        #[test]
        fn a_responsive_loop_lets_a_key_wait_for_one_piece_at_most(search in searches(3)) {
            for (variant, longest) in [("event-loop/gives-back", 1), ("event-loop/worker", 0)] {
                let is_answered = |waits: Vec<Vec<usize>>| is_answered(&waits, search.size, longest);
                search.holds(variant, is_answered);
            }
        }

        #[test]
        fn a_queue_that_is_checked_too_early_is_found_empty(search in searches(2)) {
            for variant in ["queue-consumer/check-then-pop", "queue-consumer/if-not-while"] {
                // Who pops from an empty queue panics before anything is recorded.
                let is_all = |items: Vec<String>| is_all(&items, search.size);
                let report = search.outcomes(variant, is_all);
                assert_only(&report, Panic, EMPTY);
                if search.size.threads == 1 {
                    assert_eq!(report.violations, 0, "{report}");
                }
            }
        }

        #[test]
        fn a_queue_of_ones_own_is_found_empty_after_a_spurious_wake_up_alone(search in searches(2)) {
            let is_all = |items: Vec<String>| is_all(&items, search.size);
            let report = search.outcomes("queue-consumer/wait-without-loop", is_all);
            assert_only(&report, Panic, EMPTY);
            let variant = named("queue_consumer", "wait_without_loop");
            let (body, size) = (variant.body, search.size);
            let left_out = Explorer::new(search.engine).seed(search.seed).max_executions(100);
            let report = left_out.explore(move || body(size));
            assert_eq!(report.violations, 0, "{report}");
        }

        #[test]
        fn a_lost_wake_up_is_a_deadlock(search in searches(2)) {
            let is_all = |items: Vec<String>| is_all(&items, search.size);
            let report = search.outcomes("queue-consumer/lost-wakeup", is_all);
            assert_only(&report, Deadlock, STANDSTILL);
        }

        #[test]
        fn one_stop_is_enough_for_one_consumer_and_never_for_more(search in searches(2)) {
            let is_all = |items: Vec<String>| is_all(&items, search.size);
            let report = search.outcomes("queue-consumer/one-sentinel", is_all);
            assert_only(&report, Deadlock, STANDSTILL);
            let failing = if search.size.threads == 1 { 0 } else { report.executions };
            assert_eq!(report.violations, failing, "{report}");
        }

        #[test]
        fn a_stop_flag_loses_but_adds_nothing(search in searches(2)) {
            let report = search.outcomes("queue-consumer/stop-flag", |mut items: Vec<String>| {
                let count = items.len();
                items.sort();
                items.dedup();
                let is_item = |n: usize| (1..=search.size.ops).contains(&n);
                items.len() == count && items.iter().all(|item| item.parse().is_ok_and(is_item))
            });
            assert_only(&report, Panic, LOST);
        }

        #[test]
        fn an_item_that_reads_as_the_stop_is_lost_always(search in searches(2)) {
            let report = search.outcomes("queue-consumer/in-band-stop", |items: Vec<String>| {
                let numbers: Vec<usize> = items.iter().flat_map(|item| item.parse()).collect();
                let is_item = |n: &usize| (2..=search.size.ops).contains(n);
                numbers.len() == items.len() && numbers.iter().all(is_item)
            });
            assert_only(&report, Panic, LOST);
            assert_eq!(report.violations, report.executions, "it fails in every interleaving");
        }

        #[test]
        fn a_stop_that_no_item_can_be_loses_no_item(search in searches(2)) {
            search.holds("queue-consumer/enum-stop", |mut items: Vec<String>| {
                items.sort();
                let numbers = (2..=search.size.ops).map(|n| n.to_string());
                items.into_iter().eq(numbers.chain(["stop".to_owned()]))
            });
        }

        #[test]
        fn a_queue_in_a_plain_cell_only_races(search in searches(2)) {
            let is_all = |items: Vec<String>| is_all(&items, search.size);
            let report = search.outcomes("queue-consumer/unsafe-deque", is_all);
            assert_only(&report, DataRace, "data race on queue");
        }

        #[test]
        fn a_safe_queue_hands_each_item_over_once(search in searches(2)) {
            for variant in ["condvar", "mpsc", "crossbeam", "async"] {
                let is_all = |items: Vec<String>| is_all(&items, search.size);
                search.holds(&format!("queue-consumer/{variant}"), is_all);
            }
        }
    }
}

mod programs {
    //! The programs run on real threads. What an unsafe one comes to is left to the machine.

    use super::*;

    /// A terminal with these lines to read.
    struct Script {
        lines: Mutex<Vec<&'static str>>,
        written: Mutex<Vec<String>>,
    }

    impl Terminal for Script {
        fn write(&self, text: &str) {
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            written.push(text.to_owned());
        }

        fn read_line(&self, _prompt: &str) -> Option<String> {
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            (!lines.is_empty()).then(|| lines.remove(0).to_owned())
        }

        fn settings(&self) -> Settings {
            Settings {
                seconds: Some(Duration::from_millis(10)),
                ..Settings::default()
            }
        }
    }

    /// Runs a program, and returns what it has written and whether it ended without a panic.
    fn run(variant: &Variant, lines: &[&'static str]) -> (String, bool) {
        let terminal = Arc::new(Script {
            lines: Mutex::new(lines.to_vec()),
            written: Mutex::new(Vec::new()),
        });
        let program = AssertUnwindSafe(|| (variant.program)(Arc::clone(&terminal) as _));
        let is_fine = panic::catch_unwind(program).is_ok();
        let written = terminal.written.lock();
        let written = written.unwrap_or_else(PoisonError::into_inner);
        (written.concat(), is_fine)
    }

    /// Runs the programs of an exhibit that have defined behaviour and must come to an end.
    /// `is_right` says whether what a safe one has written is right.
    fn run_all(exhibit: &str, lines: &[&'static str], is_right: impl Fn(&Variant, &str) -> bool) {
        let can_hang = [
            "lost-wakeup",
            "one-sentinel",
            "never-gives-back",
            "leaked-permit",
        ];
        for variant in variants().filter(|variant| variant.exhibit == exhibit) {
            if matches!(variant.kind, Kind::Undefined { .. }) || can_hang.contains(&variant.name) {
                continue;
            }
            let (written, is_fine) = run(variant, lines);
            if variant.kind == Kind::Safe {
                assert!(is_fine, "{variant}");
                assert!(
                    is_right(variant, &written),
                    "{variant} has written {written:?}"
                );
            }
        }
    }

    #[test]
    fn of_the_counter() {
        run_all("counter", &[], |_, written| written.is_empty());
    }

    #[test]
    fn of_the_shared_list() {
        run_all("shared-list", &[], |_, written| written.is_empty());
    }

    #[test]
    fn of_the_print_lock() {
        run_all("print-lock", &[], |variant, written| {
            let mut lines: Vec<&str> = written.split_inclusive('\n').collect();
            lines.sort_unstable();
            // One of them prints all lines twice, in two ways.
            let is_twice = variant.name == "one-after-another";
            lines.dedup_by(|a, b| is_twice && a == b);
            lines
                .into_iter()
                .eq((1..=5).map(|n| format!("After 1 second: {n}\n")))
        });
    }

    #[test]
    fn of_the_session() {
        // 160 downloads, of pages of two sizes in turn.
        let size = |page: usize| if page % 2 == 1 { 10_490 } else { 278 };
        let lines = (1..=160).map(|page| format!("Read {} from /{page}\n", size(page)));
        let mut expected: Vec<String> = lines.collect();
        expected.sort_unstable();
        run_all("session", &[], |_, written| {
            let mut lines: Vec<&str> = written.split_inclusive('\n').collect();
            lines.sort_unstable();
            lines == expected
        });
    }

    #[test]
    fn of_the_event_loop() {
        // 20 times the sum of the squares below a million: 20 · 999999 · 1000000 · 1999999 / 6.
        const SUM: &str = "Sum 6666656666670000000\n";
        for keys in [&[][..], &["a", "b", "c"]] {
            let keys_of = |written: &str| written.replacen(SUM, "", 1);
            let lines: Vec<String> = keys.iter().map(|key| format!("Key {key}\n")).collect();
            run_all("event-loop", keys, |_, written| {
                written.contains(SUM) && keys_of(written) == lines.concat()
            });
        }
    }

    #[test]
    fn of_the_queue_consumer() {
        run_all("queue-consumer", &["a", "b", "c"], |_, written| {
            written == "From queue a\nFrom queue b\nFrom queue c\n"
        });
    }

    #[test]
    fn of_the_queue_consumer_without_an_item() {
        run_all("queue-consumer", &[], |_, written| written.is_empty());
    }

    #[test]
    fn of_the_pool() {
        // 5 threads with 3 queries each.
        run_all("pool", &[], |_, written| {
            let of = |thread| {
                let asks = format!("Thread {thread} asks on connection ");
                written
                    .lines()
                    .filter(|line| line.starts_with(&asks))
                    .count()
            };
            (1..=5).all(|thread| of(thread) == 3) && written.lines().count() == 15
        });
    }

    #[test]
    fn that_share_nothing_fail_always() {
        let (_, is_fine) = run(named("shared_list", "private_copies"), &[]);
        assert!(!is_fine);
    }
}
