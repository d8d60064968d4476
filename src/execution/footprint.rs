//! What steps touch, so that a search knows which of them can change places.
//!
//! Two steps of different threads are *dependent* if they touch one spot and do not both read
//! it, or both share it. A spot is a part of the state of an execution that steps can see: an
//! object, but also whether a thread has finished or has its park token.
//!
//! To a step belongs all that its thread does until it announces the next one: its end, and what
//! its destructors do while a panic unwinds it.

use smallvec::SmallVec;

use crate::model::condvar::Condvar;
use crate::model::{Before, State};
use crate::trace::{Event, EventResult, ObjectId, Operation, ThreadId};

use super::{Alternatives, Execution, NextStep, Requirement};

/// A part of the state of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Spot {
    Object(ObjectId),
    /// That a thread has been started.
    Start(ThreadId),
    /// Whether a thread has finished.
    End(ThreadId),
    /// The result of a thread, which is dropped by who lets go of it last.
    Result(ThreadId),
    /// Whether a thread has its park token.
    Token(ThreadId),
    /// Whether a thread that waits on a condition variable was woken.
    Woken(ThreadId),
    /// Which threads wait to receive from a channel without a buffer.
    Receivers(ObjectId),
    /// That a message of a channel without a buffer was taken.
    Taken(ObjectId, u64),
    /// That a barrier was passed so often.
    Passage(ObjectId, usize),
    /// Who holds a read-write lock upgradably, as far as others want to do so.
    Upgradable(ObjectId),
}

/// How a step touches a spot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Looks at it.
    Read,
    /// Changes it together with others, in any order with the same result.
    Share,
    Write,
}

impl Mode {
    /// Whether two steps that touch one spot so are dependent.
    pub(crate) fn conflicts(self, other: Mode) -> bool {
        self == Mode::Write || self != other
    }
}

/// That a step touches a spot.
#[derive(Clone, Debug)]
pub(crate) struct Touch {
    pub(crate) spot: Spot,
    pub(crate) mode: Mode,
    pub(crate) before: Before,
}

/// The spots that a step is about to touch, and how.
pub(crate) type Touches = SmallVec<[(Spot, Mode); 3]>;

/// The touches of the steps from some number on.
#[derive(Debug, Default)]
pub(super) struct Footprints {
    /// The number of the first step that is recorded, `None` if none is.
    from: Option<usize>,
    /// With the numbers of their steps, in order.
    touches: Vec<(u32, Touch)>,
    /// What the step that was chosen may touch.
    announced: Touches,
    /// What was there before.
    before: SmallVec<[Before; 3]>,
    /// Whether it can go several ways. Then it touches in each of them what it may touch in any: a
    /// step that is independent of one of them only cannot come before all.
    has_ways: bool,
    /// The threads that a notification is about to wake.
    waiters: Vec<ThreadId>,
}

impl Footprints {
    pub(super) fn clear(&mut self) {
        self.touches.clear();
    }
}

impl Execution {
    /// Records what the steps touch, from the one with this number on, which counts from 0.
    pub(crate) fn record_touches(&mut self, from: Option<usize>) {
        self.footprints.from = from;
    }

    /// What the step with this number has touched.
    pub(crate) fn touches(&self, step: usize) -> impl Iterator<Item = &Touch> {
        let touches = &self.footprints.touches;
        // Mostly of the last step.
        let later = touches.iter().rev();
        let later = later.take_while(|(of, _)| *of as usize >= step).count();
        let touches = touches[touches.len() - later..].iter();
        touches
            .take_while(move |(of, _)| *of as usize == step)
            .map(|(_, touch)| touch)
    }

    /// What a step that was announced may touch, in the mode that conflicts with most.
    pub(crate) fn announced_touches(&self, thread: ThreadId, next: &NextStep) -> Touches {
        let mut touches = Touches::new();
        if !self.thread(thread).has_stepped {
            touches.push((Spot::Start(thread), Mode::Read));
        }
        if let Some(object) = next.object {
            match (next.operation, next.requires) {
                (Operation::Fence | Operation::CellRead | Operation::CellWrite, _) => {}
                (Operation::Wake, Requirement::Passed(barrier, times)) => {
                    touches.push((Spot::Passage(barrier, times), Mode::Read));
                }
                (Operation::Load, _) => touches.push((Spot::Object(object), Mode::Read)),
                // To come or to leave upgradably is independent of those who only read, but not of
                // others who do the same.
                (Operation::ReadLock, Requirement::Upgradable(_))
                | (Operation::ReadLock | Operation::Unlock, Requirement::ReadUpgradably) => {
                    touches.push((Spot::Object(object), Mode::Share));
                    touches.push((Spot::Upgradable(object), Mode::Write));
                }
                (Operation::ReadLock, Requirement::Readable(_))
                | (Operation::Unlock, Requirement::Read) => {
                    touches.push((Spot::Object(object), Mode::Share));
                }
                _ => touches.push((Spot::Object(object), Mode::Write)),
            }
        }
        match next.requires {
            Requirement::Held(mutex) if next.object != Some(mutex) => {
                touches.push((Spot::Object(mutex), Mode::Write));
            }
            Requirement::Woken { mutex } => {
                touches.push((Spot::Object(mutex), Mode::Write));
                touches.push((Spot::Woken(thread), Mode::Read));
            }
            Requirement::Taken(channel, number) => {
                touches.push((Spot::Taken(channel, number), Mode::Read));
            }
            _ => {}
        }
        match (next.operation, next.target) {
            (Operation::Join, Some(target)) => {
                // To be told that it has finished changes what others are told.
                let mode = match next.alternatives {
                    Alternatives::Unfinished => Mode::Write,
                    _ => Mode::Read,
                };
                touches.push((Spot::End(target), mode));
            }
            (Operation::Unpark, Some(target)) => {
                touches.push((Spot::Token(target), Mode::Write));
            }
            (Operation::Park, _) => touches.push((Spot::Token(thread), Mode::Write)),
            _ => {}
        }
        if matches!(next.alternatives, Alternatives::Unmet)
            && let Some(channel) = next.object
        {
            touches.push((Spot::Receivers(channel), Mode::Read));
        }
        if self.waits_to_meet(next)
            && let Some(channel) = next.object
        {
            touches.push((Spot::Receivers(channel), Mode::Share));
        }
        // What has changed lets it go on, or go a way again.
        let looks = self.watched(thread).iter();
        let looks = looks.chain(self.looks_since_stall(thread, next));
        for look in looks {
            if !touches.iter().any(|(spot, _)| *spot == look.spot) {
                touches.push((look.spot, Mode::Read));
            }
        }
        touches
    }

    fn records_now(&self) -> bool {
        let from = self.footprints.from;
        self.is_explored() && from.is_some_and(|from| self.schedule.len() > from)
    }

    /// Notes what a step is going to touch that was chosen.
    pub(super) fn choose_footprint(&mut self, thread: ThreadId) {
        if self.records_now()
            && let Some(next) = self.next_of(thread).copied()
        {
            let has_ways = self.met(thread, next.requires) && self.ways(thread, &next) > 1;
            self.footprints.has_ways = has_ways;
            self.footprints.announced = self.announced_touches(thread, &next);
        }
    }

    /// Notes what is there before an operation is performed.
    pub(super) fn begin_footprint(&mut self, next: &NextStep, is_scheduled: bool) {
        if !self.records_now() {
            return;
        }
        if !is_scheduled {
            self.footprints.has_ways = false;
            self.footprints.announced = self.announced_touches(self.current, next);
        }
        let mut before = std::mem::take(&mut self.footprints.before);
        before.clear();
        let touches = self.footprints.announced.iter();
        before.extend(touches.map(|&(spot, _)| self.before(spot)));
        self.footprints.before = before;
        if next.operation == Operation::NotifyAll
            && let Some(State::Condvar(Condvar { waiters })) =
                next.object.map(|o| &self.object(o).state)
        {
            self.footprints.waiters = waiters.iter().copied().collect();
        }
    }

    /// Notes what an operation has touched.
    pub(super) fn end_footprint(&mut self, event: &Event, next: &NextStep) {
        if !self.records_now() {
            return;
        }
        let polls = self.thread(self.current).polls;
        let announced = std::mem::take(&mut self.footprints.announced);
        let before = std::mem::take(&mut self.footprints.before);
        for ((spot, announced), before) in announced.iter().zip(&before) {
            let before = self.since(*spot, before);
            let mode = if self.footprints.has_ways {
                Some(*announced)
            } else {
                mode(event, next, *spot, &before, polls)
            };
            if let Some(mode) = mode {
                self.touch(*spot, mode, before);
            }
        }
        self.footprints.announced = announced;
        self.footprints.before = before;
        match (event.operation, event.target) {
            (Operation::Spawn, Some(child)) => {
                self.touch(Spot::Start(child), Mode::Write, Before::Untold);
            }
            (Operation::NotifyOne, Some(woken)) => {
                self.touch(Spot::Woken(woken), Mode::Write, Before::Untold);
            }
            (Operation::NotifyAll, _) => {
                for woken in std::mem::take(&mut self.footprints.waiters) {
                    self.touch(Spot::Woken(woken), Mode::Write, Before::Untold);
                }
            }
            _ => {}
        }
        self.touch_what_it_allows(event);
    }

    /// The current thread touches a spot in the course of the last step, besides its operation.
    pub(crate) fn touch_in_passing(&mut self, spot: Spot, mode: Mode) {
        if self.records_now() {
            self.touch(spot, mode, Before::Untold);
        }
    }

    /// A thread is about to wait, in the course of the last step.
    pub(super) fn touch_arrival(&mut self, next: &NextStep) {
        if self.records_now()
            && self.waits_to_meet(next)
            && let Some(channel) = next.object
        {
            self.touch(Spot::Receivers(channel), Mode::Share, Before::Untold);
        }
    }

    /// What threads wait for that happens once, and then stays.
    fn touch_what_it_allows(&mut self, event: &Event) {
        let Some(object) = event.object else { return };
        match (&self.object(object).state, event.operation) {
            (State::Barrier(barrier), Operation::Barrier) if barrier.arrived == 0 => {
                let times = barrier.passed - 1;
                let passage = Spot::Passage(object, times);
                self.touch(passage, Mode::Write, Before::Untold);
            }
            (State::Channel(channel), Operation::Receive)
                if channel.capacity == Some(0)
                    && !matches!(
                        event.result,
                        Some(EventResult::Failed | EventResult::Disconnected)
                    ) =>
            {
                let taken = Spot::Taken(object, channel.moved());
                self.touch(taken, Mode::Write, Before::Untold);
            }
            _ => {}
        }
    }

    fn touch(&mut self, spot: Spot, mode: Mode, before: Before) {
        let step = self.schedule.len() - 1;
        let step = u32::try_from(step).expect("steps are bounded");
        let touch = Touch { spot, mode, before };
        self.footprints.touches.push((step, touch));
    }

    /// Whether the operation waits for somebody who offers a message without a buffer.
    fn waits_to_meet(&self, next: &NextStep) -> bool {
        next.operation == Operation::Receive
            && matches!(next.requires, Requirement::Message(_))
            && next.object.is_some_and(|channel| {
                matches!(&self.object(channel).state, State::Channel(c) if c.capacity == Some(0))
            })
    }

    /// What there is to know of what was there before, now that the step is done.
    fn since(&self, spot: Spot, before: &Before) -> Before {
        match (before, self.before(spot)) {
            (Before::Holds(before), Before::Holds(now)) => Before::Holds(now - *before),
            _ => before.clone(),
        }
    }

    fn before(&self, spot: Spot) -> Before {
        match spot {
            Spot::Token(thread) => Before::Token(self.thread(thread).has_token),
            Spot::Object(object) => self.object(object).state.before(),
            _ => Before::Untold,
        }
    }
}

/// How an operation that was performed has touched a spot that it was announced to touch;
/// `None` if it has not.
fn mode(event: &Event, next: &NextStep, spot: Spot, before: &Before, polls: bool) -> Option<Mode> {
    let is_timeout = event.operation == Operation::Timeout;
    let has_failed = matches!(
        event.result,
        Some(EventResult::Failed | EventResult::FailedSpuriously | EventResult::Disconnected)
    );
    let object = match spot {
        // It was only watched.
        Spot::Object(object) if event.object != Some(object) && next.mutex() != Some(object) => {
            return Some(Mode::Read);
        }
        Spot::Object(object) => object,
        Spot::Start(_) | Spot::Result(_) | Spot::Taken(..) | Spot::Passage(..) => {
            return Some(Mode::Read);
        }
        Spot::Receivers(_) => {
            let attempts = matches!(next.alternatives, Alternatives::Unmet);
            return Some(if attempts { Mode::Read } else { Mode::Share });
        }
        Spot::Token(_) | Spot::End(_) | Spot::Upgradable(_) if is_timeout || has_failed => {
            return Some(Mode::Read);
        }
        Spot::End(_) if !matches!(next.alternatives, Alternatives::Unfinished) => {
            return Some(Mode::Read);
        }
        // A time-out wakes the thread itself.
        Spot::Woken(_) if !is_timeout => return Some(Mode::Read),
        Spot::Token(_) | Spot::End(_) | Spot::Woken(_) | Spot::Upgradable(_) => {
            return Some(Mode::Write);
        }
    };
    if event.object != Some(object) {
        // The mutex of a condition variable.
        return (!is_timeout).then_some(Mode::Write);
    }
    let reads_if = |reads| if reads { Mode::Read } else { Mode::Write };
    Some(match event.operation {
        Operation::Load => Mode::Read,
        Operation::Cas => reads_if(has_failed),
        Operation::TryLock if has_failed => Mode::Read,
        Operation::TryLock | Operation::ReadLock | Operation::Unlock => match before {
            // Who tries is not known to touch the spot of those who hold it upgradably.
            Before::Holds(holds)
                if event.operation == Operation::TryLock && holds.upgradable != 0 =>
            {
                Mode::Write
            }
            Before::Holds(holds) if holds.is_shared() => Mode::Share,
            _ => Mode::Write,
        },
        Operation::Once => reads_if(event.read.is_some()),
        // A task that finds nothing may leave a waker.
        Operation::Send | Operation::Receive => reads_if(has_failed && !polls),
        // Who did not come to read is as independent of those who did.
        Operation::Timeout if next.operation == Operation::ReadLock => Mode::Share,
        Operation::Timeout => reads_if(next.operation != Operation::Wake),
        Operation::Wake if matches!(next.requires, Requirement::Taken(..)) && !has_failed => {
            return None;
        }
        _ => Mode::Write,
    })
}
