//! A value that is made once.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::panic::Location;

use tokio::sync as real;
use tokio::sync::{SetError, TryAcquireError};

use crate::Named;
use crate::model::awaited::{Exchange, Role, Seen};
use crate::trace::Operation;

use super::awaiting::{Awaiting, always};
use super::object::{Here, Object};

const KIND: &str = "OnceCell";

/// Like [`tokio::sync::OnceCell`]: a value that is made by the first that needs it.
///
/// In an execution it is one step to look whether it is there, to begin to make it, as each poll of
/// who waits to is, and to store it.
pub struct OnceCell<T> {
    object: Object,
    /// Of one permit, for who makes the value. Closed when it is there.
    makers: real::Semaphore,
    real: real::OnceCell<T>,
}

impl<T> OnceCell<T> {
    /// A cell without a value.
    #[track_caller]
    pub fn new() -> Self {
        OnceCell::new_with(None)
    }

    /// A cell with this value, if it is one.
    #[track_caller]
    pub fn new_with(value: Option<T>) -> Self {
        OnceCell {
            object: Object::new(KIND, Role::Plain),
            makers: real::Semaphore::new(1),
            real: real::OnceCell::new_with(value),
        }
    }

    /// Like [`new`](Self::new), for statics: see [`statics!`](crate::statics).
    #[track_caller]
    pub const fn const_new() -> Self {
        OnceCell {
            object: Object::late(KIND, Role::Plain),
            makers: real::Semaphore::const_new(1),
            real: real::OnceCell::const_new(),
        }
    }

    /// A cell with this value, for statics.
    #[track_caller]
    pub const fn const_new_with(value: T) -> Self {
        OnceCell {
            object: Object::late(KIND, Role::Plain),
            makers: real::Semaphore::const_new(1),
            real: real::OnceCell::const_new_with(value),
        }
    }

    /// Whether the value is there. One step.
    #[track_caller]
    pub fn initialized(&self) -> bool {
        self.object.here().look(|| self.real.initialized())
    }

    /// The value, if it is there. One step.
    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        self.object.here().look(|| self.real.get())
    }

    /// The value, if it is there, which nobody else can use meanwhile.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.real.get_mut()
    }

    /// Stores the value, if there is none and nobody makes it.
    ///
    /// # Errors
    ///
    /// If there is one, or somebody makes it. The error holds the value.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        let at = Location::caller();
        let here = self.object.here();
        let set = || {
            if self.real.initialized() {
                return Err(SetError::AlreadyInitializedError(value));
            }
            match self.makers.try_acquire() {
                Ok(maker) => {
                    maker.forget();
                    self.store(value)
                }
                Err(TryAcquireError::NoPermits) => Err(SetError::InitializingError(value)),
                Err(TryAcquireError::Closed) => Err(SetError::AlreadyInitializedError(value)),
            }
        };
        let leaves = |set: &Result<(), _>| Seen::attempt(set.is_ok(), Exchange::Leaves);
        here.perform(at, Operation::Once, set, leaves)
    }

    /// The value, which the future makes that the closure returns, if it is not there and nobody else
    /// makes it. If that is dropped or panics, somebody else makes the value.
    #[track_caller]
    pub fn get_or_init<F, Fut>(&self, f: F) -> impl Future<Output = &T>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        let at = Location::caller();
        async move {
            let made = self.get_or_make(at, || async { Ok::<T, Infallible>(f().await) });
            match made.await {
                Ok(value) => value,
                Err(error) => match error {},
            }
        }
    }

    /// Like [`get_or_init`](Self::get_or_init), with a future that may fail.
    ///
    /// # Errors
    ///
    /// If the future fails. Somebody else makes the value then.
    #[track_caller]
    pub fn get_or_try_init<E, F, Fut>(&self, f: F) -> impl Future<Output = Result<&T, E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.get_or_make(Location::caller(), f)
    }

    /// The value, if it is there.
    pub fn into_inner(self) -> Option<T> {
        self.real.into_inner()
    }

    /// Takes the value out, if it is there.
    #[track_caller]
    pub fn take(&mut self) -> Option<T> {
        std::mem::take(self).into_inner()
    }

    async fn get_or_make<E, F, Fut>(&self, at: &'static Location<'static>, f: F) -> Result<&T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let here = self.object.here();
        let look = || self.real.get();
        if let Some(value) = here.perform(at, Operation::Load, look, |_| Exchange::Learns.into()) {
            return Ok(value);
        }
        let made = Awaiting::new(
            here,
            at,
            Operation::Once,
            self.makers.acquire(),
            Exchange::Learns,
            always,
        );
        if let Ok(maker) = made.await {
            maker.forget();
            let mut making = Making {
                here,
                at,
                makers: Some(&self.makers),
            };
            let value = f().await?;
            making.makers = None;
            let store = || self.store(value);
            let leaves = |_: &_| Exchange::Leaves.into();
            let stored = here.perform(at, Operation::Once, store, leaves);
            assert!(stored.is_ok(), "only one makes the value");
        }
        Ok(self.real.get().expect("it was made"))
    }

    /// Stores the value, by who makes it.
    fn store(&self, value: T) -> Result<(), SetError<T>> {
        self.real.set(value)?;
        self.makers.close();
        Ok(())
    }
}

/// That somebody makes a value. If it is dropped before, somebody else does.
struct Making<'a> {
    here: Here,
    at: &'static Location<'static>,
    makers: Option<&'a real::Semaphore>,
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        if let Some(makers) = self.makers {
            let (release, leaves) = (|| makers.add_permits(1), Exchange::Leaves.into());
            self.here
                .perform_in_drop(self.at, Operation::Once, release, leaves);
        }
    }
}

impl<T> Default for OnceCell<T> {
    #[track_caller]
    fn default() -> Self {
        OnceCell::new()
    }
}

impl<T> From<T> for OnceCell<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        OnceCell::new_with(Some(value))
    }
}

impl<T: Clone> Clone for OnceCell<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        OnceCell::new_with(self.get().cloned())
    }
}

impl<T: PartialEq> PartialEq for OnceCell<T> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceCell<T> {}

impl<T> Named for OnceCell<T> {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.object.name(name.into());
        self
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceCell")
            .field("value", &self.get())
            .finish()
    }
}
