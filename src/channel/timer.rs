//! Channels of time in an execution, which has none: their messages may come at any moment.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crossbeam_channel as real;
use crossbeam_channel::{RecvError, RecvTimeoutError, TryRecvError};

use crate::execution::{Mode, Spot, with};
use crate::model::channel::{self, Limit, Messages};
use crate::trace::ObjectId;

use super::modelled::Receiver;

/// Like [`crossbeam_channel::after`]: makes a channel on which one message comes, after this time.
///
/// In an execution there is no time. Where a receipt, or a select, would have to wait otherwise, the
/// message can come, whatever the time is, and both ways are explored.
#[track_caller]
pub fn after(duration: Duration) -> Receiver<Instant> {
    receiver(Rhythm::Once, || real::after(duration))
}

/// Like [`crossbeam_channel::at`]: makes a channel on which one message comes, at this point in time.
/// In an execution it is [`after`] some time.
#[track_caller]
pub fn at(when: Instant) -> Receiver<Instant> {
    receiver(Rhythm::Once, || real::at(when))
}

/// Like [`crossbeam_channel::tick`]: makes a channel on which messages come, after this time each.
/// In an execution each of them is as that of [`after`].
#[track_caller]
pub fn tick(duration: Duration) -> Receiver<Instant> {
    receiver(Rhythm::Again, || real::tick(duration))
}

/// Like [`crossbeam_channel::never`]: makes a channel on which nothing ever comes.
#[track_caller]
pub fn never<T>() -> Receiver<T> {
    let binding = channel::bind("Channel", Some(0));
    let timer = Timer::new(Rhythm::Never, || unreachable!("nothing ever comes"));
    Receiver::of_time(binding, Some(0), timer, real::never)
}

#[track_caller]
fn receiver(rhythm: Rhythm, real: impl FnOnce() -> real::Receiver<Instant>) -> Receiver<Instant> {
    let binding = channel::bind("Channel", Some(1));
    Receiver::of_time(binding, Some(1), Timer::new(rhythm, Instant::now), real)
}

/// When messages come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rhythm {
    Never,
    Once,
    Again,
}

/// A channel of time in an execution.
///
/// To the execution it is a channel with a sender, on which nothing is ever sent: a wait for its
/// message times out.
pub(super) struct Timer<T> {
    rhythm: Rhythm,
    has_passed: AtomicBool,
    message: fn() -> T,
}

impl<T> Timer<T> {
    pub(super) fn new(rhythm: Rhythm, message: fn() -> T) -> Self {
        Timer {
            rhythm,
            has_passed: AtomicBool::new(false),
            message,
        }
    }

    /// Whether a message can still come.
    pub(super) fn can_pass(&self) -> bool {
        match self.rhythm {
            Rhythm::Never => false,
            Rhythm::Once => !self.has_passed.load(Relaxed),
            Rhythm::Again => true,
        }
    }

    /// The message, which has come in the last step.
    pub(super) fn pass(&self, channel: ObjectId) -> T {
        if self.rhythm == Rhythm::Once {
            // There is none for others.
            with(|execution| execution.touch_in_passing(Spot::Object(channel), Mode::Write));
        }
        self.has_passed.store(true, Relaxed);
        (self.message)()
    }

    #[track_caller]
    pub(super) fn receive(&self, channel: ObjectId) -> Result<T, RecvError> {
        self.wait(channel, Limit::None).map_err(|_| RecvError)
    }

    /// Of two limits of time, that of the channel passes first.
    #[track_caller]
    pub(super) fn wait(&self, channel: ObjectId, limit: Limit) -> Result<T, RecvTimeoutError> {
        let can_pass = self.can_pass();
        let until = if can_pass { Limit::Time } else { limit };
        let _ = Messages::<()>::new().receive(channel, until);
        // Another thread may have received it meanwhile.
        if can_pass && self.can_pass() {
            Ok(self.pass(channel))
        } else if can_pass {
            self.wait(channel, limit)
        } else {
            Err(RecvTimeoutError::Timeout)
        }
    }

    #[track_caller]
    pub(super) fn try_receive(&self, channel: ObjectId) -> Result<T, TryRecvError> {
        let has_passed = self.can_pass() && channel::look_at_time(channel) && self.can_pass();
        if has_passed {
            Ok(self.pass(channel))
        } else {
            Err(TryRecvError::Empty)
        }
    }
}
