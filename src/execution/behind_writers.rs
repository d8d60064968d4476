//! Threads that come to read, and may have to wait behind one that waits to write.
//!
//! Whether a read-write lock lets writers go first is left to it. That a thread which could read waits
//! behind a writer instead, and reads later, is what happens anyway where it reads later. It makes a
//! difference only where nothing comes later: if all threads that could go on are about to read so,
//! each of them may wait, for ever. That state offers it as a way to go, once: the way of the first of
//! these threads, which ends the execution as a deadlock.

use crate::model::read_write;
use crate::trace::{Choice, EventResult, ObjectId, ThreadId};

use super::{Alternatives, Execution, NextStep};

impl Execution {
    /// Whether the thread is about to read a lock that may let writers go first.
    #[inline]
    pub(super) fn may_wait_behind_writers(&self, thread: ThreadId) -> bool {
        let next = self.next_of(thread);
        next.is_some_and(|next| matches!(next.alternatives, Alternatives::BehindWriters))
    }

    /// Whether the choice is that all threads that could go on wait behind writers.
    #[inline]
    pub(crate) fn is_behind_writers(&self, choice: Choice) -> bool {
        choice.alternative == 1 && self.may_wait_behind_writers(choice.thread)
    }

    /// That all threads that could go on wait behind writers, if they may.
    ///
    /// It is listed for the first of them, by who has spawned them: so in all executions of a trace
    /// for the same one.
    #[cold]
    pub(super) fn wait_of_all(&self) -> Option<Choice> {
        let mut first = None;
        for (id, thread) in self.threads() {
            let Some(next) = &thread.next else { continue };
            if self.can_go_on(id) {
                let spins = self.prunes && self.rests(thread);
                if spins || self.writer_before(next).is_none() {
                    return None;
                }
                let lineage = self.lineage(id);
                if first.as_ref().is_none_or(|(earlier, _)| lineage < *earlier) {
                    first = Some((lineage, id));
                }
            } else if self.can_time_out(id, next) {
                return None;
            }
        }
        first.map(|(_, thread)| Choice {
            thread,
            alternative: 1,
        })
    }

    /// The thread that waits to write what another one is about to read, if it may go first.
    pub(crate) fn writer_before(&self, next: &NextStep) -> Option<ThreadId> {
        let may_wait = matches!(next.alternatives, Alternatives::BehindWriters);
        next.object
            .filter(|_| may_wait)
            .and_then(|lock| self.waiting_writer(lock))
    }

    /// The first thread that waits to write the lock and may go before those that come to read.
    pub(crate) fn waiting_writer(&self, lock: ObjectId) -> Option<ThreadId> {
        let mut threads = self.threads();
        let writer = threads.find(|(id, thread)| {
            thread.next.is_some_and(|next| {
                next.object == Some(lock)
                    && !self.met(*id, next.requires)
                    && read_write::holds_up_readers(self, *id, next.requires)
            })
        });
        writer.map(|(id, _)| id)
    }

    /// All threads that could go on wait behind writers: the execution ends. The step is of the
    /// current thread.
    #[cold]
    pub(super) fn wait_behind_writers(&mut self) {
        let step = self.schedule().len();
        let step = u32::try_from(step).expect("steps are bounded");
        if let Some(next) = self.next_of(self.me()).copied() {
            let writer = self.writer_before(&next);
            self.push_event(&next, Some(step));
            self.note(|event| {
                event.result = Some(EventResult::Waits);
                event.target = writer;
            });
        }
        self.stand_still(Execution::writer_before);
    }
}
