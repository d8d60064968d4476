//! Rounds of a loop that polls under a lock, and may change there what the lock guards, as a
//! `lock().take()` does that finds nothing.
//!
//! To others, such a section is a change. Two threads that poll so would be news to each other for ever.
//! So if a thread does the same a third time, with a yield between and nothing new but what others repeat
//! in the same way, it is taken to have changed nothing.
//!
//! If it then leaves its loop, with nothing new, its sections did change something, as those of a loop
//! that fills a queue: that place is remembered, as those of threads that were wrongly taken to spin are.
//! What is lost if it never leaves is named in the report.

use crate::execution::{Execution, Thread};
use crate::trace::{LeftOut, ObjectId, ThreadId};

use super::Waiting;

/// How often a section is a change that is repeated with nothing new.
const CHANGES: u32 = 2;

/// How a thread repeats a critical section in which it may change what the lock guards.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Repeats {
    /// How often it has done so, with a yield between and nothing new.
    rounds: u32,
    /// Whether it has yielded since.
    has_yielded: bool,
    /// [`guarded_news`](crate::execution::Object::guarded_news) when it did so last.
    news: u32,
}

/// What a critical section has done with what its lock guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guarded {
    /// Only looked at it.
    Same,
    /// May have changed it.
    Changed,
    /// Has repeated what it did before, with nothing new, and so is taken to have changed nothing.
    Repeated,
}

impl Repeats {
    /// Whether it is done once more with nothing new.
    fn again(self, news: u32) -> bool {
        self.rounds > 0 && self.has_yielded && self.news == news
    }

    /// Whether it then changes nothing.
    fn changes_nothing(self, news: u32) -> bool {
        self.again(news) && self.rounds >= CHANGES
    }
}

impl Execution {
    /// Whether a critical section that ends now only repeats what its thread has done before.
    pub(super) fn is_repeated(&self, thread: ThreadId, lock: ObjectId, place: usize) -> bool {
        let news = self.object(lock).guarded_news;
        let mut sections = self.thread(thread).waiting.sections.iter();
        let section = sections.find(|section| section.is_at(lock, place));
        section.is_some_and(|section| section.repeats.changes_nothing(news))
            && !self.patience.has(place)
    }

    /// Notes that a critical section has ended, and what has become of what the lock guards.
    pub(super) fn note_repeats(&mut self, lock: ObjectId, place: usize, guarded: Guarded) {
        let is_known_to_change = self.patience.has(place);
        let news = self.object(lock).guarded_news;
        let waiting = &mut self.current_mut().waiting;
        waiting.repeated = (guarded == Guarded::Repeated).then_some(place);
        let Some(section) = waiting.section(lock, place) else {
            return;
        };
        let before = section.repeats;
        let is_first = before.rounds == 0 || !before.has_yielded;
        let is_news = guarded != Guarded::Same && (is_known_to_change || is_first);
        section.repeats = Repeats {
            rounds: match guarded {
                Guarded::Same => before.rounds,
                _ if before.again(news) => before.rounds + 1,
                _ => 1,
            },
            has_yielded: false,
            news: news + u32::from(is_news),
        };
        if before.news != news {
            waiting.note_fresh_news();
        }
        self.object_mut(lock).guarded_news += u32::from(is_news);
        if guarded == Guarded::Repeated {
            self.left_out.add(LeftOut::RepeatedRounds);
        }
    }

    /// Whether a thread goes round a loop in which it is known to change what a lock guards.
    pub(super) fn repeats_changes(&self, thread: &Thread) -> bool {
        let mut sections = thread.waiting.sections.iter();
        sections.any(|section| section.writes && self.patience.has(section.place))
    }

    /// The current thread leaves the loop in which it polls, with nothing new: what it has repeated were
    /// changes.
    #[cold]
    pub(super) fn leave_polls(&mut self) {
        if self.is_explored()
            && let Some(place) = self.current_mut().waiting.repeated.take()
        {
            self.patience.add(place);
            self.gained_patience = true;
        }
    }
}

impl Waiting {
    pub(super) fn yield_between_polls(&mut self) {
        for section in &mut self.sections {
            section.repeats.has_yielded = true;
        }
    }

    /// Something has changed, and not by being repeated.
    pub(super) fn note_fresh_news(&mut self) {
        self.repeated = None;
        for section in &mut self.sections {
            section.repeats.rounds = section.repeats.rounds.min(1);
        }
    }
}
