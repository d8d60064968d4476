//! The signals that ask the command to end: Ctrl-C, and on Unix what a system sends that shuts down, a
//! scheduler of jobs, or a terminal that is closed.

use std::sync::atomic::{AtomicI32, Ordering::SeqCst};
#[cfg(unix)]
use std::{sync::mpsc::channel, thread};

use crate::Progress;

/// The signal of Ctrl-C.
const SIGINT: i32 = 2;

/// The first signal that has asked for the end, or 0.
static ASKED: AtomicI32 = AtomicI32::new(0);

/// Lets the first signal be noted, so that what is known can be kept and reported, and the second one
/// end the process.
pub(super) fn stop_on_signal(progress: Progress) {
    #[cfg(unix)]
    stop_on_termination(progress.clone());
    // Without a handler Ctrl-C ends the process, which is all that can be done then.
    let _ = ctrlc::set_handler(move || note(SIGINT, &progress));
}

/// The exit code of a process that was asked to end: 130 after Ctrl-C.
pub(super) fn exit_code() -> u8 {
    let signal = match ASKED.load(SeqCst) {
        // It is a child that was asked.
        0 => SIGINT,
        signal => signal,
    };
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}

fn note(signal: i32, progress: &Progress) {
    if ASKED.swap(signal, SeqCst) != 0 {
        std::process::exit(exit_code().into());
    }
    progress.interrupt();
}

/// Notes SIGTERM and SIGHUP from now on, by a thread that waits for them. Where the system does not let
/// that be, they end the process.
#[cfg(unix)]
fn stop_on_termination(progress: Progress) {
    use signal_hook::consts::{SIGHUP, SIGTERM};
    use signal_hook::iterator::Signals;
    let (waits, is_waiting) = channel::<()>();
    let wait = move || {
        let signals = [SIGHUP, SIGTERM].into_iter();
        // As under `nohup`, which lets a search go on when its terminal is closed.
        let signals = Signals::new(signals.filter(|signal| !is_ignored(*signal)));
        drop(waits);
        if let Ok(mut signals) = signals {
            signals.forever().for_each(|signal| note(signal, &progress));
        }
    };
    // They are caught by the thread itself, since a signal that is caught has to be waited for.
    if thread::Builder::new().spawn(wait).is_ok() {
        // Which is told by an end, since nothing is ever sent.
        let _ = is_waiting.recv();
    }
}

/// Whether this process was started with a signal that is ignored.
#[cfg(unix)]
#[expect(unsafe_code, reason = "only a system call tells")]
fn is_ignored(signal: i32) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: with a null pointer for the new action nothing is changed, and the old one is written to
    // memory that is there for one.
    let told = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: it was written, since the call says that it has succeeded.
    told == 0 && unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN
}
