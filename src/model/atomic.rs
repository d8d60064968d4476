//! The atomic, and the fence that orders the accesses of atomics around it.
//!
//! The rules are those of C++20: a store with Release heads a release sequence, which only
//! read-modify-writes continue; a load with Acquire that reads from it is ordered after its head;
//! fences order the accesses around them.

use std::panic::Location as Place;
use std::sync::atomic::Ordering;

use crate::execution::{
    Alternatives, Execution, Identity, Knowledge, NextStep, step, step_in_drop, step_on_memory,
    step_on_memory_in_drop, with,
};
use crate::memory::{Access, Accessed, AtomicType, Location};
use crate::trace::{Clock, Event, EventResult, ObjectId, Operation, Value};

use super::{Announced, Done, Order, Primitive, State};

/// The name of a type of atomic, and what it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) is: AtomicType,
    /// If it is a pointer, to how many bytes.
    pub(crate) pointee: usize,
}

/// The atomic in the current execution, or `None` outside of one. It begins with the value that is
/// stored in it, in bits.
#[expect(
    clippy::inline_always,
    reason = "a part of each step: a call costs as much as what it does"
)]
#[inline(always)]
#[track_caller]
pub(crate) fn object(
    identity: &Identity,
    kind: Kind,
    stored: impl FnOnce() -> u64,
) -> Option<ObjectId> {
    let object = identity.object(kind.name, |_| {
        State::Atomic(Location::new(kind.is, kind.pointee, stored()))
    });
    if object.is_none() && identity.is_used_elsewhere() {
        identity.refuse_other_thread(kind.name);
    }
    object
}

/// The atomic is made now, in the current execution if there is one.
#[cfg(feature = "loom")]
#[track_caller]
pub(crate) fn made(identity: &Identity, kind: Kind, stored: u64) {
    let made = identity.made(kind.name, |_| {
        State::Atomic(Location::new(kind.is, kind.pointee, stored))
    });
    if let Some(object) = made {
        // Not while the execution is borrowed, since the engine may look at it.
        let runtime = with(|execution| execution.runtime());
        runtime.made_atomic(object, kind.is, stored);
    }
}

/// The value that the atomic holds in the current execution, unless it is the one that is stored in
/// it. Not an operation.
pub(crate) fn peek(identity: &Identity) -> Option<u64> {
    let object = identity.known()?;
    with(|execution| {
        let object = execution.object(object);
        match &object.state {
            State::Atomic(location) if !object.is_lent => Some(location.newest()),
            _ => None,
        }
    })
}

/// An access, as a step.
#[track_caller]
pub(crate) fn access(atomic: ObjectId, access: Access, ordering: Ordering) -> Accessed {
    let operation = match access {
        Access::Load => Operation::Load,
        Access::Store(_) => Operation::Store,
        Access::Modify(..) => Operation::Rmw,
        Access::Exchange { .. } => Operation::Cas,
    };
    let next = NextStep::new(operation).on(atomic).ordered(ordering);
    step_on_memory(next, &access, |execution, alternative, read| {
        execution.access_atomic(atomic, access, read, alternative > 0)
    })
}

/// An access by a destructor, as a step, that is shown at another place.
pub(crate) fn access_in_drop(
    atomic: ObjectId,
    access: Access,
    ordering: Ordering,
    at: &'static Place<'static>,
) -> Accessed {
    let next = NextStep::new(Operation::Rmw).on(atomic).ordered(ordering);
    step_on_memory_in_drop(next.at(at), &access, |execution, alternative, read| {
        execution.access_atomic(atomic, access, read, alternative > 0)
    })
}

/// A compare-and-swap that may fail although the value is the expected one, as a step.
#[track_caller]
pub(crate) fn exchange_weak(
    atomic: ObjectId,
    current: u64,
    new: u64,
    success: Ordering,
    failure: Ordering,
) -> Accessed {
    let access = Access::Exchange {
        current,
        new,
        failure,
    };
    let next = NextStep::new(Operation::Cas).on(atomic).ordered(success);
    let next = next.or(Alternatives::Spurious(current));
    step_on_memory(next, &access, |execution, alternative, read| {
        execution.access_atomic(atomic, access, read, alternative > 0)
    })
}

/// A fence, as a step.
#[track_caller]
pub(crate) fn fence(ordering: Ordering) {
    step(NextStep::new(Operation::Fence).ordered(ordering), |_, _| ());
}

/// A fence of a destructor, as a step, that is shown at another place.
pub(crate) fn fence_in_drop(ordering: Ordering, at: &'static Place<'static>) {
    let next = NextStep::new(Operation::Fence).ordered(ordering);
    step_in_drop(next.at(at), |_, _| ());
}

impl Execution {
    /// Does an access, and notes what it has read and written.
    #[expect(
        clippy::inline_always,
        reason = "a part of each step: a call costs as much as what it does"
    )]
    #[inline(always)]
    fn access_atomic(
        &mut self,
        atomic: ObjectId,
        access: Access,
        read: Option<u64>,
        fails: bool,
    ) -> Accessed {
        let State::Atomic(location) = &mut self.object_mut(atomic).state else {
            unreachable!("an access of an atomic");
        };
        let is = location.atomic_type();
        let pointee = location.pointee();
        let accessed = location.commit(access, read, fails);
        if is == AtomicType::Pointer {
            let address = |bits| usize::try_from(bits).expect("the bits of a pointer");
            let stored = accessed.written.map(address);
            self.pass_pointer(atomic, address(accessed.read), stored, pointee);
        }
        let reads = !matches!(access, Access::Store(_));
        let read = reads.then(|| self.shown(is, accessed.read));
        let written = accessed.written.map(|bits| self.shown(is, bits));
        if accessed.is_stale {
            self.note_stale(atomic);
        }
        if self.follows_any_rounds {
            self.accessed = accessed;
        }
        self.note(|event| {
            event.read = read;
            event.written = written;
            if let Access::Exchange {
                current, failure, ..
            } = access
            {
                event.result = Some(match written {
                    Some(_) => EventResult::Succeeded,
                    None if accessed.read == current => EventResult::FailedSpuriously,
                    None => EventResult::Failed,
                });
                if written.is_none() {
                    event.ordering = Some(failure);
                }
            }
        });
        accessed
    }

    /// The value that a trace shows for these bits.
    #[inline]
    fn shown(&mut self, is: AtomicType, bits: u64) -> Value {
        is.show(bits).unwrap_or_else(|| {
            let address = usize::try_from(bits).expect("the bits of a pointer");
            self.pointer(address)
        })
    }
}

impl Primitive for Location {
    /// A read-modify-write that stores what it has read leaves the atomic as it was.
    #[inline]
    fn has_changed(&self, done: &Done<'_>) -> bool {
        changes(done.event)
    }

    /// A weak compare-and-swap can fail spuriously where it would succeed.
    fn ways(&self, at: &Announced<'_>) -> u32 {
        match at.next.alternatives {
            Alternatives::Spurious(expected) if self.newest() == expected => 2,
            _ => 1,
        }
    }

    #[inline]
    fn order(&mut self, order: &mut Order<'_>) {
        order_access(order.released, order.knowledge, order.event);
    }
}

/// Whether an access has left another value than there was, as far as it can tell: who only stores
/// has not looked.
#[inline]
pub(crate) fn changes(event: &Event) -> bool {
    let has_read = matches!(event.operation, Operation::Rmw | Operation::Cas);
    event.written.is_some() && !(has_read && event.written == event.read)
}

/// The fence, which is an operation without an object.
#[derive(Debug)]
pub(super) struct Fence;

impl Primitive for Fence {
    fn has_changed(&self, _done: &Done<'_>) -> bool {
        false
    }
}

/// What an access orders: `released` is what the newest store releases.
#[expect(
    clippy::inline_always,
    reason = "a part of each step: a call costs as much as what it does"
)]
#[inline(always)]
pub(crate) fn order_access(released: &mut Clock, knowledge: &mut Knowledge, event: &Event) {
    let Some(ordering) = event.ordering else {
        return;
    };
    let reads = event.read.is_some();
    let writes = event.written.is_some();
    let acquires = is_acquire(ordering);
    let releases = is_release(ordering);
    if reads {
        // What is acquired now need not be remembered for a later fence: it is known already.
        let known = if acquires {
            &mut knowledge.clock
        } else {
            &mut knowledge.seen
        };
        known.join(released);
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
