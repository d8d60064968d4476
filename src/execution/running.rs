//! Which executions run now, on whichever OS thread, and which of them wait for others.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The number of the execution that has begun last.
static NEWEST: AtomicU64 = AtomicU64::new(0);

/// What the OS threads do that have run executions.
static SLOTS: Mutex<Vec<Weak<Slot>>> = Mutex::new(Vec::new());

thread_local! {
    static SLOT: Arc<Slot> = new_slot();
}

/// What an OS thread does.
#[derive(Debug, Default)]
struct Slot {
    /// The number of its execution, 0 for none.
    execution: AtomicU64,
    /// The number of the object that the execution waits for, which another one uses.
    object: AtomicU64,
    /// The execution that uses it.
    owner: AtomicU64,
    /// Who has waited longer has the smaller one.
    ticket: AtomicU64,
    /// What a thread that the lab does not run has done to an object of the execution.
    intrusion: Mutex<Option<String>>,
    /// Whether there may be an intrusion. Each execution asks, and a lock takes longer than a load.
    may_be_intruded: AtomicBool,
}

impl Slot {
    fn lock_intrusion(&self) -> MutexGuard<'_, Option<String>> {
        self.intrusion
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What was noted, under its lock, unless nothing was.
    fn intrusion(&self) -> Option<MutexGuard<'_, Option<String>>> {
        let may_be_intruded = self.may_be_intruded.load(SeqCst);
        may_be_intruded.then(|| self.lock_intrusion())
    }
}

fn new_slot() -> Arc<Slot> {
    let slot = Arc::new(Slot::default());
    let mut slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
    slots.retain(|other| other.strong_count() > 0);
    slots.push(Arc::downgrade(&slot));
    slot
}

fn slots() -> Vec<Arc<Slot>> {
    let slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
    slots.iter().filter_map(Weak::upgrade).collect()
}

/// Notes which execution the OS thread runs now, 0 for none.
pub(super) fn note(execution: u64) {
    // When the OS thread ends, its slot may be gone already.
    let _ = SLOT.try_with(|slot| {
        if execution != 0 {
            NEWEST.fetch_max(execution, SeqCst);
            if let Some(mut intrusion) = slot.intrusion() {
                intrusion.take();
                slot.may_be_intruded.store(false, SeqCst);
            }
        }
        slot.execution.store(execution, SeqCst);
    });
}

/// The number of the execution that has begun last, on whichever OS thread. 0 before the first one.
pub(super) fn newest() -> u64 {
    NEWEST.load(SeqCst)
}

/// Notes what a thread that the lab does not run has done to an object of an execution. Returns
/// whether that execution is running.
pub(super) fn intrude(execution: u64, what: impl FnOnce() -> String) -> bool {
    let slots = slots();
    let slot = slots
        .iter()
        .find(|slot| slot.execution.load(SeqCst) == execution);
    let Some(slot) = slot else { return false };
    let mut intrusion = slot.lock_intrusion();
    // In this order, so that nothing is noted of the next execution: either that one finds the lock,
    // or it is seen here that this one has ended.
    slot.may_be_intruded.store(true, SeqCst);
    let is_running = slot.execution.load(SeqCst) == execution;
    if is_running {
        intrusion.get_or_insert_with(what);
    }
    is_running
}

/// What a thread that the lab does not run has done to an object of the execution that runs on this
/// OS thread, or has run there last.
pub(crate) fn intrusion() -> Option<String> {
    let noted = SLOT.try_with(|slot| slot.intrusion().and_then(|intrusion| intrusion.clone()));
    noted.unwrap_or_default()
}

/// Whether an execution runs now.
pub(super) fn is_running(execution: u64) -> bool {
    let mut slots = slots().into_iter();
    slots.any(|slot| slot.execution.load(SeqCst) == execution)
}

/// Whether an execution of another OS thread has waited longer for this object. It comes first: the
/// next execution of a search begins at once where one has ended, and would leave no room.
pub(super) fn others_wait_for(object: u64) -> bool {
    let mine = SLOT.with(Arc::clone);
    let ticket = match mine.object.load(SeqCst) {
        0 => u64::MAX,
        _ => mine.ticket.load(SeqCst),
    };
    let mut others = slots().into_iter();
    others.any(|slot| slot.object.load(SeqCst) == object && slot.ticket.load(SeqCst) < ticket)
}

/// That the execution of this OS thread waits for an object which another one uses.
#[derive(Debug)]
pub(super) struct Waiting(Arc<Slot>);

impl Waiting {
    /// Begins to wait for the object with this number.
    pub(super) fn begin(object: u64) -> Self {
        static TICKETS: AtomicU64 = AtomicU64::new(0);
        let slot = SLOT.with(Arc::clone);
        slot.ticket.store(TICKETS.fetch_add(1, SeqCst), SeqCst);
        slot.object.store(object, SeqCst);
        Waiting(slot)
    }

    /// Notes which execution uses the object now, and tells whether that waits, maybe for another one
    /// that does, for what this execution uses.
    pub(super) fn is_in_a_circle(&self, owner: u64) -> bool {
        self.0.owner.store(owner, SeqCst);
        let mine = self.0.execution.load(SeqCst);
        let slots = slots();
        let mut next = owner;
        for _ in &slots {
            let slot = slots
                .iter()
                .find(|slot| slot.execution.load(SeqCst) == next);
            next = slot.map_or(0, |slot| slot.owner.load(SeqCst));
            if next == 0 || next == mine {
                break;
            }
        }
        next == mine
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.object.store(0, SeqCst);
        self.0.owner.store(0, SeqCst);
    }
}
