//! What a body cannot run without, and the system does not give it: no failure of the body.

use std::panic::resume_unwind;

/// What unwinds the threads of a run that cannot go on: what was refused, and why.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) String);

/// Ends the calling thread, and with it the run on real threads that it belongs to. The run comes to
/// nothing then, whatever its other threads do. `what` says what was refused, and why.
#[cfg_attr(
    not(feature = "cli"),
    expect(dead_code, reason = "only the programs across processes need it")
)]
pub(crate) fn refuse(what: String) -> ! {
    // No hook sees it, since nothing is wrong with the program.
    resume_unwind(Box::new(Refusal(what)))
}
