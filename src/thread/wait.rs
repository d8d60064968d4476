//! Waiting: yields, sleeps and parking.

use std::thread as real;
use std::time::Duration;

use crate::execution::{Alternatives, NextStep, is_running, step};
use crate::model;
use crate::trace::Operation;

/// Like [`std::thread::yield_now`]: says that the thread waits for another one to write.
///
/// In an execution it is a step. A thread that yields again before anything was written is not
/// scheduled until something is.
#[track_caller]
pub fn yield_now() {
    if is_running() {
        step(NextStep::new(Operation::Yield), |_, _| ());
    } else {
        real::yield_now();
    }
}

/// Like [`std::thread::sleep`]. In an execution there is no time: it is a step, and counts as a
/// [`yield_now`].
#[track_caller]
pub fn sleep(duration: Duration) {
    if is_running() {
        step(NextStep::new(Operation::Sleep), |_, _| ());
    } else {
        real::sleep(duration);
    }
}

/// Like [`sleep`], in milliseconds.
#[deprecated(note = "use `sleep`")]
#[track_caller]
pub fn sleep_ms(ms: u32) {
    sleep(Duration::from_millis(ms.into()));
}

/// Like [`std::thread::park`]: waits for the thread's token and takes it. One step, which is
/// possible while the token is there. Where spurious wake-ups are explored, as by
/// [`check`](crate::check()), it begins with another step, which can end it at once.
#[track_caller]
pub fn park() {
    if is_running() {
        model::park::park(Alternatives::None);
    } else {
        real::park();
    }
}

/// Like [`std::thread::park_timeout`]. In an execution there is no time: without a token it can
/// time out, and both ways are explored.
#[track_caller]
pub fn park_timeout(duration: Duration) {
    if is_running() {
        model::park::park(Alternatives::Timeout);
    } else {
        real::park_timeout(duration);
    }
}

/// Like [`park_timeout`], in milliseconds.
#[deprecated(note = "use `park_timeout`")]
#[track_caller]
pub fn park_timeout_ms(ms: u32) {
    park_timeout(Duration::from_millis(ms.into()));
}
