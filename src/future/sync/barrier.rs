//! A place where tasks wait for each other.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;

use tokio::sync::{self as real, BarrierWaitResult};

use crate::Named;
use crate::model::awaited::{Exchange, Role};
use crate::trace::Operation;

use super::awaiting::{Awaiting, always};
use super::object::Object;

/// Like [`tokio::sync::Barrier`]: a place where tasks wait until enough have arrived.
///
/// In an execution each poll of who waits is a step.
pub struct Barrier {
    object: Object,
    real: real::Barrier,
}

impl Barrier {
    /// A barrier for `n` tasks, or for one if `n` is 0.
    #[track_caller]
    pub fn new(n: usize) -> Self {
        Barrier {
            object: Object::new("Barrier", Role::Plain),
            real: real::Barrier::new(n),
        }
    }

    /// Waits until enough tasks have arrived. The last one is told that it is the leader.
    ///
    /// A task that has arrived counts, even if it is cancelled then.
    #[track_caller]
    pub fn wait(&self) -> impl Future<Output = BarrierWaitResult> + use<'_> {
        Awaiting::new(
            self.object.here(),
            Location::caller(),
            Operation::Barrier,
            self.real.wait(),
            Exchange::Exchanges,
            always,
        )
        .arriving(Exchange::Leaves)
    }
}

impl Named for Barrier {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.object.name(name.into());
        self
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").finish_non_exhaustive()
    }
}
