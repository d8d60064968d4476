//! The barrier.

use std::borrow::Cow;
use std::fmt;
use std::sync as real;

use crate::Named;
use crate::execution::Identity;
use crate::model::barrier;
use crate::trace::ObjectId;

/// Like [`std::sync::Barrier`]: lets threads go on when all have arrived.
///
/// In an execution, the arrival of a thread is a step. The last one to arrive is the leader and
/// goes on at once; that another one goes on is a second step of its own.
///
/// ```
/// use racelab::sync::Barrier;
/// use racelab::thread;
///
/// let barrier = Barrier::new(2);
/// let leaders = thread::scope(|scope| {
///     let other = scope.spawn(|| barrier.wait().is_leader());
///     usize::from(barrier.wait().is_leader()) + usize::from(other.join().unwrap())
/// });
/// assert_eq!(leaders, 1);
/// ```
pub struct Barrier {
    identity: Identity,
    /// How many threads have to arrive.
    size: usize,
    /// The real one, outside of executions.
    real: real::Barrier,
}

/// Like [`std::sync::BarrierWaitResult`]: whether a thread was the leader.
pub struct BarrierWaitResult(bool);

impl Barrier {
    constructor! {
        /// Makes a barrier for `n` threads. With 0 or 1 nobody waits.
        pub fn new(n: usize) -> Self {
            Barrier {
                identity: Identity::new(),
                size: n,
                real: real::Barrier::new(n),
            }
        }
    }

    #[cfg(feature = "loom")]
    #[track_caller]
    fn made(&self) {
        barrier::made(&self.identity, self.size);
    }

    /// The barrier in the current execution, or `None` outside of one.
    #[inline]
    #[track_caller]
    fn object(&self) -> Option<ObjectId> {
        barrier::object(&self.identity, self.size)
    }

    /// Arrives, and waits until enough threads have. Then the barrier is as new.
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        let Some(object) = self.object() else {
            return BarrierWaitResult(self.real.wait().is_leader());
        };
        BarrierWaitResult(barrier::wait(object))
    }
}

impl BarrierWaitResult {
    /// Whether the thread is the one leader of those that go on together.
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").finish_non_exhaustive()
    }
}

impl fmt::Debug for BarrierWaitResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierWaitResult")
            .field("is_leader", &self.is_leader())
            .finish()
    }
}

impl Named for Barrier {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        Identity::name(self.object(), name.into());
        self
    }
}
