//! Critical sections as looks.
//!
//! From the outside, a critical section that its thread has entered by waiting for the lock can only be
//! told by what the lock guards, which each section looks at, and changes if it was lent for changes in
//! it, or plain cells were: so a thread that polls under a lock does not keep others awake that do the
//! same. What is changed through references that are shared, as in a `Mutex<Cell<_>>`, is not seen. What
//! locks guard that do not contain it, or that come from raw locks, counts as changed each time. Only
//! who asks whether a lock is held sees sections begin and end.
//!
//! The round of the thread itself may change what a lock guards without an end, as a
//! `lock().take()` does that finds nothing. If it has found nothing new in two rounds, it rests all the
//! same: from then on it is as if it was still between these two. Something is lost only if its rounds
//! do change the value and it never leaves the loop by that, since that would be noticed when it goes on
//! alone. That is named in the report. To others, each of its rounds is a change.
//!
//! No thread begins to rest, or stops to go on alone, in a critical section that belongs to its loop, where
//! it would keep others from what the loop waits for.

use std::ptr;

use crate::execution::{Execution, NextStep, Requirement, Spot};
use crate::model::Done;
use crate::trace::{ObjectId, Operation, ThreadId};

use super::polls::{Guarded, Repeats};
use super::{Look, QUIET_LOOKS, WATCHED, Waiting};

/// The same of critical sections of one lock, begun at one place, that change nothing. Unlike looks they
/// cannot change places with those of others, so that each of them multiplies the interleavings.
const QUIET_SECTIONS: u32 = 3;

/// A critical section of a thread: the lock, and where it was acquired.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    pub(super) lock: ObjectId,
    pub(super) place: usize,
    /// How often it was begun, since the thread yielded last or was seen to look at the same.
    pub(super) times: u32,
    /// Whether the thread may have changed in it what the lock guards, in that time.
    pub(super) writes: bool,
    pub(super) repeats: Repeats,
}

impl Section {
    pub(super) fn is_at(&self, lock: ObjectId, place: usize) -> bool {
        (self.lock, self.place) == (lock, place)
    }

    /// The thread goes round once more.
    pub(super) fn begin_again(&mut self) {
        self.times = 0;
        self.writes = false;
    }
}

impl Execution {
    /// The lock that an operation of a thread releases, if the thread may have changed what it guards.
    #[inline]
    pub(in crate::execution) fn publishes(
        &self,
        thread: ThreadId,
        next: &NextStep,
    ) -> Option<ObjectId> {
        let lock = match (next.operation, next.requires) {
            (_, Requirement::Held(lock)) => lock,
            (Operation::Unlock, Requirement::Nothing) => next.object?,
            // Most operations.
            _ => return None,
        };
        let publishes = self.has_written_under(thread, lock)
            && !self.is_repeated(thread, lock, ptr::from_ref(next.at).addr());
        publishes.then_some(lock)
    }

    fn has_written_under(&self, thread: ThreadId, lock: ObjectId) -> bool {
        let object = self.object(lock);
        let has_written = (thread, self.thread(thread).plain_writes) != object.plain_writes;
        has_written || object.guards_nothing
    }

    /// The current thread has acquired a lock.
    #[inline(never)]
    pub(in crate::execution) fn acquired(
        &mut self,
        done: &Done<'_>,
        lock: ObjectId,
        is_exclusive: bool,
    ) {
        let place = ptr::from_ref(done.event.at).addr();
        self.note_waiting_for(lock, place);
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
    pub(in crate::execution) fn released(
        &mut self,
        done: &Done<'_>,
        lock: ObjectId,
        was_exclusive: bool,
    ) {
        let place = ptr::from_ref(done.event.at).addr();
        let guarded = if !was_exclusive || !self.has_written_under(self.me(), lock) {
            Guarded::Same
        } else if self.is_repeated(self.me(), lock, place) {
            Guarded::Repeated
        } else {
            Guarded::Changed
        };
        let (may_write, writes) = (guarded != Guarded::Same, guarded == Guarded::Changed);
        self.touch_lock(done, lock);
        let look = self.look_at(Spot::Guarded(lock));
        if writes {
            self.writes += 1;
            self.object_mut(lock).guarded_version += 1;
        }
        let waiting = &mut self.current_mut().waiting;
        if writes && let Some(yielded_at) = &mut waiting.yielded_at {
            *yielded_at += 1;
        }
        let has_news = waiting.look(look) != Some(look.version);
        let section = waiting.leave(lock, place, may_write);
        let is_new = may_write && section.is_none_or(|section| !section.writes);
        let is_repeated = !may_write && section.is_some_and(|section| section.times > 1);
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
            self.leave_rest();
        }
        self.note_repeats(lock, place, guarded);
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
            in_passing: None,
            step,
        };
        let waiting = &mut self.current_mut().waiting;
        waiting.know(look);
        waiting.know_own(look);
        waiting.note_change(done, [Some(look.spot), None]);
    }

    /// The current thread is about to wait for what is not possible now.
    #[cold]
    pub(in crate::execution) fn note_blocking(&mut self, next: &NextStep) {
        let place = ptr::from_ref(next.at).addr();
        match next.object {
            Some(lock) => self.note_waiting_for(lock, place),
            None => self.note_leaving(),
        }
    }

    /// The current thread acquires a lock, or is about to. That belongs to the loop in which it spins or
    /// polls, or it leaves that.
    fn note_waiting_for(&mut self, lock: ObjectId, place: usize) {
        let waiting = &mut self.current_mut().waiting;
        match waiting.section(lock, place) {
            None => self.note_leaving(),
            Some(section) if section.times == 0 => self.leave_rest(),
            Some(_) => {}
        }
    }
}

impl Waiting {
    /// Whether it is in a critical section that it has begun since it yielded last.
    #[inline]
    pub(super) fn is_in_section(&self) -> bool {
        !self.quiet_outside.is_empty()
    }

    /// A critical section begins.
    fn enter(&mut self, lock: ObjectId, place: usize) {
        // To look again and again in a critical section is a loop of its own.
        self.quiet_outside.push(std::mem::take(&mut self.quiet));
        if self.section(lock, place).is_none() {
            if self.sections.len() >= WATCHED {
                self.sections.remove(0);
            }
            self.sections.push(Section {
                lock,
                place,
                times: 0,
                writes: false,
                repeats: Repeats::default(),
            });
        }
        if let Some(section) = self.section(lock, place) {
            section.times += 1;
        }
    }

    pub(super) fn section(&mut self, lock: ObjectId, place: usize) -> Option<&mut Section> {
        let mut sections = self.sections.iter_mut();
        sections.find(|section| section.is_at(lock, place))
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
}
