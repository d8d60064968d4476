//! The end of an execution: what its threads have left behind is destroyed, but for the values of
//! statics. Those are never dropped, as std's are not: there may be references to them, which live as
//! long as the process.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::memory::Access;
use crate::model::State;
use crate::trace::ThreadId;

use super::kept::Kept;
use super::{Execution, NextStep, Phase, Runtime, with};

/// Destroys the values that are local to threads, if the current thread was the last one to finish.
///
/// The main thread's would not be destroyed without the lab, so that nothing in them counts: their
/// operations take no effect in the schedule, and they fail nothing.
pub(crate) fn close() {
    let is_over = with(Execution::begin_closing);
    if !is_over {
        return;
    }
    with(Execution::leak_statics);
    while let Some(value) = with(Execution::take_left_behind) {
        let mut rest = catch_unwind(AssertUnwindSafe(|| drop(value))).err();
        while let Some(payload) = rest {
            rest = catch_unwind(AssertUnwindSafe(|| drop(payload))).err();
        }
    }
    with(Execution::end_closing);
}

/// What there is in place of an engine when there is no thread to switch to.
struct Nobody;

impl Runtime for Nobody {
    fn take_turn(&self, _next: &NextStep, _access: Option<&Access>) -> Option<u64> {
        None
    }

    fn let_others_unwind(&self) {}

    fn spawn(&self, _thread: ThreadId, f: Box<dyn FnOnce()>) {
        drop(f);
    }
}

impl Execution {
    /// Whether all threads have finished. From then on operations take effect silently.
    fn begin_closing(&mut self) -> bool {
        let is_over = self.threads.iter().all(|thread| thread.finished);
        if is_over {
            self.closing = Some((self.runtime, self.phase));
            self.runtime = &Nobody;
            self.phase = Phase::Unwound;
        }
        is_over
    }

    fn end_closing(&mut self) {
        if let Some((runtime, phase)) = self.closing.take() {
            self.runtime = runtime;
            self.phase = phase;
        }
    }

    /// Leaves the values behind of all locks that were not dropped: those of statics, and of what was
    /// forgotten.
    fn leak_statics(&mut self) {
        for object in &mut self.objects {
            if let State::Once(initialisation) = &mut object.state
                && let Some(value) = initialisation.take()
            {
                self.pulse.leave_behind(value.leak());
            }
        }
    }

    /// A value that a finished thread has left behind.
    fn take_left_behind(&mut self) -> Option<Kept> {
        let mut threads = self.threads.iter_mut().rev();
        threads.find_map(|thread| thread.locals.destroy_next())
    }
}
