//! The roots of the threads under test: where they begin, and where what they panic with arrives.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::trace::ThreadId;

use super::closing::close;
use super::{Ending, Mode, Panic, Spot, try_with, with};

/// What the threads of a doomed execution are unwound with.
pub(super) struct Doomed;

/// Runs the body under test as the main thread of the current execution.
pub(crate) fn run_body(body: &(impl Fn() + ?Sized)) {
    run_thread(ThreadId::MAIN, body);
}

/// Runs a thread of the current execution to its end. What `f` owns and the thread-local values
/// are dropped before that, and after the last thread the values of statics.
///
/// A panic that arrives here is the failure of the execution.
pub(crate) fn run_thread(thread: ThreadId, f: impl FnOnce()) {
    let doomed = with(|execution| execution.is_doomed());
    let result = catch_unwind(AssertUnwindSafe(move || {
        if doomed {
            drop(f);
        } else {
            f();
        }
    }));
    note_end(thread, result);
    let mut local = with(|execution| {
        let thread = execution.thread_mut(thread);
        // Nothing unwinds any more.
        thread.panics = false;
        thread.locals.destroy_next()
    });
    while let Some(value) = local {
        note_end(thread, catch_unwind(AssertUnwindSafe(|| drop(value))));
        local = with(|execution| execution.thread_mut(thread).locals.destroy_next());
    }
    let runtime = with(|execution| {
        execution.thread_mut(thread).finished = true;
        execution.touch_in_passing(Spot::End(thread), Mode::Write);
        execution.wrote();
        execution.runtime
    });
    runtime.ended();
    close();
}

/// Notes how what ran on the thread has ended.
fn note_end(thread: ThreadId, result: std::thread::Result<()>) {
    let Err(payload) = result else { return };
    if !payload.is::<Doomed>() {
        fail(thread, payload.as_ref());
    }
    // Dropped outside of any borrow: it may hold objects of the façade, whose operations unwind in
    // their turn.
    let mut rest = Some(payload);
    while let Some(payload) = rest {
        rest = catch_unwind(AssertUnwindSafe(|| drop(payload))).err();
    }
}

fn fail(thread: ThreadId, payload: &(dyn Any + Send)) {
    with(|execution| {
        let noted = execution.thread_mut(thread).last_panic.take();
        // Without a note the panic did not pass the hook: it was resumed by the code under test,
        // or a hook was installed after the lab's.
        let (message, at) = noted.unwrap_or_else(|| (message_of(payload), None));
        let ending = Ending::Panicked {
            thread,
            message,
            at,
        };
        // A panic that went through a destructor that could not wait is a failure all the same.
        if matches!(execution.ending, Some(Ending::Unsupported(_))) {
            execution.ending = Some(ending);
        } else {
            execution.end(ending);
        }
    });
}

/// Whether this is what the threads of a doomed execution are unwound with, and not a panic of the code
/// under test.
pub(crate) fn is_doom(payload: &(dyn Any + Send)) -> bool {
    payload.is::<Doomed>()
}

/// What the current thread has panicked with, which was caught, and where.
pub(crate) fn caught_panic(payload: &(dyn Any + Send)) -> Panic {
    let noted = with(|execution| execution.current_mut().last_panic.take());
    noted.unwrap_or_else(|| (message_of(payload), None))
}

/// Lets a panic that a thread has caught be the failure after all, since nobody has asked for it.
pub(crate) fn fail_of_caught(thread: ThreadId, (message, at): Panic) {
    try_with(|execution| {
        execution.end(Ending::Panicked {
            thread,
            message,
            at,
        });
    });
}

/// What a panic says.
pub(crate) fn message_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&'static str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}
