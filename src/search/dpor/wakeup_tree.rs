//! Wakeup trees: the sequences of steps that are still to be explored from a state on.
//!
//! A reversed race says not only which thread has to go first, but all the steps on the way to the
//! race's other order. To follow them is what keeps an exploration from running into states from
//! which everything was explored before (Abdulla, Aronis, Jonsson and Sagonas, JACM 2017).

use std::collections::VecDeque;

use crate::search::dependence::{Footprint, Step, conflict};
use crate::search::identity::ThreadKey;

/// A step of a sequence, before it is known what it will do in its new place.
#[derive(Debug)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Planned {
    pub(super) thread: ThreadKey,
    /// The way that it goes; `None` for a step that has changed places, so that it may have others.
    pub(super) alternative: Option<u32>,
    /// What it touches, or may touch.
    pub(super) footprint: Footprint,
    /// Of a step that sleeps: whether one was taken since that was planned to conflict with it, and
    /// then did not. What was planned behind that one may be for an order in which this one comes
    /// late.
    pub(super) was_passed: bool,
}

impl Clone for Planned {
    fn clone(&self) -> Self {
        Planned {
            // A copy at once: the derived one adds touch by touch.
            footprint: Footprint::from_slice(&self.footprint),
            ..*self
        }
    }
}

impl Planned {
    pub(super) fn new(thread: ThreadKey, alternative: Option<u32>, footprint: Footprint) -> Self {
        Planned {
            thread,
            alternative,
            footprint,
            was_passed: false,
        }
    }

    /// A step as it was done.
    pub(super) fn again(step: &Step) -> Self {
        Sight::of(step).planned()
    }

    /// That all threads that could go on wait behind writers, for ever.
    pub(super) fn wait_of_all() -> Self {
        Planned::new(ThreadKey::ALL, None, Footprint::new())
    }

    /// Whether it is that all threads wait.
    pub(super) fn is_wait_of_all(&self) -> bool {
        self.thread == ThreadKey::ALL
    }

    /// What it is in a sequence.
    pub(super) fn sight(&self) -> Sight<'_> {
        Sight {
            thread: self.thread,
            alternative: self.alternative,
            footprint: &self.footprint,
        }
    }
}

/// A step of a sequence, as far as it matters there. Most sequences are looked at and not kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight<'a> {
    thread: ThreadKey,
    pub(super) alternative: Option<u32>,
    pub(super) footprint: &'a Footprint,
}

impl<'a> Sight<'a> {
    /// A step as it was done.
    pub(super) fn of(step: &'a Step) -> Self {
        Sight {
            thread: step.key,
            alternative: Some(step.alternative),
            footprint: &step.footprint,
        }
    }

    pub(super) fn planned(&self) -> Planned {
        let footprint = Footprint::from_slice(self.footprint);
        Planned::new(self.thread, self.alternative, footprint)
    }

    /// Whether the order of the two steps matters. That all threads wait is the end, wherever it comes.
    fn meets(&self, other: &Sight<'_>) -> bool {
        let is_end = |step: &Sight<'_>| step.thread == ThreadKey::ALL;
        is_end(self) || is_end(other) || conflict(self.footprint, other.footprint)
    }
}

/// The sequences that begin with a step.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Branch {
    pub(super) step: Planned,
    pub(super) below: Tree,
}

impl Branch {
    /// All sequences that begin with the step.
    pub(super) fn leaf(step: Planned) -> Self {
        Branch {
            step,
            below: Tree::new(),
        }
    }
}

/// The sequences to be explored from a state on, in this order.
pub(super) type Tree = VecDeque<Branch>;

/// How a step stands to a sequence: whether the sequence can begin with it, as far as the order of
/// independent steps goes (whether it is a *weak initial*).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Initial {
    /// It is the step with this index, and no step before depends on it.
    At(usize),
    /// It is not part of the sequence, and independent of all of it.
    Apart,
    No,
}

/// Whether `sequence` can begin with the step.
pub(super) fn initial<'a>(
    step: &Planned,
    sequence: impl Iterator<Item = Sight<'a>> + Clone,
) -> Initial {
    let same = sequence
        .clone()
        .enumerate()
        .find(|(_, other)| other.thread == step.thread);
    let mut steps = sequence;
    match same {
        None => {
            let meets = steps.any(|other| step.sight().meets(&other));
            if meets { Initial::No } else { Initial::Apart }
        }
        Some((index, other)) => {
            // A step without a way stands for all of them.
            let goes_so = match (step.alternative, other.alternative) {
                (Some(one), Some(other)) => one == other,
                _ => true,
            };
            let mut earlier = steps.take(index);
            if goes_so && !earlier.any(|earlier| other.meets(&earlier)) {
                Initial::At(index)
            } else {
                Initial::No
            }
        }
    }
}

/// Adds a sequence, unless a sequence that is there already covers it.
pub(super) fn insert(mut tree: &mut Tree, mut sequence: Vec<Planned>) {
    loop {
        let mut covered = None;
        for (index, branch) in tree.iter().enumerate() {
            match initial(&branch.step, sequence.iter().map(Planned::sight)) {
                Initial::No => {}
                found => {
                    covered = Some((index, found));
                    break;
                }
            }
        }
        let Some((index, found)) = covered else { break };
        if let Initial::At(at) = found {
            sequence.remove(at);
        }
        tree = &mut tree[index].below;
        // A leaf stands for everything that begins so; and if nothing is left of the sequence, all
        // that goes on from here does.
        if tree.is_empty() || sequence.is_empty() {
            return;
        }
    }
    let mut steps = sequence.into_iter().rev();
    let Some(last) = steps.next() else { return };
    let chain = steps.fold(Branch::leaf(last), |below, step| Branch {
        step,
        below: Tree::from([below]),
    });
    tree.push_back(chain);
}
