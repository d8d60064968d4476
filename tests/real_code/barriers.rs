//! Barriers at which threads spin until all have come.

use racelab::sync::Arc;
use racelab::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use racelab::{FailureKind, hint, thread};

use super::{fails, holds, holds_by_reduction};

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
