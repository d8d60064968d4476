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

impl Knowledge {
    pub(super) fn clear(&mut self) {
        let Knowledge {
            clock,
            seen,
            fenced,
        } = self;
        clock.clear();
        seen.clear();
        fenced.clear();
    }
}

impl Execution {
    /// Draws the consequences of an event for what happens before what.
    #[inline]
    pub(super) fn order(&mut self, event: &Event, next: &NextStep) {
        let me = self.me();
        let knowledge = &mut self.threads[me.index()].knowledge;
        knowledge.clock.advance(me);
        match (event.operation, event.target) {
            (Operation::Fence, _) => {
                if let Some(ordering) = event.ordering {
                    model::atomic::order_fence(knowledge, ordering);
                }
            }
            (Operation::Spawn, Some(child)) => model::thread::order_spawn(self, child),
            (Operation::Join, _) => model::thread::order_join(self, event, next),
            (Operation::Unpark, Some(parked)) => model::park::order_unpark(self, parked),
            // A spurious wake-up takes no token.
            (Operation::Park, _) if event.result.is_none() => model::park::order_park(self),
            _ => {
                // What a wait on a condition variable orders is said by its mutex.
                let Some(object) = next.mutex().or(event.object) else {
                    return;
                };
                let Object {
                    state, released, ..
                } = &mut self.objects[object.index()];
                state.order(&mut Order {
                    event,
                    requires: next.requires,
                    released,
                    knowledge,
                });
            }
        }
    }

    /// The current thread has another event.
    #[inline]
    pub(crate) fn advance(&mut self) {
        let me = self.me();
        self.current_mut().knowledge.clock.advance(me);
    }
}
