//! A select: the operation of whichever of several channels is possible.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::execution::{
    Alternatives, Ending, Execution, Mode, NextStep, Requirement, Spot, Touches, give_up, step,
    with,
};
use crate::trace::{EventResult, ObjectId, Operation};

use super::channel;
use super::{Announced, Before, Done, Primitive};

/// All selects, which are no objects.
#[derive(Debug)]
pub(super) struct Select;

/// One of the operations of a select.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    Send(ObjectId),
    Receive(ObjectId),
}

impl Side {
    fn channel(self) -> ObjectId {
        match self {
            Side::Send(channel) | Side::Receive(channel) => channel,
        }
    }

    /// What makes it possible.
    pub(crate) fn requires(self) -> Requirement {
        match self {
            Side::Send(channel) => Requirement::Room(channel),
            Side::Receive(channel) => Requirement::Message(channel),
        }
    }
}

/// The operations of a select, in their order.
///
/// They live for ever, so that an announced step can be copied. Objects have the same numbers in each
/// execution, so that there are few of them.
pub(crate) type Sides = &'static [Side];

/// How a select goes on, apart from the sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manner {
    pub(crate) waits: Waits,
    /// Whether it takes the first side that is possible, and not any.
    pub(crate) is_biased: bool,
    /// Whether it goes on to do what it selects, and does not only look.
    pub(crate) takes: bool,
}

/// For how long a select waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    Never,
    /// It can time out, whatever the time is.
    ForSomeTime,
    Forever,
}

/// What a select has come to.
#[derive(Debug)]
pub(crate) struct Selected {
    /// Which of the sides it is.
    pub(crate) side: usize,
    pub(crate) claim: Claim,
}

/// What belongs to the thread from the select on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Claim {
    /// The message with this number.
    Message(u64),
    /// A place in a channel.
    Room,
    /// Nothing: nobody is at the other end, or it has only looked.
    Nothing,
}

fn sides(next: &NextStep) -> Sides {
    match next.alternatives {
        Alternatives::Sides { sides, .. } => sides,
        _ => &[],
    }
}

impl Primitive for Select {
    fn announce(&self, at: &Announced<'_>, touches: &mut Touches) {
        for side in sides(at.next) {
            let touch = (Spot::Object(side.channel()), Mode::Write);
            if !touches.contains(&touch) {
                touches.push(touch);
            }
        }
    }

    /// Each of the sides that are possible.
    fn ways(&self, at: &Announced<'_>) -> u32 {
        match at.next.alternatives {
            Alternatives::Sides {
                sides,
                is_biased: false,
                ..
            } => {
                let is_ready = |side: &&Side| at.execution.met(at.thread, side.requires());
                let ready = sides.iter().filter(is_ready).count();
                u32::try_from(ready).expect("sides are few").max(1)
            }
            _ => 1,
        }
    }

    fn touched(&self, done: &Done<'_>, spot: Spot, _before: &Before) -> Option<Mode> {
        let channel = done.event.object.map(Spot::Object);
        let writes = channel == Some(spot) && claims(done);
        Some(if writes { Mode::Write } else { Mode::Read })
    }

    /// More than two looks are not noted, so that to look so counts as a change: others look again.
    fn has_changed(&self, done: &Done<'_>) -> bool {
        claims(done) || sides(done.next).len() > 2
    }

    fn changes(&self, done: &Done<'_>) -> [Option<Spot>; 2] {
        [done.event.object.map(Spot::Object), None]
    }

    fn looks(&self, done: &Done<'_>) -> [Option<Spot>; 2] {
        let mut channels = sides(done.next).iter();
        [(); 2].map(|()| channels.next().map(|side| Spot::Object(side.channel())))
    }
}

/// Whether something belongs to the thread since a select.
fn claims(done: &Done<'_>) -> bool {
    match done.event.operation {
        Operation::Receive => !done.has_failed(),
        Operation::Select => done.event.result == Some(EventResult::Succeeded),
        _ => false,
    }
}

/// Selects one of the sides, as a step, or times out, or finds that none is possible: `None`.
///
/// `timer` is the channel of time that a time-out is of, if it is of one.
#[track_caller]
pub(crate) fn select(list: &[Side], manner: Manner, timer: Option<ObjectId>) -> Option<Selected> {
    refuse(list);
    let sides = keep(list);
    let waits = manner.waits != Waits::Never;
    let next = NextStep::new(Operation::Select).or(Alternatives::Sides {
        sides,
        is_biased: manner.is_biased,
        times_out: manner.waits == Waits::ForSomeTime,
    });
    let next = if waits {
        next.requires(Requirement::Any(sides))
    } else {
        next
    };
    step(next, |execution, alternative| {
        let me = execution.me();
        let mut ready = (0..sides.len()).filter(|&side| execution.met(me, sides[side].requires()));
        let Some(side) = ready.nth(alternative as usize) else {
            drop(ready);
            execution.note(|event| {
                if waits {
                    event.operation = Operation::Timeout;
                    event.object = timer;
                } else {
                    event.result = Some(EventResult::Failed);
                }
            });
            return None;
        };
        drop(ready);
        let claim = if manner.takes {
            claim(execution, sides[side])
        } else {
            let channel = sides[side].channel();
            execution.note(|event| event.object = Some(channel));
            Claim::Nothing
        };
        Some(Selected { side, claim })
    })
}

/// Takes what the thread is to have of a side that is possible.
fn claim(execution: &mut Execution, side: Side) -> Claim {
    let me = execution.me();
    let channel = side.channel();
    let state = channel::state(execution, channel);
    let is_rendezvous = state.capacity == Some(0);
    let (operation, claim) = match side {
        Side::Receive(_) => {
            let message = state.take(me).map_or(Claim::Nothing, Claim::Message);
            (Operation::Receive, message)
        }
        Side::Send(_) if state.receivers == 0 => (Operation::Select, Claim::Nothing),
        Side::Send(_) => {
            state.reserved += 1;
            (Operation::Select, Claim::Room)
        }
    };
    if let Claim::Message(number) = claim
        && is_rendezvous
    {
        // Who takes an offer lets go on who has made it.
        execution.touch_in_passing(Spot::Taken(channel, number), Mode::Write);
    }
    execution.note(|event| {
        event.operation = operation;
        event.object = Some(channel);
        event.result = Some(match claim {
            Claim::Nothing => EventResult::Disconnected,
            _ => EventResult::Succeeded,
        });
    });
    claim
}

/// Gives the execution up where a select is not modelled.
#[track_caller]
fn refuse(sides: &[Side]) {
    let is_refused = with(|execution| {
        if execution.is_doomed() {
            return None;
        }
        if execution.runtime().must_see_made() {
            return Some("a select under the engine loom is not modelled: use another engine");
        }
        let mut sends = sides.iter().filter(|side| matches!(side, Side::Send(_)));
        let meets = |side: &Side| channel::state(execution, side.channel()).capacity == Some(0);
        sends.any(meets).then_some(
            "a select that sends to a channel of capacity 0 is not modelled: let it have a capacity \
             of 1, or send outside of the select",
        )
    });
    if let Some(reason) = is_refused {
        let at = std::panic::Location::caller();
        give_up(Ending::Unsupported(format!("{reason} (at {at})")));
    }
}

/// The same sides for as long as the process lives.
fn keep(sides: &[Side]) -> Sides {
    static KEPT: Mutex<Option<HashSet<Sides>>> = Mutex::new(None);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = kept.get_or_insert_default();
    match kept.get(sides) {
        Some(known) => known,
        None => {
            let sides: Sides = Box::leak(sides.into());
            kept.insert(sides);
            sides
        }
    }
}

impl Execution {
    /// Whether a thread waits in a select to receive from the channel.
    pub(super) fn is_selected_from(&self, channel: ObjectId) -> bool {
        self.threads().any(|(_, thread)| {
            thread.next.is_some_and(|next| match next.requires {
                Requirement::Any(sides) => sides.contains(&Side::Receive(channel)),
                _ => false,
            })
        })
    }
}
