//! What the last drop of an `Arc` runs comes after all that was done through it, and who is last.
#![expect(unsafe_code, reason = "what a destructor reads is in a cell")]

use racelab::cell::UnsafeCell;
use racelab::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use racelab::sync::{Arc, Mutex, counted};
use racelab::{FailureKind, thread};

use super::{fails, holds};

/// A number that its destructor reads.
struct Slot(UnsafeCell<u32>);

// SAFETY: whether accesses can race is what the tests are about: the lab reports a race before the second
// access, and all threads of an execution run on one OS thread.
unsafe impl Sync for Slot {}

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

trait Valued: Send + Sync {
    fn value(&self) -> u32;
}

impl Valued for Slot {
    fn value(&self) -> u32 {
        7
    }
}

/// Another thread writes through its clone and drops it, and `mine` is dropped here. The number is there
/// for steps, without which one of the two drops would always be the last.
fn write_and_drop<T>(slot: Arc<Slot>, mine: T) {
    let steps = Arc::new(AtomicUsize::new(0));
    let other = thread::spawn({
        let steps = Arc::clone(&steps);
        move || {
            steps.fetch_add(1, Relaxed);
            slot.set(1);
            drop(slot);
            steps.fetch_add(1, Relaxed);
        }
    });
    steps.load(Relaxed);
    drop(mine);
    other.join().unwrap();
}

#[test]
fn a_destructor_may_read_what_another_thread_wrote_before_it_dropped_its_clone() {
    holds(|| {
        let slot = Arc::new(Slot::new(0));
        write_and_drop(Arc::clone(&slot), slot);
    });
}

#[test]
fn the_destructor_of_a_trait_object_may_too() {
    holds(|| {
        let slot = Arc::new(Slot::new(0));
        let object: Arc<dyn Valued> = slot.clone();
        assert_eq!(object.value(), 7);
        write_and_drop(slot, object);
    });
}

#[test]
fn who_reads_while_it_still_shares_races() {
    fails(FailureKind::DataRace, "", || {
        let slot = Arc::new(Slot::new(1));
        let lock = Arc::new(Mutex::new(()));
        let other = thread::spawn({
            let (slot, lock) = (Arc::clone(&slot), Arc::clone(&lock));
            move || {
                drop(lock.lock().unwrap());
                slot.set(1);
            }
        });
        slot.get();
        other.join().unwrap();
    });
}

/// Two threads take what they share, each as it can.
fn take_in_both_threads(take: fn(counted::Arc<u32>) -> Option<u32>) {
    let mine = counted::Arc::new(5);
    let theirs = counted::Arc::clone(&mine);
    let other = thread::spawn(move || take(theirs));
    let taken = [take(mine), other.join().unwrap()];
    assert_eq!(taken.into_iter().flatten().count(), 1, "nobody got it");
}

#[test]
fn two_threads_that_try_to_unwrap_can_both_fail() {
    fails(FailureKind::Panic, "nobody got it", || {
        take_in_both_threads(|arc| counted::Arc::try_unwrap(arc).ok());
    });
}

#[test]
fn the_last_of_two_threads_gets_what_they_shared() {
    holds(|| take_in_both_threads(counted::Arc::into_inner));
}
