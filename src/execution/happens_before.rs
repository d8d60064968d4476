//! What happens before what.
//!
//! Happens-before follows the memory orderings as they are written, though every execution is
//! sequentially consistent: a Relaxed store publishes nothing. So a missing Release is found as a
//! data race in every execution in which both accesses take place, whatever the values were.
//!
//! What an operation orders is said by its primitive, in `model`.

use crate::model::{self, Order};
use crate::trace::{Clock, Event, Operation};

use super::{Execution, NextStep, Object};

/// What a thread knows of the others.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    /// What happens before its next event.
    pub(crate) clock: Clock,
    /// What an acquire fence would add: the releases that its Relaxed loads have read from.
    pub(crate) seen: Clock,
    /// What its Relaxed stores release, since its last release fence.
    pub(crate) fenced: Clock,
}

impl Execution {
    /// Draws the consequences of an event for what happens before what.
    pub(super) fn order(&mut self, event: &Event, next: &NextStep) {
        self.advance();
        match (event.operation, event.target) {
            (Operation::Fence, _) => {
                if let Some(ordering) = event.ordering {
                    model::atomic::order_fence(&mut self.current_mut().knowledge, ordering);
                }
            }
            (Operation::Spawn, Some(child)) => model::thread::order_spawn(self, child),
            (Operation::Join, _) => model::thread::order_join(self, event, next),
            (Operation::Unpark, Some(parked)) => model::park::order_unpark(self, parked),
            (Operation::Park, _) => model::park::order_park(self),
            _ => self.order_object(event, next),
        }
    }

    /// What an operation on an object orders is said by the primitive.
    fn order_object(&mut self, event: &Event, next: &NextStep) {
        // What a wait on a condition variable orders is said by its mutex.
        let Some(object) = next.mutex().or(event.object) else {
            return;
        };
        let Execution {
            threads,
            objects,
            current,
            ..
        } = self;
        let Object {
            state, released, ..
        } = &mut objects[object.index()];
        if let Some(primitive) = state.primitive_mut() {
            primitive.order(&mut Order {
                event,
                requires: next.requires,
                released,
                knowledge: &mut threads[current.index()].knowledge,
            });
        }
    }

    /// The current thread has another event.
    pub(crate) fn advance(&mut self) {
        let me = self.me();
        self.current_mut().knowledge.clock.advance(me);
    }
}
