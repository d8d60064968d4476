//! The threads of an execution.

use crate::trace::{Event, ObjectId, Operation, ThreadId};

use super::{Execution, NextStep};

/// After so many reads in a row, of the same few places and with nothing written by anybody, a
/// thread without a yield is taken to spin.
const QUIET_READS: u32 = 100;

/// The places that a spinning thread may look at in turn.
const WATCHED: usize = 4;

/// What is known of a thread under test.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent of each other"
)]
pub(crate) struct Thread {
    pub(crate) name: Option<String>,
    /// What it is about to do, if it has announced it and was not chosen yet.
    pub(crate) next: Option<NextStep>,
    pub(crate) finished: bool,
    /// What it panicked with last, and where.
    pub(crate) last_panic: Option<(String, Option<String>)>,
    /// It unwinds, and its destructor wants what it cannot have before the others have ended.
    pub(crate) waits_unwinding: bool,
    /// It was to be unwound in a destructor that must not unwind, and has gone on since.
    pub(crate) lingers: bool,
    /// Whether it was notified since it began to wait, or its wait has timed out.
    pub(crate) woken: bool,
    /// Whether it can pass its next `park`.
    pub(crate) has_token: bool,
    /// The writes in the execution that were its own.
    pub(super) own_writes: u64,
    /// The writes of other threads when it last took a way that it could take for ever.
    pub(super) stalled_at: Option<u64>,
    /// How often it took such a way because nobody could do anything else.
    pub(super) last_resorts: u32,
    /// The writes in the execution when it yielded last.
    yielded_at: Option<u64>,
    /// The writes in the execution when it was seen to spin: until there are more, it rests.
    pub(super) spinning_at: Option<u64>,
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

impl Thread {
    pub(super) fn new(name: Option<String>) -> Self {
        Thread {
            name,
            ..Thread::default()
        }
    }
}

impl Execution {
    /// Notices when the current thread only waits for another one to write.
    ///
    /// A thread spins when it yields (or sleeps) for the second time with nothing written by
    /// anybody in between, or when it reads the same few places for very long without yielding.
    /// Once is not enough: the reads after the first yield may find something new.
    pub(super) fn note_waiting(&mut self, event: &Event) {
        let writes = self.writes;
        let thread = self.current_mut();
        match event.operation {
            Operation::Yield | Operation::Sleep => {
                if thread.yielded_at == Some(writes) {
                    thread.spinning_at = Some(writes);
                }
                thread.yielded_at = Some(writes);
            }
            Operation::Load
            | Operation::Cas
            | Operation::TryLock
            | Operation::Send
            | Operation::Receive
            | Operation::Join => {
                let watched = (event.object, event.target);
                let place = std::ptr::from_ref(event.at).addr();
                if thread.quiet.reads_again(writes, place, watched) {
                    thread.spinning_at = Some(writes);
                }
            }
            _ => {}
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
