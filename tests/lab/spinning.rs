//! Loops that wait by looking again: none that ends is left out, and none that does not is
//! followed for ever.

use std::time::Duration;

use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use racelab::sync::{Arc, Mutex, RwLock, mpsc};
use racelab::trace::LeftOut;
use racelab::{
    Coverage, Engine, Explorer, Failure, FailureKind, Report, Verdict, hint, outcome, thread,
};

fn explore(body: impl Fn() + Send + Sync + 'static) -> Report {
    Explorer::new(Engine::Dfs).explore(body)
}

fn holds(body: impl Fn() + Send + Sync + Clone + 'static) -> Report {
    let [all, traces] = [Engine::Dfs, Engine::Dpor].map(|engine| {
        let report = Explorer::new(engine).explore(body.clone());
        assert!(matches!(report.verdict, Verdict::Holds), "{report}");
        assert_eq!(report.coverage, Coverage::Complete);
        report
    });
    let outcomes = |report: &Report| -> Vec<String> {
        let outcomes = report.outcomes.iter();
        outcomes.map(|outcome| outcome.value.clone()).collect()
    };
    assert_eq!(outcomes(&traces), outcomes(&all));
    assert!(traces.executions <= all.executions, "{traces}\n{all}");
    all
}

/// A body that must fail, under each sequentially consistent engine, and whose failure must replay.
fn fails(kind: FailureKind, body: impl Fn() + Send + Sync + Clone + 'static) -> Failure {
    let mut found = None;
    let model = [
        Engine::Dfs,
        Engine::Dpor,
        Engine::Random,
        Engine::Pct,
        Engine::Urw,
        Engine::Pos,
        Engine::Surw,
        #[cfg(feature = "shuttle")]
        Engine::Shuttle,
    ];
    for engine in model {
        // A livelock goes on up to the bound.
        let explorer = Explorer::new(engine).max_steps(3_000);
        let report = explorer.explore(body.clone());
        let failure = report
            .failure()
            .unwrap_or_else(|| panic!("{engine}: {report}"));
        assert_eq!(failure.kind, kind, "{report}");
        let replayed = racelab::replay(failure.schedule.as_ref().unwrap(), body.clone());
        let again = replayed
            .failure()
            .unwrap_or_else(|| panic!("{replayed}\n{report}"));
        assert_eq!(
            again.preemptions, failure.preemptions,
            "{report}\n{replayed}"
        );
        assert_eq!(again.trace, failure.trace);
        found.get_or_insert_with(|| failure.clone());
    }
    found.expect("there are engines")
}

/// Adds 1 in two steps, after `waits`, while the main thread adds `adds`.
fn late_increment(
    waits: fn(&AtomicUsize),
    adds: usize,
) -> impl Fn() + Send + Sync + Clone + 'static {
    move || {
        let n = Arc::new(AtomicUsize::new(0));
        let m = Arc::clone(&n);
        let late = thread::spawn(move || {
            waits(&m);
            let v = m.load(SeqCst);
            m.store(v + 1, SeqCst);
        });
        for _ in 0..adds {
            n.fetch_add(1, SeqCst);
        }
        late.join().unwrap();
        assert_eq!(n.load(SeqCst), adds + 1);
    }
}

#[test]
fn an_increment_behind_yields_is_interrupted_like_any_other() {
    for waits in [
        (|_| ()) as fn(&AtomicUsize),
        |_| thread::yield_now(),
        |_| {
            thread::yield_now();
            thread::yield_now();
        },
        |_| (0..5).for_each(|_| hint::spin_loop()),
        |_| (0..3).for_each(|_| thread::sleep(Duration::from_millis(1))),
    ] {
        let failure = fails(FailureKind::Panic, late_increment(waits, 1));
        assert_eq!(
            (failure.minimal, failure.preemptions),
            (Some(true), Some(2))
        );
    }
}

#[test]
fn the_smallest_failure_behind_yields_is_found() {
    let waits = |_: &AtomicUsize| {
        thread::yield_now();
        thread::yield_now();
    };
    let failure = fails(FailureKind::Panic, late_increment(waits, 2));
    // Main is left before it adds, and the late thread between its load and its store.
    assert_eq!(
        (failure.minimal, failure.preemptions),
        (Some(true), Some(2))
    );
}

#[test]
fn two_reads_behind_yields_can_be_parted() {
    fails(FailureKind::Panic, || {
        let (a, b) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::yield_now();
                thread::yield_now();
                let (x, y) = (a.load(SeqCst), b.load(SeqCst));
                assert!(!(x == 0 && y == 1));
            });
            a.store(1, SeqCst);
            b.store(1, SeqCst);
        });
    });
}

#[test]
fn a_write_behind_many_reads_can_be_preceded_by_others() {
    // Too rare for a random walk.
    let report = explore(|| {
        let n = Arc::new(AtomicUsize::new(0));
        let m = Arc::clone(&n);
        let late = thread::spawn(move || {
            let mut v = 0;
            for _ in 0..105 {
                v = m.load(SeqCst);
            }
            m.store(v + 1, SeqCst);
        });
        n.fetch_add(1, SeqCst);
        late.join().unwrap();
        assert_eq!(n.load(SeqCst), 2);
    });
    assert!(report.failure().is_some(), "{report}");
}

#[test]
fn a_flag_can_be_seen_in_any_round() {
    fails(FailureKind::Panic, || {
        let flag = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0..6 {
                    if flag.load(SeqCst) {
                        assert_ne!(round, 5);
                        return;
                    }
                    hint::spin_loop();
                }
            });
            flag.store(true, SeqCst);
        });
    });
}

#[test]
fn a_loop_of_reads_that_ends_is_no_livelock() {
    holds(|| {
        let n = AtomicUsize::new(0);
        assert_eq!((0..400).map(|_| n.load(SeqCst)).sum::<usize>(), 0);
    });
    holds(|| {
        let n = AtomicUsize::new(0);
        for _ in 0..150 {
            n.load(SeqCst);
            thread::yield_now();
        }
    });
    // Longer than any thread is allowed to go on alone while others wait.
    holds(|| {
        let n = AtomicUsize::new(0);
        for _ in 0..1500 {
            n.load(SeqCst);
            thread::yield_now();
        }
    });
    holds(|| {
        let (_sender, receiver) = mpsc::channel::<u8>();
        for _ in 0..150 {
            assert!(receiver.try_recv().is_err());
            thread::sleep(Duration::from_millis(1));
        }
    });
}

#[test]
fn a_spin_that_somebody_ends_holds_in_few_executions() {
    let report = holds(|| {
        let flag = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !flag.load(SeqCst) {
                    hint::spin_loop();
                }
                outcome("seen");
            });
            flag.store(true, SeqCst);
        });
    });
    assert!(report.executions < 20, "{report}");
    assert!(report.blocked > 0, "{report}");
}

#[test]
fn a_spin_that_nobody_ends_is_a_livelock() {
    fails(FailureKind::Livelock, || {
        let flag = AtomicBool::new(false);
        while !flag.load(SeqCst) {}
    });
    fails(FailureKind::Livelock, || {
        let flag = Arc::new(AtomicBool::new(false));
        let other = Arc::clone(&flag);
        let spinner = thread::spawn(move || {
            while !other.load(SeqCst) {
                thread::yield_now();
            }
        });
        while !flag.load(SeqCst) {
            thread::yield_now();
        }
        spinner.join().unwrap();
    });
}

#[test]
fn threads_that_give_up_after_many_rounds_do_so_in_either_order() {
    let report = holds(|| {
        let (flag, first) = (AtomicBool::new(false), AtomicUsize::new(0));
        thread::scope(|scope| {
            for number in [1, 2] {
                let (flag, first) = (&flag, &first);
                scope.spawn(move || {
                    for _ in 0..3 {
                        if flag.load(SeqCst) {
                            return;
                        }
                        thread::yield_now();
                    }
                    let _ = first.compare_exchange(0, number, SeqCst, SeqCst);
                });
            }
        });
        outcome(first.load(SeqCst));
    });
    let values: Vec<_> = report.outcomes.iter().map(|o| o.value.as_str()).collect();
    assert_eq!(values, ["1", "2"]);
}

#[test]
fn a_livelock_replays_under_another_bound_on_steps() {
    let body = || {
        let ready = Arc::new(AtomicBool::new(false));
        let other = thread::spawn(move || {
            while !ready.load(SeqCst) {
                thread::yield_now();
            }
        });
        other.join().unwrap();
    };
    for bound in [3000, 12_000] {
        let report = Explorer::new(Engine::Dfs).max_steps(bound).explore(body);
        let failure = report.failure().expect("it fails");
        assert_eq!(failure.kind, FailureKind::Livelock);
        let again = racelab::replay(failure.schedule.as_ref().unwrap(), body);
        let again = again.failure().expect("it fails again");
        assert_eq!(again.kind, FailureKind::Livelock);
        assert_eq!(again.trace, failure.trace);
    }
}

/// Looks whether `ends` until it does, and yields in between.
fn poll(mut ends: impl FnMut() -> bool) {
    while !ends() {
        thread::yield_now();
    }
}

#[test]
fn a_loop_that_polls_by_an_operation_which_changes_nothing_ends() {
    // By a swap of the same value.
    holds(|| {
        let flag = Arc::new(AtomicBool::new(true));
        let other = thread::spawn({
            let flag = Arc::clone(&flag);
            move || flag.store(false, SeqCst)
        });
        poll(|| !flag.swap(true, SeqCst));
        other.join().unwrap();
    });
    holds(|| {
        let flags = Arc::new(AtomicUsize::new(1));
        let other = thread::spawn({
            let flags = Arc::clone(&flags);
            move || flags.store(0, SeqCst)
        });
        poll(|| flags.fetch_or(1, SeqCst) & 1 == 0);
        other.join().unwrap();
    });
    // Without a yield.
    holds(|| {
        let flag = Arc::new(AtomicBool::new(true));
        let other = thread::spawn({
            let flag = Arc::clone(&flag);
            move || flag.store(false, SeqCst)
        });
        while flag.swap(true, SeqCst) {}
        other.join().unwrap();
    });
}

#[test]
fn a_loop_that_polls_under_a_lock_ends() {
    holds(|| {
        let flag = Arc::new(Mutex::new(false));
        let other = thread::spawn({
            let flag = Arc::clone(&flag);
            move || *flag.lock().unwrap() = true
        });
        poll(|| *flag.lock().unwrap());
        other.join().unwrap();
    });
    holds(|| {
        let flag = Arc::new(RwLock::new(false));
        let other = thread::spawn({
            let flag = Arc::clone(&flag);
            move || *flag.write().unwrap() = true
        });
        poll(|| *flag.read().unwrap());
        other.join().unwrap();
    });
    // What is there is taken out of the lock, so that each round may have changed it.
    holds(|| {
        let item = Arc::new(Mutex::new(None));
        let other = thread::spawn({
            let item = Arc::clone(&item);
            move || *item.lock().unwrap() = Some(5)
        });
        poll(|| item.lock().unwrap().take().is_some());
        other.join().unwrap();
    });
    // Without a yield.
    holds(|| {
        let flag = Arc::new(Mutex::new(false));
        let other = thread::spawn({
            let flag = Arc::clone(&flag);
            move || *flag.lock().unwrap() = true
        });
        while !*flag.lock().unwrap() {}
        other.join().unwrap();
    });
}

#[test]
fn threads_that_poll_under_one_lock_do_not_keep_each_other_awake() {
    holds(|| {
        let flag = Arc::new(Mutex::new(false));
        let others = [(); 2].map(|()| {
            let flag = Arc::clone(&flag);
            thread::spawn(move || poll(|| *flag.lock().unwrap()))
        });
        *flag.lock().unwrap() = true;
        for other in others {
            other.join().unwrap();
        }
    });
    // Without a yield.
    let report = Explorer::new(Engine::Dpor).explore(|| {
        let flag = Arc::new(Mutex::new(false));
        let others = [(); 2].map(|()| {
            let flag = Arc::clone(&flag);
            thread::spawn(move || while !*flag.lock().unwrap() {})
        });
        *flag.lock().unwrap() = true;
        for other in others {
            other.join().unwrap();
        }
    });
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
}

#[test]
fn a_lock_that_another_thread_takes_in_between_is_no_news_unless_it_changes_something() {
    // The values that the loop sees are all orders of its rounds and the changes.
    let report = holds(|| {
        let n = Arc::new(Mutex::new(0));
        let other = thread::spawn({
            let n = Arc::clone(&n);
            move || {
                drop(n.lock().unwrap());
                *n.lock().unwrap() += 1;
                *n.lock().unwrap() += 1;
            }
        });
        let mut seen = vec![];
        poll(|| {
            let now = *n.lock().unwrap();
            if seen.last() != Some(&now) {
                seen.push(now);
            }
            now == 2
        });
        outcome(seen);
        other.join().unwrap();
    });
    let values: Vec<_> = report.outcomes.iter().map(|o| o.value.as_str()).collect();
    assert_eq!(values, ["[0, 1, 2]", "[0, 2]", "[1, 2]", "[2]"]);
}

#[test]
fn a_loop_under_a_lock_that_counts_its_rounds_loses_nothing() {
    let report = holds(|| {
        let (n, first) = (Mutex::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..3 {
                    *n.lock().unwrap() += 1;
                    thread::yield_now();
                }
                let _ = first.compare_exchange(0, 1, SeqCst, SeqCst);
            });
            let seen = *n.lock().unwrap();
            let _ = first.compare_exchange(0, 2, SeqCst, SeqCst);
            outcome((seen, first.load(SeqCst)));
        });
    });
    assert_eq!(report.outcomes.len(), 8, "{report}");
}

#[test]
fn who_gives_up_to_poll_under_a_lock_does_so_in_either_order() {
    let report = holds(|| {
        let (flag, parked) = (Mutex::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                for _ in 0..3 {
                    if *flag.lock().unwrap() {
                        return "seen";
                    }
                    thread::yield_now();
                }
                parked.store(true, SeqCst);
                "parked"
            });
            *flag.lock().unwrap() = true;
            let parked = parked.load(SeqCst);
            outcome((parked, waiter.join().unwrap()));
        });
    });
    let values: Vec<_> = report.outcomes.iter().map(|o| o.value.as_str()).collect();
    assert_eq!(
        values,
        [
            r#"(false, "parked")"#,
            r#"(false, "seen")"#,
            r#"(true, "parked")"#
        ]
    );
}

#[test]
fn a_thread_that_holds_a_lock_at_its_yields_does_not_rest_with_it() {
    // Each round lets go of the lock only for a moment, in which the other thread can take it.
    let bounded = |engine| {
        let explorer = Explorer::new(engine).max_steps(300).max_executions(500);
        explorer.explore(|| {
            let flag = Arc::new(Mutex::new(false));
            let other = thread::spawn({
                let flag = Arc::clone(&flag);
                move || *flag.lock().unwrap() = true
            });
            let mut held = flag.lock().unwrap();
            while !*held {
                thread::yield_now();
                drop(held);
                held = flag.lock().unwrap();
            }
            drop(held);
            other.join().unwrap();
        })
    };
    for engine in [Engine::Dfs, Engine::Dpor, Engine::Random] {
        let report = bounded(engine);
        assert!(report.failure().is_none(), "{engine}: {report}");
    }
}

#[test]
fn a_spin_under_a_lock_that_nobody_ends_is_a_livelock() {
    fails(FailureKind::Livelock, || {
        let flag = Mutex::new(false);
        poll(|| *flag.lock().unwrap());
    });
    // In a critical section, and without a yield.
    fails(FailureKind::Livelock, || {
        let (lock, flag) = (Mutex::new(()), AtomicBool::new(false));
        let _held = lock.lock().unwrap();
        while !flag.load(SeqCst) {}
    });
    fails(FailureKind::Livelock, || {
        let (lock, flag) = (Mutex::new(()), Mutex::new(false));
        let _held = lock.lock().unwrap();
        while !*flag.lock().unwrap() {}
    });
    fails(FailureKind::Livelock, || {
        let flag = Arc::new(Mutex::new(false));
        let other = thread::spawn({
            let flag = Arc::clone(&flag);
            move || poll(|| *flag.lock().unwrap())
        });
        poll(|| *flag.lock().unwrap());
        other.join().unwrap();
    });
}

#[test]
fn threads_that_take_what_a_lock_guards_do_not_keep_each_other_awake() {
    let report = Explorer::new(Engine::Dpor).explore(|| {
        let queue = Arc::new(Mutex::new(Vec::new()));
        let others = [(); 2].map(|()| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                let mut taken = None;
                poll(|| {
                    taken = queue.lock().unwrap().pop();
                    taken.is_some()
                });
                outcome(taken);
            })
        });
        queue.lock().unwrap().extend([1, 2]);
        for other in others {
            other.join().unwrap();
        }
    });
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
    assert_eq!(report.coverage, Coverage::Complete, "{report}");
    assert_eq!(report.outcomes.len(), 2, "{report}");
    // One takes, and one only looks: both wait for ever.
    fails(FailureKind::Livelock, || {
        let queue = Arc::new(Mutex::new(None::<u32>));
        let other = thread::spawn({
            let queue = Arc::clone(&queue);
            move || poll(|| queue.lock().unwrap().is_some())
        });
        poll(|| queue.lock().unwrap().take().is_some());
        other.join().unwrap();
    });
}

#[test]
fn a_loop_that_fills_a_queue_between_yields_is_not_taken_for_one_that_polls() {
    // The thread that polls sees each number of items, or finds the lock taken or not.
    for items in 1..=4 {
        let report = Explorer::new(Engine::Dpor).explore(move || {
            let queue = Arc::new(Mutex::new(Vec::new()));
            let producer = thread::spawn({
                let queue = Arc::clone(&queue);
                move || {
                    for i in 0..items {
                        queue.lock().unwrap().push(i);
                        thread::yield_now();
                    }
                }
            });
            poll(|| queue.lock().unwrap().len() == items);
            producer.join().unwrap();
        });
        assert!(matches!(report.verdict, Verdict::Holds), "{report}");
        assert_eq!(report.left_out, [], "{report}");
        let traces = 3u64.pow(u32::try_from(items).unwrap());
        assert_eq!(report.traces, Some(traces), "{report}");
    }
}

#[test]
fn reduction_and_enumeration_count_the_same_traces_of_a_loop_that_polls() {
    // As an enumeration by hand counts them: interleavings that differ only in the order of independent
    // steps are one, and a third round in a row with nothing new is none.
    for (threads, counts, expected) in [(1, false, 4), (1, true, 4), (2, false, 26), (2, true, 100)]
    {
        for engine in [Engine::Dfs, Engine::Dpor] {
            let report = Explorer::new(engine).explore(move || {
                let lock = Arc::new(Mutex::new(()));
                let n = Arc::new(AtomicUsize::new(0));
                for _ in 0..threads {
                    let (lock, n) = (lock.clone(), n.clone());
                    thread::spawn(move || {
                        if counts {
                            n.fetch_add(1, SeqCst);
                        }
                        drop(lock.lock().unwrap());
                    });
                }
                poll(|| {
                    let is_free = lock.try_lock().is_ok();
                    if !is_free && counts {
                        n.load(SeqCst);
                    }
                    is_free
                });
            });
            assert_eq!(report.traces, Some(expected), "{engine}: {report}");
        }
    }
}

#[test]
fn a_bug_behind_a_loop_that_polls_is_found() {
    // A receiver that looks into the queue, and then whether the sender is gone.
    fails(FailureKind::Panic, || {
        let queue = Arc::new(Mutex::new(None));
        let senders = Arc::new(AtomicUsize::new(1));
        let sender = thread::spawn({
            let (queue, senders) = (queue.clone(), senders.clone());
            move || {
                *queue.lock().unwrap() = Some(5);
                senders.fetch_sub(1, SeqCst);
            }
        });
        let got = loop {
            let message = queue.lock().unwrap().take();
            if message.is_some() || senders.load(SeqCst) == 0 {
                break message;
            }
            thread::yield_now();
        };
        sender.join().unwrap();
        assert_eq!(got, Some(5));
    });
}

/// A read-write lock of which readers count themselves in, and out again if there is a writer.
#[derive(Default)]
struct CountedReaders(AtomicUsize);

impl CountedReaders {
    const WRITER: usize = 0x100;

    fn try_read(&self) -> bool {
        let is_free = self.0.fetch_add(1, SeqCst) & Self::WRITER == 0;
        if !is_free {
            self.0.fetch_sub(1, SeqCst);
        }
        is_free
    }

    fn read(&self) {
        while !self.try_read() {
            hint::spin_loop();
        }
        self.0.fetch_sub(1, SeqCst);
    }

    fn write(&self) {
        let lock = || self.0.compare_exchange(0, Self::WRITER, SeqCst, SeqCst);
        while lock().is_err() {
            hint::spin_loop();
        }
        self.0.fetch_and(!Self::WRITER, SeqCst);
    }
}

#[test]
fn a_loop_that_undoes_what_it_writes_ends() {
    let report = holds(|| {
        let lock = Arc::new(CountedReaders::default());
        let writer = thread::spawn({
            let lock = lock.clone();
            move || lock.write()
        });
        lock.read();
        writer.join().unwrap();
    });
    assert!(report.left_out.contains(&LeftOut::UndoneRounds), "{report}");
}

#[test]
fn a_loop_that_undoes_what_it_writes_ends_among_writers() {
    let report = Explorer::new(Engine::Dpor).explore(|| {
        let lock = Arc::new(CountedReaders::default());
        let writers = [(); 2].map(|()| {
            let lock = lock.clone();
            thread::spawn(move || lock.write())
        });
        lock.read();
        for writer in writers {
            writer.join().unwrap();
        }
    });
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
}

#[test]
fn who_waits_for_what_a_round_undoes_sees_it() {
    holds(|| {
        let lock = Arc::new(CountedReaders(AtomicUsize::new(CountedReaders::WRITER)));
        let writer = thread::spawn({
            let lock = lock.clone();
            move || {
                // It goes on only while a reader is counted in.
                poll(|| lock.0.load(SeqCst) > CountedReaders::WRITER);
                lock.0.fetch_and(!CountedReaders::WRITER, SeqCst);
            }
        });
        lock.read();
        writer.join().unwrap();
    });
}

#[test]
fn who_saw_what_a_round_undoes_sees_that_it_is_undone() {
    holds(|| {
        let lock = Arc::new(CountedReaders(AtomicUsize::new(CountedReaders::WRITER)));
        let writer = thread::spawn({
            let lock = lock.clone();
            move || {
                // It goes on only while no reader is counted in.
                poll(|| lock.0.load(SeqCst) == CountedReaders::WRITER);
                lock.0.fetch_and(!CountedReaders::WRITER, SeqCst);
            }
        });
        lock.read();
        writer.join().unwrap();
    });
}

#[test]
fn who_gives_up_rounds_that_it_undoes_does_so_in_either_order() {
    for rounds in 1..6 {
        let report = holds(move || {
            let lock = Arc::new(CountedReaders(AtomicUsize::new(CountedReaders::WRITER)));
            let writer = thread::spawn({
                let lock = lock.clone();
                move || {
                    lock.0.fetch_and(!CountedReaders::WRITER, SeqCst);
                }
            });
            let round = (0..rounds).find(|_| {
                let is_free = lock.try_read();
                if !is_free {
                    hint::spin_loop();
                }
                is_free
            });
            outcome(round);
            writer.join().unwrap();
        });
        assert_eq!(report.outcomes.len(), rounds + 1, "{report}");
    }
}

#[test]
fn a_round_that_nobody_ends_is_a_livelock_although_it_writes() {
    let failure = fails(FailureKind::Livelock, || {
        let lock = Arc::new(CountedReaders(AtomicUsize::new(CountedReaders::WRITER)));
        let reader = thread::spawn({
            let lock = lock.clone();
            move || lock.read()
        });
        lock.read();
        reader.join().unwrap();
    });
    assert!(failure.message.contains("livelock"), "{}", failure.message);
}
