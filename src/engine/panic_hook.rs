//! Keeps panics of the code under test quiet, and notes what they say.
//!
//! The hook of a process is one for all: it is silent inside an execution, and in a run on real
//! threads, and calls the original one outside.

use std::io;
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::Once;

use crate::execution::{self, Execution, Panic, RealRun, Refusal, message_of};
use crate::trace::Schedule;

/// What Rust says when a destructor panics while its thread unwinds, before it ends the process.
const IN_DESTRUCTOR: &str = "panic in a destructor during cleanup";

/// Installs the hook, once in a process, for a search, which ends where the system refuses it.
pub(super) fn install() {
    if let Err(error) = try_install() {
        Refusal::of_memory("for the stacks of threads under test", &error).unwind();
    }
}

/// Installs the hook, once in a process.
///
/// # Errors
///
/// If the system has no memory for that.
#[cfg_attr(
    not(feature = "shuttle"),
    expect(
        clippy::unnecessary_wraps,
        reason = "it is shuttle that needs memory for it"
    )
)]
pub(super) fn try_install() -> io::Result<()> {
    static INSTALLED: Once = Once::new();
    // Before shuttle is made to run, which panics where it has no stack.
    #[cfg(feature = "shuttle")]
    if !INSTALLED.is_completed() {
        super::shuttle::probe_stacks(1)?;
    }
    INSTALLED.call_once(|| {
        let original = take_hook();
        #[cfg(feature = "shuttle")]
        super::shuttle::forestall_hook();
        set_hook(Box::new(move |info| {
            if !note(info) {
                original(info);
            }
        }));
    });
    Ok(())
}

/// Notes a panic of the code under test. Returns false for all others.
fn note(info: &PanicHookInfo<'_>) -> bool {
    let message = message_of(info.payload());
    let at = info
        .location()
        .map(|at| format!("{}:{}", at.file(), at.line()));
    let in_destructor = message == IN_DESTRUCTOR;
    let panic = (message, at);
    if !execution::is_running() {
        return note_on_real_thread(panic, in_destructor);
    }
    let noted = execution::try_with(|execution| {
        if in_destructor {
            let thread = execution.current_mut();
            let panics = (thread.first_panic.take(), thread.last_panic.take());
            let schedule = execution.schedule_to_failure().to_vec();
            return Some((panics, why_unwound(execution), Schedule::from(schedule)));
        }
        let thread = execution.current_mut();
        let panic = Some(panic);
        if thread.first_panic.is_none() {
            thread.first_panic.clone_from(&panic);
        }
        thread.last_panic = panic;
        // It unwinds now, if it was still to be unwound.
        thread.lingers = false;
        None
    });
    if let Some(Some(((first, last), why, schedule))) = &noted {
        say_last_words(
            first.as_ref(),
            last.as_ref(),
            why.as_deref(),
            Some(schedule),
        );
    }
    noted.is_some()
}

/// Why the lab unwinds the current thread, if it does.
fn why_unwound(execution: &Execution) -> Option<String> {
    let ending = execution.ending()?;
    let ended = execution.is_ended_by_lab();
    ended.then(|| format!("racelab unwound the thread, since it cannot end: {ending}"))
}

/// Notes a panic in a run on real threads. Returns false outside of runs.
fn note_on_real_thread(panic: Panic, in_destructor: bool) -> bool {
    let last = RealRun::last_panic();
    let noted = RealRun::note_panic(panic);
    if noted && in_destructor {
        say_last_words(last.as_ref(), last.as_ref(), None, None);
    }
    noted
}

/// Rust ends the process after this, so that the report is never made.
#[expect(
    clippy::print_stderr,
    reason = "there will be no report to hold the message"
)]
fn say_last_words(
    first: Option<&Panic>,
    last: Option<&Panic>,
    why_unwound: Option<&str>,
    schedule: Option<&Schedule>,
) {
    let describe = |panic: Option<&Panic>| match panic {
        Some((message, at)) => {
            format!(
                "{message}, at {}",
                at.as_deref().unwrap_or("an unknown place")
            )
        }
        None => "a panic without a message".to_owned(),
    };
    let mut lines = why_unwound.map_or_else(String::new, |why| format!("  failure   {why}\n"));
    // With one panic only, the thread was being unwound since its execution had failed elsewhere.
    if first != last {
        lines += &format!("  first     {}\n", describe(first));
    }
    let schedule = match schedule {
        Some(schedule) => schedule.to_string(),
        None => "none: real threads".to_owned(),
    };
    eprintln!(
        "racelab: a destructor panicked while its thread was being unwound, and Rust ends the \
         process then.\n{lines}  panic     {}\n  schedule  {schedule}\n  \
         remedy    let the destructor look at `std::thread::panicking()` before it panics",
        describe(last)
    );
}
