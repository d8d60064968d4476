//! The threads of an execution.

use crate::trace::{Clock, ThreadId};

use super::NextStep;
use super::happens_before::Knowledge;
use super::locals::Locals;
use super::waiting::Waiting;

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
    /// Stands for that.
    pub(super) next_hash: u64,
    pub(crate) finished: bool,
    /// Who spawned it, and which of the threads of that one it is, from 1 on.
    pub(crate) parent: Option<(ThreadId, u32)>,
    /// How many threads it has spawned.
    pub(super) spawned: u32,
    /// How many objects it has made.
    pub(super) made: u32,
    /// Whether its last event was to offer its turn to others.
    pub(super) has_yielded: bool,
    /// Whether it has made a step.
    pub(super) has_stepped: bool,
    /// Whether somebody asked whether it has finished, and was told so.
    pub(crate) seen_finished: bool,
    /// What it panicked with last, and where.
    pub(crate) last_panic: Option<(String, Option<String>)>,
    /// What it panicked with first since it last did not unwind.
    pub(crate) first_panic: Option<(String, Option<String>)>,
    /// Whether it is in the middle of a panic, or was when that could be told last.
    pub(crate) panics: bool,
    /// Whether it waits for its turn in the middle of a panic.
    pub(super) waits_panicking: bool,
    /// Whether one of its destructors has waited in a panic.
    pub(super) has_waited_panicking: bool,
    /// How many events there were before the operations that its destructors did in a panic.
    pub(super) events_before_panic: usize,
    /// How many operations its destructors did since a panic began to unwind it, without a turn.
    pub(super) operations_panicking: u32,
    /// How often its destructors did more operations than that.
    pub(super) times_spun: u32,
    /// How often it was unwound by the lab, and caught that.
    pub(super) times_unwound: u32,
    /// Whether it will never go on: what it waits for in a destructor does not happen.
    pub(crate) is_left_behind: bool,
    /// It unwinds, and its destructor wants what it cannot have before the others have ended.
    pub(crate) waits_unwinding: bool,
    /// It was to be unwound in a destructor that must not unwind, and has gone on since.
    pub(crate) lingers: bool,
    /// Whether it was notified since it began to wait, or its wait has timed out.
    pub(crate) woken: bool,
    /// Whether it runs futures: `block_on`, or a task.
    pub(crate) polls: bool,
    /// Whether it can pass its next `park`.
    pub(crate) has_token: bool,
    /// How often its token was given or taken.
    pub(super) tokens: u32,
    pub(crate) locals: Locals,
    pub(super) waiting: Waiting,
    pub(crate) knowledge: Knowledge,
    /// What its park token lets it know.
    pub(crate) token: Clock,
}

impl Thread {
    pub(super) fn new(name: Option<String>) -> Self {
        Thread {
            name,
            ..Thread::default()
        }
    }
}
