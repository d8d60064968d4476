//! Letting other tasks go first.

use std::future::poll_fn;
use std::task::Poll;

/// Lets other tasks go first, as tokio's function of this name does.
///
/// In an execution the task wakes itself and then does the step of a
/// [`thread::yield_now`](crate::thread::yield_now): one that yields again before anything was
/// written is not scheduled until something is.
#[cfg_attr(feature = "engine", track_caller)]
pub fn yield_now() -> impl Future<Output = ()> + Send {
    #[cfg(feature = "engine")]
    let at = std::panic::Location::caller();
    let mut has_yielded = false;
    async move {
        #[cfg(feature = "future")]
        if !crate::execution::is_running() {
            return tokio::task::yield_now().await;
        }
        poll_fn(|context| {
            if has_yielded {
                return Poll::Ready(());
            }
            has_yielded = true;
            context.waker().wake_by_ref();
            #[cfg(feature = "engine")]
            step_aside(at);
            Poll::Pending
        })
        .await;
    }
}

#[cfg(feature = "engine")]
fn step_aside(at: &'static std::panic::Location<'static>) {
    use crate::execution::{NextStep, is_running, step};
    use crate::trace::Operation;

    if is_running() {
        step(NextStep::new(Operation::Yield).at(at), |_, _| ());
    }
}
