//! What an execution needs of the engine that runs it.

use crate::memory::{Access, AtomicType};
use crate::trace::{ObjectId, ThreadId};

use super::NextStep;

/// The engine, as the execution and the façade see it.
pub(crate) trait Runtime: Sync {
    /// Waits until it is the turn of the current thread, to do `next`.
    ///
    /// Returns with the current thread of the execution set, and either with what `next` requires
    /// met, or in a doomed execution. If the engine has a memory of its own, `access` is done
    /// there, and what it has read is returned.
    fn take_turn(&self, next: &NextStep, access: Option<&Access>) -> Option<u64>;

    /// Lets other threads of a doomed execution be unwound before the current one.
    fn let_others_unwind(&self);

    /// Starts a thread, without a scheduling point.
    fn spawn(&self, thread: ThreadId, f: Box<dyn FnOnce()>);

    /// Hears that the current thread has done `next`, and whether that changed anything that other
    /// threads can see.
    fn done(&self, _next: &NextStep, _wrote: bool) {}

    /// Hears that the current thread has done `next` without waiting for its turn, in a destructor
    /// while a panic unwinds it.
    fn done_unwinding(&self, next: &NextStep, wrote: bool) {
        self.done(next, wrote);
    }

    /// Hears that a thread has come to its end.
    fn ended(&self) {}

    /// Whether an execution that the search is done with can run on to its own end.
    fn runs_on(&self) -> bool {
        false
    }

    /// Leaves the current thread behind where it is, never to be resumed, if that can be done.
    fn leave_behind(&self) {}

    /// Hears that the execution is doomed.
    fn doomed(&self) {}

    /// Whether objects have to be made in the execution that uses them.
    fn must_see_made(&self) -> bool {
        false
    }

    /// Hears that the current thread has made an atomic of this type with this value.
    fn made_atomic(&self, _atomic: ObjectId, _is: AtomicType, _value: u64) {}

    /// Hears that the current thread has made a plain cell.
    fn made_cell(&self, _cell: ObjectId) {}

    /// Looks whether an access of a cell by the current thread races with an earlier one. `None`
    /// leaves that to the execution.
    fn race(&self, _cell: ObjectId, _writes: bool) -> Option<Result<(), RacesWith>> {
        None
    }
}

/// The thread whose earlier access a race is with, as far as the engine knows it.
pub(crate) type RacesWith = Option<ThreadId>;
