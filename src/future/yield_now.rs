//! Letting other tasks go first.

use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::execution::{NextStep, is_running, step};
use crate::trace::Operation;

/// Like [`tokio::task::yield_now`]: lets other tasks go first.
///
/// In an execution the task wakes itself and then does the step of a
/// [`thread::yield_now`](crate::thread::yield_now): one that yields again before anything was
/// written is not scheduled until something is.
#[track_caller]
pub fn yield_now() -> impl Future<Output = ()> + Send {
    let at = Location::caller();
    async move {
        if is_running() {
            YieldNow {
                at,
                has_yielded: false,
            }
            .await;
        } else {
            tokio::task::yield_now().await;
        }
    }
}

struct YieldNow {
    at: &'static Location<'static>,
    has_yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.has_yielded {
            return Poll::Ready(());
        }
        self.has_yielded = true;
        context.waker().wake_by_ref();
        step(NextStep::new(Operation::Yield).at(self.at), |_, _| ());
        Poll::Pending
    }
}
