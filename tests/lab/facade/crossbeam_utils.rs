//! The types of crossbeam-utils.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use racelab::crossbeam_utils::atomic::AtomicCell;
use racelab::crossbeam_utils::sync::{Parker, WaitGroup};
use racelab::crossbeam_utils::{Backoff, thread as scoped};
use racelab::sync::Arc;
use racelab::trace::Value;
use racelab::{Engine, Explorer, FailureKind, Named, Verdict, outcome, replay, thread};

use super::plain::Plain;
use super::same_as_std::{Op, agree, ops};
use super::{explore, fails, holds, outcomes};

const MOMENT: Duration = Duration::from_millis(1);

macro_rules! cell_of_integers {
    ($root:ident, $ops:ident, $type:ty) => {{
        let cell = $root::atomic::AtomicCell::<$type>::new(1);
        let mut seen = vec![format!("{cell:?}")];
        for &(op, a, b, _) in $ops {
            let (a, b) = (<$type>::from(a), <$type>::from(b));
            seen.push(match op % 16 {
                0 => format!("{:?}", cell.load()),
                1 => format!("{:?}", cell.store(a)),
                2 => format!("{:?}", cell.swap(a)),
                3 => format!("{:?}", cell.take()),
                4 => format!("{:?}", cell.compare_exchange(a, b)),
                5 => format!("{:?}", cell.compare_exchange(cell.load(), b)),
                6 => format!("{:?}", cell.fetch_update(|it| (it != a).then_some(b))),
                7 => format!("{:?}", cell.fetch_add(a)),
                8 => format!("{:?}", cell.fetch_sub(a)),
                9 => format!("{:?}", cell.fetch_and(a)),
                10 => format!("{:?}", cell.fetch_nand(a)),
                11 => format!("{:?}", cell.fetch_or(a)),
                12 => format!("{:?}", cell.fetch_xor(a)),
                13 => format!("{:?}", cell.fetch_max(a)),
                14 => format!("{:?}", cell.fetch_min(a)),
                _ => format!("{cell:?}"),
            });
        }
        seen.push(format!("{:?}", cell.into_inner()));
        seen
    }};
}

macro_rules! cell_of_booleans {
    ($root:ident, $ops:ident) => {{
        let cell = $root::atomic::AtomicCell::<bool>::default();
        let mut seen = Vec::new();
        for &(op, a, b, _) in $ops {
            let (a, b) = (a % 2 == 0, b % 2 == 0);
            seen.push(match op % 7 {
                0 => cell.swap(a),
                1 => cell.fetch_and(a),
                2 => cell.fetch_nand(a),
                3 => cell.fetch_or(a),
                4 => cell.fetch_xor(a),
                5 => cell.compare_exchange(a, b).is_ok(),
                _ => cell.load(),
            });
        }
        seen.iter().map(bool::to_string).collect()
    }};
}

/// Of values whose equality is not that of their bytes, and of values that are dropped.
macro_rules! cells_of_others {
    ($root:ident, $ops:ident) => {{
        let pair = $root::atomic::AtomicCell::from(Loose(0));
        let text = $root::atomic::AtomicCell::new(String::new());
        let mut seen = Vec::new();
        for &(op, a, b, _) in $ops {
            seen.push(match op % 6 {
                0 => format!("{:?}", pair.load()),
                1 => format!("{:?}", pair.compare_exchange(Loose(a), Loose(b))),
                2 => format!("{:?}", pair.swap(Loose(a))),
                3 => text.swap(a.to_string()),
                4 => text.take(),
                _ => format!("{:?}", text.store(b.to_string())),
            });
        }
        seen.push(text.into_inner());
        seen
    }};
}

#[derive(Clone, Copy, Debug)]
struct Loose(u8);

impl PartialEq for Loose {
    fn eq(&self, other: &Self) -> bool {
        self.0 % 4 == other.0 % 4
    }
}

impl Eq for Loose {}

macro_rules! parker {
    ($root:ident, $ops:ident) => {{
        let parker = $root::sync::Parker::default();
        let mut has_token = false;
        let mut seen = vec![format!("{parker:?} {:?}", parker.unparker())];
        for &(op, ..) in $ops {
            match op % 4 {
                0 => parker.unparker().unpark(),
                1 => parker.unparker().clone().unpark(),
                2 if has_token => parker.park(),
                2 => parker.park_timeout(Duration::ZERO),
                _ => parker.park_deadline(Instant::now()),
            }
            has_token = op % 4 < 2;
            seen.push(has_token.to_string());
        }
        seen
    }};
}

macro_rules! backoff {
    ($root:ident, $ops:ident) => {{
        let backoff = $root::Backoff::new();
        let mut seen = Vec::new();
        for &(op, ..) in $ops {
            match op % 8 {
                0 => backoff.reset(),
                1..=3 => backoff.spin(),
                _ => backoff.snooze(),
            }
            seen.push(format!("{backoff:?} {}", backoff.is_completed()));
        }
        seen
    }};
}

macro_rules! sharded_lock {
    ($root:ident, $ops:ident) => {{
        let mut lock = $root::sync::ShardedLock::new(0);
        let mut seen = Vec::new();
        for &(op, a, ..) in $ops {
            seen.push(match op % 5 {
                0 => lock.read().unwrap().to_string(),
                1 => format!("{:?}", *lock.write().unwrap() = a),
                2 => format!("{:?}", lock.try_read().is_ok()),
                3 => {
                    let _read = lock.read();
                    lock.try_write().is_ok().to_string()
                }
                _ => lock.get_mut().unwrap().to_string(),
            });
        }
        seen.push(lock.into_inner().unwrap().to_string());
        seen
    }};
}

macro_rules! compare {
    ($($test:ident => $program:ident!($($args:tt)*);)*) => {$(
        mod $test {
            use super::*;

            fn with_crossbeam(ops: &[Op]) -> Vec<String> {
                use ::crossbeam_utils as real;
                $program!(real, ops $($args)*)
            }

            fn with_racelab(ops: &[Op]) -> Vec<String> {
                use racelab::crossbeam_utils as lab;
                $program!(lab, ops $($args)*)
            }

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(64))]

                #[test]
                fn is_the_same_as_crossbeams_in_every_world(ops in ops()) {
                    agree(with_crossbeam, with_racelab, &ops)?;
                }
            }
        }
    )*};
}

compare! {
    a_cell_of_u8 => cell_of_integers!(, u8);
    a_cell_of_i64 => cell_of_integers!(, i64);
    a_cell_of_u128 => cell_of_integers!(, u128);
    a_cell_of_bool => cell_of_booleans!();
    a_cell_of_other_values => cells_of_others!();
    a_parker => parker!();
    a_backoff => backoff!();
    a_sharded_lock => sharded_lock!();
}

#[test]
fn a_load_and_a_store_of_a_cell_are_two_steps_and_the_failure_replays() {
    fn body() {
        let cell = Arc::new(AtomicCell::new(0_u8).named("count"));
        let other = Arc::clone(&cell);
        let other = thread::spawn(move || other.store(other.load() + 1));
        cell.store(cell.load() + 1);
        other.join().unwrap();
        assert_eq!(cell.load(), 2);
    }
    let failure = fails(FailureKind::Panic, body);
    let mut read = failure.trace.events.iter().filter_map(|event| event.read);
    assert_eq!(read.next_back(), Some(Value::Unsigned(1)));
    assert!(explore(body).to_string().contains("count"));
    let again = replay(failure.schedule.as_ref().unwrap(), body);
    let again = again.failure().expect("it fails again");
    assert_eq!((again.kind, &again.trace), (failure.kind, &failure.trace));
}

#[test]
fn a_change_of_a_cell_is_one_step_whatever_it_holds() {
    holds(|| {
        let cell = Arc::new(AtomicCell::new((0_u64, 0_u8)));
        let increment = |cell: &AtomicCell<(u64, u8)>| {
            cell.fetch_update(|(sum, count)| Some((sum + 5, count + 1)))
                .unwrap()
        };
        let other = Arc::clone(&cell);
        let other = thread::spawn(move || increment(&other));
        increment(&cell);
        other.join().unwrap();
        assert_eq!(cell.load(), (10, 2));
    });
}

/// What another thread gets to know of a plain cell that was written before `write`.
fn publish(write: fn(&AtomicCell<u8>), wait: fn(&AtomicCell<u8>)) {
    let (cell, plain) = (Arc::new(AtomicCell::new(0)), Arc::new(Plain::default()));
    let (written, kept) = (Arc::clone(&cell), Arc::clone(&plain));
    let writer = thread::spawn(move || {
        kept.set(1);
        write(&written);
    });
    wait(&cell);
    assert_eq!(plain.get(), 1);
    writer.join().unwrap();
}

#[test]
fn what_was_written_before_a_store_is_known_after_a_load_of_it() {
    let waits: [fn(&AtomicCell<u8>); 2] = [
        |cell| {
            let backoff = Backoff::new();
            while cell.load() == 0 {
                backoff.snooze();
            }
        },
        |cell| {
            let backoff = Backoff::new();
            while cell.compare_exchange(1, 2).is_err() {
                backoff.spin();
            }
        },
    ];
    for wait in waits {
        holds(move || publish(|cell| cell.store(1), wait));
        holds(move || publish(|cell| assert_eq!(cell.fetch_add(1), 0), wait));
    }
}

#[test]
fn a_failed_exchange_publishes_nothing() {
    fails(FailureKind::DataRace, || {
        publish(
            |cell| assert!(cell.compare_exchange(7, 8).is_err()),
            |cell| assert_eq!(cell.load(), 0),
        );
    });
}

#[test]
fn a_lock_that_waits_by_swaps_and_a_backoff_is_explored_to_its_end() {
    holds(|| {
        let lock = Arc::new((AtomicCell::new(false), Plain::default()));
        let other = Arc::clone(&lock);
        let add = |(lock, count): &(AtomicCell<bool>, Plain)| {
            let backoff = Backoff::new();
            while lock.swap(true) {
                backoff.snooze();
            }
            count.set(count.get() + 1);
            lock.store(false);
        };
        let adder = thread::spawn(move || add(&other));
        add(&lock);
        adder.join().unwrap();
        assert_eq!(lock.1.get(), 2);
    });
}

#[test]
fn a_loop_that_backs_off_for_ever_is_a_livelock() {
    fails(FailureKind::Livelock, || {
        let backoff = Backoff::new();
        let ready = AtomicCell::new(false);
        while !ready.load() {
            backoff.snooze();
        }
    });
}

#[test]
fn a_cell_that_was_changed_in_an_earlier_execution_is_refused() {
    static CELL: std::sync::LazyLock<AtomicCell<u8>> =
        std::sync::LazyLock::new(|| AtomicCell::new(0));
    let report = explore(|| {
        let other = thread::spawn(|| CELL.store(1));
        CELL.load();
        other.join().unwrap();
    });
    assert!(
        report
            .to_string()
            .contains("changed in an earlier execution"),
        "{report}"
    );
}

#[test]
fn a_parker_waits_for_its_token_and_never_for_a_second_one() {
    holds(|| {
        let (parker, plain) = (Parker::new(), Arc::new(Plain::default()));
        let unparkers = [1, 2].map(|_| {
            let unparker = parker.unparker().clone();
            thread::spawn(move || unparker.unpark())
        });
        let (unparker, written) = (parker.unparker().clone(), Arc::clone(&plain));
        for unparker in unparkers {
            unparker.join().unwrap();
        }
        parker.park();
        let other = thread::spawn(move || {
            written.set(1);
            unparker.unpark();
        });
        parker.park();
        assert_eq!(plain.get(), 1);
        other.join().unwrap();
    });
    let body = || {
        let parker = Parker::new().named("gate");
        parker.unparker().unpark();
        parker.unparker().unpark();
        parker.park();
        parker.park();
    };
    fails(FailureKind::Deadlock, body);
    assert!(explore(body).to_string().contains("gate"));
}

#[test]
fn who_parks_learns_from_all_who_have_unparked() {
    holds(|| {
        let parker = Parker::new();
        let cells = [1, 2].map(|_| Arc::new(Plain::default()));
        let others = cells.clone().map(|cell| {
            let unparker = parker.unparker().clone();
            thread::spawn(move || {
                cell.set(1);
                unparker.unpark();
            })
        });
        let unparked = others.map(|other| {
            let is_finished = other.is_finished();
            other.join().unwrap();
            is_finished
        });
        parker.park();
        assert!(cells.iter().all(|cell| cell.get() == 1), "{unparked:?}");
    });
}

#[test]
fn a_park_with_a_time_limit_ends_in_both_ways() {
    let results = outcomes(|| {
        let (parker, cell) = (Parker::new(), Arc::new(AtomicCell::new(false)));
        let (unparker, unparked) = (parker.unparker().clone(), Arc::clone(&cell));
        let other = thread::spawn(move || {
            unparked.store(true);
            unparker.unpark();
        });
        parker.park_timeout(MOMENT);
        outcome(cell.load());
        other.join().unwrap();
    });
    assert_eq!(results, ["false", "true"]);
}

#[test]
fn a_group_is_waited_for_until_all_others_are_gone() {
    holds(|| {
        let (group, plain) = (
            WaitGroup::new(),
            Arc::new([Plain::default(), Plain::default()]),
        );
        let others = [0, 1].map(|index| {
            let (group, plain) = (group.clone(), Arc::clone(&plain));
            thread::spawn(move || {
                plain[index].set(1);
                if index == 0 {
                    group.wait();
                }
            })
        });
        group.wait();
        assert_eq!([plain[0].get(), plain[1].get()], [1, 1]);
        for other in others {
            other.join().unwrap();
        }
    });
    let body = || {
        let group = WaitGroup::default().named("workers");
        let kept = group.clone();
        group.wait();
        drop(kept);
    };
    fails(FailureKind::Deadlock, body);
    assert!(explore(body).to_string().contains("workers"));
}

#[test]
fn a_scope_waits_for_the_threads_that_its_threads_have_started() {
    let body = || {
        let count = AtomicCell::new(0_u8);
        let sum = scoped::scope(|scope| {
            scope.spawn(|scope| {
                scope.spawn(|_| count.fetch_add(1));
                count.fetch_add(1);
            });
            let named = scope.builder().name("third".to_owned()).stack_size(1 << 20);
            let third = named.spawn(|_| count.fetch_add(1)).unwrap();
            assert_eq!(third.thread().name(), Some("third"));
            third.join().unwrap()
        });
        assert!(sum.unwrap() < 3);
        assert_eq!(count.load(), 3);
    };
    body();
    let report = Explorer::new(Engine::Dpor).explore(body);
    assert!(matches!(report.verdict, Verdict::Holds), "{report:?}");
}

/// What panics of scoped threads come to: of one that is joined, of two that are not, and of the
/// closure.
macro_rules! panics {
    ($scoped:path) => {{
        use $scoped as scoped;
        let joined = scoped::scope(|scope| {
            let handle = scope.spawn(|_| -> u8 { panic!("joined") });
            handle.join().is_err()
        });
        let left = scoped::scope(|scope| {
            scope.spawn(|scope| {
                scope.spawn(|_| panic!("inner"));
                panic!("outer");
            });
        });
        let panics = left.unwrap_err();
        let panics = panics.downcast::<Vec<Box<dyn std::any::Any + Send>>>();
        let mut panics: Vec<&str> = panics
            .unwrap()
            .iter()
            .map(|panic| *panic.downcast_ref::<&str>().unwrap())
            .collect();
        panics.sort_unstable();
        let closure = catch_unwind(AssertUnwindSafe(|| {
            scoped::scope(|_| panic!("closure")).map(|()| ())
        }));
        let closure = *closure.unwrap_err().downcast::<&str>().unwrap();
        format!("{:?} {panics:?} {closure}", joined.unwrap())
    }};
}

#[test]
fn panics_of_scoped_threads_are_errors_as_crossbeams_are() {
    let expected = panics!(::crossbeam_utils::thread);
    assert_eq!(panics!(racelab::crossbeam_utils::thread), expected);
    let failure = fails(FailureKind::Panic, || {
        let _ = scoped::scope(|scope| {
            scope.spawn(|_| panic!("in a thread"));
        });
    });
    assert_eq!(failure.message, "in a thread");
}
