//! Which executions run now, on whichever OS thread.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The number of the execution of each OS thread that has run one.
static SLOTS: Mutex<Vec<Weak<AtomicU64>>> = Mutex::new(Vec::new());

thread_local! {
    static SLOT: Arc<AtomicU64> = new_slot();
}

fn new_slot() -> Arc<AtomicU64> {
    let slot = Arc::new(AtomicU64::new(0));
    let mut slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
    slots.retain(|other| other.strong_count() > 0);
    slots.push(Arc::downgrade(&slot));
    slot
}

/// Notes which execution the OS thread runs now, 0 for none.
pub(super) fn note(execution: u64) {
    // When the OS thread ends, its slot may be gone already.
    let _ = SLOT.try_with(|slot| slot.store(execution, Relaxed));
}

/// Whether an execution runs now.
pub(super) fn is_running(execution: u64) -> bool {
    let slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut running = slots.iter().filter_map(Weak::upgrade);
    running.any(|slot| slot.load(Relaxed) == execution)
}
