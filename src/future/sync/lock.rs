//! What tokio's mutex and its read-write lock are made of: a semaphore, and what it guards.
#![expect(
    unsafe_code,
    reason = "a lock gives out references to what it guards, as permits say that it may"
)]

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::ptr::NonNull;
use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit, TryAcquireError, TryLockError};

use crate::execution::{Execution, try_with, with};
use crate::model::Hold;
use crate::model::awaited::{self, Exchange, Role, Seen};
use crate::trace::Operation;

use super::awaiting::{Awaiting, unless_closed};
use super::object::{Here, Object};

/// A lock. Who holds all of its permits has what it guards alone, and who holds one shares it.
pub(super) struct Lock<M, T: ?Sized> {
    pub(super) core: Core,
    _mode: PhantomData<M>,
    value: UnsafeCell<T>,
}

/// A lock that is only held alone.
pub(super) enum Alone {}

/// A lock that is held alone, or shared by those who read.
pub(super) enum AlsoShared {}

// SAFETY: one thread at a time reaches what the lock guards, as if it had been sent there.
unsafe impl<T: ?Sized + Send> Sync for Lock<Alone, T> {}
// SAFETY: as above, and threads that read share a reference to it.
unsafe impl<T: ?Sized + Send + Sync> Sync for Lock<AlsoShared, T> {}

/// A lock without what it guards.
pub(super) struct Core {
    pub(super) object: Object,
    semaphore: Semaphore,
    /// How to have it alone: by this operation, with all permits.
    alone: (Operation, u32),
}

/// What an acquisition is for.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    /// To have it alone: this operation, with all permits.
    Alone(Operation, u32),
    /// To share it with others, with one of the permits.
    Shared,
}

impl Purpose {
    fn operation(self) -> Operation {
        match self {
            Purpose::Alone(operation, _) => operation,
            Purpose::Shared => Operation::ReadLock,
        }
    }

    fn permits(self) -> u32 {
        match self {
            Purpose::Alone(_, permits) => permits,
            Purpose::Shared => 1,
        }
    }

    fn learns(self) -> Exchange {
        match self {
            Purpose::Alone(..) => Exchange::LearnsToWrite,
            Purpose::Shared => Exchange::Learns,
        }
    }

    fn leaves(self) -> Exchange {
        match self {
            Purpose::Alone(..) => Exchange::Leaves,
            Purpose::Shared => Exchange::LeavesToWriters,
        }
    }
}

impl<M, T> Lock<M, T> {
    #[track_caller]
    pub(super) fn new(kind: &'static str, alone: (Operation, u32), value: T) -> Self {
        Lock {
            core: Core {
                object: Object::new(kind, Role::Guards),
                semaphore: Semaphore::new(alone.1 as usize),
                alone,
            },
            _mode: PhantomData,
            value: UnsafeCell::new(value),
        }
    }

    #[track_caller]
    pub(super) const fn late(kind: &'static str, alone: (Operation, u32), value: T) -> Self {
        Lock {
            core: Core {
                object: Object::late(kind, Role::Guards),
                semaphore: Semaphore::const_new(alone.1 as usize),
                alone,
            },
            _mode: PhantomData,
            value: UnsafeCell::new(value),
        }
    }

    pub(super) fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<M, T: ?Sized> Lock<M, T> {
    pub(super) fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    fn value(&self) -> NonNull<T> {
        NonNull::new(self.value.get()).expect("it is in the lock")
    }
}

impl Core {
    fn alone(&self) -> Purpose {
        let (operation, permits) = self.alone;
        Purpose::Alone(operation, permits)
    }

    /// Acquires the lock. Each poll is a step.
    fn acquire(
        &self,
        purpose: Purpose,
        at: &'static Location<'static>,
    ) -> impl Future<Output = Acquired> + use<'_> {
        let here = self.object.here();
        let acquired = Awaiting::new(
            here,
            at,
            purpose.operation(),
            self.semaphore.acquire_many(purpose.permits()),
            purpose.learns(),
            unless_closed,
        )
        .arriving(Exchange::Joins);
        async move {
            acquired.await.expect("it is never closed").forget();
            Acquired::new(here, purpose, at)
        }
    }

    /// Acquires the lock if that is possible now, as a step.
    #[track_caller]
    fn try_acquire(&self, purpose: Purpose) -> Option<Acquired> {
        let at = Location::caller();
        let here = self.object.here();
        let acquire = || {
            let acquired = self.semaphore.try_acquire_many(purpose.permits());
            acquired.map(SemaphorePermit::forget)
        };
        let seen = |acquired: &Result<(), TryAcquireError>| {
            Seen::attempt(acquired.is_ok(), purpose.learns())
        };
        let acquired = here.perform(at, Operation::TryLock, acquire, seen);
        acquired.ok().map(|()| Acquired::new(here, purpose, at))
    }
}

/// That a lock was acquired, of which there is one for each guard.
#[derive(Debug)]
struct Acquired {
    here: Here,
    purpose: Purpose,
    at: &'static Location<'static>,
    hold: Option<Hold>,
}

impl Acquired {
    fn new(here: Here, purpose: Purpose, at: &'static Location<'static>) -> Self {
        let hold = here
            .object()
            .map(|lock| with(|execution| awaited::hold(execution, lock, at)));
        Acquired {
            here,
            purpose,
            at,
            hold,
        }
    }
}

/// What a lock is in.
pub(super) trait Locks {
    type Mode;
    type Value: ?Sized;

    fn lock(&self) -> &Lock<Self::Mode, Self::Value>;
}

/// What leads to a lock, and keeps it where it is: a reference, or a share of what it is in.
pub(super) trait Path {
    fn core(&self) -> &Core;
}

impl Path for &Core {
    fn core(&self) -> &Core {
        self
    }
}

impl<L: Locks + ?Sized> Path for Arc<L> {
    fn core(&self) -> &Core {
        &self.lock().core
    }
}

/// That somebody holds a lock, until it is dropped.
pub(super) struct Holding<P: Path> {
    lock: P,
    acquired: Acquired,
}

impl<P: Path> Holding<P> {
    pub(super) fn lock(&self) -> &P {
        &self.lock
    }

    /// From now on it is shared with others.
    fn share(&mut self) {
        let permits = self.acquired.purpose.permits();
        self.give_back(permits - 1);
        self.acquired.purpose = Purpose::Shared;
    }

    fn give_back(&self, permits: u32) {
        let Acquired {
            here, purpose, at, ..
        } = self.acquired;
        let semaphore = &self.lock.core().semaphore;
        let release = || semaphore.add_permits(permits as usize);
        // An unlock stands at its lock.
        here.perform_in_drop(at, Operation::Unlock, release, purpose.leaves().into());
    }
}

impl<P: Path> Drop for Holding<P> {
    fn drop(&mut self) {
        if let Some(hold) = self.acquired.hold {
            self.acquired.here.let_go(hold);
        }
        self.give_back(self.acquired.purpose.permits());
    }
}

/// What somebody has alone, while they hold the lock that it is of.
pub(super) struct Exclusive<P: Path, U: ?Sized> {
    /// What the lock guards, or a part of it.
    data: NonNull<U>,
    pub(super) holding: Holding<P>,
    /// It is not to be taken for one with another lifetime in `U`, as a mutable reference is not.
    _data: PhantomData<*mut U>,
}

// SAFETY: it is a mutable reference to `U`, which nobody else has, and a path.
unsafe impl<P: Path + Send, U: ?Sized + Send> Send for Exclusive<P, U> {}
// SAFETY: shared, it is a shared reference to `U`, and to a path.
unsafe impl<P: Path + Sync, U: ?Sized + Sync> Sync for Exclusive<P, U> {}

/// What somebody shares with others, while they hold the lock that it is of.
pub(super) struct Shared<P: Path, U: ?Sized> {
    /// What the lock guards, or a part of it.
    data: NonNull<U>,
    pub(super) holding: Holding<P>,
}

// SAFETY: it is a shared reference to `U`, and a path.
unsafe impl<P: Path + Send, U: ?Sized + Sync> Send for Shared<P, U> {}
// SAFETY: as above.
unsafe impl<P: Path + Sync, U: ?Sized + Sync> Sync for Shared<P, U> {}

impl<M, T: ?Sized> Lock<M, T> {
    /// Acquires the lock, to have alone what it guards.
    pub(super) async fn alone(&self, at: &'static Location<'static>) -> Exclusive<&Core, T> {
        let acquired = self.core.acquire(self.core.alone(), at).await;
        let lock = &self.core;
        Exclusive::new(self.value(), Holding { lock, acquired })
    }

    /// Acquires the lock if that is possible now, to have alone what it guards.
    #[track_caller]
    pub(super) fn try_alone(&self) -> Option<Exclusive<&Core, T>> {
        let acquired = self.core.try_acquire(self.core.alone())?;
        let lock = &self.core;
        Some(Exclusive::new(self.value(), Holding { lock, acquired }))
    }
}

impl<T: ?Sized> Lock<AlsoShared, T> {
    /// Acquires the lock, to share with others what it guards.
    pub(super) async fn shared(&self, at: &'static Location<'static>) -> Shared<&Core, T> {
        let acquired = self.core.acquire(Purpose::Shared, at).await;
        let lock = &self.core;
        Shared::new(self.value(), Holding { lock, acquired })
    }

    /// Acquires the lock if that is possible now, to share with others what it guards.
    #[track_caller]
    pub(super) fn try_shared(&self) -> Option<Shared<&Core, T>> {
        let acquired = self.core.try_acquire(Purpose::Shared)?;
        let lock = &self.core;
        Some(Shared::new(self.value(), Holding { lock, acquired }))
    }
}

impl<L: Locks + ?Sized> Exclusive<Arc<L>, L::Value> {
    /// Acquires the lock, to have alone what it guards.
    pub(super) async fn owned(lock: Arc<L>, at: &'static Location<'static>) -> Self {
        let core = &lock.lock().core;
        let acquired = core.acquire(core.alone(), at).await;
        let data = lock.lock().value();
        Exclusive::new(data, Holding { lock, acquired })
    }

    /// Acquires the lock if that is possible now, to have alone what it guards.
    #[track_caller]
    pub(super) fn try_owned(lock: Arc<L>) -> Option<Self> {
        let core = &lock.lock().core;
        let acquired = core.try_acquire(core.alone())?;
        let data = lock.lock().value();
        Some(Exclusive::new(data, Holding { lock, acquired }))
    }
}

impl<L: Locks<Mode = AlsoShared> + ?Sized> Shared<Arc<L>, L::Value> {
    /// Acquires the lock, to share with others what it guards.
    pub(super) async fn owned(lock: Arc<L>, at: &'static Location<'static>) -> Self {
        let acquired = lock.lock().core.acquire(Purpose::Shared, at).await;
        let data = lock.lock().value();
        Shared::new(data, Holding { lock, acquired })
    }

    /// Acquires the lock if that is possible now, to share with others what it guards.
    #[track_caller]
    pub(super) fn try_owned(lock: Arc<L>) -> Option<Self> {
        let acquired = lock.lock().core.try_acquire(Purpose::Shared)?;
        let data = lock.lock().value();
        Some(Shared::new(data, Holding { lock, acquired }))
    }
}

impl<P: Path, U: ?Sized> Exclusive<P, U> {
    fn new(data: NonNull<U>, holding: Holding<P>) -> Self {
        let new = Exclusive {
            data,
            holding,
            _data: PhantomData,
        };
        if size_of_val(&*new) == 0 {
            new.holding.acquired.here.guards_nothing();
        }
        new
    }

    /// Keeps a part of it only.
    pub(super) fn map<V: ?Sized>(mut self, part: impl FnOnce(&mut U) -> &mut V) -> Exclusive<P, V> {
        let data = NonNull::from(part(&mut self));
        Exclusive::new(data, self.holding)
    }

    /// Keeps a part of it only, if there is that.
    pub(super) fn try_map<V: ?Sized>(
        mut self,
        part: impl FnOnce(&mut U) -> Option<&mut V>,
    ) -> Result<Exclusive<P, V>, Self> {
        match part(&mut self).map(NonNull::from) {
            Some(data) => Ok(Exclusive::new(data, self.holding)),
            None => Err(self),
        }
    }

    /// From now on it is shared with others. One step.
    pub(super) fn share(self) -> Shared<P, U> {
        self.share_part(|all| all)
    }

    /// From now on a part of it is shared with others. One step.
    pub(super) fn share_part<V: ?Sized>(mut self, part: impl FnOnce(&U) -> &V) -> Shared<P, V> {
        let data = NonNull::from(part(&self));
        self.holding.share();
        Shared::new(data, self.holding)
    }

    /// From now on a part of it is shared with others, if there is that. One step then.
    pub(super) fn try_share_part<V: ?Sized>(
        mut self,
        part: impl FnOnce(&U) -> Option<&V>,
    ) -> Result<Shared<P, V>, Self> {
        let Some(data) = part(&self).map(NonNull::from) else {
            return Err(self);
        };
        self.holding.share();
        Ok(Shared::new(data, self.holding))
    }
}

impl<P: Path, U: ?Sized> Shared<P, U> {
    fn new(data: NonNull<U>, holding: Holding<P>) -> Self {
        Shared { data, holding }
    }

    /// Keeps a part of it only.
    pub(super) fn map<V: ?Sized>(self, part: impl FnOnce(&U) -> &V) -> Shared<P, V> {
        let data = NonNull::from(part(&self));
        Shared::new(data, self.holding)
    }

    /// Keeps a part of it only, if there is that.
    pub(super) fn try_map<V: ?Sized>(
        self,
        part: impl FnOnce(&U) -> Option<&V>,
    ) -> Result<Shared<P, V>, Self> {
        match part(&self).map(NonNull::from) {
            Some(data) => Ok(Shared::new(data, self.holding)),
            None => Err(self),
        }
    }
}

impl<P: Path, U: ?Sized> Deref for Exclusive<P, U> {
    type Target = U;

    fn deref(&self) -> &U {
        // SAFETY: the lock is held for this one alone, so that nobody else reaches what it guards,
        // and the path keeps it where it is.
        unsafe { self.data.as_ref() }
    }
}

impl<P: Path, U: ?Sized> DerefMut for Exclusive<P, U> {
    fn deref_mut(&mut self) -> &mut U {
        if self.holding.acquired.hold.is_some() {
            try_with(Execution::note_plain_write);
        }
        // SAFETY: as above, and this one is borrowed for changes.
        unsafe { self.data.as_mut() }
    }
}

impl<P: Path, U: ?Sized> Deref for Shared<P, U> {
    type Target = U;

    fn deref(&self) -> &U {
        // SAFETY: while the lock is held to share it, nobody has it alone, so that nobody changes
        // what it guards, and the path keeps it where it is.
        unsafe { self.data.as_ref() }
    }
}

/// What guards have in common: they are what they give access to.
macro_rules! guard {
    ($name:ident<$($lifetime:lifetime,)? $($parameter:ident),*> for $data:ident) => {
        impl<$($lifetime,)? $($parameter: ?Sized),*> std::ops::Deref
            for $name<$($lifetime,)? $($parameter),*>
        {
            type Target = $data;

            fn deref(&self) -> &$data {
                &self.0
            }
        }

        impl<$($lifetime,)? $($parameter: ?Sized),*> std::fmt::Debug
            for $name<$($lifetime,)? $($parameter),*>
        where
            $data: std::fmt::Debug,
        {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<$($lifetime,)? $($parameter: ?Sized),*> std::fmt::Display
            for $name<$($lifetime,)? $($parameter),*>
        where
            $data: std::fmt::Display,
        {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                (**self).fmt(f)
            }
        }
    };
    (mut $name:ident<$($lifetime:lifetime,)? $($parameter:ident),*> for $data:ident) => {
        super::lock::guard!($name<$($lifetime,)? $($parameter),*> for $data);

        impl<$($lifetime,)? $($parameter: ?Sized),*> std::ops::DerefMut
            for $name<$($lifetime,)? $($parameter),*>
        {
            fn deref_mut(&mut self) -> &mut $data {
                &mut self.0
            }
        }
    };
}

/// How a guard becomes one of a part of what it gives access to.
macro_rules! map {
    ([$($generics:tt)*] mut $from:ty => $to:ident<$argument:tt; $part:ident>) => {
        super::lock::map!([$($generics)*] $from => $to<$argument; $part>, &mut);
    };
    ([$($generics:tt)*] $from:ty => $to:ident<$argument:tt; $part:ident>) => {
        super::lock::map!([$($generics)*] $from => $to<$argument; $part>, &);
    };
    ([$($generics:tt)*] $from:ty => $to:ident<$argument:tt; $part:ident>, $($borrow:tt)*) => {
        impl<$($generics)*> $from {
            /// Keeps a part of what is guarded.
            pub fn map<$part: ?Sized, F>(this: Self, f: F) -> $to<$argument, $part>
            where
                F: FnOnce($($borrow)* <Self as std::ops::Deref>::Target) -> $($borrow)* $part,
            {
                $to(this.0.map(f))
            }

            /// Keeps a part of what is guarded, if there is that.
            ///
            /// # Errors
            ///
            /// If there is not. The error is the guard.
            pub fn try_map<$part: ?Sized, F>(this: Self, f: F) -> Result<$to<$argument, $part>, Self>
            where
                F: FnOnce($($borrow)* <Self as std::ops::Deref>::Target) -> Option<$($borrow)* $part>,
            {
                this.0.try_map(f).map($to).map_err(Self)
            }
        }
    };
}

/// tokio's error for a lock that could not be acquired, which cannot be made otherwise.
pub(super) fn refused() -> TryLockError {
    let lock = tokio::sync::Mutex::const_new(());
    let _held = lock.try_lock();
    lock.try_lock().expect_err("it is held")
}

pub(super) use {guard, map};
