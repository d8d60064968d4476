//! A number of permits, which tasks acquire.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use tokio::sync as real;
use tokio::sync::{AcquireError, TryAcquireError};

use crate::Named;
use crate::model::awaited::{Exchange, Role, Seen};
use crate::trace::Operation;

use super::awaiting::{Awaiting, unless_closed};
use super::blocking::block_on;
use super::object::{Here, Object};

/// Like [`tokio::sync::Semaphore`]: permits that tasks acquire, in the order in which they ask.
///
/// In an execution each of its operations is one step: a poll of who waits for a permit, the drop
/// of one that waits, and the drop of a permit too.
pub struct Semaphore {
    object: Object,
    real: real::Semaphore,
}

impl Semaphore {
    /// How many permits a semaphore can hold.
    pub const MAX_PERMITS: usize = real::Semaphore::MAX_PERMITS;

    /// A semaphore with this number of permits.
    ///
    /// # Panics
    ///
    /// If they are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[track_caller]
    pub fn new(permits: usize) -> Self {
        Semaphore {
            object: Object::new("Semaphore", Role::Plain),
            real: real::Semaphore::new(permits),
        }
    }

    /// Like [`new`](Self::new), for statics: see [`statics!`](crate::statics).
    #[track_caller]
    pub const fn const_new(permits: usize) -> Self {
        Semaphore {
            object: Object::late("Semaphore", Role::Plain),
            real: real::Semaphore::const_new(permits),
        }
    }

    /// How many permits are free. One step.
    #[track_caller]
    pub fn available_permits(&self) -> usize {
        self.object.here().look(|| self.real.available_permits())
    }

    /// Adds permits. One step.
    ///
    /// # Panics
    ///
    /// If there are more than [`MAX_PERMITS`](Self::MAX_PERMITS) then.
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        let add = || self.real.add_permits(n);
        self.object
            .here()
            .act(Operation::Unlock, Exchange::Leaves, add);
    }

    /// Takes away at most `n` free permits, and returns how many. One step.
    #[track_caller]
    pub fn forget_permits(&self, n: usize) -> usize {
        self.object
            .here()
            .act(Operation::Rmw, Exchange::Learns, || {
                self.real.forget_permits(n)
            })
    }

    /// Acquires a permit. Each poll is a step.
    ///
    /// # Errors
    ///
    /// If the semaphore is closed.
    #[track_caller]
    pub fn acquire(
        &self,
    ) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> + use<'_> {
        self.acquire_many(1)
    }

    /// Acquires `n` permits at once. Each poll is a step.
    ///
    /// # Errors
    ///
    /// If the semaphore is closed.
    #[track_caller]
    pub fn acquire_many(
        &self,
        n: u32,
    ) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> + use<'_> {
        let acquired = self.acquired(n);
        async move { Ok(SemaphorePermit(Permits::new(self, acquired.await?))) }
    }

    /// Acquires a permit if one is free. One step.
    ///
    /// # Errors
    ///
    /// If none is, or the semaphore is closed.
    #[track_caller]
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Acquires `n` permits if they are free. One step.
    ///
    /// # Errors
    ///
    /// If they are not, or the semaphore is closed.
    #[track_caller]
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        let acquired = self.try_acquired(n)?;
        Ok(SemaphorePermit(Permits::new(self, acquired)))
    }

    /// Like [`acquire`](Self::acquire), on a thread that runs no tasks.
    ///
    /// # Errors
    ///
    /// If the semaphore is closed.
    ///
    /// # Panics
    ///
    /// In a task.
    #[track_caller]
    pub fn blocking_acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        block_on(self.acquire())
    }

    /// Like [`acquire_many`](Self::acquire_many), on a thread that runs no tasks.
    ///
    /// # Errors
    ///
    /// If the semaphore is closed.
    ///
    /// # Panics
    ///
    /// In a task.
    #[track_caller]
    pub fn blocking_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        block_on(self.acquire_many(n))
    }

    /// Like [`acquire`](Self::acquire), with a permit that owns the semaphore.
    ///
    /// # Errors
    ///
    /// If the semaphore is closed.
    #[track_caller]
    pub fn acquire_owned(
        self: Arc<Self>,
    ) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        self.acquire_many_owned(1)
    }

    /// Like [`acquire_many`](Self::acquire_many), with permits that own the semaphore.
    ///
    /// # Errors
    ///
    /// If the semaphore is closed.
    #[track_caller]
    pub fn acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        let at = Location::caller();
        async move {
            let acquired = self.acquired_at(n, at).await?;
            Ok(OwnedSemaphorePermit(Permits::new(self, acquired)))
        }
    }

    /// Like [`try_acquire`](Self::try_acquire), with a permit that owns the semaphore.
    ///
    /// # Errors
    ///
    /// If no permit is free, or the semaphore is closed.
    #[track_caller]
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// Like [`try_acquire_many`](Self::try_acquire_many), with permits that own the semaphore.
    ///
    /// # Errors
    ///
    /// If they are not free, or the semaphore is closed.
    #[track_caller]
    pub fn try_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        let acquired = self.try_acquired(n)?;
        Ok(OwnedSemaphorePermit(Permits::new(self, acquired)))
    }

    /// Like [`acquire_owned`](Self::acquire_owned), on a thread that runs no tasks.
    ///
    /// # Errors
    ///
    /// If the semaphore is closed.
    ///
    /// # Panics
    ///
    /// In a task.
    #[track_caller]
    pub fn blocking_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        block_on(self.acquire_owned())
    }

    /// Like [`acquire_many_owned`](Self::acquire_many_owned), on a thread that runs no tasks.
    ///
    /// # Errors
    ///
    /// If the semaphore is closed.
    ///
    /// # Panics
    ///
    /// In a task.
    #[track_caller]
    pub fn blocking_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        block_on(self.acquire_many_owned(n))
    }

    /// Closes the semaphore: nobody acquires a permit any more, and who waits gets an error. One
    /// step.
    #[track_caller]
    pub fn close(&self) {
        let close = || self.real.close();
        self.object
            .here()
            .act(Operation::Disconnect, Exchange::Leaves, close);
    }

    /// Whether the semaphore is closed. One step.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        self.object.here().look(|| self.real.is_closed())
    }

    #[track_caller]
    fn acquired(&self, n: u32) -> impl Future<Output = Result<Acquired, AcquireError>> + use<'_> {
        self.acquired_at(n, Location::caller())
    }

    /// Waits for permits, which are to be given back by [`Permits`] from then on.
    fn acquired_at(
        &self,
        n: u32,
        at: &'static Location<'static>,
    ) -> impl Future<Output = Result<Acquired, AcquireError>> + use<'_> {
        let here = self.object.here();
        let acquired = Awaiting::new(
            here,
            at,
            Operation::Lock,
            self.real.acquire_many(n),
            Exchange::Learns,
            unless_closed,
        );
        async move {
            acquired.await?.forget();
            Ok(Acquired { here, at, n })
        }
    }

    #[track_caller]
    fn try_acquired(&self, n: u32) -> Result<Acquired, TryAcquireError> {
        let at = Location::caller();
        let here = self.object.here();
        let acquire = || {
            self.real
                .try_acquire_many(n)
                .map(real::SemaphorePermit::forget)
        };
        let seen = |acquired: &Result<(), TryAcquireError>| match acquired {
            Err(TryAcquireError::Closed) => Seen::DISCONNECTED,
            acquired => Seen::attempt(acquired.is_ok(), Exchange::Learns),
        };
        here.perform(at, Operation::TryLock, acquire, seen)?;
        Ok(Acquired { here, at, n })
    }
}

impl Named for Semaphore {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.object.name(name.into());
        self
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore").finish_non_exhaustive()
    }
}

/// That permits were acquired.
#[derive(Clone, Copy, Debug)]
struct Acquired {
    here: Here,
    at: &'static Location<'static>,
    n: u32,
}

/// Permits of a semaphore, which are given back when they are dropped.
struct Permits<S: Borrow<Semaphore>> {
    semaphore: S,
    here: Here,
    at: &'static Location<'static>,
    count: usize,
}

impl<S: Borrow<Semaphore>> Permits<S> {
    fn new(semaphore: S, acquired: Acquired) -> Self {
        Permits {
            semaphore,
            here: acquired.here,
            at: acquired.at,
            count: acquired.n as usize,
        }
    }

    #[track_caller]
    fn merge(&mut self, mut other: Self) {
        let (semaphore, others) = (self.semaphore.borrow(), other.semaphore.borrow());
        assert!(
            std::ptr::eq(semaphore, others),
            "merging permits from different semaphore instances"
        );
        let count = self.count.checked_add(other.count);
        self.count = count.expect("number of permits overflowed");
        other.count = 0;
    }

    fn split(&mut self, n: usize) -> Option<Self>
    where
        S: Clone,
    {
        self.count = self.count.checked_sub(n)?;
        Some(Permits {
            semaphore: self.semaphore.clone(),
            count: n,
            ..*self
        })
    }
}

impl<S: Borrow<Semaphore>> Drop for Permits<S> {
    fn drop(&mut self) {
        if self.count > 0 {
            // An unlock stands at its lock.
            let release = || self.semaphore.borrow().real.add_permits(self.count);
            let leaves = Exchange::Leaves.into();
            self.here
                .perform_in_drop(self.at, Operation::Unlock, release, leaves);
        }
    }
}

/// Like [`tokio::sync::SemaphorePermit`]: permits of a semaphore, given back when it is dropped.
#[must_use = "a permit that is not kept is given back at once"]
pub struct SemaphorePermit<'a>(Permits<&'a Semaphore>);

/// Like [`tokio::sync::OwnedSemaphorePermit`]: permits that own their semaphore, given back when
/// they are dropped.
#[must_use = "a permit that is not kept is given back at once"]
pub struct OwnedSemaphorePermit(Permits<Arc<Semaphore>>);

macro_rules! permit {
    ($name:ty, $text:literal, $semaphore:ty) => {
        impl $name {
            /// Drops the permits without giving them back.
            pub fn forget(mut self) {
                self.0.count = 0;
            }

            /// Adds the permits of another one to these.
            ///
            /// # Panics
            ///
            /// If they are of different semaphores.
            #[track_caller]
            pub fn merge(&mut self, other: Self) {
                self.0.merge(other.0);
            }

            /// Splits off `n` permits, `None` if there are fewer.
            pub fn split(&mut self, n: usize) -> Option<Self> {
                self.0.split(n).map(Self)
            }

            /// The semaphore of which the permits are.
            pub fn semaphore(&self) -> $semaphore {
                &self.0.semaphore
            }

            /// How many permits these are.
            pub fn num_permits(&self) -> usize {
                self.0.count
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct($text)
                    .field("permits", &self.0.count)
                    .finish_non_exhaustive()
            }
        }
    };
}

permit!(SemaphorePermit<'_>, "SemaphorePermit", &Semaphore);
permit!(
    OwnedSemaphorePermit,
    "OwnedSemaphorePermit",
    &Arc<Semaphore>
);
