//! Waiting on a thread that runs no tasks.

use tokio::runtime::Builder;

use crate::execution::is_running;
use crate::future::task::drive;

/// Runs a future of this module on the current thread.
///
/// # Panics
///
/// If the thread runs tasks, which could not go on meanwhile.
#[track_caller]
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    if !is_running() {
        let runtime = Builder::new_current_thread().build();
        return runtime.expect("it has no driver").block_on(future);
    }
    assert!(
        drive::current().is_none(),
        "Cannot block the current thread from within a runtime. This happens because a function \
         attempted to block the current thread while the thread is being used to drive \
         asynchronous tasks."
    );
    crate::future::block_on(future)
}
