//! The atomic cell of crossbeam: each operation on the whole of its value is one step.
//!
//! The value is in the façade's object. A load is ordered as by `Acquire`, a store as by `Release`,
//! and the others as by both, which is what crossbeam promises.

use crate::execution::{Execution, Guarded, NextStep, step};
use crate::trace::{EventResult, ObjectId, Operation, Value};

use super::{Done, Order, Primitive, State};

const KIND: &str = "AtomicCell";

/// A value of any type that is read and written as a whole.
#[derive(Debug)]
pub(crate) struct AtomicCell;

/// What an operation has read and written, as far as it can be shown.
pub(crate) struct Shown {
    pub(crate) read: Option<Value>,
    pub(crate) written: Option<Value>,
}

impl Primitive for AtomicCell {
    /// To store what was there already is to look at it. Of a value that is not shown, that is not
    /// known.
    fn has_changed(&self, done: &Done<'_>) -> bool {
        let stays = done.event.written.is_some() && done.event.written == done.event.read;
        done.event.operation != Operation::Load && done.has_succeeded() && !stays
    }

    fn order(&mut self, order: &mut Order<'_>) {
        let known = &mut order.knowledge.clock;
        match order.event.operation {
            Operation::Load => known.join(order.released),
            Operation::Store => order.released.clone_from(known),
            _ => {
                known.join(order.released);
                if order.event.result != Some(EventResult::Failed) {
                    order.released.join(known);
                }
            }
        }
    }
}

/// The cell in the current execution, or `None` outside of one.
#[inline]
#[track_caller]
pub(crate) fn object(identity: &Guarded) -> Option<ObjectId> {
    identity.object(KIND, || (), |_| State::AtomicCell(AtomicCell))
}

/// The cell is made now, in the current execution if there is one.
#[cfg(feature = "loom")]
#[track_caller]
pub(crate) fn made(identity: &Guarded) {
    identity.made(KIND, |_| State::AtomicCell(AtomicCell));
}

/// An operation, as a step. `access` runs no user code.
#[track_caller]
pub(crate) fn access<R>(
    cell: ObjectId,
    operation: Operation,
    access: impl FnOnce(&mut Execution) -> (R, Shown),
) -> R {
    step(NextStep::new(operation).on(cell), |execution, _| {
        let (result, shown) = access(execution);
        execution.note(|event| {
            event.read = shown.read;
            event.written = shown.written;
        });
        result
    })
}
