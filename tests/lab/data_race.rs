//! Data races on plain cells, and everything that orders accesses so that there is none.
#![expect(unsafe_code, reason = "cells are there for code that is unsafe")]

use std::time::Duration;

use racelab::cell::UnsafeCell;
use racelab::parking_lot;
use racelab::sync::atomic::{AtomicPtr, AtomicUsize, Ordering, fence};
use racelab::sync::{
    Arc, Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, RwLockWriteGuard, mpsc,
};
use racelab::trace::Operation;
use racelab::{Engine, Explorer, Failure, FailureKind, Named, Report, Verdict, thread};

/// A cell that the threads of a test share.
struct Plain(UnsafeCell<usize>);

// SAFETY: that accesses can race is what the tests are about. The lab reports a race before the
// second access, and all threads run on one OS thread.
unsafe impl Sync for Plain {}
// SAFETY: a `usize` can be moved to another thread.
unsafe impl Send for Plain {}

impl Plain {
    #[track_caller]
    fn new() -> Self {
        Plain(UnsafeCell::new(0).named("data"))
    }

    #[track_caller]
    fn set(&self, value: usize) {
        // SAFETY: as above.
        unsafe { self.0.write(value) }
    }

    #[track_caller]
    fn get(&self) -> usize {
        // SAFETY: as above.
        unsafe { self.0.read() }
    }
}

fn explore(engine: Engine, body: impl Fn() + Send + Sync + 'static) -> Report {
    Explorer::new(engine).explore(body)
}

/// A body that must race, under each sequentially consistent engine.
fn races(body: impl Fn() + Send + Sync + Clone + 'static) -> Failure {
    let engines = [
        Engine::Dpor,
        Engine::Dfs,
        Engine::Random,
        #[cfg(feature = "shuttle")]
        Engine::Shuttle,
    ];
    let mut failures = engines.into_iter().map(|engine| {
        let report = explore(engine, body.clone());
        match report.verdict {
            Verdict::Violated(failure) if failure.kind == FailureKind::DataRace => *failure,
            _ => panic!("{engine}: no data race: {report}"),
        }
    });
    let first = failures.next().unwrap();
    for other in failures {
        assert_eq!(
            other.schedule, first.schedule,
            "the smallest is the same for all engines"
        );
    }
    first
}

/// A body that must hold, in every interleaving.
fn holds(body: impl Fn() + Send + Sync + 'static) {
    let report = explore(Engine::Dpor, body);
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
}

/// One thread writes a cell and sets a flag with `store`; the other reads the cell if `load` has
/// seen the flag.
fn publish(
    store: impl Fn(&AtomicUsize) + Send + Sync + Clone + 'static,
    load: impl Fn(&AtomicUsize) -> bool + Send + Sync + Clone + 'static,
) -> impl Fn() + Send + Sync + Clone + 'static {
    move || {
        let shared = Arc::new((Plain::new(), AtomicUsize::new(0).named("flag")));
        let writer = Arc::clone(&shared);
        let store = store.clone();
        let thread = thread::spawn(move || {
            writer.0.set(1);
            store(&writer.1);
        });
        if load(&shared.1) {
            assert_eq!(shared.0.get(), 1);
        }
        thread.join().unwrap();
    }
}

use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

#[test]
fn two_writes_without_any_order_race() {
    let failure = races(|| {
        let data = Arc::new(Plain::new());
        let other = Arc::clone(&data);
        let thread = thread::spawn(move || other.set(1));
        data.set(2);
        thread.join().unwrap();
    });
    let race = failure.race.expect("a data race has its accesses");
    assert_eq!(race.first.operation, Operation::CellWrite);
    assert_eq!(race.second.operation, Operation::CellWrite);
    assert_ne!(race.first.thread, race.second.thread);
    assert!(
        failure.message.starts_with("data race on data: "),
        "{}",
        failure.message
    );
    assert_eq!(
        failure.message.matches("tests/lab/data_race.rs:").count(),
        2
    );
}

#[test]
fn the_second_access_of_a_race_does_not_take_place() {
    let touched = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let touches = std::sync::Arc::clone(&touched);
    let body = move || {
        let data = Arc::new(Plain::new());
        let (other, touches_too) = (Arc::clone(&data), std::sync::Arc::clone(&touches));
        let thread = thread::spawn(move || {
            thread::yield_now();
            other.0.with_mut(|_| touches_too.fetch_add(1, SeqCst));
        });
        thread::yield_now();
        data.0.with_mut(|_| touches.fetch_add(1, SeqCst));
        thread.join().unwrap();
    };
    let report = Explorer::new(Engine::Dfs).past_failures().explore(body);
    assert_eq!(report.violations, report.executions);
    assert_ne!(report.executions, 1, "either access can be the second one");
    assert_eq!(touched.load(SeqCst) as u64, report.executions);
}

#[test]
fn reads_do_not_race_with_each_other() {
    holds(|| {
        let data = Arc::new(Plain::new());
        data.set(7);
        let other = Arc::clone(&data);
        let thread = thread::spawn(move || other.get());
        assert_eq!(data.get() + thread.join().unwrap(), 14);
    });
}

#[test]
fn a_write_races_with_any_of_several_reads() {
    let failure = races(|| {
        let data = Arc::new(Plain::new());
        let (one, two) = (Arc::clone(&data), Arc::clone(&data));
        let reader = thread::spawn(move || one.get());
        let ended = thread::spawn(move || two.get());
        ended.join().unwrap();
        data.set(1);
        reader.join().unwrap();
    });
    let race = failure.race.unwrap();
    let operations = [race.first.operation, race.second.operation];
    assert!(
        operations.contains(&Operation::CellRead) && operations.contains(&Operation::CellWrite)
    );
}

#[test]
fn an_object_that_is_handed_over_without_order_races_with_its_making() {
    // The cell is made by one thread and found by the other through a Relaxed pointer.
    races(|| {
        let slot = Arc::new(AtomicPtr::<Plain>::default());
        let maker = Arc::clone(&slot);
        let thread = thread::spawn(move || {
            maker.store(Box::into_raw(Box::new(Plain::new())), Relaxed);
        });
        let found = slot.load(Acquire);
        // SAFETY: the pointer is null or was made from a box that is dropped further below.
        let value = unsafe { found.as_ref() }.map(Plain::get);
        thread.join().unwrap();
        let made = slot.load(SeqCst);
        // SAFETY: the only other thread has ended.
        drop(unsafe { Box::from_raw(made) });
        assert_ne!(value, Some(1));
    });
}

#[test]
fn what_is_handed_over_in_two_atomics_was_made_before_the_first() {
    // As a queue does that stores its first block at both of its ends.
    let report = explore(Engine::Dpor, || {
        let ends = Arc::new([(); 2].map(|()| AtomicPtr::<Plain>::default()));
        let maker = Arc::clone(&ends);
        let thread = thread::spawn(move || {
            let made = Box::into_raw(Box::new(Plain::new()));
            for end in maker.iter() {
                end.store(made, Release);
            }
        });
        let found = ends[0].load(Acquire);
        // SAFETY: the pointer is null or was made from a box that is dropped further below.
        if let Some(found) = unsafe { found.as_ref() } {
            found.set(1);
        }
        thread.join().unwrap();
        // SAFETY: the only other thread has ended.
        drop(unsafe { Box::from_raw(ends[1].load(Acquire)) });
    });
    assert!(matches!(report.verdict, Verdict::Holds), "{report}");
}

#[test]
fn a_relaxed_store_publishes_nothing() {
    let failure = races(publish(
        |flag| flag.store(1, Relaxed),
        |flag| flag.load(Acquire) == 1,
    ));
    let why = failure.why.unwrap();
    assert!(why.contains("The store of flag at step"), "{why}");
    assert!(why.contains("is Relaxed; make it Release"), "{why}");
}

#[test]
fn a_relaxed_load_sees_nothing_of_what_was_published() {
    let failure = races(publish(
        |flag| flag.store(1, Release),
        |flag| flag.load(Relaxed) == 1,
    ));
    let why = failure.why.unwrap();
    assert!(why.contains("is Relaxed; make it Acquire"), "{why}");
}

#[test]
fn a_release_store_publishes_to_an_acquire_load() {
    holds(publish(
        |flag| flag.store(1, Release),
        |flag| flag.load(Acquire) == 1,
    ));
    holds(publish(
        |flag| flag.store(1, SeqCst),
        |flag| flag.load(SeqCst) == 1,
    ));
    holds(publish(
        |flag| {
            flag.swap(1, AcqRel);
        },
        |flag| flag.fetch_add(0, AcqRel) == 1,
    ));
}

#[test]
fn a_successful_and_a_failed_exchange_have_their_own_orderings() {
    let exchange = |success, failure| {
        move |flag: &AtomicUsize| flag.compare_exchange(1, 2, success, failure) == Ok(1)
    };
    holds(publish(
        |flag| flag.store(1, Release),
        exchange(Acquire, Relaxed),
    ));
    races(publish(
        |flag| flag.store(1, Release),
        exchange(Relaxed, Acquire),
    ));
    let fails =
        |failure| move |flag: &AtomicUsize| flag.compare_exchange(5, 6, AcqRel, failure) == Err(1);
    holds(publish(|flag| flag.store(1, Release), fails(Acquire)));
    races(publish(|flag| flag.store(1, Release), fails(Relaxed)));
}

#[test]
fn fences_order_relaxed_accesses() {
    let fenced_store = |flag: &AtomicUsize| {
        fence(Release);
        flag.store(1, Relaxed);
    };
    let fenced_load = |flag: &AtomicUsize| {
        let is_set = flag.load(Relaxed) == 1;
        fence(Acquire);
        is_set
    };
    holds(publish(fenced_store, fenced_load));
    holds(publish(fenced_store, |flag| flag.load(Acquire) == 1));
    holds(publish(|flag| flag.store(1, Release), fenced_load));
    races(publish(fenced_store, |flag| flag.load(Relaxed) == 1));
    races(publish(|flag| flag.store(1, Relaxed), fenced_load));
    // A fence on the wrong side of the access orders nothing.
    races(publish(
        |flag| {
            flag.store(1, Relaxed);
            fence(Release);
        },
        fenced_load,
    ));
    races(publish(fenced_store, |flag| {
        fence(Acquire);
        flag.load(Relaxed) == 1
    }));
}

#[test]
fn a_read_modify_write_continues_a_release_sequence_and_a_store_ends_it() {
    /// A second thread changes the flag from 1 on, in a Relaxed way, before it is read.
    fn relayed(relay: fn(&AtomicUsize)) -> impl Fn() + Send + Sync + Clone + 'static {
        move || {
            let shared = Arc::new((Plain::new(), AtomicUsize::new(0)));
            let (writer, relayer) = (Arc::clone(&shared), Arc::clone(&shared));
            let one = thread::spawn(move || {
                writer.0.set(1);
                writer.1.store(1, Release);
            });
            let two = thread::spawn(move || {
                if relayer.1.load(Relaxed) == 1 {
                    relay(&relayer.1);
                }
            });
            if shared.1.load(Acquire) == 2 {
                assert_eq!(shared.0.get(), 1);
            }
            one.join().unwrap();
            two.join().unwrap();
        }
    }
    holds(relayed(|flag| {
        flag.fetch_add(1, Relaxed);
    }));
    races(relayed(|flag| flag.store(2, Relaxed)));
}

#[test]
fn joins_and_spawns_order() {
    holds(|| {
        let data = Arc::new(Plain::new());
        data.set(1);
        let other = Arc::clone(&data);
        thread::spawn(move || other.set(other.get() + 1))
            .join()
            .unwrap();
        thread::scope(|scope| {
            scope.spawn(|| data.set(data.get() + 1));
        });
        assert_eq!(data.get(), 3);
    });
}

#[test]
fn a_join_that_was_only_asked_for_does_not_order() {
    races(|| {
        let data = Arc::new(Plain::new());
        let other = Arc::clone(&data);
        let thread = thread::spawn(move || other.set(1));
        let _ = thread.is_finished();
        data.set(2);
        thread.join().unwrap();
    });
}

#[test]
fn to_see_that_a_thread_has_finished_does_not_order() {
    // std's looks at a count, with Relaxed.
    let look = |joins: bool| {
        move || {
            let data = Arc::new(Plain::new());
            let other = Arc::clone(&data);
            let thread = thread::spawn(move || other.set(1));
            if thread.is_finished() {
                if joins {
                    thread.join().unwrap();
                }
                data.set(2);
            }
        }
    };
    races(look(false));
    holds(look(true));
}

#[test]
fn a_message_orders_what_was_done_before_it() {
    for bound in [None, Some(0), Some(1)] {
        holds(move || {
            let data = Arc::new(Plain::new());
            let other = Arc::clone(&data);
            let thread = match bound {
                None => {
                    let (sender, receiver) = mpsc::channel();
                    let thread = thread::spawn(move || {
                        other.set(1);
                        sender.send(()).unwrap();
                    });
                    receiver.recv().unwrap();
                    thread
                }
                Some(bound) => {
                    let (sender, receiver) = mpsc::sync_channel(bound);
                    let thread = thread::spawn(move || {
                        other.set(1);
                        sender.send(()).unwrap();
                    });
                    receiver.recv().unwrap();
                    thread
                }
            };
            assert_eq!(data.get(), 1);
            thread.join().unwrap();
        });
    }
    // What comes after the message is not ordered by it.
    races(|| {
        let data = Arc::new(Plain::new());
        let other = Arc::clone(&data);
        let (sender, receiver) = mpsc::channel();
        let thread = thread::spawn(move || {
            sender.send(()).unwrap();
            other.set(1);
        });
        receiver.recv().unwrap();
        data.get();
        thread.join().unwrap();
    });
}

#[test]
fn the_end_of_a_channel_orders_what_was_done_before() {
    holds(|| {
        let data = Arc::new(Plain::new());
        let other = Arc::clone(&data);
        let (sender, receiver) = mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            other.set(1);
            drop(sender);
        });
        assert!(receiver.recv().is_err());
        assert_eq!(data.get(), 1);
        thread.join().unwrap();
    });
}

#[test]
fn a_rendezvous_orders_in_both_directions() {
    holds(|| {
        let data = Arc::new(Plain::new());
        let other = Arc::clone(&data);
        let (sender, receiver) = mpsc::sync_channel(0);
        let thread = thread::spawn(move || {
            other.set(1);
            receiver.recv().unwrap();
        });
        sender.send(()).unwrap();
        assert_eq!(data.get(), 1);
        thread.join().unwrap();
    });
}

#[test]
fn a_park_token_orders() {
    holds(|| {
        let data = Arc::new(Plain::new());
        let (other, main) = (Arc::clone(&data), thread::current());
        let thread = thread::spawn(move || {
            other.set(1);
            main.unpark();
        });
        thread::park();
        assert_eq!(data.get(), 1);
        thread.join().unwrap();
    });
    // Not if the time was over before.
    races(|| {
        let data = Arc::new(Plain::new());
        let (other, main) = (Arc::clone(&data), thread::current());
        let thread = thread::spawn(move || {
            other.set(1);
            main.unpark();
        });
        thread::park_timeout(Duration::from_millis(1));
        data.get();
        thread.join().unwrap();
    });
}

#[test]
fn a_wait_orders_through_its_mutex() {
    holds(|| {
        let shared = Arc::new((Plain::new(), Mutex::new(false), Condvar::new()));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            other.0.set(1);
            *other.1.lock().unwrap() = true;
            other.2.notify_one();
        });
        let ready = shared
            .2
            .wait_while(shared.1.lock().unwrap(), |ready| !*ready);
        drop(ready.unwrap());
        assert_eq!(shared.0.get(), 1);
        thread.join().unwrap();
    });
}

#[test]
fn a_failed_attempt_to_lock_does_not_order() {
    races(|| {
        let shared = Arc::new((Plain::new(), Mutex::new(())));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            let _held = other.1.lock().unwrap();
            other.0.set(1);
        });
        if shared.1.try_lock().is_err() {
            shared.0.get();
        }
        thread.join().unwrap();
    });
}

#[test]
fn a_race_is_reported_with_both_places_and_replays() {
    let body = publish(
        |flag| flag.store(1, Relaxed),
        |flag| flag.load(Acquire) == 1,
    );
    let failure = races(body.clone());
    let replayed = racelab::replay(failure.schedule.as_ref().unwrap(), body);
    let again = replayed.failure().expect("it fails again");
    assert_eq!(
        (again.kind, &again.message, &again.at),
        (failure.kind, &failure.message, &failure.at)
    );
    assert_eq!((again.race, &again.trace), (failure.race, &failure.trace));
    let text = replayed.to_string();
    assert!(
        text.contains("cell-read data, races at tests/lab/data_race.rs:"),
        "{text}"
    );
    assert!(text.contains("races with the last row"), "{text}");
}

// Read-write locks.

#[test]
fn a_read_write_lock_orders_what_it_guards() {
    holds(|| {
        let shared = Arc::new((Plain::new(), RwLock::new(())));
        let threads = [0, 1].map(|number| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                if number == 0 {
                    let _guard = shared.1.write().unwrap();
                    shared.0.set(shared.0.get() + 1);
                } else {
                    let _guard = shared.1.read().unwrap();
                    shared.0.get();
                }
            })
        });
        {
            let _guard = shared.1.write().unwrap();
            shared.0.set(shared.0.get() + 1);
        }
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(shared.0.get(), 2);
    });
}

#[test]
fn attempts_to_lock_and_a_downgrade_order_what_they_guard() {
    holds(|| {
        let shared = Arc::new((Plain::new(), RwLock::new(())));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            let guard = other.1.write().unwrap();
            other.0.set(1);
            let _guard = RwLockWriteGuard::downgrade(guard);
            other.0.get()
        });
        if let Ok(_guard) = shared.1.try_read() {
            shared.0.get();
        }
        if let Ok(_guard) = shared.1.try_write() {
            shared.0.set(2);
        }
        thread.join().unwrap();
    });
}

#[test]
fn a_write_under_a_lock_that_is_held_for_reading_races() {
    let failure = races(|| {
        let shared = Arc::new((Plain::new(), RwLock::new(())));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            let _guard = other.1.read().unwrap();
            other.0.set(1);
        });
        {
            let _guard = shared.1.read().unwrap();
            shared.0.get();
        }
        thread.join().unwrap();
    });
    assert!(failure.race.is_some());
}

#[test]
fn readers_do_not_order_what_they_do_before() {
    // Even when one has released the lock before the other acquires it.
    races(|| {
        let shared = Arc::new((Plain::new(), RwLock::new(())));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            other.0.set(1);
            drop(other.1.read());
        });
        drop(shared.1.read());
        shared.0.set(2);
        thread.join().unwrap();
    });
}

// The mutex of `parking_lot`.

#[test]
fn a_mutex_of_parking_lot_orders_what_it_guards_and_a_look_at_it_does_not() {
    holds(|| {
        let shared = Arc::new((Plain::new(), parking_lot::Mutex::new(())));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            let _guard = other.1.lock();
            other.0.set(1);
        });
        {
            let _guard = shared.1.lock();
            shared.0.set(2);
        }
        thread.join().unwrap();
    });
    races(|| {
        let shared = Arc::new((Plain::new(), parking_lot::Mutex::new(())));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            let _guard = other.1.lock();
            other.0.set(1);
        });
        if !shared.1.is_locked() {
            shared.0.set(2);
        }
        thread.join().unwrap();
    });
}

// Barriers.

#[test]
fn a_barrier_orders_what_is_done_before_it_before_what_is_done_after_it() {
    holds(|| {
        let shared = Arc::new((Plain::new(), Plain::new(), Barrier::new(2)));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            other.0.set(1);
            other.2.wait();
            other.1.get()
        });
        shared.1.set(1);
        shared.2.wait();
        assert_eq!(shared.0.get(), 1);
        assert_eq!(thread.join().unwrap(), 1);
    });
}

#[test]
fn what_is_done_before_a_barrier_by_two_threads_races() {
    races(|| {
        let shared = Arc::new((Plain::new(), Barrier::new(2)));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            other.0.set(1);
            other.1.wait();
        });
        shared.0.set(2);
        shared.1.wait();
        thread.join().unwrap();
    });
}

#[test]
fn a_thread_that_goes_on_late_has_not_seen_what_was_done_before_the_next_round() {
    let report = Explorer::new(Engine::Dfs).past_failures().explore(|| {
        let shared = Arc::new((Plain::new(), Barrier::new(2), AtomicUsize::new(0)));
        let late = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                shared.1.wait();
                shared.0.get()
            }
        });
        let next = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                // Not in the first round, and without learning anything of it.
                while shared.2.load(Relaxed) == 0 {
                    thread::yield_now();
                }
                shared.0.set(1);
                shared.1.wait();
            }
        });
        shared.1.wait();
        shared.2.store(1, Relaxed);
        shared.1.wait();
        late.join().unwrap();
        next.join().unwrap();
    });
    assert!(report.executions > 1, "{report}");
    assert_eq!(report.violations, report.executions, "{report}");
    assert_eq!(report.failure().unwrap().kind, FailureKind::DataRace);
}

// One-time initialisation.

#[test]
fn who_sees_an_initialisation_done_has_seen_what_it_did() {
    holds(|| {
        let shared = Arc::new((Plain::new(), Once::new()));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            other.1.call_once(|| other.0.set(1));
            assert_eq!(other.0.get(), 1);
        });
        if shared.1.is_completed() {
            assert_eq!(shared.0.get(), 1);
        }
        shared.1.call_once(|| shared.0.set(1));
        assert_eq!(shared.0.get(), 1);
        thread.join().unwrap();
    });
    holds(|| {
        let shared = Arc::new((Plain::new(), OnceLock::new()));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            other.0.set(1);
            other.1.set(()).unwrap();
        });
        if shared.1.get().is_some() {
            assert_eq!(shared.0.get(), 1);
        }
        shared.1.wait();
        assert_eq!(shared.0.get(), 1);
        thread.join().unwrap();
    });
    holds(|| {
        static DATA: LazyLock<Plain> = LazyLock::new(|| {
            let data = Plain::new();
            data.set(1);
            data
        });
        let thread = thread::spawn(|| DATA.get());
        assert_eq!(DATA.get() + thread.join().unwrap(), 2);
    });
}

#[test]
fn who_sees_no_initialisation_has_seen_nothing() {
    races(|| {
        let shared = Arc::new((Plain::new(), OnceLock::new()));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            other.0.set(1);
            other.1.set(()).unwrap();
        });
        if shared.1.get().is_none() {
            shared.0.get();
        }
        thread.join().unwrap();
    });
}

#[test]
fn what_is_done_after_an_initialisation_races_with_who_sees_it_done() {
    races(|| {
        let shared = Arc::new((Plain::new(), OnceLock::new()));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            other.1.set(()).unwrap();
            other.0.set(1);
        });
        shared.1.wait();
        shared.0.get();
        thread.join().unwrap();
    });
}
