//! What steps touch, so that a search knows which of them can change places.
//!
//! Two steps of different threads are *dependent* if they touch one spot and do not both read
//! it, or both share it. A spot is a part of the state of an execution that steps can see: an
//! object, but also whether a thread has finished or has its park token.
//!
//! To a step belongs all that its thread does until it announces the next one: its end, and what
//! its destructors do while a panic unwinds it.

use std::ops::Range;

use crate::model::{self, Announced, Before, Done};
use crate::trace::{ObjectId, ThreadId};

use super::thread::Standing;
use super::waiting::Write;
use super::{Execution, NextStep};

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
    /// That a barrier was passed for the time with this number, from 0 on.
    Passage(ObjectId, u64),
    /// Who holds a read-write lock upgradably, as far as others want to do so.
    Upgradable(ObjectId),
    /// What a lock guards.
    Guarded(ObjectId),
}

/// How a step touches a spot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
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
    /// Whether it is of the operation itself, and not of what lets it be done.
    pub(crate) is_own: bool,
}

/// The spots that a step is about to touch, and how.
pub(crate) type Touches = Vec<(Spot, Mode)>;

/// The touches of the steps from some number on.
#[derive(Debug, Default)]
pub(super) struct Footprints {
    /// The number of the first step that is recorded, `None` if none is.
    from: Option<usize>,
    /// With the numbers of their steps, in order.
    touches: Vec<(u32, Touch)>,
    /// What the step that was chosen may touch.
    announced: Touches,
    /// Which of that its operation itself touches.
    own: Range<usize>,
    /// What was there before.
    before: Vec<Before>,
    /// Whether it can go several ways. Then it touches in each of them what it may touch in any: a
    /// step that is independent of one of them only cannot come before all.
    has_ways: bool,
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
    pub(crate) fn touches(&self, step: usize) -> impl Iterator<Item = &Touch> + Clone {
        let touches = &self.footprints.touches;
        // Mostly of the last step.
        let earlier = touches.iter().rposition(|(of, _)| (*of as usize) < step);
        let touches = &touches[earlier.map_or(0, |earlier| earlier + 1)..];
        let own = touches.iter();
        own.take_while(move |(of, _)| *of as usize == step)
            .map(|(_, touch)| touch)
    }

    /// What a step that was announced may touch, in the mode that conflicts with most.
    pub(crate) fn announced_touches(&self, thread: ThreadId, next: &NextStep) -> Touches {
        let mut touches = Touches::new();
        self.announce_touches(thread, next, &mut touches);
        touches
    }

    /// Like [`announced_touches`](Self::announced_touches), into `touches`. Returns which of them are
    /// those of the operation itself, and not of what lets it be done.
    fn announce_touches(
        &self,
        thread: ThreadId,
        next: &NextStep,
        touches: &mut Touches,
    ) -> Range<usize> {
        touches.clear();
        let state = self.thread(thread);
        if !state.has_stepped {
            touches.push((Spot::Start(thread), Mode::Read));
        }
        let first = touches.len();
        let announced = Announced {
            execution: self,
            thread,
            next,
        };
        model::primitive(self, next).announce(&announced, touches);
        if let Some(lock) = self.publishes(thread, next) {
            touches.push((Spot::Guarded(lock), Mode::Write));
        }
        let own = first..touches.len();
        if !state.may_wait() {
            return own;
        }
        // What has changed lets it go on, or go a way again.
        let looks = self.watched(thread).iter();
        let looks = looks.chain(self.looks_since_stall(thread, next));
        for look in looks {
            if !touches.iter().any(|(spot, _)| *spot == look.spot) {
                touches.push((look.spot, Mode::Read));
            }
        }
        own
    }

    /// Whether it is recorded what the last step touches.
    #[inline]
    pub(super) fn records_touches(&self) -> bool {
        let from = self.footprints.from;
        self.is_explored() && from.is_some_and(|from| self.schedule.len() > from)
    }

    /// Notes what a step is going to touch that was chosen.
    #[inline]
    pub(super) fn choose_footprint(&mut self, thread: ThreadId) {
        if self.records_touches() {
            self.choose_recorded(thread);
        }
    }

    fn choose_recorded(&mut self, thread: ThreadId) {
        let mut announced = std::mem::take(&mut self.footprints.announced);
        let state = self.thread(thread);
        if let Some(next) = &state.next {
            let has_ways = state.standing == Standing::Unclear
                && self.met(thread, next.requires)
                && self.ways(thread, next) > 1;
            self.footprints.own = self.announce_touches(thread, next, &mut announced);
            self.footprints.has_ways = has_ways;
        }
        self.footprints.announced = announced;
    }

    /// Notes what is there before an operation is performed.
    #[inline]
    pub(super) fn begin_footprint(&mut self, next: &NextStep, is_scheduled: bool) {
        if self.records_touches() {
            self.begin_recorded(next, is_scheduled);
        }
    }

    fn begin_recorded(&mut self, next: &NextStep, is_scheduled: bool) {
        if !is_scheduled {
            let mut announced = std::mem::take(&mut self.footprints.announced);
            self.footprints.own = self.announce_touches(self.current, next, &mut announced);
            self.footprints.announced = announced;
            self.footprints.has_ways = false;
        }
        let mut before = std::mem::take(&mut self.footprints.before);
        before.clear();
        for (spot, _) in &self.footprints.announced {
            before.push(self.before(*spot));
        }
        self.footprints.before = before;
    }

    /// Notes what an operation has touched.
    #[inline]
    pub(super) fn end_footprint(&mut self, done: &Done<'_>, writes: Write) {
        if self.records_touches() {
            self.end_recorded(done, writes);
        }
    }

    fn end_recorded(&mut self, done: &Done<'_>, writes: Write) {
        let announced = std::mem::take(&mut self.footprints.announced);
        let before = std::mem::take(&mut self.footprints.before);
        let own = self.footprints.own.clone();
        let mut touches = std::mem::take(&mut self.footprints.touches);
        let step = self.last_step();
        let mut touch = |spot, mode, before, is_own| {
            let touch = Touch {
                spot,
                mode,
                before,
                is_own,
            };
            touches.push((step, touch));
        };
        let primitive = model::primitive(self, done.next);
        let untold = match writes {
            Write::Lasting if stores_what_it_reads(done) => Before::Same,
            Write::Lasting => Before::Untold,
            Write::Passing => Before::Passed,
            Write::Undoing => Before::Undone,
        };
        for (index, ((spot, announced), before)) in announced.iter().zip(&before).enumerate() {
            let mut before = before.until(|| self.before(*spot));
            let is_own = own.contains(&index);
            if matches!(before, Before::Untold) && (is_own || writes == Write::Lasting) {
                before = untold.clone();
            }
            let mode = if self.footprints.has_ways {
                Some(*announced)
            } else if is_own {
                primitive.touched(done, *spot, &before)
            } else {
                Some(Mode::Read)
            };
            if let Some(mode) = mode {
                touch(*spot, mode, before, is_own);
            }
        }
        for spot in &primitive.allowed(done) {
            touch(*spot, Mode::Write, Before::Untold, true);
        }
        self.footprints.touches = touches;
        self.footprints.announced = announced;
        self.footprints.before = before;
    }

    /// The current thread touches a spot in the course of the last step, besides its operation.
    #[inline]
    pub(crate) fn touch_in_passing(&mut self, spot: Spot, mode: Mode) {
        if self.records_touches() {
            self.touch(spot, mode, Before::Untold);
        }
    }

    /// What the last step was taken to have written in passing lasts.
    pub(super) fn begin_lasting(&mut self) {
        let number = self.last_step();
        let touches = self.footprints.touches.iter_mut().rev();
        for (_, touch) in touches.take_while(|(step, _)| *step == number) {
            if matches!(touch.before, Before::Passed) {
                touch.before = Before::Untold;
            }
        }
    }

    /// A thread is about to wait, in the course of the last step.
    #[inline]
    pub(super) fn touch_arrival(&mut self, next: &NextStep) {
        if self.records_touches() {
            self.touch_recorded_arrival(next);
        }
    }

    fn touch_recorded_arrival(&mut self, next: &NextStep) {
        if let Some((spot, mode)) = model::primitive(self, next).arrival(next) {
            self.touch(spot, mode, Before::Untold);
        }
    }

    fn touch(&mut self, spot: Spot, mode: Mode, before: Before) {
        let touch = Touch {
            spot,
            mode,
            before,
            is_own: true,
        };
        let step = self.last_step();
        self.footprints.touches.push((step, touch));
    }

    fn before(&self, spot: Spot) -> Before {
        match spot {
            Spot::Token(thread) => Before::Token(self.thread(thread).has_token),
            Spot::Object(object) => self.object(object).state.primitive().before(),
            _ => Before::Untold,
        }
    }
}

/// Whether it is a read-modify-write that has left its atomic as it was.
fn stores_what_it_reads(done: &Done<'_>) -> bool {
    done.event.written.is_some() && !model::atomic::changes(done.event)
}
