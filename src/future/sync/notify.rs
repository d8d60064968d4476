//! Telling tasks that something has happened.

use std::borrow::Cow;
use std::fmt;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::sync as real;

use crate::Named;
use crate::model::awaited::{Exchange, Role, Seen};
use crate::trace::Operation;

use super::awaiting::{Awaiting, always};
use super::object::Object;

/// Like [`tokio::sync::Notify`]: wakes tasks that wait for something to happen.
///
/// In an execution it is one step to notify, to make a future that waits for a notification, to
/// poll that, and to drop one that waits.
pub struct Notify {
    object: Object,
    /// Shared with the futures that own it, and made with the first use, so that it can be a
    /// constant.
    real: OnceLock<Arc<real::Notify>>,
}

impl Notify {
    /// Nobody was notified yet.
    #[track_caller]
    pub fn new() -> Self {
        Notify {
            object: Object::new("Notify", Role::Plain),
            real: OnceLock::new(),
        }
    }

    /// Like [`new`](Self::new), for statics: see [`statics!`](crate::statics).
    #[track_caller]
    pub const fn const_new() -> Self {
        Notify {
            object: Object::late("Notify", Role::Plain),
            real: OnceLock::new(),
        }
    }

    /// Waits for a notification. Of [`notify_waiters`](Self::notify_waiters), each counts from this
    /// call on; in the line for [`notify_one`](Self::notify_one) it stands from its first poll on.
    #[track_caller]
    pub fn notified(&self) -> Notified<'_> {
        let at = Location::caller();
        let here = self.object.here();
        let make = || self.real().notified();
        let made = here.perform(at, Operation::Load, make, |_| Seen::default());
        Notified {
            future: Awaiting::new(here, at, Operation::Wait, made, Exchange::Learns, always),
        }
    }

    /// Like [`notified`](Self::notified), with a future that owns the `Notify`.
    #[track_caller]
    pub fn notified_owned(self: Arc<Self>) -> OwnedNotified {
        let at = Location::caller();
        let here = self.object.here();
        let make = || Arc::clone(self.real()).notified_owned();
        let made = here.perform(at, Operation::Load, make, |_| Seen::default());
        OwnedNotified {
            future: Awaiting::new(here, at, Operation::Wait, made, Exchange::Learns, always),
            _owner: self,
        }
    }

    /// Notifies the future that waits longest, or the next one that is going to. One step.
    #[track_caller]
    pub fn notify_one(&self) {
        let notify = || self.real().notify_one();
        self.object
            .here()
            .act(Operation::NotifyOne, Exchange::Leaves, notify);
    }

    /// Notifies the future that has come last to wait, or the next one that is going to. One step.
    #[track_caller]
    pub fn notify_last(&self) {
        let notify = || self.real().notify_last();
        self.object
            .here()
            .act(Operation::NotifyOne, Exchange::Leaves, notify);
    }

    /// Notifies all futures that have been made, and none that are still to be. One step.
    #[track_caller]
    pub fn notify_waiters(&self) {
        let notify = || self.real().notify_waiters();
        self.object
            .here()
            .act(Operation::NotifyAll, Exchange::Leaves, notify);
    }

    fn real(&self) -> &Arc<real::Notify> {
        self.real.get_or_init(Arc::default)
    }
}

impl Default for Notify {
    #[track_caller]
    fn default() -> Self {
        Notify::new()
    }
}

impl UnwindSafe for Notify {}
impl RefUnwindSafe for Notify {}

impl Named for Notify {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.object.name(name.into());
        self
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notify").finish_non_exhaustive()
    }
}

pin_project! {
    /// Like [`tokio::sync::futures::Notified`]: the future of [`Notify::notified`].
    pub struct Notified<'a> {
        #[pin]
        future: Awaiting<real::futures::Notified<'a>>,
    }
}

pin_project! {
    /// Like [`tokio::sync::futures::OwnedNotified`]: the future of [`Notify::notified_owned`].
    pub struct OwnedNotified {
        #[pin]
        future: Awaiting<real::futures::OwnedNotified>,
        _owner: Arc<Notify>,
    }
}

macro_rules! notified {
    ($name:ty, $real:ty, $text:literal) => {
        impl $name {
            /// Begins to wait, as the first poll does, and returns whether it is notified. One step.
            pub fn enable(self: Pin<&mut Self>) -> bool {
                let enable = |future: Pin<&mut $real>| {
                    if future.enable() {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    }
                };
                let polled = self.project().future.poll_without_waker(enable);
                polled.is_ready()
            }
        }

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

notified!(Notified<'_>, real::futures::Notified<'_>, "Notified");
notified!(OwnedNotified, real::futures::OwnedNotified, "OwnedNotified");
