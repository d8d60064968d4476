//! Threads that wait by looking again and again, or by timing out again and again.
//!
//! Such a thread could go on for ever with nothing new happening, so that to enumerate it is
//! impossible. A thread *spins* when it yields for the second time with nothing written by anybody
//! in between, or reads the same few places for very long. From then on, until something is
//! written, it *rests*: it can be chosen once, to go on alone for a limited number of steps. If it
//! is still in its loop then, its going on was in vain, and what can follow also follows where it
//! did not go on.
//!
//! But if it leaves its loop by itself, since the loop counts its rounds, say, then it did not wait,
//! and to let it go on alone has lost interleavings. So the place where it was taken to spin is
//! remembered: from then on there is *patience* with it, which means that threads do not rest
//! there. A search that is to be complete starts again.
//!
//! A thread that has timed out, or failed without a cause, does so again at the same place only
//! after another thread has written something, or when nobody can do anything else. What is left
//! out so is noted.

use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::trace::{Event, ObjectId, Operation, ThreadId};

use super::{Alternatives, Execution, NextStep, Thread};

/// After so many reads in a row, of the same few places and with nothing written by anybody, a
/// thread without a yield is taken to spin.
const QUIET_READS: u32 = 100;

/// How many steps a thread that spins may go on alone: more than a loop that gives up spinning
/// after some rounds is likely to make.
const STEPS_ALONE: u32 = 1000;

/// The places that a spinning thread may look at in turn.
const WATCHED: usize = 4;

/// The places at which threads were taken to spin, and then left their loops by themselves.
///
/// It belongs to a search: what one execution has shown holds for all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patience(Arc<Mutex<Vec<usize>>>);

impl Patience {
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
    /// The writes in the execution that were its own.
    own_writes: u64,
    /// The writes of other threads when it last took a way that it could take for ever.
    stalled_at: u64,
    /// The places where it took such a way since.
    stalled_in: Vec<usize>,
    /// The writes in the execution when it yielded last.
    yielded_at: Option<u64>,
    spin: Option<Spin>,
    quiet: Quiet,
}

/// A thread that was seen to spin.
#[derive(Clone, Copy, Debug)]
struct Spin {
    /// The writes in the execution then: when there are more, it does not rest any more.
    writes: u64,
    /// Where that was.
    place: usize,
    /// The steps that it has made since.
    steps: u32,
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

/// What there is to do about a thread that goes on alone.
pub(super) enum GoOn {
    /// It makes another step.
    Step(ThreadId),
    /// It has used up its steps, while others could have gone on.
    InVain,
    /// There is none.
    No,
}

impl Execution {
    /// Notices when the current thread only waits for another one to write.
    ///
    /// One yield is not enough: the reads after it may find something new.
    pub(super) fn note_waiting(&mut self, event: &Event) {
        let writes = self.writes;
        let place = ptr::from_ref(event.at).addr();
        let waiting = &mut self.current_mut().waiting;
        let spins = match event.operation {
            Operation::Yield | Operation::Sleep => {
                waiting.yielded_at.replace(writes) == Some(writes)
            }
            Operation::Load
            | Operation::Cas
            | Operation::TryLock
            | Operation::Send
            | Operation::Receive
            | Operation::Once
            | Operation::Join => {
                let watched = (event.object, event.target);
                waiting.quiet.reads_again(writes, place, watched)
            }
            _ => false,
        };
        let rests = waiting.spin.is_some_and(|spin| spin.writes == writes);
        if spins && !rests && !self.patience.has(place) {
            let steps = 0;
            self.current_mut().waiting.spin = Some(Spin {
                writes,
                place,
                steps,
            });
        }
    }

    /// Whether the thread has yielded before, and nothing was written since.
    pub(crate) fn yields_in_vain(&self, thread: ThreadId) -> bool {
        self.thread(thread).waiting.yielded_at == Some(self.writes)
    }

    /// Something changed that other threads can see.
    pub(crate) fn wrote(&mut self) {
        self.note_leaving();
        self.writes += 1;
        self.current_mut().waiting.own_writes += 1;
    }

    /// The current thread does something that is not looking again. If it was taken to spin, it was
    /// so wrongly.
    pub(super) fn note_leaving(&mut self) {
        if self.is_doomed() {
            return;
        }
        if let Some(spin) = self.spin(self.thread(self.me())) {
            self.patience.add(spin.place);
            self.current_mut().waiting.spin = None;
            self.gained_patience = true;
        }
    }

    /// Whether the thread was seen to spin, and nothing was written since.
    pub(super) fn rests(&self, thread: &Thread) -> bool {
        self.spin(thread).is_some()
    }

    /// Whether the thread rests, and going on alone was in vain.
    pub(super) fn is_exhausted(&self, thread: &Thread) -> bool {
        self.spin(thread)
            .is_some_and(|spin| spin.steps >= STEPS_ALONE)
    }

    /// Whether the thread can still go on alone.
    pub(super) fn has_not_gone_alone(&self, thread: &Thread) -> bool {
        self.spin(thread).is_some_and(|spin| spin.steps == 0)
    }

    /// How often the thread went on in vain.
    pub(super) fn turns_in_vain(&self, thread: &Thread) -> u32 {
        self.spin(thread).map_or(0, |spin| spin.steps / STEPS_ALONE)
    }

    fn spin(&self, thread: &Thread) -> Option<Spin> {
        thread
            .waiting
            .spin
            .filter(|spin| spin.writes == self.writes)
    }

    /// Notes that a thread was chosen, which from now on goes on alone if it rests.
    pub(super) fn note_chosen(&mut self, thread: ThreadId) {
        let writes = self.writes;
        if let Some(spin) = &mut self.thread_mut(thread).waiting.spin
            && spin.writes == writes
        {
            spin.steps += 1;
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
        if !self.is_exhausted(state) {
            return GoOn::Step(thread);
        }
        self.alone = None;
        let mut others = self.threads().filter(|(_, other)| !self.rests(other));
        let is_detour = others.any(|(id, _)| self.can_go_on(id));
        if is_detour { GoOn::InVain } else { GoOn::No }
    }

    /// Whether the thread has taken, where it is now, a way that it could take for ever (a time-out,
    /// a spurious failure), and no other thread has written anything since.
    pub(super) fn stalls(&self, thread: ThreadId, next: &NextStep) -> bool {
        if !self.prunes {
            return false;
        }
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
