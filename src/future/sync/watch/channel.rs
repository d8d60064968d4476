//! A value that many can watch.

use std::borrow::Cow;
use std::fmt;
use std::mem;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::{Arc, PoisonError};

use tokio::sync::watch as real;
use tokio::sync::watch::error::{RecvError, SendError};

use crate::Named;
use crate::future::sync::awaiting::{Awaiting, always, unless_closed};
use crate::future::sync::object::Here;
use crate::model::awaited::{Exchange, Role};
use crate::sync::{RwLock, RwLockReadGuard};
use crate::trace::Operation;

/// Like [`tokio::sync::watch::channel`]: makes a channel that holds a value.
#[track_caller]
pub fn channel<T>(init: T) -> (Sender<T>, Receiver<T>) {
    let here = Here::new("Watch", Role::Plain);
    let value = Arc::new(RwLock::new(init));
    let (sender, receiver) = real::channel(());
    let sender = Sender {
        here,
        value: Arc::clone(&value),
        real: Some(sender),
    };
    let receiver = Receiver {
        here,
        value,
        real: Some(receiver),
    };
    (sender, receiver)
}

/// Like [`tokio::sync::watch::Sender`]: the end that changes the value.
///
/// As in tokio, a lock guards the value, which [`Ref`] holds. So in an execution a new value is three
/// steps: its acquisition, the news of the value, and its release.
pub struct Sender<T> {
    here: Here,
    value: Arc<RwLock<T>>,
    /// What tells of new values. `None` when it was dropped.
    real: Option<real::Sender<()>>,
}

/// Like [`tokio::sync::watch::Receiver`]: an end that sees the newest value.
pub struct Receiver<T> {
    here: Here,
    value: Arc<RwLock<T>>,
    /// What knows which values were seen. `None` when it was dropped.
    real: Option<real::Receiver<()>>,
}

/// Like [`tokio::sync::watch::Ref`]: the value, which does not change until this is dropped.
#[derive(Debug)]
pub struct Ref<'a, T> {
    value: RwLockReadGuard<'a, T>,
    has_changed: bool,
}

const DROPPED: &str = "it is there until it is dropped";

#[track_caller]
fn read<T>(value: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    value.read().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Sender<T> {
    /// A channel without a receiver.
    #[track_caller]
    pub fn new(init: T) -> Self {
        channel(init).0
    }

    /// Changes the value, if there is a receiver.
    ///
    /// # Errors
    ///
    /// If there is none. The error holds the value.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.receiver_count() == 0 {
            return Err(SendError(value));
        }
        drop(self.send_replace(value));
        Ok(())
    }

    /// Changes the value by a closure, whether there is a receiver or not.
    #[track_caller]
    pub fn send_modify<F>(&self, modify: F)
    where
        F: FnOnce(&mut T),
    {
        self.send_if_modified(|value| {
            modify(value);
            true
        });
    }

    /// Changes the value by a closure, and tells the receivers if that returns that it has.
    #[track_caller]
    pub fn send_if_modified<F>(&self, modify: F) -> bool
    where
        F: FnOnce(&mut T) -> bool,
    {
        let mut value = self.value.write().unwrap_or_else(PoisonError::into_inner);
        let is_modified = match catch_unwind(AssertUnwindSafe(|| modify(&mut value))) {
            Ok(is_modified) => is_modified,
            Err(panic) => {
                // So that it is not poisoned.
                drop(value);
                resume_unwind(panic);
            }
        };
        if is_modified {
            let real = self.real();
            let (at, tell) = (Location::caller(), || real.send_modify(|()| ()));
            let leaves = |(): &()| Exchange::Leaves.into();
            let ((), later) = self.here.perform_first(at, Operation::Store, tell, leaves);
            // They are woken when they can read.
            drop(value);
            later.carry_out();
        }
        is_modified
    }

    /// Changes the value, whether there is a receiver or not, and returns the earlier one.
    #[track_caller]
    pub fn send_replace(&self, mut value: T) -> T {
        self.send_modify(|old| mem::swap(old, &mut value));
        value
    }

    /// The value.
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        Ref {
            value: read(&self.value),
            has_changed: false,
        }
    }

    /// Whether there is no receiver. One step.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        self.look(real::Sender::is_closed)
    }

    /// Waits until there is no receiver. Each poll is a step.
    #[track_caller]
    pub fn closed(&self) -> impl Future<Output = ()> + use<'_, T> {
        Awaiting::new(
            self.here,
            Location::caller(),
            Operation::Disconnect,
            self.real().closed(),
            Exchange::Learns,
            always,
        )
    }

    /// Another receiver, which has seen the value. One step.
    #[track_caller]
    pub fn subscribe(&self) -> Receiver<T> {
        let real = self.look(real::Sender::subscribe);
        Receiver {
            here: self.here,
            value: Arc::clone(&self.value),
            real: Some(real),
        }
    }

    /// How many receivers there are. One step.
    #[track_caller]
    pub fn receiver_count(&self) -> usize {
        self.look(real::Sender::receiver_count)
    }

    /// How many senders there are. One step.
    #[track_caller]
    pub fn sender_count(&self) -> usize {
        self.look(real::Sender::sender_count)
    }

    /// Whether the other one belongs to the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.real().same_channel(other.real())
    }

    fn real(&self) -> &real::Sender<()> {
        self.real.as_ref().expect(DROPPED)
    }

    #[track_caller]
    fn look<R>(&self, look: fn(&real::Sender<()>) -> R) -> R {
        let real = self.real();
        self.here.look(|| look(real))
    }
}

impl<T> Receiver<T> {
    /// The value.
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        let value = read(&self.value);
        // While it is read, there is no other one.
        let has_changed = self.real().borrow().has_changed();
        Ref { value, has_changed }
    }

    /// The value, which counts as seen from now on.
    #[track_caller]
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let value = read(&self.value);
        // While it is read, there is no other one.
        let real = self.real.as_mut().expect(DROPPED);
        let has_changed = real.borrow_and_update().has_changed();
        Ref { value, has_changed }
    }

    /// Whether there is a value that was not seen. One step.
    ///
    /// # Errors
    ///
    /// If no sender is left.
    #[track_caller]
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        self.look(real::Receiver::has_changed)
    }

    /// Whether no sender is left. One step.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        self.look(real::Receiver::is_closed)
    }

    /// The value counts as not seen from now on.
    pub fn mark_changed(&mut self) {
        self.real.as_mut().expect(DROPPED).mark_changed();
    }

    /// The value counts as seen from now on. One step.
    #[track_caller]
    pub fn mark_unchanged(&mut self) {
        let real = self.real.as_mut().expect(DROPPED);
        self.here.look(|| real.mark_unchanged());
    }

    /// Waits for a value that was not seen, and counts it as seen. Each poll is a step.
    ///
    /// # Errors
    ///
    /// If there is none and no sender left.
    #[track_caller]
    pub fn changed(&mut self) -> impl Future<Output = Result<(), RecvError>> + use<'_, T> {
        let real = self.real.as_mut().expect(DROPPED);
        changed(self.here, Location::caller(), real)
    }

    /// Waits for a value of which the closure says so, the present one or a later one.
    ///
    /// # Errors
    ///
    /// If there is none and no sender left.
    #[track_caller]
    pub fn wait_for(
        &mut self,
        mut f: impl FnMut(&T) -> bool,
    ) -> impl Future<Output = Result<Ref<'_, T>, RecvError>> {
        let at = Location::caller();
        async move {
            let real = self.real.as_mut().expect(DROPPED);
            let mut closed = None;
            loop {
                {
                    let value = read(&self.value);
                    let has_changed = real.borrow_and_update().has_changed();
                    if closed.is_none() || has_changed {
                        match catch_unwind(AssertUnwindSafe(|| f(&value))) {
                            Ok(true) => return Ok(Ref { value, has_changed }),
                            Ok(false) => {}
                            Err(panic) => {
                                drop(value);
                                resume_unwind(panic);
                            }
                        }
                    }
                }
                if let Some(error) = closed {
                    return Err(error);
                }
                closed = changed(self.here, at, real).await.err();
            }
        }
    }

    /// Whether the other one belongs to the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.real().same_channel(other.real())
    }

    fn real(&self) -> &real::Receiver<()> {
        self.real.as_ref().expect(DROPPED)
    }

    #[track_caller]
    fn look<R>(&self, look: fn(&real::Receiver<()>) -> R) -> R {
        let real = self.real();
        self.here.look(|| look(real))
    }
}

/// Waits for a value that was not seen.
fn changed(
    here: Here,
    at: &'static Location<'static>,
    real: &mut real::Receiver<()>,
) -> impl Future<Output = Result<(), RecvError>> {
    let changed = real.changed();
    let learns = Exchange::Learns;
    Awaiting::new(here, at, Operation::Wait, changed, learns, unless_closed)
}

impl<T> Ref<'_, T> {
    /// Whether the receiver had not seen the value when it was borrowed.
    pub fn has_changed(&self) -> bool {
        self.has_changed
    }
}

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Default> Default for Sender<T> {
    #[track_caller]
    fn default() -> Self {
        Sender::new(T::default())
    }
}

macro_rules! end {
    ($name:ident) => {
        impl<T> Clone for $name<T> {
            #[track_caller]
            fn clone(&self) -> Self {
                self.here.leave_doomed();
                $name {
                    here: self.here,
                    value: Arc::clone(&self.value),
                    real: self.real.clone(),
                }
            }
        }

        impl<T> Drop for $name<T> {
            fn drop(&mut self) {
                if let Some(real) = self.real.take() {
                    self.here.drop_end(|| drop(real));
                }
            }
        }

        impl<T: fmt::Debug> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }

        impl<T> Named for $name<T> {
            /// Names the channel and its lock.
            fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
                let name = name.into();
                self.value.name(name.clone());
                self.here.name(name);
                self
            }
        }
    };
}

end!(Sender);
end!(Receiver);
