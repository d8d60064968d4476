//! Barriers at which threads spin until all have come.
#![expect(unsafe_code, reason = "what a hand-written lock guards is in a cell")]

use racelab::cell::UnsafeCell;
use racelab::sync::Arc;
use racelab::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use racelab::trace::LeftOut;
use racelab::{Engine, FailureKind, hint, thread};

use super::{fails, holds, holds_by_reduction, holds_under};

/// Counts who has come, and begins a new generation when all have.
#[derive(Default)]
struct Barrier {
    arrived: AtomicUsize,
    generation: AtomicUsize,
}

impl Barrier {
    fn is_last(&self, threads: usize) -> bool {
        let is_last = self.arrived.fetch_add(1, SeqCst) + 1 == threads;
        if is_last {
            self.arrived.store(0, SeqCst);
            self.generation.fetch_add(1, SeqCst);
        }
        is_last
    }

    fn wait_for_end_of(&self, generation: usize) {
        while self.generation.load(SeqCst) == generation {
            hint::spin_loop();
        }
    }

    fn wait(&self, threads: usize) {
        let generation = self.generation.load(SeqCst);
        if !self.is_last(threads) {
            self.wait_for_end_of(generation);
        }
    }

    /// Asks for the generation when it may already be the next one.
    fn wait_and_ask_late(&self, threads: usize) {
        if !self.is_last(threads) {
            self.wait_for_end_of(self.generation.load(SeqCst));
        }
    }
}

/// Each thread writes before each wait, and sees after it what all have written.
fn meet(threads: usize, rounds: usize, wait: fn(&Barrier, usize)) {
    let shared = Arc::new((Barrier::default(), AtomicUsize::new(0)));
    let take_part = move |shared: &(Barrier, AtomicUsize)| {
        for round in 1..=rounds {
            shared.1.fetch_add(1, SeqCst);
            wait(&shared.0, threads);
            assert!(shared.1.load(SeqCst) >= round * threads);
        }
    };
    let others: Vec<_> = (1..threads)
        .map(|_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || take_part(&shared))
        })
        .collect();
    take_part(&shared);
    for other in others {
        other.join().unwrap();
    }
}

#[test]
fn a_spinning_barrier_lets_nobody_through_early() {
    holds(|| meet(2, 1, Barrier::wait));
    holds_by_reduction(|| meet(2, 2, Barrier::wait));
    holds_by_reduction(|| meet(3, 1, Barrier::wait));
}

#[test]
fn a_barrier_that_asks_late_for_its_generation_is_a_livelock() {
    fails(FailureKind::Livelock, "", || {
        meet(2, 1, Barrier::wait_and_ask_late);
    });
}

/// The same under a spin lock, which whoever waits takes in each round.
#[derive(Default)]
struct LockedBarrier {
    is_locked: AtomicBool,
    arrived: UnsafeCell<usize>,
    generation: UnsafeCell<usize>,
}

// SAFETY: the cells are accessed under the lock only. The lab reports a race before the second access, and
// all threads of an execution run on one OS thread.
unsafe impl Sync for LockedBarrier {}

impl LockedBarrier {
    fn lock(&self) {
        let lock = || {
            self.is_locked
                .compare_exchange(false, true, Acquire, Relaxed)
        };
        while lock().is_err() {
            while self.is_locked.load(Relaxed) {
                hint::spin_loop();
            }
        }
    }

    fn unlock(&self) {
        self.is_locked.store(false, Release);
    }

    fn arrive(&self) -> usize {
        // SAFETY: the caller holds the lock.
        self.arrived.with_mut(|arrived| unsafe {
            *arrived += 1;
            *arrived
        })
    }

    fn generation(&self) -> usize {
        // SAFETY: the caller holds the lock.
        self.generation.with(|generation| unsafe { *generation })
    }

    fn begin_generation(&self) {
        // SAFETY: the caller holds the lock.
        self.arrived.with_mut(|arrived| unsafe { *arrived = 0 });
        // SAFETY: as above.
        self.generation
            .with_mut(|generation| unsafe { *generation += 1 });
    }

    fn wait(&self, threads: usize) {
        self.lock();
        if self.arrive() == threads {
            self.begin_generation();
        } else {
            self.wait_for_end_of(self.generation());
        }
        self.unlock();
    }

    fn wait_for_end_of(&self, generation: usize) {
        while self.generation() == generation {
            self.unlock();
            hint::spin_loop();
            self.lock();
        }
    }

    /// Asks for the generation when it may already be the next one.
    fn wait_and_ask_late(&self, threads: usize) {
        self.lock();
        if self.arrive() == threads {
            self.begin_generation();
        } else {
            self.unlock();
            self.lock();
            self.wait_for_end_of(self.generation());
        }
        self.unlock();
    }
}

/// Each of two threads writes before it waits, and sees after that what both have written.
fn meet_under_a_lock(wait: fn(&LockedBarrier, usize)) {
    let shared = Arc::new((LockedBarrier::default(), AtomicUsize::new(0)));
    let take_part = move |shared: &(LockedBarrier, AtomicUsize)| {
        shared.1.fetch_add(1, SeqCst);
        wait(&shared.0, 2);
        assert_eq!(shared.1.load(SeqCst), 2);
    };
    let other = thread::spawn({
        let shared = Arc::clone(&shared);
        move || take_part(&shared)
    });
    take_part(&shared);
    other.join().unwrap();
}

#[test]
fn a_barrier_that_is_asked_under_a_spin_lock_lets_nobody_through_early() {
    holds_under(Engine::Dpor, LeftOut::UndoneRounds, || {
        meet_under_a_lock(LockedBarrier::wait);
    });
}

#[test]
fn a_barrier_that_asks_late_under_a_spin_lock_is_a_livelock() {
    fails(FailureKind::Livelock, "", || {
        meet_under_a_lock(LockedBarrier::wait_and_ask_late);
    });
}
