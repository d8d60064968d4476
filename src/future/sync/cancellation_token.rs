//! Telling tasks that their work is not wanted any more.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio_util::sync as real;

use crate::Named;
use crate::model::awaited::{Exchange, Role};
use crate::trace::Operation;

use super::awaiting::{Awaiting, always};
use super::object::Here;

/// Like [`tokio_util::sync::CancellationToken`]: tells tasks that their work is not wanted any more.
///
/// In an execution it is one step to cancel it, to look whether it is cancelled, to make a child, and
/// each poll of who waits for it. A token and its children are one object.
#[derive(Clone)]
pub struct CancellationToken {
    here: Here,
    real: real::CancellationToken,
}

impl CancellationToken {
    /// A token that is not cancelled.
    #[track_caller]
    pub fn new() -> Self {
        CancellationToken {
            here: Here::new("CancellationToken", Role::Plain),
            real: real::CancellationToken::new(),
        }
    }

    /// A token that is cancelled with this one, and can be cancelled without it. One step.
    #[track_caller]
    pub fn child_token(&self) -> CancellationToken {
        CancellationToken {
            here: self.here,
            real: self.here.look(|| self.real.child_token()),
        }
    }

    /// Cancels the token and its children. One step.
    #[track_caller]
    pub fn cancel(&self) {
        let cancel = || self.real.cancel();
        self.here
            .act(Operation::NotifyAll, Exchange::Leaves, cancel);
    }

    /// Whether the token is cancelled. One step.
    #[track_caller]
    pub fn is_cancelled(&self) -> bool {
        self.is_cancelled_at(Location::caller())
    }

    /// Waits until the token is cancelled. Each poll is a step.
    #[track_caller]
    pub fn cancelled(&self) -> WaitForCancellationFuture<'_> {
        WaitForCancellationFuture {
            future: awaiting(self.here, self.real.cancelled()),
        }
    }

    /// Like [`cancelled`](Self::cancelled), with a future that owns the token.
    #[track_caller]
    pub fn cancelled_owned(self) -> WaitForCancellationFutureOwned {
        WaitForCancellationFutureOwned {
            future: awaiting(self.here, self.real.cancelled_owned()),
        }
    }

    /// A guard that cancels the token when it is dropped.
    pub fn drop_guard(self) -> DropGuard {
        DropGuard { token: Some(self) }
    }

    /// A guard that cancels the token when it is dropped, which it borrows.
    pub fn drop_guard_ref(&self) -> DropGuardRef<'_> {
        DropGuardRef { token: Some(self) }
    }

    /// Runs a future until the token is cancelled: `None` if that is first.
    #[track_caller]
    pub fn run_until_cancelled<F>(&self, future: F) -> impl Future<Output = Option<F::Output>>
    where
        F: Future,
    {
        let at = Location::caller();
        async move {
            if self.is_cancelled_at(at) {
                return None;
            }
            let cancelled = self.real.cancelled();
            RunUntilCancelled {
                cancelled: awaiting_at(self.here, at, cancelled),
                future,
            }
            .await
        }
    }

    /// Like [`run_until_cancelled`](Self::run_until_cancelled), with a future that owns the token.
    #[track_caller]
    pub fn run_until_cancelled_owned<F>(self, future: F) -> impl Future<Output = Option<F::Output>>
    where
        F: Future,
    {
        let at = Location::caller();
        async move {
            if self.is_cancelled_at(at) {
                return None;
            }
            let cancelled = self.real.cancelled();
            RunUntilCancelled {
                cancelled: awaiting_at(self.here, at, cancelled),
                future,
            }
            .await
        }
    }

    fn is_cancelled_at(&self, at: &'static Location<'static>) -> bool {
        let look = || self.real.is_cancelled();
        let learns = |_: &bool| Exchange::Learns.into();
        self.here.perform(at, Operation::Load, look, learns)
    }
}

#[track_caller]
fn awaiting<F: Future>(here: Here, future: F) -> Awaiting<F> {
    awaiting_at(here, Location::caller(), future)
}

fn awaiting_at<F: Future>(here: Here, at: &'static Location<'static>, future: F) -> Awaiting<F> {
    let learns = Exchange::Learns;
    Awaiting::new(here, at, Operation::Wait, future, learns, always)
}

impl Default for CancellationToken {
    #[track_caller]
    fn default() -> Self {
        CancellationToken::new()
    }
}

impl PartialEq for CancellationToken {
    fn eq(&self, other: &Self) -> bool {
        self.real == other.real
    }
}

impl Eq for CancellationToken {}

impl Hash for CancellationToken {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.real.hash(state);
    }
}

impl UnwindSafe for CancellationToken {}
impl RefUnwindSafe for CancellationToken {}

impl Named for CancellationToken {
    /// Names the token and its children.
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.here.name(name.into());
        self
    }
}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.real.fmt(f)
    }
}

pin_project! {
    /// Like [`tokio_util::sync::WaitForCancellationFuture`]: the future of
    /// [`CancellationToken::cancelled`].
    #[must_use = "futures do nothing unless polled"]
    pub struct WaitForCancellationFuture<'a> {
        #[pin]
        future: Awaiting<real::WaitForCancellationFuture<'a>>,
    }
}

pin_project! {
    /// Like [`tokio_util::sync::WaitForCancellationFutureOwned`]: the future of
    /// [`CancellationToken::cancelled_owned`].
    #[must_use = "futures do nothing unless polled"]
    pub struct WaitForCancellationFutureOwned {
        #[pin]
        future: Awaiting<real::WaitForCancellationFutureOwned>,
    }
}

macro_rules! waits {
    ($name:ty, $text:literal) => {
        impl Future for $name {
            type Output = ();

            fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
                self.project().future.poll(context)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct($text).finish_non_exhaustive()
            }
        }
    };
}

waits!(WaitForCancellationFuture<'_>, "WaitForCancellationFuture");
waits!(
    WaitForCancellationFutureOwned,
    "WaitForCancellationFutureOwned"
);

pin_project! {
    /// A future that runs until a token is cancelled.
    struct RunUntilCancelled<C: Future, F> {
        #[pin]
        cancelled: Awaiting<C>,
        #[pin]
        future: F,
    }
}

impl<C: Future<Output = ()>, F: Future> Future for RunUntilCancelled<C, F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(value) = this.future.poll(context) {
            return Poll::Ready(Some(value));
        }
        this.cancelled.poll(context).map(|()| None)
    }
}

/// Like [`tokio_util::sync::DropGuard`]: cancels its token when it is dropped.
#[derive(Debug)]
pub struct DropGuard {
    token: Option<CancellationToken>,
}

/// Like [`tokio_util::sync::DropGuardRef`]: cancels a token when it is dropped.
#[derive(Debug)]
pub struct DropGuardRef<'a> {
    token: Option<&'a CancellationToken>,
}

const DISARMED: &str = "it is there until the guard is dropped or disarmed";

impl DropGuard {
    /// The token.
    pub fn token(&self) -> &CancellationToken {
        self.token.as_ref().expect(DISARMED)
    }

    /// The token, which is not cancelled by the guard any more.
    pub fn disarm(mut self) -> CancellationToken {
        self.token.take().expect(DISARMED)
    }
}

impl<'a> DropGuardRef<'a> {
    /// The token.
    pub fn token(&self) -> &CancellationToken {
        self.token.expect(DISARMED)
    }

    /// The token, which is not cancelled by the guard any more.
    pub fn disarm(mut self) -> &'a CancellationToken {
        self.token.take().expect(DISARMED)
    }
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        if let Some(token) = &self.token {
            cancel_in_drop(token);
        }
    }
}

impl Drop for DropGuardRef<'_> {
    fn drop(&mut self) {
        if let Some(token) = self.token {
            cancel_in_drop(token);
        }
    }
}

fn cancel_in_drop(token: &CancellationToken) {
    let cancel = || token.real.cancel();
    token.here.do_in_drop(Operation::NotifyAll, cancel);
}
