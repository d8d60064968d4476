//! The cell that is written once.

#![expect(unsafe_code, reason = "the execution keeps the value without its type")]

use std::borrow::Cow;
use std::fmt;
use std::sync as real;

use crate::Named;
use crate::execution::{Kept, Requirement, is_running};
use crate::model::once::{
    AfterPanic, Initialisation, Made, OnceBinding, Progress, Turn, begin, look, look_when, put,
    value_of,
};

/// Like [`std::sync::OnceLock`]: a value that is written once.
///
/// `new` is `const`, since statics are made of it: in each execution that uses it, it is as new,
/// and its value there is dropped when it is dropped itself, or with the execution. Outside it is
/// the real one. A reference to the value must not outlive the execution.
///
/// In an execution, to look at it or to set it is a step; the start and the end of an initialiser
/// are two, and who comes while it runs waits, unless with [`get`](Self::get).
///
/// ```
/// use racelab::sync::OnceLock;
///
/// static LIMIT: OnceLock<u32> = OnceLock::new();
///
/// assert_eq!(LIMIT.get(), None);
/// assert_eq!(*LIMIT.get_or_init(|| 7), 7);
/// assert_eq!(LIMIT.set(8), Err(8));
/// ```
pub struct OnceLock<T> {
    binding: OnceBinding,
    /// The real one, for use outside of executions.
    real: real::OnceLock<T>,
}

impl<T> OnceLock<T> {
    /// Makes a new one, without a value.
    #[track_caller]
    pub const fn new() -> Self {
        OnceLock {
            binding: OnceBinding::new("OnceLock"),
            real: real::OnceLock::new(),
        }
    }

    /// The value, if there is one. One step.
    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        match self.binding.object() {
            Some(object) => look(object).map(|made| self.value(made)),
            None => self.real.get(),
        }
    }

    /// The value, by a reference that nobody else can have. Not an operation.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        if !is_running() {
            return self.real.get_mut();
        }
        let place = self.binding.change(|state| {
            let value = state.value.as_ref();
            value.map(Kept::place)
        })??;
        // SAFETY: the value is of this type, since it belongs to this object, and is dropped with
        // it or later. Nobody else has access to it while this object is borrowed exclusively.
        Some(unsafe { place.cast::<T>().as_mut() })
    }

    /// Sets the value if there is none. One step, which waits while another thread initialises.
    ///
    /// # Errors
    ///
    /// If there is a value already. The error is the new one.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        let Some(object) = self.binding.object() else {
            return self.real.set(value);
        };
        let mut value = Some(keep(value));
        put(object, &mut value);
        match value {
            None => Ok(()),
            // SAFETY: it is the value from above.
            Some(value) => Err(unsafe { value.into_inner() }),
        }
    }

    /// The value, which `f` makes if there is none. Waits while another thread makes it.
    ///
    /// If `f` panics there is still no value, and the next one tries again.
    #[track_caller]
    pub fn get_or_init<F: FnOnce() -> T>(&self, f: F) -> &T {
        let Some(object) = self.binding.object() else {
            return self.real.get_or_init(f);
        };
        match begin(object, AfterPanic::Retry) {
            Turn::Done(made) => self.value(made),
            Turn::Mine(run) => {
                let value = keep(f());
                let place = value.place();
                run.complete(Some(value));
                self.value(Some(place))
            }
            Turn::Refused => unreachable!("it does not matter whether another one has panicked"),
        }
    }

    /// Waits until there is a value. One step.
    #[track_caller]
    pub fn wait(&self) -> &T {
        let Some(object) = self.binding.object() else {
            return self.real.wait();
        };
        let (made, _) = look_when(object, Requirement::Initialised(object));
        self.value(made.expect("it was initialised"))
    }

    /// The value, if there is one. Not an operation.
    pub fn into_inner(mut self) -> Option<T> {
        self.take()
    }

    /// Takes the value out, if there is one. Not an operation.
    pub fn take(&mut self) -> Option<T> {
        if !is_running() {
            return self.real.take();
        }
        let value = self.binding.change(Initialisation::take)??;
        // SAFETY: the value is of this type, since it belongs to this object.
        Some(unsafe { value.into_inner() })
    }

    fn value(&self, made: Made) -> &T {
        // SAFETY: the value is of this type, since it belongs to this object.
        unsafe { value_of(self, made) }
    }
}

impl<T> fmt::Debug for OnceLock<T> {
    /// Does not show the value, since to look at it would be an operation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceLock").finish_non_exhaustive()
    }
}

impl<T> Default for OnceLock<T> {
    #[track_caller]
    fn default() -> Self {
        OnceLock::new()
    }
}

impl<T> From<T> for OnceLock<T> {
    /// Makes one that has a value. Not an operation, since nobody else can see it.
    #[track_caller]
    fn from(value: T) -> Self {
        let lock = OnceLock::new();
        if lock.binding.object().is_none() {
            return OnceLock {
                binding: OnceBinding::new("OnceLock"),
                real: real::OnceLock::from(value),
            };
        }
        let value = keep(value);
        lock.binding.change(|state| {
            state.progress = Progress::Complete;
            state.value = Some(value);
        });
        lock
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        match self.get() {
            Some(value) => OnceLock::from(value.clone()),
            None => OnceLock::new(),
        }
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    #[track_caller]
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceLock<T> {}

impl<T> Named for OnceLock<T> {
    /// Names the object in the current execution.
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.binding.name(name.into());
        self
    }
}

fn keep<T>(value: T) -> Kept {
    // SAFETY: the value is dropped with the lock that it belongs to, as a field would be. If the
    // lock is not dropped, it is a static, or was leaked as one: the limits say that the value of
    // a lock that is leaked must not borrow.
    unsafe { Kept::new(value) }
}
