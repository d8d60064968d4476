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
    (1..=3_usize, 1..=most_ops, engines, any::<u64>()).prop_map(|(threads, ops, engine, seed)| {
        Search {
            size: Size { threads, ops },
            engine,
            seed,
        }
    })
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
    fn holds<T: serde::de::DeserializeOwned>(&self, variant: &str, is_right: impl Fn(T) -> bool) {
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
        && (0..size.threads).all(|thread| of(thread).eq(thread * size.ops..(thread + 1) * size.ops))
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
