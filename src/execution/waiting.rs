//! Threads that wait by looking again and again, or by timing out again and again.
//!
//! Such a thread could go on for ever with nothing new happening, so that to enumerate it is
//! impossible. A thread *spins* when it yields for the second time and has seen nothing new in
//! between, or looks at the same few things for very long. From then on, until something changes
//! that it has looked at, it *rests*: it can be chosen once, to go on alone for a limited number of
//! steps. If it is still in its loop then, its going on was redundant: what can follow also
//! follows where it did not go on.
//!
//! But if it leaves its loop by itself, since the loop counts its rounds, say, then it did not wait,
//! and to let it go on alone has lost interleavings. So the place where it was taken to spin is
//! remembered: from then on there is *patience* with it, which means that threads do not rest
//! there. A search that is to be complete starts again.
//!
//! A step that changes nothing is a look, also one that could have changed something: a
//! read-modify-write that stores what it has read. So is a whole critical section. From the outside, one
//! that its thread has entered by waiting for the lock can only be told by what the lock guards, which
//! each section looks at, and changes if it was lent for changes in it, or plain cells were: so a thread
//! that polls under a lock does not keep others awake that do the same. What is changed through
//! references that are shared, as in a `Mutex<Cell<_>>`, is not seen. What locks guard that do not
//! contain it, or that come from raw locks, counts as changed each time. Only who asks whether a lock is
//! held sees sections begin and end.
//!
//! The round of the thread itself may change what a lock guards without an end, as a
//! `lock().take()` does that finds nothing. If it has found nothing new in two rounds, it rests all the
//! same: from then on it is as if it was still between these two. Something is lost only if its rounds
//! do change the value and it never leaves the loop by that, since that would be noticed when it goes on
//! alone. That is named in the report. To others, each of its rounds is a change.
//!
//! No thread begins to rest, or stops to go on alone, in a critical section that belongs to its loop, where
//! it would keep others from what the loop waits for.
//!
//! A thread that has timed out, or failed spuriously, does so again at the same place and on the same
//! object only after something has changed that it has looked at since the last time there, after it
//! has succeeded there, or when nobody can do anything else. But if it did not just come back to the
//! same step, and has changed something in between, it takes that way up to three times in a row. So
//! it does if others have changed something and it has as well: each of two threads could otherwise
//! be what the other one waits for, for ever.
//! What is left out so is noted.
//!
//! All of this depends only on what the thread has seen and on the spots that it has looked at, and
//! not on what others do elsewhere: so it is the same in all executions of one trace.

use std::panic::Location;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::Done;
use crate::trace::{Event, EventResult, LeftOut, ObjectId, Operation, ThreadId};

use super::{Alternatives, Execution, NextStep, Requirement, Spot, Thread};

/// After this number of looks in a row at the same few things, with nothing new, a thread without a yield
/// is taken to spin.
const QUIET_LOOKS: u32 = 100;

/// The same of critical sections of one lock, begun at one place, that change nothing. Unlike looks they
/// cannot change places with those of others, so that each of them multiplies the interleavings.
const QUIET_SECTIONS: u32 = 3;

/// How many steps a thread that spins may go on alone: more than a loop that gives up spinning
/// after some rounds is likely to make.
const STEPS_ALONE: u32 = 1000;

/// How often in a row a thread takes a way that it could repeat without end, if that leads it elsewhere.
const MAX_IN_A_ROW: u32 = 3;

/// How many things a spinning thread without a yield may look at in turn.
const WATCHED: usize = 4;

/// How many things a thread knows of which nobody has ever changed, the last ones that it has looked
/// at. Who makes new ones in a loop would know ever more.
const KNOWN: usize = 16;

/// On how many objects at one place a thread takes a way that it could repeat without end. A function
/// can be called for several objects, and a loop can make a new one in each round.
const STALLS_AT_A_PLACE: usize = 4;

/// The places at which threads were taken to spin, and then left their loops by themselves.
///
/// It belongs to a search: what one execution has shown holds for all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patience(Arc<Mutex<Vec<usize>>>);

impl Patience {
    /// Forgets all places, for a search that has to come to the same wherever it begins.
    pub(crate) fn forget(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn has(&self, place: usize) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&place)
    }

    fn add(&self, place: usize) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(place);
    }
}

/// How a thread waits.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// What it has seen last of the things that it has looked at.
    known: Vec<Look>,
    /// What it has looked at since it yielded last, or since it was seen to look at the same.
    watched: Vec<Look>,
    /// Whether it has yielded, and changed nothing since.
    has_yielded: bool,
    /// Whether it has seen anything new since it yielded last.
    has_news: bool,
    /// How often it has looked in a row with nothing new.
    quiet: u32,
    rest: Option<Rest>,
    /// Where it took a way that it could repeat without end, since it last saw anything new.
    stalls: Vec<Stall>,
    /// The writes in the execution when it yielded last.
    yielded_at: Option<u64>,
    /// The critical sections that it has begun since it yielded last, or was seen to look at the same.
    sections: Vec<Section>,
    /// What `quiet` was before each of those that it is in.
    quiet_outside: Vec<u32>,
}

/// A critical section of a thread: the lock, and where it was acquired.
#[derive(Clone, Copy, Debug)]
struct Section {
    lock: ObjectId,
    place: usize,
    /// How often it was begun.
    times: u32,
    /// Whether the thread may have changed in it what the lock guards.
    writes: bool,
}

/// What a thread has seen of a spot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) spot: Spot,
    /// How often the spot had been changed.
    version: u32,
    /// The step of the look, from 0 on.
    pub(crate) step: u32,
}

/// A way that a thread could repeat without end, and has taken.
#[derive(Clone, Copy, Debug)]
struct Stall {
    place: usize,
    operation: Operation,
    object: Option<ObjectId>,
    target: Option<ThreadId>,
    /// The step at which it did so last, from 0 on.
    step: u32,
    /// How often in a row it did so, with no change in between that others have made.
    in_a_row: u32,
    /// What the operation itself changes.
    own: [Option<Spot>; 2],
    /// Whether the thread has changed anything since, and whether anything else.
    has_written: bool,
    led_elsewhere: bool,
}

impl Stall {
    fn new(next: &NextStep, step: u32) -> Self {
        let mutex = next.mutex().map(Spot::Object);
        Stall {
            place: ptr::from_ref(next.at).addr(),
            operation: next.operation,
            object: next.object,
            target: next.target,
            step,
            in_a_row: 1,
            own: [next.object.map(Spot::Object), mutex],
            has_written: false,
            led_elsewhere: false,
        }
    }

    /// Whether it was taken by this operation.
    fn is_of(&self, next: &NextStep) -> bool {
        self.is_at(next) && (self.object, self.target) == (next.object, next.target)
    }

    fn is_at(&self, next: &NextStep) -> bool {
        self.place == ptr::from_ref(next.at).addr() && self.operation == next.operation
    }

    /// Whether the thread takes the way again, if others have changed something since or not.
    fn goes_on(&self, has_changed: bool) -> bool {
        if has_changed {
            !self.has_written || self.in_a_row < MAX_IN_A_ROW
        } else {
            self.led_elsewhere && self.in_a_row < MAX_IN_A_ROW
        }
    }
}

/// A thread that was seen to spin.
#[derive(Clone, Copy, Debug)]
struct Rest {
    /// Where that was.
    place: usize,
    /// The steps that it has made since.
    steps: u32,
}

/// What there is to do about a thread that goes on alone.
pub(super) enum GoOn {
    /// It makes another step.
    Step(ThreadId),
    /// It has used up its steps, while others could have gone on.
    Redundant,
    /// There is none.
    No,
}

impl Execution {
    /// Notices when the current thread only waits for another one to write.
    ///
    /// One yield is not enough: the looks after it may find something new.
    pub(super) fn note_waiting(&mut self, done: &Done<'_>, spots: [Option<Spot>; 2]) {
        let Done { event, next, .. } = *done;
        let step = self.last_step();
        let [first, second] = spots;
        let look = |spot| Look {
            spot,
            version: self.version(spot),
            step,
        };
        let seen = [first.map(look), second.map(look)];
        let place = ptr::from_ref(event.at).addr();
        let writes = self.writes;
        let waiting = &mut self.current_mut().waiting;
        let (mut looks, mut has_news, mut has_changed) = (false, false, false);
        for look in seen.iter().flatten() {
            looks = true;
            let known = waiting.look(*look);
            has_news |= known != Some(look.version);
            // What nobody has ever changed tells nothing of others.
            has_changed |= known.unwrap_or(0) != look.version;
        }
        waiting.note_news(has_news);
        if !waiting.stalls.is_empty() {
            waiting.note_success(event, next);
            if has_changed {
                // What it took just now was in a row with nothing.
                waiting.stalls.retain(|stall| stall.step == step);
                for stall in &mut waiting.stalls {
                    stall.in_a_row = 1;
                }
            }
        }
        let yields = matches!(event.operation, Operation::Yield | Operation::Sleep);
        let spins = if yields {
            waiting.yielded_at = Some(writes);
            waiting.quiet += u32::from(waiting.watched.is_empty());
            waiting.has_yielded && !waiting.has_news && !waiting.watched.is_empty()
        } else {
            waiting.quiet += u32::from(looks && !has_news);
            false
        };
        let spins = spins || waiting.quiet > QUIET_LOOKS;
        if spins || yields {
            self.note_spinning(spins, yields, place);
        }
    }

    /// The current thread yields, or only waits for another one to write.
    fn note_spinning(&mut self, spins: bool, yields: bool, place: usize) {
        let waiting = &mut self.current_mut().waiting;
        if spins && !yields && waiting.rest.is_none() && waiting.is_in_section() {
            // It is a loop of its own in a critical section, which does not end in each round.
            waiting.forget_round();
            waiting.quiet = 0;
            return;
        }
        let thread = self.thread(self.me());
        let rests = thread.waiting.rest.is_some();
        let starts_to_rest = spins
            && !rests
            && !thread.waiting.is_in_section()
            && self.has_seen_the_last_of(thread)
            && !self.patience.has(place);
        let waiting = &mut self.current_mut().waiting;
        if starts_to_rest {
            waiting.rest = Some(Rest { place, steps: 0 });
            if waiting.sections.iter().any(|section| section.writes) {
                self.left_out.add(LeftOut::RepeatedRounds);
            }
        } else if yields && !rests {
            waiting.has_yielded = true;
            waiting.has_news = false;
            waiting.forget_round();
        }
    }

    /// The current thread may have changed plain data.
    pub(super) fn note_plain_write(&mut self) {
        self.current_mut().plain_writes += 1;
    }

    /// The lock that an operation of a thread releases, if the thread may have changed what it guards.
    #[inline]
    pub(super) fn publishes(&self, thread: ThreadId, next: &NextStep) -> Option<ObjectId> {
        let lock = match (next.operation, next.requires) {
            (_, Requirement::Held(lock)) => lock,
            (Operation::Unlock, Requirement::Nothing) => next.object?,
            // Most operations.
            _ => return None,
        };
        self.has_written_under(thread, lock).then_some(lock)
    }

    fn has_written_under(&self, thread: ThreadId, lock: ObjectId) -> bool {
        let object = self.object(lock);
        let has_written = (thread, self.thread(thread).plain_writes) != object.plain_writes;
        has_written || object.guards_nothing
    }

    /// The current thread has acquired a lock.
    #[inline(never)]
    pub(super) fn acquired(&mut self, done: &Done<'_>, lock: ObjectId, is_exclusive: bool) {
        let place = ptr::from_ref(done.event.at).addr();
        if !self.current_mut().waiting.has_section(lock, place) {
            self.note_leaving();
        }
        self.touch_lock(done, lock);
        if is_exclusive {
            let me = self.me();
            self.object_mut(lock).plain_writes = (me, self.thread(me).plain_writes);
        }
        self.current_mut().waiting.enter(lock, place);
    }

    /// The current thread has released a lock. So it has looked at what that guards, and may have
    /// changed it, which for the thread itself is no news.
    #[inline(never)]
    pub(super) fn released(&mut self, done: &Done<'_>, lock: ObjectId, was_exclusive: bool) {
        let place = ptr::from_ref(done.event.at).addr();
        let writes = was_exclusive && self.publishes(self.me(), done.next).is_some();
        self.touch_lock(done, lock);
        let look = Look {
            spot: Spot::Guarded(lock),
            version: self.object(lock).guarded_version,
            step: self.last_step(),
        };
        if writes {
            self.writes += 1;
            self.object_mut(lock).guarded_version += 1;
        }
        let waiting = &mut self.current_mut().waiting;
        if writes && let Some(yielded_at) = &mut waiting.yielded_at {
            *yielded_at += 1;
        }
        let has_news = waiting.look(look) != Some(look.version);
        let section = waiting.leave(lock, place, writes);
        let is_new = writes && section.is_none_or(|section| !section.writes);
        let is_repeated = !writes && section.is_some_and(|section| section.times > 1);
        waiting.note_news(has_news);
        waiting.quiet += match (has_news, is_repeated) {
            (true, _) => 0,
            (false, true) => QUIET_LOOKS.div_ceil(QUIET_SECTIONS),
            (false, false) => 1,
        };
        if writes {
            waiting.know_own(Look {
                version: look.version + 1,
                ..look
            });
        }
        let spins = waiting.quiet >= QUIET_LOOKS;
        if is_new {
            self.note_leaving();
        }
        if spins {
            self.note_spinning(true, false, place);
        }
    }

    /// The current thread has acquired or released a lock, which others see that only ask whether they
    /// could acquire it.
    fn touch_lock(&mut self, done: &Done<'_>, lock: ObjectId) {
        let step = self.last_step();
        let object = self.object_mut(lock);
        object.version += 1;
        let look = Look {
            spot: Spot::Object(lock),
            version: object.version,
            step,
        };
        let waiting = &mut self.current_mut().waiting;
        waiting.know(look);
        waiting.know_own(look);
        waiting.note_change(done, [Some(look.spot), None]);
    }

    /// The current thread is about to wait for what is not possible now.
    #[cold]
    pub(super) fn note_blocking(&mut self, next: &NextStep) {
        let place = ptr::from_ref(next.at).addr();
        let waiting = &self.current_mut().waiting;
        if !next
            .object
            .is_some_and(|lock| waiting.has_section(lock, place))
        {
            self.note_leaving();
        }
    }

    /// Whether the thread has yielded before, and nothing was written since, but by itself under a lock.
    pub(crate) fn yields_again(&self, thread: ThreadId) -> bool {
        self.thread(thread).waiting.yielded_at == Some(self.writes)
    }

    /// Something changed that other threads can see.
    #[inline]
    pub(crate) fn wrote(&mut self) {
        self.note_leaving();
        self.writes += 1;
    }

    /// The current thread has changed the spots that its operation is on.
    pub(super) fn changed(&mut self, done: &Done<'_>, spots: [Option<Spot>; 2]) {
        if let Some(lock) = self.publishes(self.me(), done.next) {
            self.object_mut(lock).guarded_version += 1;
        }
        let step = self.last_step();
        let [first, second] = spots;
        let mut change = |spot: Spot| {
            let version = match spot {
                Spot::Object(object) => &mut self.object_mut(object).version,
                Spot::Token(thread) => &mut self.thread_mut(thread).tokens,
                _ => return None,
            };
            *version += 1;
            Some(Look {
                spot,
                version: *version,
                step,
            })
        };
        let made = [first.and_then(&mut change), second.and_then(change)];
        let waiting = &mut self.current_mut().waiting;
        for look in made.iter().flatten() {
            waiting.know(*look);
        }
        waiting.note_change(done, spots);
        waiting.begin_again();
    }

    /// The same for an access of an atomic by a thread that does not wait, which most steps are.
    #[inline]
    pub(super) fn note_access(
        &mut self,
        atomic: ObjectId,
        writes: bool,
        at: &'static Location<'static>,
    ) {
        let step = self.last_step();
        let object = &mut self.objects[atomic.index()];
        let waiting = &mut self.threads[self.current.index()].waiting;
        object.version += u32::from(writes);
        let look = Look {
            spot: Spot::Object(atomic),
            version: object.version,
            step,
        };
        if writes {
            self.writes += 1;
            waiting.know(look);
            waiting.begin_again();
            return;
        }
        let has_news = waiting.look(look) != Some(look.version);
        waiting.note_news(has_news);
        waiting.quiet += u32::from(!has_news);
        if waiting.quiet > QUIET_LOOKS {
            self.note_spinning(true, false, ptr::from_ref(at).addr());
        }
    }

    /// The current thread does something that is not looking again. If it was taken to spin, it was
    /// so wrongly.
    #[inline]
    pub(super) fn note_leaving(&mut self) {
        if self.current_mut().waiting.rest.is_some() && self.is_explored() {
            self.leave_rest();
        }
    }

    #[cold]
    fn leave_rest(&mut self) {
        if let Some(rest) = self.resting(self.thread(self.me())) {
            self.patience.add(rest.place);
            self.current_mut().waiting.rest = None;
            self.gained_patience = true;
        }
    }

    /// Whether the thread was seen to spin, and nothing has changed since that it has looked at.
    #[inline]
    pub(crate) fn rests(&self, thread: &Thread) -> bool {
        self.resting(thread).is_some()
    }

    /// What has to change before the thread goes on, if it was seen to spin.
    pub(crate) fn watched(&self, thread: ThreadId) -> &[Look] {
        let waiting = &self.thread(thread).waiting;
        match waiting.rest {
            Some(_) => &waiting.watched,
            None => &[],
        }
    }

    /// What the thread has looked at since it last took a way that it could repeat without end, if it is
    /// there again: that decides whether it can take it once more.
    pub(super) fn looks_since_stall(
        &self,
        thread: ThreadId,
        next: &NextStep,
    ) -> impl Iterator<Item = &Look> {
        let waiting = &self.thread(thread).waiting;
        let stall = waiting.stall_at(next);
        let looks = stall.into_iter().flat_map(|_| &waiting.known);
        looks.filter(move |look| {
            let is_since = stall.is_some_and(|stall| look.step >= stall.step);
            // That a lock was acquired tells it as well.
            is_since && !matches!(look.spot, Spot::Guarded(_))
        })
    }

    /// The current thread goes on. If it was seen to spin and something has changed, it does not
    /// rest any more.
    #[inline]
    pub(super) fn note_going_on(&mut self) {
        if self.current_mut().waiting.rest.is_some() {
            self.end_rest();
        }
    }

    #[cold]
    fn end_rest(&mut self) {
        let thread = self.thread(self.me());
        if !self.rests(thread) {
            let waiting = &mut self.current_mut().waiting;
            waiting.rest = None;
            waiting.forget_round();
            waiting.quiet = 0;
        }
    }

    /// Whether the thread rests, and did not leave its loop when it went on alone.
    pub(super) fn is_exhausted(&self, thread: &Thread) -> bool {
        self.resting(thread)
            .is_some_and(|rest| rest.steps >= STEPS_ALONE)
    }

    /// Whether the thread can still go on alone, without having to wait for a lock.
    pub(super) fn has_not_gone_alone(&self, thread: &Thread) -> bool {
        let is_free = |section: &Section| {
            let state = &self.object(section.lock).state;
            state.primitive().holds().is_empty()
        };
        self.resting(thread).is_some_and(|rest| rest.steps == 0)
            && thread.waiting.sections.iter().all(is_free)
    }

    /// How often the thread went on alone and did not leave its loop.
    pub(super) fn redundant_turns(&self, thread: &Thread) -> u32 {
        self.resting(thread)
            .map_or(0, |rest| rest.steps / STEPS_ALONE)
    }

    #[inline]
    fn resting(&self, thread: &Thread) -> Option<Rest> {
        thread
            .waiting
            .rest
            .filter(|_| self.has_seen_the_last_of(thread))
    }

    /// Whether nothing has changed of what the thread has looked at.
    fn has_seen_the_last_of(&self, thread: &Thread) -> bool {
        let mut looks = thread.waiting.watched.iter();
        looks.all(|look| self.version(look.spot) == look.version)
    }

    fn last_step(&self) -> u32 {
        u32::try_from(self.schedule.len().saturating_sub(1)).expect("steps are bounded")
    }

    /// How often a spot was changed.
    #[inline]
    fn version(&self, spot: Spot) -> u32 {
        match spot {
            Spot::Object(object) => self.object(object).version,
            Spot::Guarded(lock) => self.object(lock).guarded_version,
            Spot::Token(thread) => self.thread(thread).tokens,
            Spot::End(thread) => u32::from(self.thread(thread).finished),
            // Who waits there is not counted, so that it is told by who they are.
            Spot::Receivers(channel) => self.version_of_receivers(channel),
            Spot::Start(_)
            | Spot::Result(_)
            | Spot::Woken(_)
            | Spot::Taken(..)
            | Spot::Passage(..)
            | Spot::Upgradable(_) => 0,
        }
    }

    fn version_of_receivers(&self, channel: ObjectId) -> u32 {
        let receivers = self.waiting_receivers(channel);
        let threads = receivers.iter().flatten();
        threads.fold(self.object(channel).version, |sum, thread| {
            sum.wrapping_add((thread.0 + 1).wrapping_mul(0x9E37_79B1))
        })
    }

    /// Notes that a thread was chosen, which from now on goes on alone if it rests.
    #[inline]
    pub(super) fn note_chosen(&mut self, thread: ThreadId) {
        if self.rests(self.thread(thread))
            && let Some(rest) = &mut self.thread_mut(thread).waiting.rest
        {
            rest.steps += 1;
            self.alone = Some(thread);
        }
    }

    /// The thread that goes on alone.
    pub(super) fn alone(&mut self) -> GoOn {
        let Some(thread) = self.alone else {
            return GoOn::No;
        };
        let state = self.thread(thread);
        if !self.rests(state) || !self.can_go_on(thread) {
            self.alone = None;
            return GoOn::No;
        }
        // Not in a critical section, where it would be in the way of others.
        if !self.is_exhausted(state) || state.waiting.is_in_section() {
            return GoOn::Step(thread);
        }
        self.alone = None;
        let mut others = self.threads().filter(|(_, other)| !self.rests(other));
        let is_detour = others.any(|(id, _)| self.can_go_on(id));
        if is_detour { GoOn::Redundant } else { GoOn::No }
    }

    /// Whether the thread has taken, where it is now, a way that it could repeat without end (a time-out,
    /// a spurious failure), and it would only come back to the same.
    #[inline]
    pub(super) fn stalls(&self, thread: ThreadId, next: &NextStep) -> bool {
        let waiting = &self.thread(thread).waiting;
        self.prunes && !waiting.stalls.is_empty() && self.has_stalled(thread, waiting, next)
    }

    fn has_stalled(&self, thread: ThreadId, waiting: &Waiting, next: &NextStep) -> bool {
        match waiting.stall_at(next) {
            Some(stall) => !stall.goes_on(self.has_changed_since_stall(thread, next)),
            None => {
                let at_place = waiting.stalls.iter().filter(|stall| stall.is_at(next));
                at_place.count() >= STALLS_AT_A_PLACE
            }
        }
    }

    /// Whether others have changed what the thread has looked at since it stalled here.
    fn has_changed_since_stall(&self, thread: ThreadId, next: &NextStep) -> bool {
        let mut looks = self.looks_since_stall(thread, next);
        looks.any(|look| self.version(look.spot) != look.version)
    }

    /// Notes that the thread takes another way than the normal one.
    pub(super) fn note_stalling(&mut self, thread: ThreadId) {
        let Some(next) = self.next_of(thread).copied() else {
            return;
        };
        if !can_repeat(&next) {
            return;
        }
        let has_changed = self.has_changed_since_stall(thread, &next);
        let stall = Stall::new(&next, self.last_step());
        let stalls = &mut self.thread_mut(thread).waiting.stalls;
        match stalls.iter_mut().find(|other| other.is_of(&next)) {
            Some(other) if has_changed && !other.has_written => *other = stall,
            Some(other) => {
                *other = Stall {
                    in_a_row: other.in_a_row + 1,
                    ..stall
                }
            }
            None => stalls.push(stall),
        }
    }
}

impl Thread {
    /// Whether it was seen to spin, or has taken a way that it could repeat without end.
    pub(super) fn may_wait(&self) -> bool {
        self.waiting.rest.is_some() || !self.waiting.stalls.is_empty()
    }
}

impl Waiting {
    /// Forgets everything.
    pub(super) fn reset(&mut self) {
        let Waiting {
            known,
            watched,
            has_yielded,
            has_news,
            quiet,
            rest,
            stalls,
            yielded_at,
            sections,
            quiet_outside,
        } = self;
        known.clear();
        watched.clear();
        *has_yielded = false;
        *has_news = false;
        *quiet = 0;
        *rest = None;
        stalls.clear();
        *yielded_at = None;
        sections.clear();
        quiet_outside.clear();
    }

    /// The thread has changed something.
    #[inline]
    fn begin_again(&mut self) {
        self.forget_round();
        self.has_yielded = false;
        self.has_news = false;
        self.quiet = 0;
    }

    #[inline]
    fn forget_round(&mut self) {
        self.watched.clear();
        self.sections.clear();
        self.quiet_outside.clear();
    }

    #[inline]
    fn note_news(&mut self, has_news: bool) {
        if has_news {
            self.has_news = true;
            self.quiet = 0;
            if self.is_in_section() {
                self.quiet_outside.fill(0);
            }
        }
    }

    /// Whether it is in a critical section that it has begun since it yielded last.
    #[inline]
    fn is_in_section(&self) -> bool {
        !self.quiet_outside.is_empty()
    }

    fn has_section(&self, lock: ObjectId, place: usize) -> bool {
        let mut sections = self.sections.iter();
        sections.any(|section| (section.lock, section.place) == (lock, place))
    }

    /// A critical section begins.
    fn enter(&mut self, lock: ObjectId, place: usize) {
        // To look again and again in a critical section is a loop of its own.
        self.quiet_outside.push(std::mem::take(&mut self.quiet));
        if !self.has_section(lock, place) {
            if self.sections.len() >= WATCHED {
                self.sections.remove(0);
            }
            self.sections.push(Section {
                lock,
                place,
                times: 0,
                writes: false,
            });
        }
        if let Some(section) = self.section(lock, place) {
            section.times += 1;
        }
    }

    fn section(&mut self, lock: ObjectId, place: usize) -> Option<&mut Section> {
        let mut sections = self.sections.iter_mut();
        sections.find(|section| (section.lock, section.place) == (lock, place))
    }

    /// A critical section ends. Returns how it was before.
    fn leave(&mut self, lock: ObjectId, place: usize, writes: bool) -> Option<Section> {
        if let Some(quiet) = self.quiet_outside.pop() {
            self.quiet = quiet;
        }
        let section = self.section(lock, place)?;
        let before = *section;
        section.writes |= writes;
        Some(before)
    }

    /// That the thread itself has changed what it has looked at is no news to it.
    fn know_own(&mut self, look: Look) {
        let looks = self.known.iter_mut().chain(&mut self.watched);
        for known in looks.filter(|known| known.spot == look.spot) {
            *known = look;
        }
    }

    /// Notes a change of these spots by the thread itself, after which it can take a way that it could
    /// repeat without end.
    fn note_change(&mut self, done: &Done<'_>, spots: [Option<Spot>; 2]) {
        if self.stalls.is_empty() {
            return;
        }
        self.note_success(done.event, done.next);
        for stall in &mut self.stalls {
            stall.has_written = true;
            let mut spots = spots.iter().flatten();
            stall.led_elsewhere |= spots.any(|spot| !stall.own.contains(&Some(*spot)));
        }
    }

    /// That the thread took a way here that it could repeat without end.
    fn stall_at(&self, next: &NextStep) -> Option<&Stall> {
        self.stalls.iter().find(|stall| stall.is_of(next))
    }

    /// Notes what an operation came to: if it has succeeded, a way of it that could be repeated
    /// without end begins a new row.
    fn note_success(&mut self, event: &Event, next: &NextStep) {
        let has_succeeded = can_repeat(next)
            && event.operation != Operation::Timeout
            && !matches!(
                event.result,
                Some(EventResult::Failed | EventResult::FailedSpuriously)
            );
        if has_succeeded {
            self.stalls.retain(|stall| !stall.is_of(next));
        }
    }

    /// Remembers what was seen, and returns which version of it was known.
    #[inline]
    fn know(&mut self, look: Look) -> Option<u32> {
        if let Some(known) = self.known.iter_mut().find(|known| known.spot == look.spot) {
            return Some(std::mem::replace(known, look).version);
        }
        self.learn(look);
        None
    }

    /// Remembers what was seen for the first time.
    fn learn(&mut self, look: Look) {
        if self.known.len() >= KNOWN {
            let stalled = self.stalls.iter().map(|stall| stall.step).min();
            let is_idle = |known: &Look| {
                known.version == 0 && stalled.is_none_or(|stalled| known.step < stalled)
            };
            if let Some(idle) = self.known.iter().position(is_idle) {
                self.known.remove(idle);
            }
        }
        self.known.push(look);
    }

    /// Remembers a look, and returns which version of what was seen was known.
    #[inline]
    fn look(&mut self, look: Look) -> Option<u32> {
        let known = self.know(look);
        let watched = self
            .watched
            .iter_mut()
            .find(|other| other.spot == look.spot);
        match watched {
            Some(watched) => *watched = look,
            None => {
                if self.watched.len() == WATCHED && !self.has_yielded {
                    // It looks at many things: a scan, which will end.
                    self.watched.clear();
                    self.quiet = 0;
                }
                self.watched.push(look);
            }
        }
        known
    }
}

/// Whether an operation has a way that a thread could take again and again without end.
fn can_repeat(next: &NextStep) -> bool {
    matches!(
        next.alternatives,
        Alternatives::Timeout
            | Alternatives::Spurious(_)
            | Alternatives::Unmet
            | Alternatives::Unfinished
    )
}
