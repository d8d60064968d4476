//! The value that is made when it is looked at first.

#![expect(unsafe_code, reason = "the execution keeps the value without its type")]

use std::any::TypeId;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::{self as real, PoisonError};

use crate::Named;
use crate::execution::{Ending, Kept, give_up, is_running};

use crate::model::once::{AfterPanic, Made, OnceBinding, Turn, begin, look, value_of};

/// What std says when the initialiser has panicked before.
const POISONED: &str = "LazyLock instance has previously been poisoned";

/// Like [`std::sync::LazyLock`]: a value that is made when it is looked at first.
///
/// `new` is `const`, since statics are made of it: in each execution that uses it, it is as new,
/// its initialiser runs again, and the value is dropped when the lock is dropped itself, or with
/// the execution. Outside it is a real one. A reference to the value must not outlive the
/// execution.
///
/// An initialiser can run again if it is a function pointer, as in every static. One that captures
/// something runs once, so that such a lock has to be made where it is used.
///
/// In an execution, a look at the value is a step; the start and the end of the initialiser are
/// two, and who comes while it runs waits.
///
/// ```
/// use racelab::sync::LazyLock;
///
/// static PRIMES: LazyLock<Vec<u32>> = LazyLock::new(|| vec![2, 3, 5, 7]);
///
/// assert_eq!(PRIMES.len(), 4);
/// ```
pub struct LazyLock<T, F = fn() -> T> {
    binding: OnceBinding,
    /// `None` when it has run and cannot run again.
    initialiser: real::Mutex<Option<F>>,
    /// Whether the initialiser has run outside of executions, and whether it has panicked.
    real: real::Once,
    /// The value outside of executions.
    value: real::OnceLock<T>,
}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// Makes a new one, whose value is still to be made.
    #[track_caller]
    pub const fn new(f: F) -> Self {
        LazyLock {
            binding: OnceBinding::new("LazyLock"),
            initialiser: real::Mutex::new(Some(f)),
            real: real::Once::new(),
            value: real::OnceLock::new(),
        }
    }

    /// The value, which is made if it is not there. Waits while another thread makes it.
    ///
    /// # Panics
    ///
    /// If the initialiser has panicked before.
    #[track_caller]
    pub fn force(this: &LazyLock<T, F>) -> &T {
        let Some(object) = this.binding.object() else {
            this.real.call_once_force(|state| {
                assert!(!state.is_poisoned(), "{POISONED}");
                let value = this.initialiser()();
                assert!(this.value.set(value).is_ok(), "it is set once");
            });
            return this.value.get().expect("it was set");
        };
        match begin(object, AfterPanic::Refuse) {
            Turn::Done(made) => this.value_in(made),
            Turn::Refused => panic!("{POISONED}"),
            Turn::Mine(run) => {
                let value = this.initialiser()();
                // SAFETY: the value is dropped with the lock that it belongs to, as a field would
                // be. If the lock is not dropped, it is a static, or was leaked as one: the limits
                // say that the value of a lock that is leaked must not borrow.
                let value = unsafe { Kept::new(value) };
                let place = value.place();
                run.complete(Some(value));
                this.value_in(Some(place))
            }
        }
    }

    /// The value, by a reference that nobody else can have. It is made if it is not there, as by
    /// [`force`](Self::force).
    ///
    /// # Panics
    ///
    /// If the initialiser has panicked before.
    #[track_caller]
    pub fn force_mut(this: &mut LazyLock<T, F>) -> &mut T {
        Self::force(this);
        Self::get_mut(this).expect("it was made")
    }

    /// The initialiser, to be run once more.
    #[track_caller]
    fn initialiser(&self) -> F {
        let taken = {
            let mut place = self
                .initialiser
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            match place.as_ref().and_then(copied::<F, T>) {
                Some(copy) => Some(copy),
                None => place.take(),
            }
        };
        taken.unwrap_or_else(|| self.used_up())
    }

    #[cold]
    #[track_caller]
    fn used_up(&self) -> ! {
        let made_at = self.binding.made_at();
        let made_at = made_at.map_or_else(String::new, |at| format!(" made at {at}"));
        let message = format!(
            "the LazyLock{made_at} has an initialiser that captures something, so that it can \
             run only once, and it has run in another execution, or outside of all: make it inside \
             the closure that is explored"
        );
        // A second panic in a destructor would end the process, but there is no value.
        if is_running() && !std::thread::panicking() {
            give_up(Ending::Misused(message));
        }
        panic!("racelab: {message}");
    }
}

impl<T, F> LazyLock<T, F> {
    /// The value, if it was made. One step.
    #[track_caller]
    pub fn get(this: &LazyLock<T, F>) -> Option<&T> {
        match this.binding.object() {
            Some(object) => look(object).map(|made| this.value_in(made)),
            None => this.value.get(),
        }
    }

    /// The value, by a reference that nobody else can have, if it was made. Not an operation.
    pub fn get_mut(this: &mut LazyLock<T, F>) -> Option<&mut T> {
        if !is_running() {
            return this.value.get_mut();
        }
        let place = this.binding.change(|state| {
            let value = state.value.as_ref();
            value.map(Kept::place)
        })??;
        // SAFETY: the value is of this type, since it belongs to this object, and is dropped with
        // it or later. Nobody else has access to it while this object is borrowed exclusively.
        Some(unsafe { place.cast::<T>().as_mut() })
    }

    fn value_in(&self, made: Made) -> &T {
        // SAFETY: the value is of this type, since it belongs to this object.
        unsafe { value_of(self, made) }
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[track_caller]
    fn deref(&self) -> &T {
        LazyLock::force(self)
    }
}

impl<T, F: FnOnce() -> T> DerefMut for LazyLock<T, F> {
    #[track_caller]
    fn deref_mut(&mut self) -> &mut T {
        LazyLock::force_mut(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    #[track_caller]
    fn default() -> Self {
        LazyLock::new(T::default)
    }
}

impl<T, F> fmt::Debug for LazyLock<T, F> {
    /// Does not show the value, since to look at it would be an operation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyLock").finish_non_exhaustive()
    }
}

impl<T, F> Named for LazyLock<T, F> {
    /// Names the object in the current execution.
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.binding.name(name.into());
        self
    }
}

/// A copy of the initialiser, if it is a function pointer.
fn copied<F, T>(f: &F) -> Option<F> {
    let is_pointer = erased_id::<F>() == erased_id::<fn() -> T>();
    // SAFETY: apart from lifetimes the type is that of a function pointer, and those can be copied.
    is_pointer.then(|| unsafe { std::mem::transmute_copy(f) })
}

/// What identifies a type, apart from its lifetimes.
fn erased_id<T>() -> TypeId {
    /// Tells the identity of a type that is known to have no lifetimes.
    trait Identified {
        fn id(&self) -> TypeId
        where
            Self: 'static;
    }

    impl<T> Identified for PhantomData<T> {
        fn id(&self) -> TypeId
        where
            Self: 'static,
        {
            TypeId::of::<T>()
        }
    }

    let marker = PhantomData::<T>;
    let marker: &dyn Identified = &marker;
    // SAFETY: only the lifetime changes, nothing of it is stored, and the method looks at the type
    // only, in which lifetimes do not count.
    let marker = unsafe {
        std::mem::transmute::<&(dyn Identified + '_), &(dyn Identified + 'static)>(marker)
    };
    marker.id()
}
