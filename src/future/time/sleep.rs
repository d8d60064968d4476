//! Waiting for a time.

use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::Instant;

use crate::execution::{NextStep, is_running, with};
use crate::future::task::drive;
use crate::model::task::Timer;
use crate::trace::Operation;

/// Like [`tokio::time::sleep`]: waits for this duration.
///
/// # Panics
///
/// Outside of executions, where there is no runtime with timers. In an execution it panics when it is
/// polled outside of a runtime.
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    // As far in the future as tokio takes what it cannot represent.
    let far = || Instant::now() + Duration::from_secs(86_400 * 365 * 30);
    sleep_until(Instant::now().checked_add(duration).unwrap_or_else(far))
}

/// Like [`tokio::time::sleep_until`]: waits until then.
///
/// # Panics
///
/// As [`sleep`].
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep {
        kind: if is_running() {
            let at = Location::caller();
            Kind::Modelled {
                timer: Running::new(at, deadline),
            }
        } else {
            Kind::Real {
                sleep: tokio::time::sleep_until(deadline),
            }
        },
    }
}

pin_project! {
    /// Like [`tokio::time::Sleep`]: a timer.
    ///
    /// In an execution it is a step to look whether it has expired.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are polled"]
    pub struct Sleep {
        #[pin]
        kind: Kind,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = Projected]
    enum Kind {
        Real { #[pin] sleep: tokio::time::Sleep },
        Modelled { timer: Running },
    }
}

impl Sleep {
    /// The time for which it waits.
    pub fn deadline(&self) -> Instant {
        match &self.kind {
            Kind::Real { sleep } => sleep.deadline(),
            Kind::Modelled { timer } => timer.deadline,
        }
    }

    /// Whether it has expired. In an execution, whether it was seen to have when it was polled last.
    pub fn is_elapsed(&self) -> bool {
        match &self.kind {
            Kind::Real { sleep } => sleep.is_elapsed(),
            Kind::Modelled { timer } => timer.has_expired,
        }
    }

    /// Waits for another time from now on.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        match self.project().kind.project() {
            Projected::Real { sleep } => sleep.reset(deadline),
            Projected::Modelled { timer } => timer.reset(deadline),
        }
    }
}

impl Future for Sleep {
    type Output = ();

    #[track_caller]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match self.project().kind.project() {
            Projected::Real { sleep } => sleep.poll(context),
            Projected::Modelled { timer } => timer.poll(),
        }
    }
}

/// A timer of an execution, which runs from its first poll on.
#[derive(Debug)]
pub(super) struct Running {
    at: &'static Location<'static>,
    deadline: Instant,
    timer: Option<Timer>,
    has_expired: bool,
}

impl Running {
    pub(super) fn new(at: &'static Location<'static>, deadline: Instant) -> Self {
        Running {
            at,
            deadline,
            timer: None,
            has_expired: false,
        }
    }

    pub(super) fn reset(&mut self, deadline: Instant) {
        self.stop();
        self.deadline = deadline;
        self.has_expired = false;
    }

    #[track_caller]
    pub(super) fn poll(&mut self) -> Poll<()> {
        if self.has_expired {
            return Poll::Ready(());
        }
        if !is_running() || with(|execution| execution.is_doomed()) {
            // This is a destructor, which could wait forever.
            return Poll::Ready(());
        }
        let task = drive::current().unwrap_or_else(|| {
            panic!("racelab: a timer is polled outside of a runtime: `block_on` or a task")
        });
        // It can have been polled in another task before.
        if self.timer.is_some_and(|timer| !timer.is_of(task)) {
            self.stop();
        }
        let timer = *self.timer.get_or_insert_with(|| Timer::start(task));
        let next = NextStep::new(Operation::Timeout).at(self.at);
        self.has_expired = timer.has_expired(next);
        if self.has_expired {
            self.timer = None;
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn stop(&mut self) {
        if let Some(timer) = self.timer.take() {
            timer.stop();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}
