//! A future of tokio's in an execution: each poll of it is a step.

use std::cell::Cell;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::model::awaited::{Exchange, Seen};
use crate::trace::Operation;

use super::later;
use super::object::Here;

pin_project! {
    /// A future of tokio's. Each poll is a step, and so is the drop of one that waits.
    pub(super) struct Awaiting<F: Future> {
        #[pin]
        future: Option<F>,
        wait: Wait,
        // What its end hands over, and how that is seen.
        exchange: Exchange,
        seen: fn(Exchange, &F::Output) -> Seen,
    }

    impl<F: Future> PinnedDrop for Awaiting<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.wait.number.is_some() {
                let Wait { here, at, .. } = *this.wait;
                let drop = || this.future.set(None);
                here.perform_in_drop(at, Operation::Disconnect, drop, Exchange::Nothing.into());
            }
        }
    }
}

/// A wait of somebody.
#[derive(Debug)]
pub(super) struct Wait {
    here: Here,
    operation: Operation,
    /// The place of the call that is awaited.
    at: &'static Location<'static>,
    /// The number of the wait among all, while there is one.
    number: Option<u64>,
    /// What is handed over by beginning to wait, and nothing from then on.
    arrival: Exchange,
}

impl<F: Future> Awaiting<F> {
    /// Awaits a future of tokio's at the place of the call that made it. Its end hands this over, as
    /// `seen` sees it.
    #[track_caller]
    pub(super) fn new(
        here: Here,
        at: &'static Location<'static>,
        operation: Operation,
        future: F,
        exchange: Exchange,
        seen: fn(Exchange, &F::Output) -> Seen,
    ) -> Self {
        Awaiting {
            future: Some(future),
            wait: Wait::new(here, at, operation),
            exchange,
            seen,
        }
    }

    /// The same where who begins to wait hands something over as well.
    pub(super) fn arriving(mut self, arrival: Exchange) -> Self {
        self.wait.arrival = arrival;
        self
    }

    /// Polls the future, and uses what it resolves to in the same step.
    pub(super) fn poll_and<R>(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        act: impl FnOnce(F::Output) -> R,
    ) -> Poll<R> {
        let this = self.project();
        let future = this
            .future
            .as_pin_mut()
            .expect("it is there until it is dropped");
        let (exchange, seen) = (*this.exchange, *this.seen);
        let polled = this.wait.poll_with(
            context,
            |(seen, _): &(Seen, R)| *seen,
            |context| {
                let polled = future.poll(context);
                polled.map(|result| (seen(exchange, &result), act(result)))
            },
        );
        polled.map(|(_, result)| result)
    }

    /// Does with the future what a poll does, without a waker.
    pub(super) fn poll_without_waker(
        self: Pin<&mut Self>,
        poll: impl FnOnce(Pin<&mut F>) -> Poll<F::Output>,
    ) -> Poll<F::Output> {
        let this = self.project();
        let future = this
            .future
            .as_pin_mut()
            .expect("it is there until it is dropped");
        let (exchange, seen) = (*this.exchange, *this.seen);
        this.wait
            .poll(|result| seen(exchange, result), || poll(future))
    }
}

impl<F: Future> Future for Awaiting<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.poll_and(context, |result| result)
    }
}

/// The end of a wait that always gets what it waits for.
pub(super) fn always<R>(exchange: Exchange, _: &R) -> Seen {
    exchange.into()
}

/// The end of a wait that can end since the object was closed.
pub(super) fn unless_closed<R, E>(exchange: Exchange, result: &Result<R, E>) -> Seen {
    match result {
        Ok(_) => Seen::attempt(true, exchange),
        Err(_) => Seen::DISCONNECTED,
    }
}

impl Wait {
    /// A wait that has not begun. If the object is of another world, that is reported at once.
    #[track_caller]
    pub(super) fn new(here: Here, at: &'static Location<'static>, operation: Operation) -> Self {
        here.object();
        Wait {
            here,
            operation,
            at,
            number: None,
            arrival: Exchange::Nothing,
        }
    }

    /// A poll, as a step.
    pub(super) fn poll_with<T>(
        &mut self,
        context: &mut Context<'_>,
        seen: impl FnOnce(&T) -> Seen,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        if self.here.is_real() {
            return self.poll(seen, || poll(context));
        }
        let number = *self.number.get_or_insert_with(next_number);
        // Outside of the step, at the end of which it may be dropped.
        let waker = later::waker(number, context.waker());
        self.poll(seen, || poll(&mut Context::from_waker(&waker)))
    }

    /// The same with whatever waker.
    fn poll<T>(
        &mut self,
        seen: impl FnOnce(&T) -> Seen,
        poll: impl FnOnce() -> Poll<T>,
    ) -> Poll<T> {
        if !self.here.is_real() {
            self.number.get_or_insert_with(next_number);
        }
        let seen = |polled: &Poll<T>| match polled {
            Poll::Ready(result) => seen(result),
            Poll::Pending => Seen::pending(self.arrival),
        };
        let polled = self.here.perform(self.at, self.operation, poll, seen);
        if polled.is_ready() {
            self.number = None;
        }
        self.arrival = Exchange::Nothing;
        polled
    }
}

/// The number of a wait that begins. Waits of one execution are all on one OS thread.
fn next_number() -> u64 {
    thread_local! {
        static NEXT: Cell<u64> = const { Cell::new(0) };
    }
    NEXT.replace(NEXT.get() + 1)
}
