//! Threads that wait by looking again and again, or by timing out again and again.
//!
//! Such a thread could go on for ever with nothing new happening. To enumerate that is impossible,
//! and to leave it out must not lose what else the thread could do:
//!
//! - A thread that is seen to spin *rests* until something is written. Before that it can be
//!   chosen once to go on *alone*, for a limited number of steps with nothing written, since its
//!   loop may count its rounds and end by itself. If it does not, its going on was in vain.
//! - A thread that has timed out, or failed without a cause, does so again at the same place only
//!   after another thread has written something, or when nobody can do anything else. Time-outs
//!   that are left out so make the search incomplete, and it says so.

use std::ptr;

use crate::trace::{Choice, Event, ObjectId, Operation, ThreadId};

use super::{Alternatives, Execution, NextStep, Thread};

/// After so many reads in a row, of the same few places and with nothing written by anybody, a
/// thread without a yield is taken to spin.
const QUIET_READS: u32 = 100;

/// How many steps a thread that spins may go on alone: enough for a loop that gives up spinning
/// after some rounds.
const STEPS_ALONE: u32 = 200;

/// The places that a spinning thread may look at in turn.
const WATCHED: usize = 4;

/// How a thread waits.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// The writes in the execution that were its own.
    own_writes: u64,
    /// The writes of other threads when it last took a way that it could take for ever.
    stalled_at: u64,
    /// The places where it took such a way since.
    stalled_in: Vec<usize>,
    /// The writes in the execution when it yielded last.
    yielded_at: Option<u64>,
    /// The writes in the execution when it was seen to spin: until there are more, it rests.
    spinning_at: Option<u64>,
    /// The writes in the execution when it went on alone last.
    alone_at: Option<u64>,
    quiet: Quiet,
}

/// The object or the thread that a thread looks at.
type Watched = (Option<ObjectId>, Option<ThreadId>);

/// The reads of a thread since anybody wrote anything.
#[derive(Debug, Default)]
struct Quiet {
    since: u64,
    reads: u32,
    watched: [Option<(usize, Watched)>; WATCHED],
}

/// A thread that spins and goes on alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alone {
    thread: ThreadId,
    writes: u64,
    steps_left: u32,
    /// Whether others could have gone on.
    is_detour: bool,
}

/// What there is to do about a thread that goes on alone.
pub(super) enum GoOn {
    /// It makes another step.
    Step(Choice),
    /// It has used up its steps, while others could have gone on.
    InVain,
    /// There is none.
    No,
}

impl Execution {
    /// Notices when the current thread only waits for another one to write.
    ///
    /// A thread spins when it yields (or sleeps) for the second time with nothing written by
    /// anybody in between, or when it reads the same few places for very long without yielding.
    /// Once is not enough: the reads after the first yield may find something new.
    pub(super) fn note_waiting(&mut self, event: &Event) {
        let writes = self.writes;
        let waiting = &mut self.current_mut().waiting;
        match event.operation {
            Operation::Yield | Operation::Sleep => {
                if waiting.yielded_at == Some(writes) {
                    waiting.spinning_at = Some(writes);
                }
                waiting.yielded_at = Some(writes);
            }
            Operation::Load
            | Operation::Cas
            | Operation::TryLock
            | Operation::Send
            | Operation::Receive
            | Operation::Join => {
                let watched = (event.object, event.target);
                let place = ptr::from_ref(event.at).addr();
                if waiting.quiet.reads_again(writes, place, watched) {
                    waiting.spinning_at = Some(writes);
                }
            }
            _ => {}
        }
    }

    /// Something changed that other threads can see.
    pub(crate) fn wrote(&mut self) {
        self.writes += 1;
        self.current_mut().waiting.own_writes += 1;
    }

    /// Whether the thread was seen to spin, and nothing was written since.
    pub(super) fn rests(&self, thread: &Thread) -> bool {
        thread.waiting.spinning_at == Some(self.writes)
    }

    /// Whether a thread that rests can go on alone: not twice from the same state.
    pub(super) fn may_go_alone(&self, thread: &Thread) -> bool {
        thread.waiting.alone_at != Some(self.writes)
    }

    /// Lets a thread that rests go on alone.
    pub(super) fn go_alone(&mut self, thread: ThreadId) {
        let writes = self.writes;
        let others = self.threads().filter(|(id, _)| *id != thread);
        let is_detour = others.into_iter().any(|(id, other)| {
            let is_able = |next: &NextStep| self.met(id, next.requires);
            !self.rests(other) && other.next.as_ref().is_some_and(is_able)
        });
        self.thread_mut(thread).waiting.alone_at = Some(writes);
        self.alone = Some(Alone {
            thread,
            writes,
            steps_left: STEPS_ALONE,
            is_detour,
        });
    }

    /// The next step of the thread that goes on alone. It no longer does once it has written
    /// something, or waits for something else.
    pub(super) fn alone(&mut self) -> GoOn {
        let writes = self.writes;
        let Some(alone) = &mut self.alone else {
            return GoOn::No;
        };
        let Alone {
            thread, is_detour, ..
        } = *alone;
        if alone.writes == writes && alone.steps_left > 0 {
            alone.steps_left -= 1;
            let next = self.thread(thread).next;
            if next.is_some_and(|next| self.met(thread, next.requires)) {
                return GoOn::Step(Choice::of(thread));
            }
        } else if alone.writes == writes && is_detour {
            self.alone = None;
            return GoOn::InVain;
        }
        self.alone = None;
        GoOn::No
    }

    /// Whether the thread has taken, where it is now, a way that it could take for ever (a time-out,
    /// a spurious failure), and no other thread has written anything since.
    pub(super) fn stalls(&self, thread: ThreadId, next: &NextStep) -> bool {
        let waiting = &self.thread(thread).waiting;
        waiting.stalled_at == self.writes - waiting.own_writes
            && waiting.stalled_in.contains(&ptr::from_ref(next.at).addr())
    }

    /// Notes that the thread takes another way than the normal one.
    pub(super) fn note_stalling(&mut self, thread: ThreadId) {
        let writes = self.writes;
        let thread = self.thread_mut(thread);
        let Some(next) = &thread.next else { return };
        let could_go_on_so = matches!(
            next.alternatives,
            Alternatives::Timeout
                | Alternatives::Spurious(_)
                | Alternatives::Unmet
                | Alternatives::Unfinished
        );
        if could_go_on_so {
            let waiting = &mut thread.waiting;
            let others = writes - waiting.own_writes;
            if waiting.stalled_at != others {
                waiting.stalled_in.clear();
            }
            waiting.stalled_at = others;
            waiting.stalled_in.push(ptr::from_ref(next.at).addr());
        }
    }
}

impl Quiet {
    /// Counts a read that found what was there, and tells whether that looks like spinning.
    fn reads_again(&mut self, writes: u64, place: usize, watched: Watched) -> bool {
        if self.since != writes {
            *self = Quiet {
                since: writes,
                ..Quiet::default()
            };
        }
        let key = Some((place, watched));
        if !self.watched.contains(&key) {
            match self.watched.iter_mut().find(|slot| slot.is_none()) {
                Some(slot) => *slot = key,
                // It looks at many things: a scan, which will end.
                None => {
                    *self = Quiet {
                        since: writes,
                        ..Quiet::default()
                    }
                }
            }
        }
        self.reads += 1;
        self.reads > QUIET_READS
    }
}
