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
    pub(crate) finished: bool,
    /// Who spawned it, and as its so-manieth thread.
    pub(crate) parent: Option<(ThreadId, u32)>,
    /// How many threads it has spawned.
    pub(super) spawned: u32,
    /// How many objects it has made.
    pub(super) made: u32,
    /// Whether it has made a step.
    pub(super) has_stepped: bool,
    /// Whether somebody asked whether it has finished, and was told so.
    pub(crate) seen_finished: bool,
    /// What it panicked with last, and where.
    pub(crate) last_panic: Option<(String, Option<String>)>,
    /// What it panicked with first since it last did not unwind.
    pub(crate) first_panic: Option<(String, Option<String>)>,
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
