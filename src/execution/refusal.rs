//! What a run or a search cannot go on without, and the system does not give it: no failure of the
//! program under test, and no error of the lab.

use std::any::Any;
use std::io;
use std::panic::resume_unwind;

/// What unwinds the threads of a run or a search that cannot go on: what was refused, and why.
#[derive(Debug)]
pub(crate) struct Refusal(String);

impl Refusal {
    /// That the system starts no further thread.
    pub(crate) fn of_thread(error: &io::Error) -> Self {
        Refusal(format!(
            "the system cannot start a thread: {error}; allow more processes and threads \
             (`ulimit -u`), or more memory (`ulimit -v`)"
        ))
    }

    /// That the system gives no memory, and for what.
    pub(crate) fn of_memory(what: &str, error: &io::Error) -> Self {
        Refusal(format!(
            "the system has no memory {what}: {error}; allow more (`ulimit -v`)"
        ))
    }

    /// What was refused, if that is what has unwound a thread.
    pub(crate) fn of(payload: &(dyn Any + Send)) -> Option<&str> {
        payload.downcast_ref().map(|Refusal(what)| what.as_str())
    }

    /// What was refused, if a panic of another crate says so: shuttle unwraps the error that it cannot
    /// map a stack.
    pub(crate) fn in_panic(message: &str) -> Option<&'static str> {
        message.contains("kind: OutOfMemory").then_some(
            "the system has no memory for the stacks of threads under test; allow more (`ulimit -v`)",
        )
    }

    /// Ends the calling thread, and with it what it belongs to.
    pub(crate) fn unwind(self) -> ! {
        // No hook sees it, since nothing is wrong with the program.
        resume_unwind(Box::new(self))
    }
}

/// Ends the calling thread, and with it the run on real threads that it belongs to. The run comes to
/// nothing then, whatever its other threads do. `what` says what was refused, and why.
#[cfg_attr(
    not(feature = "cli"),
    expect(dead_code, reason = "only the programs across processes need it")
)]
pub(crate) fn refuse(what: String) -> ! {
    Refusal(what).unwind()
}
