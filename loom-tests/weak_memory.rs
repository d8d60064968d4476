//! What orderings allow and what they forbid, in the small programs of the field.
//!
//! A program breaks in one of two ways. Either a load reads a stale value: then no sequentially
//! consistent execution breaks, and the failing one shows that read. Or two accesses of a cell are
//! not ordered: then that is a data race, whatever is read.

#![expect(unsafe_code, reason = "the subject are cells that threads share")]

use racelab::cell::UnsafeCell;
use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use racelab::sync::{Arc, Mutex};
use racelab::{Engine, Explorer, FailureKind, Reason, Verdict, thread};

use FailureKind::{DataRace, Panic};
use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

use super::verdicts::{assert_fails, assert_holds, assert_none_fails, explore};

/// A number is stored, and then a flag says so.
fn message_passing(
    publish: fn(&AtomicUsize),
    observe: fn(&AtomicUsize) -> usize,
) -> impl Fn() + Send + Sync + Clone + 'static {
    move || {
        both(
            [0, 0].map(AtomicUsize::new),
            |[data, ready]| {
                if observe(ready) > 0 {
                    assert_eq!(data.load(Relaxed), 1, "the data is old");
                }
            },
            move |[data, ready]| {
                data.store(1, Relaxed);
                publish(ready);
            },
        );
    }
}

#[test]
fn a_message_passes_by_release_and_acquire_and_not_by_one_of_them() {
    let relaxed: fn(&AtomicUsize) = |ready| ready.store(1, Relaxed);
    let release: fn(&AtomicUsize) = |ready| ready.store(1, Release);
    let observe_relaxed: fn(&AtomicUsize) -> usize = |ready| ready.load(Relaxed);
    let observe_acquire: fn(&AtomicUsize) -> usize = |ready| ready.load(Acquire);
    assert_stale(message_passing(relaxed, observe_relaxed), Panic);
    assert_stale(message_passing(release, observe_relaxed), Panic);
    assert_stale(message_passing(relaxed, observe_acquire), Panic);
    assert_ordered(message_passing(release, observe_acquire));
}

#[test]
fn a_message_passes_by_two_fences_and_not_by_one_of_them() {
    let relaxed: fn(&AtomicUsize) = |ready| ready.store(1, Relaxed);
    let fenced: fn(&AtomicUsize) = |ready| {
        fence(Release);
        ready.store(1, Relaxed);
    };
    let observe_relaxed: fn(&AtomicUsize) -> usize = |ready| ready.load(Relaxed);
    let observe_fenced: fn(&AtomicUsize) -> usize = |ready| {
        let is_ready = ready.load(Relaxed);
        fence(Acquire);
        is_ready
    };
    assert_stale(message_passing(fenced, observe_relaxed), Panic);
    assert_stale(message_passing(relaxed, observe_fenced), Panic);
    assert_ordered(message_passing(fenced, observe_fenced));
}

#[test]
fn a_relaxed_store_ends_a_release_sequence_also_in_the_thread_that_began_it() {
    assert_stale(
        message_passing(
            |ready| {
                ready.store(1, Release);
                ready.store(2, Relaxed);
            },
            |ready| ready.load(Acquire),
        ),
        Panic,
    );
}

/// A number is stored, and the flag that says so passes a third thread.
fn relayed(store: Ordering) -> impl Fn() + Send + Sync + Clone + 'static {
    move || {
        let shared = Arc::new([0, 0].map(AtomicUsize::new));
        let writer = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                shared[0].store(1, Relaxed);
                shared[1].store(1, store);
            }
        });
        let relay = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let _ = shared[1].compare_exchange(1, 2, Relaxed, Relaxed);
            }
        });
        if shared[1].load(Acquire) == 2 {
            assert_eq!(shared[0].load(Relaxed), 1, "the data is old");
        }
        writer.join().unwrap();
        relay.join().unwrap();
    }
}

#[test]
fn a_relaxed_read_modify_write_continues_a_release_sequence() {
    assert_ordered(relayed(Release));
    assert_stale(relayed(Relaxed), Panic);
}

/// Each thread stores to its place and then looks at the other's.
fn store_buffering(
    main: (Ordering, fn(), Ordering),
    other: (Ordering, fn(), Ordering),
) -> impl Fn() + Send + Sync + Clone + 'static {
    let look = |mine: &AtomicUsize, theirs: &AtomicUsize, (store, between, load)| {
        mine.store(1, store);
        let between: fn() = between;
        between();
        theirs.load(load)
    };
    move || {
        let (seen_by_main, seen_by_other) = both(
            [0, 0].map(AtomicUsize::new),
            |[x, y]| look(x, y, main),
            move |[x, y]| look(y, x, other),
        );
        assert!(seen_by_main + seen_by_other > 0, "both read 0");
    }
}

#[test]
fn stores_are_seen_by_one_of_two_threads_only_with_fences_of_seqcst_in_both() {
    let none: fn() = || ();
    let full: fn() = || fence(SeqCst);
    let relaxed = (Relaxed, none, Relaxed);
    let release = (Release, none, Acquire);
    let both_ways: fn() = || fence(AcqRel);
    let fenced = (Relaxed, full, Relaxed);
    assert_stale(store_buffering(relaxed, relaxed), Panic);
    assert_stale(store_buffering(release, release), Panic);
    assert_stale(
        store_buffering((Relaxed, both_ways, Relaxed), (Relaxed, both_ways, Relaxed)),
        Panic,
    );
    assert_stale(store_buffering(fenced, relaxed), Panic);
    assert_ordered(store_buffering(fenced, fenced));
}

#[test]
fn what_is_read_of_one_place_is_never_older_than_what_was_read_or_written_before() {
    assert_ordered(|| {
        both(
            AtomicUsize::new(0),
            |place| {
                let first = place.load(Relaxed);
                let second = place.load(Relaxed);
                assert!(first <= second, "{first} and then {second}");
            },
            |place| {
                place.store(1, Relaxed);
                place.store(2, Relaxed);
                assert_eq!(place.load(Relaxed), 2, "its own store");
            },
        );
    });
}

/// What is read of two places has no order: each reader sees another store first.
fn independent_reads(between: fn()) -> impl Fn() + Send + Sync + Clone + 'static {
    move || {
        let shared = Arc::new([0, 0].map(AtomicUsize::new));
        let writers = [0, 1].map(|place| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared[place].store(1, Release))
        });
        let sees_only = move |shared: &[AtomicUsize; 2], place: usize| {
            let first = shared[place].load(Acquire);
            between();
            (first, shared[1 - place].load(Acquire)) == (1, 0)
        };
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || sees_only(&shared, 1)
        });
        let saw_only_x = sees_only(&shared, 0);
        let saw_only_y = other.join().unwrap();
        assert!(!(saw_only_x && saw_only_y), "each saw another store first");
        for writer in writers {
            writer.join().unwrap();
        }
    }
}

#[test]
fn two_stores_have_one_order_for_all_only_with_fences_of_seqcst() {
    assert_stale(independent_reads(|| ()), Panic);
    assert_none_fails(&explore(independent_reads(|| fence(SeqCst))));
}

/// A cell is written, and then a flag says so.
fn publication(store: Ordering, load: Ordering) -> impl Fn() + Send + Sync + Clone + 'static {
    move || {
        both(
            (Cell::new(0), AtomicBool::new(false)),
            |(cell, ready)| {
                if ready.load(load) {
                    assert_eq!(cell.get(), 1);
                }
            },
            move |(cell, ready)| {
                cell.set(1);
                ready.store(true, store);
            },
        );
    }
}

#[test]
fn a_cell_is_published_by_release_and_acquire_and_not_by_one_of_them() {
    assert_races(publication(Relaxed, Relaxed));
    assert_races(publication(Relaxed, Acquire));
    assert_races(publication(Release, Relaxed));
    assert_ordered(publication(Release, Acquire));
}

/// Each thread adds one to a cell, in a spin lock with these orderings.
fn spin_lock(lock: Ordering, unlock: Ordering) -> impl Fn() + Send + Sync + Clone + 'static {
    let increment = move |(cell, locked): &(Cell, AtomicBool)| {
        // Not `swap`, which stores where it fails too: loom lets that be the last store.
        while locked.compare_exchange(false, true, lock, Relaxed).is_err() {
            thread::yield_now();
        }
        cell.set(cell.get() + 1);
        locked.store(false, unlock);
    };
    move || {
        let shared = Arc::new((Cell::new(0), AtomicBool::new(false)));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || increment(&shared)
        });
        increment(&shared);
        other.join().unwrap();
        assert_eq!(shared.0.get(), 2);
    }
}

#[test]
fn a_spin_lock_acquires_when_it_locks_and_releases_when_it_unlocks() {
    assert_races(spin_lock(Relaxed, Relaxed));
    assert_races(spin_lock(Relaxed, Release));
    assert_races(spin_lock(Acquire, Relaxed));
    assert_ordered(spin_lock(Acquire, Release));
}

/// Peterson's lock, by two threads that give up where they would wait.
///
/// Its loads acquire and its stores release, so that it breaks only if both threads enter. No value
/// is stored twice at a place, so that a stale one differs from the newest.
fn peterson(after_state: fn(), after_turn: fn()) -> impl Fn() + Send + Sync + Clone + 'static {
    const OUTSIDE: usize = 0;
    const ENTERING: usize = 1;
    const LEFT: usize = 2;

    struct Peterson {
        states: [AtomicUsize; 2],
        turn: AtomicUsize,
        cell: Cell,
    }
    let enter = move |lock: &Peterson, me: usize| {
        let other = 1 - me;
        lock.states[me].store(ENTERING, Release);
        after_state();
        lock.turn.store(other, Release);
        after_turn();
        let waits =
            lock.states[other].load(Acquire) == ENTERING && lock.turn.load(Acquire) == other;
        if !waits {
            lock.cell.set(lock.cell.get() + 1);
            lock.states[me].store(LEFT, Release);
        }
    };
    move || {
        both(
            Peterson {
                states: [OUTSIDE, OUTSIDE].map(AtomicUsize::new),
                turn: AtomicUsize::new(2),
                cell: Cell::new(0),
            },
            |lock| enter(lock, 0),
            move |lock| enter(lock, 1),
        );
    }
}

#[test]
fn petersons_lock_needs_a_fence_of_seqcst_after_each_of_its_two_stores() {
    let none: fn() = || ();
    let full: fn() = || fence(SeqCst);
    assert_stale(peterson(none, none), DataRace);
    assert_stale(peterson(full, none), DataRace);
    assert_stale(peterson(none, full), DataRace);
    assert_ordered(peterson(full, full));
}

/// Each thread initialises a cell if it finds that nobody has, and reads it.
fn double_checked(store: Ordering, load: Ordering) -> impl Fn() + Send + Sync + Clone + 'static {
    struct Lazy {
        is_ready: AtomicBool,
        initialises: Mutex<()>,
        cell: Cell,
    }
    let get = move |lazy: &Lazy| {
        if !lazy.is_ready.load(load) {
            let _held = lazy.initialises.lock().unwrap();
            if !lazy.is_ready.load(Relaxed) {
                lazy.cell.set(lazy.cell.get() + 1);
                lazy.is_ready.store(true, store);
            }
        }
        assert_eq!(lazy.cell.get(), 1);
    };
    move || {
        both(
            Lazy {
                is_ready: AtomicBool::new(false),
                initialises: Mutex::new(()),
                cell: Cell::new(0),
            },
            get,
            get,
        );
    }
}

#[test]
fn a_first_look_without_the_lock_has_to_acquire_what_was_released() {
    assert_races(double_checked(Relaxed, Relaxed));
    assert_races(double_checked(Release, Relaxed));
    assert_races(double_checked(Relaxed, Acquire));
    assert_none_fails(&explore(double_checked(Release, Acquire)));
}

/// Two owners read a cell and give it up; the last one writes it, as if to free it.
fn reference_count(
    give_up: Ordering,
    before_free: fn(),
) -> impl Fn() + Send + Sync + Clone + 'static {
    let drop = move |(cell, owners): &(Cell, AtomicUsize)| {
        assert_eq!(cell.get(), 1, "it was freed before");
        let is_last = owners.fetch_sub(1, give_up) == 1;
        if is_last {
            before_free();
            cell.set(0);
        }
        is_last
    };
    move || {
        let (one, other) = both((Cell::new(1), AtomicUsize::new(2)), drop, drop);
        assert_ne!(one, other, "one of them is the last");
    }
}

#[test]
fn the_last_owner_has_to_acquire_what_the_others_have_released() {
    let none: fn() = || ();
    let acquire: fn() = || fence(Acquire);
    assert_races(reference_count(Relaxed, none));
    assert_races(reference_count(Relaxed, acquire));
    assert_races(reference_count(Release, none));
    assert_ordered(reference_count(Release, acquire));
    assert_ordered(reference_count(AcqRel, none));
}

/// Peterson's lock needs no fences if every access is `SeqCst`, which loom takes for less. Here the
/// stale value that it reads is the same as the newest one.
#[test]
fn petersons_lock_under_seqcst_is_told_apart_from_a_bug() {
    struct Peterson {
        wants: [AtomicBool; 2],
        turn: AtomicUsize,
        cell: Cell,
    }
    let enter = |lock: &Peterson, me: usize| {
        let other = 1 - me;
        lock.wants[me].store(true, SeqCst);
        lock.turn.store(other, SeqCst);
        if !lock.wants[other].load(SeqCst) || lock.turn.load(SeqCst) == me {
            lock.cell.set(lock.cell.get() + 1);
            lock.wants[me].store(false, SeqCst);
        }
    };
    let report = explore(move || {
        both(
            Peterson {
                wants: [false, false].map(AtomicBool::new),
                turn: AtomicUsize::new(0),
                cell: Cell::new(0),
            },
            |lock| enter(lock, 0),
            move |lock| enter(lock, 1),
        );
    });
    let Verdict::Inconclusive(Reason::NotConfirmed { message, searched }) = &report.verdict else {
        panic!("{report}");
    };
    assert_eq!(message, "data-race");
    assert!(searched.is_ok(), "{report}");
}

/// Where loom allows too much: a read-modify-write comes right after the store that it has read
/// from, so that the unlock, which is later than the lock, is later than the attempt too. loom takes
/// the two for unordered.
#[test]
fn loom_lets_a_store_come_before_a_read_modify_write_that_has_not_seen_it() {
    assert_stale(
        move || {
            let locked = Arc::new(AtomicBool::new(false));
            let other = thread::spawn({
                let locked = Arc::clone(&locked);
                move || {
                    locked.swap(true, AcqRel);
                    locked.store(false, Release);
                }
            });
            if locked.swap(true, AcqRel) {
                other.join().unwrap();
                assert!(!locked.load(Acquire), "it was unlocked last");
            }
        },
        Panic,
    );
}

/// Asserts that a program breaks by a stale value alone.
#[track_caller]
fn assert_stale(body: impl Fn() + Send + Sync + Clone + 'static, kind: FailureKind) {
    let report = explore(body.clone());
    let failure = assert_fails(&report, kind);
    let mut events = failure.trace.events.iter();
    assert!(events.any(|event| event.stale.is_some()), "{report}");
    assert_sequentially_consistent(body);
}

/// Asserts that a program breaks by two accesses that nothing orders, also where every load reads
/// the newest value.
#[track_caller]
fn assert_races(body: impl Fn() + Send + Sync + Clone + 'static) {
    for report in [
        explore(body.clone()),
        Explorer::new(Engine::Dfs).explore(body.clone()),
    ] {
        let failure = assert_fails(&report, FailureKind::DataRace);
        let race = failure.race.expect("it names the accesses");
        assert_ne!(race.first.thread, race.second.thread, "{report}");
    }
}

/// Asserts that a program holds under C11, and so under sequential consistency.
#[track_caller]
fn assert_ordered(body: impl Fn() + Send + Sync + Clone + 'static) {
    assert_holds(&explore(body.clone()));
    assert_sequentially_consistent(body);
}

#[track_caller]
fn assert_sequentially_consistent(body: impl Fn() + Send + Sync + 'static) {
    let report = Explorer::new(Engine::Dfs).explore(body);
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
}

/// Runs two functions on what they share, the second one in a thread of its own.
fn both<T, A, B>(
    shared: T,
    main: impl FnOnce(&T) -> A,
    other: impl FnOnce(&T) -> B + Send + 'static,
) -> (A, B)
where
    T: Send + Sync + 'static,
    B: Send + 'static,
{
    let shared = Arc::new(shared);
    let worker = thread::spawn({
        let shared = Arc::clone(&shared);
        move || other(&shared)
    });
    let result = main(&shared);
    (result, worker.join().unwrap())
}

/// A number that is not atomic.
struct Cell(UnsafeCell<usize>);

// SAFETY: whether two threads access it at a time is what is explored, and an access that would
// race ends the execution before it takes place.
unsafe impl Sync for Cell {}

impl Cell {
    fn new(value: usize) -> Cell {
        Cell(UnsafeCell::new(value))
    }

    #[track_caller]
    fn get(&self) -> usize {
        // SAFETY: see `Sync`.
        unsafe { self.0.read() }
    }

    #[track_caller]
    fn set(&self, value: usize) {
        // SAFETY: see `Sync`.
        unsafe { self.0.write(value) }
    }
}
