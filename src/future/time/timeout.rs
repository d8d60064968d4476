//! Giving a future a limited time.

use std::error::Error;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::sleep::{Sleep, sleep, sleep_until};

/// Like [`tokio::time::timeout`]: limits the time of a future. In an execution the time can run out whenever
/// the future has to wait, whatever the limit is.
///
/// ```
/// use std::time::Duration;
/// use racelab::future::{self, time};
///
/// let value = future::block_on(async {
///     time::timeout(Duration::from_secs(5), async { 7 }).await
/// });
/// assert_eq!(value, Ok(7));
/// ```
///
/// # Panics
///
/// As [`sleep`].
#[track_caller]
pub fn timeout<F: IntoFuture>(duration: Duration, future: F) -> Timeout<F::IntoFuture> {
    Timeout {
        value: future.into_future(),
        limit: sleep(duration),
    }
}

/// Like [`tokio::time::timeout_at`]: gives a future time until then.
///
/// # Panics
///
/// As [`sleep`].
#[track_caller]
pub fn timeout_at<F: IntoFuture>(deadline: Instant, future: F) -> Timeout<F::IntoFuture> {
    Timeout {
        value: future.into_future(),
        limit: sleep_until(deadline),
    }
}

pin_project! {
    /// Like [`tokio::time::Timeout`]: a future with a limited time.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are polled"]
    pub struct Timeout<T> {
        #[pin]
        value: T,
        #[pin]
        limit: Sleep,
    }
}

impl<T> Timeout<T> {
    /// The future.
    pub fn get_ref(&self) -> &T {
        &self.value
    }

    /// The future.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// The future, without a limit.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T: Future> Future for Timeout<T> {
    type Output = Result<T::Output, Elapsed>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // What is there is taken, even if the time has run out as well.
        match this.value.poll(context) {
            Poll::Ready(value) => Poll::Ready(Ok(value)),
            Poll::Pending => this.limit.poll(context).map(|()| Err(Elapsed(()))),
        }
    }
}

/// Like [`tokio::time::error::Elapsed`]: the time has run out.
#[derive(Debug, PartialEq, Eq)]
pub struct Elapsed(());

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("deadline has elapsed")
    }
}

impl Error for Elapsed {}

impl From<Elapsed> for io::Error {
    fn from(_: Elapsed) -> Self {
        io::ErrorKind::TimedOut.into()
    }
}
