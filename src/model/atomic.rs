//! The atomic, and the fence that orders the accesses of atomics around it.
//!
//! The rules are those of C++20: a store with Release heads a release sequence, which only
//! read-modify-writes continue; a load with Acquire that reads from it is ordered after its head;
//! fences order the accesses around them.

use std::sync::atomic::Ordering;

use crate::execution::Knowledge;
use crate::trace::{Clock, Event, Value};

/// An atomic, by what a trace shows of its value.
#[derive(Debug)]
pub(crate) struct Atomic {
    pub(crate) value: Value,
}

impl Atomic {
    /// Whether a compare-and-swap that may fail spuriously can do so: one that would succeed.
    pub(crate) fn can_fail_spuriously(&self, expected: Value) -> bool {
        self.value == expected
    }
}

/// What an access orders: `released` is what the newest store releases.
pub(super) fn order(released: &mut Clock, knowledge: &mut Knowledge, event: &Event) {
    let Some(ordering) = event.ordering else {
        return;
    };
    let reads = event.read.is_some();
    let writes = event.written.is_some();
    let acquires = is_acquire(ordering);
    let releases = is_release(ordering);
    if reads {
        if acquires {
            knowledge.clock.join(released);
        }
        // Also what is acquired now: a later fence orders no less than this load.
        knowledge.seen.join(released);
    }
    if writes {
        let known = if releases {
            &knowledge.clock
        } else {
            &knowledge.fenced
        };
        if reads {
            released.join(known);
        } else {
            // A plain store ends the release sequence that it overwrites.
            released.clone_from(known);
        }
    }
}

/// What a fence orders: the accesses before it of the thread itself.
pub(crate) fn order_fence(knowledge: &mut Knowledge, ordering: Ordering) {
    if is_acquire(ordering) {
        knowledge.clock.join(&knowledge.seen);
    }
    if is_release(ordering) {
        knowledge.fenced = knowledge.clock.clone();
    }
}

fn is_acquire(ordering: Ordering) -> bool {
    matches!(
        ordering,
        Ordering::Acquire | Ordering::AcqRel | Ordering::SeqCst
    )
}

fn is_release(ordering: Ordering) -> bool {
    matches!(
        ordering,
        Ordering::Release | Ordering::AcqRel | Ordering::SeqCst
    )
}
