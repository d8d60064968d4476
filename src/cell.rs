//! A plain cell whose accesses the lab sees.

#[cfg(feature = "engine")]
use std::borrow::Cow;
use std::fmt;

#[cfg(feature = "engine")]
use crate::execution::{Guarded, NextStep};
#[cfg(feature = "engine")]
use crate::model::cell;
#[cfg(feature = "engine")]
use crate::trace::Operation;

/// Like [`std::cell::UnsafeCell`], with accesses through closures so that the lab sees them.
///
/// An access in an execution is recorded, but it is not a step: the scheduler never switches
/// there. If it races with an access of another thread, that is the failure of the execution, and
/// the access does not take place. Without the feature `engine` this is a transparent wrapper that compiles to nothing.
///
/// ```
/// use racelab::cell::UnsafeCell;
///
/// let cell = UnsafeCell::new(vec![1, 2]);
/// // SAFETY: nobody else has access to the cell.
/// cell.with_mut(|items| unsafe { (*items).push(3) });
/// assert_eq!(cell.into_inner(), [1, 2, 3]);
/// ```
#[cfg_attr(not(feature = "engine"), repr(transparent))]
pub struct UnsafeCell<T: ?Sized> {
    #[cfg(feature = "engine")]
    identity: Guarded,
    value: std::cell::UnsafeCell<T>,
}

impl<T> UnsafeCell<T> {
    #[cfg(feature = "engine")]
    constructor! {
        /// Makes a new cell.
        pub fn new(value: T) -> Self {
            UnsafeCell {
                identity: Guarded::new(),
                value: std::cell::UnsafeCell::new(value),
            }
        }
    }

    #[cfg(feature = "loom")]
    #[track_caller]
    fn made(&self) {
        cell::made(&self.identity);
    }

    /// Makes a new cell.
    #[cfg(not(feature = "engine"))]
    pub const fn new(value: T) -> Self {
        UnsafeCell {
            value: std::cell::UnsafeCell::new(value),
        }
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> UnsafeCell<T> {
    /// Reads the value through a pointer.
    ///
    /// The pointer must not be written through, nor used after `f` has returned.
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        #[cfg(feature = "engine")]
        self.record(Operation::CellRead);
        f(self.value.get())
    }

    /// Reads or writes the value through a pointer.
    ///
    /// The pointer must not be used after `f` has returned.
    #[track_caller]
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        #[cfg(feature = "engine")]
        self.record(Operation::CellWrite);
        f(self.value.get())
    }

    /// The value, by a reference that nobody else can have. Not an operation.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    #[cfg(feature = "engine")]
    #[track_caller]
    fn record(&self, operation: Operation) {
        if let Some(object) = cell::object(&self.identity) {
            let event = NextStep::new(operation).on(object);
            cell::access(object, &event);
            if operation == Operation::CellWrite {
                self.identity.lend(size_of_val(&self.value));
            }
        }
    }
}

impl<T: Copy> UnsafeCell<T> {
    /// Reads the value.
    ///
    /// # Safety
    ///
    /// No other thread may write it at the same time, and no `&mut` to it may be alive.
    #[track_caller]
    #[expect(unsafe_code, reason = "the access that the cell is there for")]
    pub unsafe fn get(&self) -> T {
        // SAFETY: the caller has promised that nobody writes the value now.
        self.with(|value| unsafe { *value })
    }

    /// Writes the value.
    ///
    /// # Safety
    ///
    /// No other thread may access it at the same time, and no reference to it may be alive.
    #[track_caller]
    #[expect(unsafe_code, reason = "the access that the cell is there for")]
    pub unsafe fn set(&self, value: T) {
        // SAFETY: the caller has promised that nobody accesses the value now.
        self.with_mut(|place| unsafe { *place = value });
    }
}

impl<T: ?Sized> fmt::Debug for UnsafeCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsafeCell").finish_non_exhaustive()
    }
}

impl<T: Default> Default for UnsafeCell<T> {
    #[cfg_attr(feature = "engine", track_caller)]
    fn default() -> Self {
        UnsafeCell::new(T::default())
    }
}

impl<T> From<T> for UnsafeCell<T> {
    #[cfg_attr(feature = "engine", track_caller)]
    fn from(value: T) -> Self {
        UnsafeCell::new(value)
    }
}

#[cfg(feature = "engine")]
impl<T> crate::Named for UnsafeCell<T> {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        cell::name(&self.identity, name.into());
        self
    }
}
