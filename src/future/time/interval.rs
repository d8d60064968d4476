//! Ticks.

use std::future::poll_fn;
use std::panic::Location;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};

use crate::execution::is_running;

use super::sleep::Running;

/// Like [`tokio::time::interval`]: ticks, the first of which is at once.
///
/// # Panics
///
/// If the period is zero. Outside of executions, where there is no runtime with timers.
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    assert!(!period.is_zero(), "`period` must be non-zero.");
    Interval(if is_running() {
        Kind::Modelled(Ticks::new(Instant::now(), period, true))
    } else {
        Kind::Real(tokio::time::interval(period))
    })
}

/// Like [`tokio::time::interval_at`]: ticks, the first of which is then.
///
/// # Panics
///
/// As [`interval`].
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(!period.is_zero(), "`period` must be non-zero.");
    Interval(if is_running() {
        Kind::Modelled(Ticks::new(start, period, false))
    } else {
        Kind::Real(tokio::time::interval_at(start, period))
    })
}

/// Like [`tokio::time::Interval`]: ticks.
///
/// In an execution each tick after the first one is a timer, which may expire at any moment, so that
/// ticks can also be missed and come in a row. What is to be done about that only says when the next one
/// is due, which means nothing there.
#[derive(Debug)]
pub struct Interval(Kind);

#[derive(Debug)]
enum Kind {
    Real(tokio::time::Interval),
    Modelled(Ticks),
}

/// Ticks in an execution.
#[derive(Debug)]
struct Ticks {
    timer: Running,
    /// When the next one is due, as it is told.
    due: Instant,
    is_at_once: bool,
    period: Duration,
    behavior: MissedTickBehavior,
}

impl Ticks {
    #[track_caller]
    fn new(due: Instant, period: Duration, is_at_once: bool) -> Self {
        Ticks {
            timer: Running::new(Location::caller(), due),
            due,
            is_at_once,
            period,
            behavior: MissedTickBehavior::default(),
        }
    }

    #[track_caller]
    fn poll(&mut self) -> Poll<Instant> {
        if !self.is_at_once && self.timer.poll().is_pending() {
            return Poll::Pending;
        }
        let tick = self.due;
        self.reset(tick + self.period, false);
        Poll::Ready(tick)
    }

    fn reset(&mut self, due: Instant, is_at_once: bool) {
        self.due = due;
        self.is_at_once = is_at_once;
        self.timer.reset(due);
    }
}

impl Interval {
    /// Waits for the next tick, and returns when it was due.
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|context| self.poll_tick(context)).await
    }

    /// Like [`tick`](Self::tick), for a future that is written by hand.
    #[track_caller]
    pub fn poll_tick(&mut self, context: &mut Context<'_>) -> Poll<Instant> {
        match &mut self.0 {
            Kind::Real(interval) => interval.poll_tick(context),
            Kind::Modelled(ticks) => ticks.poll(),
        }
    }

    /// Lets the next tick be a period from now.
    pub fn reset(&mut self) {
        self.reset_after(self.period());
    }

    /// Lets the next tick be at once.
    pub fn reset_immediately(&mut self) {
        match &mut self.0 {
            Kind::Real(interval) => interval.reset_immediately(),
            Kind::Modelled(ticks) => ticks.reset(Instant::now(), true),
        }
    }

    /// Lets the next tick be after this duration.
    pub fn reset_after(&mut self, after: Duration) {
        self.reset_at(Instant::now() + after);
    }

    /// Lets the next tick be then.
    pub fn reset_at(&mut self, deadline: Instant) {
        match &mut self.0 {
            Kind::Real(interval) => interval.reset_at(deadline),
            Kind::Modelled(ticks) => ticks.reset(deadline, false),
        }
    }

    /// What is done about missed ticks.
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        match &self.0 {
            Kind::Real(interval) => interval.missed_tick_behavior(),
            Kind::Modelled(ticks) => ticks.behavior,
        }
    }

    /// Sets what is done about missed ticks.
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        match &mut self.0 {
            Kind::Real(interval) => interval.set_missed_tick_behavior(behavior),
            Kind::Modelled(ticks) => ticks.behavior = behavior,
        }
    }

    /// The time between two ticks.
    pub fn period(&self) -> Duration {
        match &self.0 {
            Kind::Real(interval) => interval.period(),
            Kind::Modelled(ticks) => ticks.period,
        }
    }
}
