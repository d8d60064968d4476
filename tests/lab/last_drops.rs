//! The last drop of an `Arc` of std comes after all others, and so does the destructor that it runs.
#![expect(unsafe_code, reason = "cells are there for code that is unsafe")]

use racelab::cell::UnsafeCell;
use racelab::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use racelab::sync::{Arc, Mutex};
use racelab::trace::LeftOut;
use racelab::{Engine, Explorer, FailureKind, Report, Verdict, thread};

/// A cell that its destructor reads.
struct Slot(UnsafeCell<u32>);

// SAFETY: whether accesses can race is what the tests are about; the lab reports a race before the
// second access, and all threads run on one OS thread.
unsafe impl Sync for Slot {}
// SAFETY: a `u32` can be moved to another thread.
unsafe impl Send for Slot {}

impl Slot {
    fn new(value: u32) -> Self {
        Slot(UnsafeCell::new(value))
    }

    fn set(&self, value: u32) {
        // SAFETY: as above.
        self.0.with_mut(|slot| unsafe { *slot = value });
    }

    fn get(&self) -> u32 {
        // SAFETY: as above.
        self.0.with(|slot| unsafe { *slot })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        assert_eq!(self.get(), 1);
    }
}

trait Named {
    fn name(&self) -> u32;
}

impl Named for Slot {
    fn name(&self) -> u32 {
        7
    }
}

fn engines() -> Vec<Engine> {
    vec![
        Engine::Dpor,
        Engine::Dfs,
        Engine::Random,
        Engine::Pct,
        Engine::Surw,
        #[cfg(feature = "shuttle")]
        Engine::Shuttle,
        #[cfg(feature = "loom")]
        Engine::Loom,
    ]
}

fn explore(engine: Engine, body: fn()) -> Report {
    let explorer = Explorer::new(engine);
    let explorer = match engine {
        Engine::Dpor | Engine::Dfs => explorer,
        _ => explorer.max_executions(200),
    };
    explorer.explore(body)
}

/// A body in which no execution fails, and which says what was assumed where that was not checked.
fn holds(body: fn()) {
    for engine in engines() {
        let report = explore(engine, body);
        assert!(
            !matches!(report.verdict, Verdict::Violated(_)),
            "{engine}: {report}"
        );
        let is_checked = matches!(engine, Engine::Dpor | Engine::Dfs);
        if is_checked {
            assert!(
                matches!(report.verdict, Verdict::Holds),
                "{engine}: {report}"
            );
        }
        let [assumes, checks] =
            [LeftOut::LastDrops, LeftOut::DropOrders].map(|kind| report.left_out.contains(&kind));
        assert_eq!(assumes, !is_checked, "{engine}: {report}");
        assert!(!checks || is_checked, "{engine}: {report}");
    }
}

fn races(body: fn()) {
    for engine in engines() {
        let report = explore(engine, body);
        match report.verdict {
            Verdict::Violated(failure) if failure.kind == FailureKind::DataRace => {}
            _ => panic!("{engine}: no data race: {report}"),
        }
    }
}

#[test]
fn a_destructor_reads_what_another_thread_wrote_before_it_dropped_its_clone() {
    holds(writes_and_drops);
}

fn writes_and_drops() {
    let slot = Arc::new(Slot::new(0));
    // Steps, so that either drop can be the last.
    let steps = Arc::new(AtomicUsize::new(0));
    let thread = thread::spawn({
        let (slot, steps) = (Arc::clone(&slot), Arc::clone(&steps));
        move || {
            slot.set(1);
            drop(slot);
            steps.store(1, Relaxed);
        }
    });
    steps.load(Relaxed);
    drop(slot);
    thread.join().unwrap();
}

#[test]
fn either_thread_can_be_the_last_to_drop() {
    holds(|| {
        let slot = Arc::new(Slot::new(0));
        let steps = Arc::new(AtomicUsize::new(0));
        let thread = thread::spawn({
            let (slot, steps) = (Arc::clone(&slot), Arc::clone(&steps));
            move || {
                steps.store(1, Relaxed);
                slot.set(1);
            }
        });
        steps.load(Relaxed);
        drop(slot);
        steps.load(Relaxed);
        thread.join().unwrap();
    });
}

#[test]
fn a_trait_object_is_dropped_last_too() {
    holds(|| {
        let slot = Arc::new(Slot::new(0));
        let object: Arc<dyn Named + Send + Sync> = slot.clone();
        let steps = Arc::new(AtomicUsize::new(0));
        let thread = thread::spawn({
            let steps = Arc::clone(&steps);
            move || {
                slot.set(1);
                drop(slot);
                steps.store(1, Relaxed);
            }
        });
        steps.load(Relaxed);
        assert_eq!(object.name(), 7);
        drop(object);
        thread.join().unwrap();
    });
}

/// A linked list that is shared, and empties itself.
struct Stack {
    top: UnsafeCell<Option<Box<Node>>>,
    len: UnsafeCell<usize>,
}

struct Node {
    value: UnsafeCell<usize>,
    below: Option<Box<Node>>,
}

// SAFETY: as for `Slot`.
unsafe impl Sync for Stack {}
// SAFETY: as for `Slot`.
unsafe impl Send for Stack {}

impl Stack {
    /// Only one thread may push, or under a lock.
    fn push(&self, value: usize) {
        // SAFETY: as for `Slot`.
        self.top.with_mut(|top| unsafe {
            let below = (*top).take();
            *top = Some(Box::new(Node {
                value: UnsafeCell::new(0),
                below,
            }));
            let top = (*top).as_ref().expect("it was pushed");
            top.value.with_mut(|it| *it = value);
        });
        // SAFETY: as for `Slot`.
        self.len.with_mut(|len| unsafe { *len += 1 });
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: as for `Slot`.
        let mut top = self.top.with_mut(|top| unsafe { (*top).take() });
        let mut popped = 0;
        while let Some(node) = top {
            // SAFETY: as for `Slot`.
            node.value.with(|value| assert!(unsafe { *value } > 0));
            popped += 1;
            top = node.below;
        }
        // SAFETY: as for `Slot`.
        assert_eq!(popped, self.len.with(|len| unsafe { *len }));
    }
}

#[test]
fn a_structure_of_many_cells_empties_itself() {
    holds(two_that_push);
}

fn two_that_push() {
    let stack = Arc::new(Stack {
        top: UnsafeCell::new(None),
        len: UnsafeCell::new(0),
    });
    let lock = Arc::new(Mutex::new(()));
    let steps = Arc::new(AtomicUsize::new(0));
    let threads = [1, 2].map(|value| {
        let (stack, lock, steps) = (Arc::clone(&stack), Arc::clone(&lock), Arc::clone(&steps));
        thread::spawn(move || {
            let guard = lock.lock().unwrap();
            stack.push(value);
            drop(stack);
            drop(guard);
            steps.fetch_add(1, Relaxed);
        })
    });
    steps.load(Relaxed);
    drop(stack);
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn what_a_destructor_has_read_is_ordered_for_whoever_it_tells() {
    struct Reporting {
        slot: Slot,
        told: Arc<Mutex<u32>>,
    }
    impl Drop for Reporting {
        fn drop(&mut self) {
            *self.told.lock().unwrap() = self.slot.get();
        }
    }
    holds(|| {
        let told = Arc::new(Mutex::new(0));
        let held = Arc::new(Reporting {
            slot: Slot::new(0),
            told: Arc::clone(&told),
        });
        let thread = thread::spawn({
            let held = Arc::clone(&held);
            move || held.slot.set(1)
        });
        drop(told.lock());
        drop(held);
        assert!(*told.lock().unwrap() <= 1);
        thread.join().unwrap();
    });
}

#[test]
fn who_reads_while_it_still_shares_races() {
    races(|| {
        let slot = Arc::new(Slot::new(1));
        let lock = Arc::new(Mutex::new(()));
        let thread = thread::spawn({
            let (slot, lock) = (Arc::clone(&slot), Arc::clone(&lock));
            move || {
                drop(lock.lock());
                slot.set(1);
            }
        });
        slot.get();
        thread.join().unwrap();
    });
}

/// A destructor that reads a slot which others may hold as well.
struct Reads(Arc<Slot>);

impl Drop for Reads {
    fn drop(&mut self) {
        self.0.get();
    }
}

#[test]
fn a_destructor_that_no_last_drop_runs_races() {
    races(|| {
        let slot = Arc::new(Slot::new(1));
        let thread = thread::spawn({
            let slot = Arc::clone(&slot);
            move || slot.set(1)
        });
        drop(Box::new(Reads(slot)));
        thread.join().unwrap();
    });
}

#[test]
fn what_another_arc_holds_races_if_its_other_owner_comes_second() {
    races(|| {
        let slot = Arc::new(Slot::new(1));
        let lock = Arc::new(Mutex::new(()));
        let thread = thread::spawn({
            let (slot, lock) = (Arc::clone(&slot), Arc::clone(&lock));
            move || {
                drop(lock.lock());
                slot.get();
            }
        });
        drop(Arc::new(Writes(slot)));
        thread.join().unwrap();
    });
}

/// A destructor that writes a slot which others may hold as well.
struct Writes(Arc<Slot>);

impl Drop for Writes {
    fn drop(&mut self) {
        self.0.set(1);
    }
}

/// A thread writes a slot, and main drops the last `Arc` of a destructor that writes it as well. They
/// do so before, between or behind these operations on a lock.
fn reached_otherwise(thread: fn(&Slot, &Mutex<()>), main: fn(&Mutex<()>)) {
    let slot = Arc::new(Slot::new(1));
    let lock = Arc::new(Mutex::new(()));
    let last = Arc::new(Writes(Arc::clone(&slot)));
    let thread = thread::spawn({
        let (slot, lock) = (Arc::clone(&slot), Arc::clone(&lock));
        move || thread(&slot, &lock)
    });
    main(&lock);
    drop(last);
    thread.join().unwrap();
}

const REACHED_OTHERWISE: [fn(); 2] = [
    // The thread comes first wherever it can, so that the destructor seems to come after a clone that
    // was dropped; the thread may as well come second.
    || {
        reached_otherwise(
            |slot, lock| {
                slot.set(1);
                drop(lock.lock());
            },
            |lock| drop(lock.try_lock()),
        );
    },
    // The same where the thread has to take a lock first, which orders nothing that it does after it.
    || {
        reached_otherwise(
            |slot, lock| {
                drop(lock.lock());
                slot.set(1);
            },
            |lock| drop(lock.lock()),
        );
    },
];

fn race_in(report: &Report) -> bool {
    matches!(&report.verdict, Verdict::Violated(failure) if failure.kind == FailureKind::DataRace)
}

#[test]
fn what_was_reached_otherwise_races_although_it_came_first() {
    for body in REACHED_OTHERWISE {
        for engine in [Engine::Dpor, Engine::Dfs] {
            for jobs in [None, Some(2)] {
                let explorer = Explorer::new(engine);
                let explorer = match jobs {
                    Some(jobs) => explorer.jobs(jobs),
                    None => explorer,
                };
                let report = explorer.explore(body);
                assert!(race_in(&report), "{engine}, {jobs:?} jobs: {report}");
                let Verdict::Violated(failure) = &report.verdict else {
                    unreachable!("it was a race")
                };
                let schedule = failure.schedule.as_ref().unwrap();
                let schedule = schedule.to_string().parse().unwrap();
                let replayed = Explorer::new(engine).replay(&schedule, body);
                assert!(race_in(&replayed), "{schedule}: {replayed}");
            }
        }
    }
}

#[test]
fn a_shard_says_what_it_assumes() {
    let explorer = Explorer::new(Engine::Dpor).shard(1, 1);
    let report = explorer.explore(writes_and_drops);
    assert!(report.left_out.contains(&LeftOut::LastDrops), "{report}");
}

#[cfg(feature = "loom")]
#[test]
fn a_complete_check_does_not_assume_a_last_drop() {
    let checked = std::panic::catch_unwind(|| {
        let explorer = Explorer::new(Engine::Loom).require_complete();
        explorer.check(writes_and_drops);
    });
    let message = checked.unwrap_err();
    let message = message.downcast_ref::<String>().expect("it is formatted");
    assert!(message.contains("does not allow that"), "{message}");
}
