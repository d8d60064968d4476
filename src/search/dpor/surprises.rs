//! Steps that touch more than was planned.
//!
//! To a step belongs all that its thread does until it announces the next one. What that is can
//! depend on what the step has seen: a load after which its thread panics releases the locks that
//! the thread holds, and one after which it ends is the end of the thread. So a step that is planned
//! in another place may touch more there than it has touched where it was done. What looks like
//! a way to come to the same states may be none then: a step that was taken for independent of a
//! sequence must not stand for it.
//!
//! Nobody knows it before such a step is done. When one has surprised, its touches are remembered
//! for all its places, and the search starts again.

use std::ptr;

use rustc_hash::FxHashMap;

use crate::execution::NextStep;
use crate::search::dependence::{Footprint, Step, add_touches, is_within};
use crate::search::identity::ThreadKey;
use crate::trace::Operation;

/// A step of a program, in whichever execution: its thread, which one it is there, and what was
/// announced.
///
/// A step that changes places is announced in the same way there. Others that have the same number
/// in other executions are other steps, since what the thread has seen has led it elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Which {
    thread: ThreadKey,
    number: u32,
    operation: Operation,
    place: usize,
}

impl Which {
    pub(super) fn new(thread: ThreadKey, number: u32, next: &NextStep) -> Self {
        Which {
            thread,
            number,
            operation: next.operation,
            place: ptr::from_ref(next.at).addr(),
        }
    }

    /// The one that was done.
    pub(super) fn of(step: &Step) -> Self {
        Which::new(step.key, step.number, &step.announced.next)
    }
}

/// What steps have touched that was not planned.
#[derive(Clone, Debug, Default)]
pub(super) struct Surprises {
    touches: FxHashMap<Which, Footprint>,
    /// Whether there are some that the search has not known from its start on.
    pub(super) are_new: bool,
}

impl Surprises {
    /// Compares what a step has touched with what was planned.
    pub(super) fn compare(&mut self, step: &Step, planned: &Footprint) {
        if is_within(&step.footprint, planned) {
            return;
        }
        let known = self.touches.entry(Which::of(step)).or_default();
        if !is_within(&step.footprint, known) {
            add_touches(known, step.footprint.iter().copied());
            self.are_new = true;
        }
    }

    /// Adds what a step is known to touch at times to what it is planned to touch.
    pub(super) fn add_to(&self, planned: &mut Footprint, which: Which) {
        if let Some(touches) = self.touches.get(&which) {
            add_touches(planned, touches.iter().copied());
        }
    }

    /// The same, for a search from the start.
    pub(super) fn settled(self) -> Self {
        Surprises {
            are_new: false,
            ..self
        }
    }
}
