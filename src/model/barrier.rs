//! The barrier.

use smallvec::SmallVec;

use crate::execution::{Identity, Mode, NextStep, Requirement, Spot, Touches, step};
use crate::trace::{Clock, ObjectId, Obstacle, Operation};

use super::{Announced, Before, Done, Order, Primitive, State};

const KIND: &str = "Barrier";

/// A place where threads wait until enough have arrived.
#[derive(Debug)]
pub(crate) struct Barrier {
    /// How many threads have to arrive.
    size: usize,
    /// How many have arrived since it was passed last.
    arrived: usize,
    /// How often it was passed.
    passed: u64,
    /// What those who have arrived knew.
    arrivals: Clock,
    /// What those knew who passed it together, for each time. A thread may learn of it late, when
    /// others have arrived again.
    passages: Vec<Clock>,
}

/// The barrier for `size` threads in the current execution, or `None` outside of one. Nobody has
/// arrived when an execution begins to use it.
#[inline]
#[track_caller]
pub(crate) fn object(identity: &Identity, size: usize) -> Option<ObjectId> {
    let object = identity.object(KIND, |_| State::Barrier(Barrier::new(size)));
    if object.is_none() && identity.is_used_elsewhere() {
        identity.refuse_other_thread(KIND);
    }
    object
}

/// The barrier is made now, in the current execution if there is one.
#[cfg(feature = "loom")]
#[track_caller]
pub(crate) fn made(identity: &Identity, size: usize) {
    identity.made(KIND, |_| State::Barrier(Barrier::new(size)));
}

/// Arrives and waits until enough threads have, as two steps; for the last one to arrive it is one.
/// Returns whether it was the last one.
#[track_caller]
pub(crate) fn wait(object: ObjectId) -> bool {
    let arrival = NextStep::new(Operation::Barrier).on(object);
    let (is_leader, passed) = step(arrival, |execution, _| {
        let barrier = match &mut execution.object_mut(object).state {
            State::Barrier(barrier) => barrier,
            other => unreachable!("{other:?} is no barrier"),
        };
        let passed = barrier.passed;
        barrier.arrived += 1;
        let is_leader = barrier.arrived >= barrier.size;
        if is_leader {
            barrier.arrived = 0;
            barrier.passed += 1;
        }
        (is_leader, passed)
    });
    if !is_leader {
        let wake = NextStep::new(Operation::Wake).on(object).at(arrival.at);
        step(
            wake.requires(Requirement::Passed(object, passed)),
            |_, _| (),
        );
    }
    is_leader
}

impl Barrier {
    fn new(size: usize) -> Self {
        Barrier {
            size,
            arrived: 0,
            passed: 0,
            arrivals: Clock::default(),
            passages: Vec::new(),
        }
    }
}

impl Primitive for Barrier {
    /// Who goes on only reads that the barrier was passed, which stays.
    fn announce(&self, at: &Announced<'_>, touches: &mut Touches) {
        touches.extend(match at.next.requires {
            Requirement::Passed(barrier, times) => {
                Some((Spot::Passage(barrier, times), Mode::Read))
            }
            _ => at
                .next
                .object
                .map(|barrier| (Spot::Object(barrier), Mode::Write)),
        });
    }

    fn touched(&self, _done: &Done<'_>, spot: Spot, _before: &Before) -> Option<Mode> {
        Some(match spot {
            Spot::Passage(..) => Mode::Read,
            _ => Mode::Write,
        })
    }

    /// The last one to arrive lets the others go on.
    fn allowed(&self, done: &Done<'_>) -> SmallVec<[Spot; 2]> {
        let is_last = done.event.operation == Operation::Barrier && self.arrived == 0;
        let barrier = done.event.object.filter(|_| is_last);
        barrier
            .map(|barrier| Spot::Passage(barrier, self.passed - 1))
            .into_iter()
            .collect()
    }

    fn has_happened(&self, number: u64) -> bool {
        self.passed > number
    }

    /// The last one to arrive learns what the others knew; they learn it when they go on.
    fn order(&mut self, order: &mut Order<'_>) {
        let known = &mut order.knowledge.clock;
        match (order.event.operation, order.requires) {
            (Operation::Barrier, _) => {
                self.arrivals.join(known);
                if (self.passages.len() as u64) < self.passed {
                    let passage = std::mem::take(&mut self.arrivals);
                    known.join(&passage);
                    self.passages.push(passage);
                }
            }
            (Operation::Wake, Requirement::Passed(_, times)) => {
                let passage = usize::try_from(times).ok();
                if let Some(passage) = passage.and_then(|times| self.passages.get(times)) {
                    known.join(passage);
                }
            }
            _ => {}
        }
    }

    fn obstacle(&self, _requirement: Requirement) -> Option<Obstacle> {
        Some(Obstacle::Arrivals {
            arrived: self.arrived,
            size: self.size,
        })
    }
}
