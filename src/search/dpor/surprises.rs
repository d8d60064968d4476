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
//!
//! Most surprises do not matter, since no step is in conflict with them alone. Who waits for what
//! happens once cannot come before it: that a barrier is passed matters to nobody, and that a thread
//! ends matters only if somebody looks at that without waiting.

use std::ptr;

use rustc_hash::FxHashMap;

use crate::execution::{Mode, NextStep, Requirement, Spot};
use crate::search::dependence::{Footprint, Step, add_touches, conflict, covers, is_within};
use crate::search::identity::{SpotKey, ThreadKey};
use crate::trace::Operation;

/// A step of a program, in whichever execution: its thread, which one it is there, and what was
/// announced.
///
/// A step that changes places is announced in the same way there. Others that have the same number
/// in other executions are other steps, since what the thread has seen has led it elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Which {
    thread: ThreadKey,
    number: u32,
    #[cfg_attr(feature = "cli", serde(with = "crate::search::kept::operation"))]
    operation: Operation,
    #[cfg_attr(feature = "cli", serde(with = "crate::search::kept::place"))]
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
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Surprises {
    #[cfg_attr(feature = "cli", serde(with = "crate::search::kept::pairs"))]
    touches: FxHashMap<Which, Footprint>,
    /// Of the ends and results of threads that are touched by steps which have not waited for the
    /// thread: what else all of these steps touch.
    #[cfg_attr(feature = "cli", serde(with = "crate::search::kept::pairs"))]
    looked_at: FxHashMap<SpotKey, Footprint>,
    /// The steps that have touched the end of a thread or its result where that did not matter yet,
    /// with what was planned.
    #[cfg_attr(feature = "cli", serde(with = "crate::search::kept::pairs"))]
    idle: FxHashMap<SpotKey, Vec<(Which, Footprint)>>,
    /// Whether there are some that the search has not known from its start on.
    pub(super) are_new: bool,
}

impl Surprises {
    /// Looks at a step that was done: whether it touches what others were thought not to touch, and
    /// more than was planned, if it was.
    pub(super) fn learn(
        &mut self,
        step: &Step,
        touches: impl Iterator<Item = (Spot, SpotKey, Mode)>,
        planned: Option<&Footprint>,
    ) {
        for (spot, key, mode) in touches {
            if looks(step, spot) {
                self.look(key, step);
            }
            if let Some(planned) = planned
                && !covers(planned, key, mode)
            {
                let touch = Footprint::from_iter([(key, mode)]);
                self.compare(Which::of(step), spot, touch, planned);
            }
        }
    }

    /// A step looks at the end of a thread, or at its result.
    fn look(&mut self, key: SpotKey, step: &Step) {
        let others = step.footprint.iter().filter(|(spot, _)| *spot != key);
        match self.looked_at.get_mut(&key) {
            Some(common) => common.retain(|touch| step.footprint.contains(touch)),
            None => {
                self.looked_at.insert(key, others.copied().collect());
            }
        }
        for (which, planned) in self.idle.remove(&key).unwrap_or_default() {
            self.end(which, Footprint::from_iter([(key, Mode::Write)]), &planned);
        }
    }

    /// Draws the consequences of a touch that was not planned.
    fn compare(&mut self, which: Which, spot: Spot, touch: Footprint, planned: &Footprint) {
        match spot {
            // Who touches it can do so only afterwards, or is in conflict without it as well.
            Spot::Start(_) | Spot::Woken(_) | Spot::Taken(..) | Spot::Passage(..) => {}
            Spot::End(_) | Spot::Result(_) => self.end(which, touch, planned),
            Spot::Object(_)
            | Spot::Token(_)
            | Spot::Receivers(_)
            | Spot::Upgradable(_)
            | Spot::Guarded(_) => self.add(which, touch),
        }
    }

    /// A step is the end of its thread, or lets go of a result. That matters if others look at it
    /// that are not in conflict with the step as it was planned.
    fn end(&mut self, which: Which, touch: Footprint, planned: &Footprint) {
        let key = touch[0].0;
        let looks = self.looked_at.get(&key);
        if looks.is_some_and(|common| !conflict(planned, common)) {
            self.add(which, touch);
            return;
        }
        let idle = self.idle.entry(key).or_default();
        if idle.iter().all(|known| *known != (which, planned.clone())) {
            idle.push((which, planned.clone()));
        }
    }

    fn add(&mut self, which: Which, touch: Footprint) {
        let known = self.touches.entry(which).or_default();
        if !is_within(&touch, known) {
            add_touches(known, touch);
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

/// Whether a step touches the end of another thread, or its result, without having waited for it.
fn looks(step: &Step, spot: Spot) -> bool {
    let (Spot::End(thread) | Spot::Result(thread)) = spot else {
        return false;
    };
    let waits =
        matches!(step.announced.next.requires, Requirement::Finished(other) if other == thread);
    step.thread != thread && !waits
}
