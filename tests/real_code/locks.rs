//! Spin locks: each keeps its critical sections apart, and a bug in their use is found behind it.
#![expect(unsafe_code, reason = "what a hand-written lock guards is in a cell")]

use racelab::cell::UnsafeCell;
use racelab::sync::Arc;
use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering, Ordering::*};
use racelab::trace::LeftOut;
use racelab::{FailureKind, hint, thread};

use super::{fails, holds, holds_but_for};

trait Lock: Default + Send + Sync + 'static {
    fn lock(&self);
    fn unlock(&self);
}

/// A number that a lock guards.
#[derive(Default)]
struct Counter<L> {
    lock: L,
    n: UnsafeCell<usize>,
}

// SAFETY: whether the lock keeps the accesses to `n` apart is what the tests are about: the lab reports a
// race before the second access, and all threads of an execution run on one OS thread.
unsafe impl<L: Sync> Sync for Counter<L> {}

impl<L> Counter<L> {
    fn load(&self) -> usize {
        // SAFETY: as above.
        self.n.with(|n| unsafe { *n })
    }

    fn store(&self, value: usize) {
        // SAFETY: as above.
        self.n.with_mut(|n| unsafe { *n = value });
    }
}

impl<L: Lock> Counter<L> {
    fn add(&self) {
        self.lock.lock();
        self.store(self.load() + 1);
        self.lock.unlock();
    }

    /// Forgets that another thread can come between two critical sections.
    fn add_in_two_sections(&self) {
        self.lock.lock();
        let n = self.load();
        self.lock.unlock();
        self.lock.lock();
        self.store(n + 1);
        self.lock.unlock();
    }
}

/// Two threads add 1.
fn count<L: Lock>(add: fn(&Counter<L>)) {
    let counter = Arc::new(Counter::<L>::default());
    let other = thread::spawn({
        let counter = Arc::clone(&counter);
        move || add(&counter)
    });
    add(&counter);
    other.join().unwrap();
    assert_eq!(counter.load(), 2);
}

#[track_caller]
fn excludes<L: Lock>() {
    holds(|| count(Counter::<L>::add));
    fails(FailureKind::Panic, "left: 1", || {
        count(Counter::<L>::add_in_two_sections);
    });
}

/// Test-and-set, with the ordering of the unlock.
struct Swap<const RELEASES: bool>(AtomicBool);

impl<const RELEASES: bool> Default for Swap<RELEASES> {
    fn default() -> Self {
        Swap(AtomicBool::new(false))
    }
}

/// How an unlock that orders what was done under the lock, or one that does not, stores.
const fn unlocks(releases: bool) -> Ordering {
    if releases { Release } else { Relaxed }
}

impl<const RELEASES: bool> Lock for Swap<RELEASES> {
    fn lock(&self) {
        while self.0.swap(true, Acquire) {
            hint::spin_loop();
        }
    }

    fn unlock(&self) {
        self.0.store(false, unlocks(RELEASES));
    }
}

#[test]
fn a_lock_by_swap_excludes() {
    excludes::<Swap<true>>();
}

#[test]
fn a_lock_whose_unlock_orders_nothing_is_a_data_race() {
    fails(FailureKind::DataRace, "", || {
        count(Counter::<Swap<false>>::add);
    });
}

/// Test, and test-and-set.
#[derive(Default)]
struct Look(AtomicBool);

impl Lock for Look {
    fn lock(&self) {
        while self.0.swap(true, Acquire) {
            while self.0.load(Relaxed) {
                hint::spin_loop();
            }
        }
    }

    fn unlock(&self) {
        self.0.store(false, Release);
    }
}

#[test]
fn a_lock_by_looks_and_swaps_excludes() {
    excludes::<Look>();
}

/// Looks first, and then stores.
#[derive(Default)]
struct LookThenStore(AtomicBool);

impl Lock for LookThenStore {
    fn lock(&self) {
        while self.0.load(Acquire) {
            hint::spin_loop();
        }
        self.0.store(true, Relaxed);
    }

    fn unlock(&self) {
        self.0.store(false, Release);
    }
}

#[test]
fn a_lock_that_looks_and_then_stores_is_a_data_race() {
    fails(FailureKind::DataRace, "", || {
        count(Counter::<LookThenStore>::add);
    });
}

/// Compare-and-swap.
#[derive(Default)]
struct Exchange(AtomicBool);

impl Lock for Exchange {
    fn lock(&self) {
        while self
            .0
            .compare_exchange(false, true, Acquire, Relaxed)
            .is_err()
        {
            thread::yield_now();
        }
    }

    fn unlock(&self) {
        self.0.store(false, Release);
    }
}

#[test]
fn a_lock_by_compare_and_swap_excludes() {
    excludes::<Exchange>();
}

/// Compare-and-swap, which can fail spuriously.
#[derive(Default)]
struct WeakExchange(AtomicBool);

impl Lock for WeakExchange {
    fn lock(&self) {
        let free = || self.0.compare_exchange_weak(false, true, Acquire, Relaxed);
        while free().is_err() {
            while self.0.load(Relaxed) {
                hint::spin_loop();
            }
        }
    }

    fn unlock(&self) {
        self.0.store(false, Release);
    }
}

#[test]
fn a_lock_by_weak_compare_and_swap_excludes() {
    holds_but_for(LeftOut::RepeatedFailures, || {
        count(Counter::<WeakExchange>::add);
    });
    fails(FailureKind::Panic, "left: 1", || {
        count(Counter::<WeakExchange>::add_in_two_sections);
    });
}

/// First come, first served.
#[derive(Default)]
struct Ticket {
    next: AtomicUsize,
    serving: AtomicUsize,
}

impl Lock for Ticket {
    fn lock(&self) {
        let mine = self.next.fetch_add(1, Relaxed);
        while self.serving.load(Acquire) != mine {
            hint::spin_loop();
        }
    }

    fn unlock(&self) {
        let next = self.serving.load(Relaxed) + 1;
        self.serving.store(next, Release);
    }
}

#[test]
fn a_ticket_lock_excludes() {
    excludes::<Ticket>();
}

/// Tries a few times, and then goes to sleep until the other one unlocks.
#[derive(Default)]
struct SpinThenPark {
    is_locked: AtomicBool,
    sleeper: racelab::sync::Mutex<Option<thread::Thread>>,
}

impl Lock for SpinThenPark {
    fn lock(&self) {
        let mut rounds = 0;
        while self.is_locked.swap(true, Acquire) {
            if rounds < 3 {
                hint::spin_loop();
                rounds += 1;
                continue;
            }
            *self.sleeper.lock().unwrap() = Some(thread::current());
            if !self.is_locked.swap(true, Acquire) {
                return;
            }
            thread::park();
        }
    }

    fn unlock(&self) {
        self.is_locked.store(false, Release);
        let sleeper = self.sleeper.lock().unwrap().take();
        if let Some(sleeper) = sleeper {
            sleeper.unpark();
        }
    }
}

#[test]
fn a_lock_that_spins_and_then_parks_excludes() {
    holds(|| count(Counter::<SpinThenPark>::add));
}

/// A bit for a writer, and a number of readers above it.
trait ReadWrite: Default + Send + Sync + 'static {
    fn state(&self) -> &AtomicUsize;

    fn read(&self);

    fn end_read(&self) {
        self.state().fetch_sub(READER, Release);
    }

    fn write(&self) {
        let lock = || self.state().compare_exchange(0, WRITER, Acquire, Relaxed);
        while lock().is_err() {
            hint::spin_loop();
        }
    }

    fn end_write(&self) {
        self.state().fetch_and(!WRITER, Release);
    }
}

const WRITER: usize = 1;
const READER: usize = 2;

/// A reader that comes in by compare-and-swap.
#[derive(Default)]
struct ReadersByExchange(AtomicUsize);

impl ReadWrite for ReadersByExchange {
    fn state(&self) -> &AtomicUsize {
        &self.0
    }

    fn read(&self) {
        loop {
            let state = self.0.load(Relaxed);
            let more = self.0.compare_exchange(
                state & !WRITER,
                (state & !WRITER) + READER,
                Acquire,
                Relaxed,
            );
            if more.is_ok() {
                break;
            }
            hint::spin_loop();
        }
    }
}

/// A reader that comes in at once, and goes again if there is a writer.
#[derive(Default)]
struct ReadersByAddition(AtomicUsize);

impl ReadWrite for ReadersByAddition {
    fn state(&self) -> &AtomicUsize {
        &self.0
    }

    fn read(&self) {
        while self.0.fetch_add(READER, Acquire) & WRITER != 0 {
            self.0.fetch_sub(READER, Release);
            hint::spin_loop();
        }
    }
}

/// One thread reads and another one writes.
fn read_and_write<L: ReadWrite>() {
    let shared = Arc::new(Counter::<L>::default());
    let reader = thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            shared.lock.read();
            let seen = shared.load();
            shared.lock.end_read();
            assert!(seen < 2);
        }
    });
    shared.lock.write();
    shared.store(1);
    shared.lock.end_write();
    reader.join().unwrap();
}

/// Reads, and then writes what it has read and one more: another writer can come in between.
fn upgrade<L: ReadWrite>() {
    let shared = Arc::new(Counter::<L>::default());
    let add = |shared: &Counter<L>| {
        shared.lock.read();
        let seen = shared.load();
        shared.lock.end_read();
        shared.lock.write();
        shared.store(seen + 1);
        shared.lock.end_write();
    };
    let other = thread::spawn({
        let shared = Arc::clone(&shared);
        move || add(&shared)
    });
    add(&shared);
    other.join().unwrap();
    assert_eq!(shared.load(), 2);
}

#[test]
fn a_read_write_lock_by_compare_and_swap_excludes() {
    holds(read_and_write::<ReadersByExchange>);
    fails(FailureKind::Panic, "left: 1", upgrade::<ReadersByExchange>);
}

#[test]
fn a_read_write_lock_whose_readers_come_and_go_again_excludes() {
    holds(read_and_write::<ReadersByAddition>);
    fails(FailureKind::Panic, "left: 1", upgrade::<ReadersByAddition>);
}
