//! The threads of an execution.

use crate::trace::{Clock, ObjectId, ThreadId};

use super::happens_before::Knowledge;
use super::locals::Locals;
use super::waiting::Waiting;
use super::{Alternatives, NextStep, Requirement};

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
    /// When that is possible, as far as it is told at once.
    pub(super) standing: Standing,
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
    /// The task that it runs, which can be that of a `block_on`.
    pub(crate) task: Option<ObjectId>,
    /// Whether it can pass its next `park`.
    pub(crate) has_token: bool,
    /// How often its token was given or taken.
    pub(super) tokens: u32,
    /// How often it may have changed plain data: what locks and cells guard.
    pub(super) plain_writes: u32,
    pub(crate) locals: Locals,
    pub(super) waiting: Waiting,
    pub(crate) knowledge: Knowledge,
    /// What its park token lets it know.
    pub(crate) token: Clock,
}

/// When the next operation of a thread is possible, where that can be told without a look at its
/// primitive. All of these operations go one way only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has announced none.
    #[default]
    Idle,
    /// At any time, and it was not seen to wait.
    Free,
    /// When that thread has finished, and it was not seen to wait.
    Joins(ThreadId),
    Unclear,
}

impl Thread {
    /// Makes it a thread of the next execution, keeping its memory.
    pub(super) fn reset(&mut self) {
        let Thread {
            name,
            next,
            next_hash: _,
            standing,
            finished,
            parent,
            spawned,
            made,
            has_yielded,
            has_stepped,
            seen_finished,
            last_panic,
            first_panic,
            panics,
            waits_panicking,
            has_waited_panicking,
            events_before_panic,
            operations_panicking,
            times_spun,
            times_unwound,
            is_left_behind,
            waits_unwinding,
            lingers,
            woken,
            task,
            has_token,
            tokens,
            plain_writes,
            locals,
            waiting,
            knowledge,
            token,
        } = self;
        *name = None;
        *next = None;
        *standing = Standing::Idle;
        *parent = None;
        *task = None;
        *last_panic = None;
        *first_panic = None;
        let flags = [
            finished,
            has_yielded,
            has_stepped,
            seen_finished,
            panics,
            waits_panicking,
            has_waited_panicking,
            is_left_behind,
            waits_unwinding,
            lingers,
            woken,
            has_token,
        ];
        for flag in flags {
            *flag = false;
        }
        let counts = [
            spawned,
            made,
            operations_panicking,
            times_spun,
            times_unwound,
            tokens,
            plain_writes,
        ];
        for count in counts {
            *count = 0;
        }
        *events_before_panic = 0;
        locals.clear();
        waiting.reset();
        knowledge.clear();
        token.clear();
    }

    /// It does what it was about to do.
    pub(super) fn forget_next(&mut self) {
        self.next = None;
        self.standing = Standing::Idle;
    }

    /// How it stands before an operation.
    #[inline]
    pub(super) fn standing_before(&self, next: &NextStep) -> Standing {
        if self.may_wait() || !matches!(next.alternatives, Alternatives::None) {
            return Standing::Unclear;
        }
        match next.requires {
            Requirement::Nothing => Standing::Free,
            Requirement::Finished(other) => Standing::Joins(other),
            _ => Standing::Unclear,
        }
    }
}
