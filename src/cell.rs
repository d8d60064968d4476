//! The cells of [`std::cell`], with an [`UnsafeCell`] whose accesses the lab sees.
//!
//! The others are std's: they are not for threads to share.

#[cfg(feature = "engine")]
use std::borrow::Cow;
use std::fmt;

pub use std::cell::{BorrowError, BorrowMutError, Cell, LazyCell, OnceCell, Ref, RefCell, RefMut};

#[cfg(feature = "engine")]
use crate::execution::{Guarded, NextStep};
#[cfg(feature = "engine")]
use crate::model::cell;
#[cfg(feature = "engine")]
use crate::trace::Operation;

/// Like [`std::cell::UnsafeCell`], and with accesses that the lab sees: [`with`](Self::with) and
/// [`with_mut`](Self::with_mut), [`read`](Self::read) and [`write`](Self::write).
///
/// Such an access in an execution is recorded, but it is not a step: the scheduler never switches
/// there. If it races with an access of another thread, that is the failure of the execution, and
/// the access does not take place. What is done through the pointer of [`get`](Self::get) is not
/// seen. Without the feature `engine` this is a transparent wrapper that compiles to nothing.
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
    #[expect(
        unsafe_code,
        reason = "a `const` function cannot take one field of a value apart"
    )]
    pub const fn into_inner(self) -> T {
        let this = std::mem::ManuallyDrop::new(self);
        let this = (&raw const this).cast::<Self>();
        // SAFETY: `ManuallyDrop` has the layout of what is in it, so that this is a pointer to the
        // cell, which is alive. It is neither used nor dropped again, so that the value, which is
        // moved out of it, is not doubled. The identity has nothing to drop.
        let value = unsafe { (&raw const (*this).value).read() };
        value.into_inner()
    }
}

impl<T: ?Sized> UnsafeCell<T> {
    /// A pointer to the value, as std's. The lab does not see what is done through it: races there
    /// are not found. A report says for how many cells that is so.
    ///
    /// For accesses that are checked, there are [`with`](Self::with) and
    /// [`with_mut`](Self::with_mut). The value itself is read by [`read`](Self::read):
    ///
    /// ```compile_fail,E0308
    /// # use racelab::cell::UnsafeCell;
    /// let cell = UnsafeCell::new(7);
    /// let value: i32 = cell.get();
    /// ```
    #[cfg(feature = "engine")]
    #[track_caller]
    #[must_use = "the pointer is all that it gives: what is done through it is not checked for \
                  races, as it is through the pointers of `with` and `with_mut`"]
    pub fn get(&self) -> *mut T {
        if let Some(object) = cell::object(&self.identity) {
            cell::lend_unchecked(object);
            self.identity.lend(size_of_val(&self.value));
        }
        self.value.get()
    }

    /// A pointer to the value.
    #[cfg(not(feature = "engine"))]
    #[must_use = "the pointer is all that it gives: what is done through it is not checked for \
                  races, as it is through the pointers of `with` and `with_mut`"]
    pub const fn get(&self) -> *mut T {
        self.value.get()
    }

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
    pub const fn get_mut(&mut self) -> &mut T {
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

impl<T> UnsafeCell<T> {
    /// A pointer to the value in the cell, as [`get`](Self::get) gives it. What is done through it is
    /// not checked for races either, and not even counted, since the cell is not looked at.
    ///
    /// Unlike std's, a cell is more than its value: to write through the pointer does not make a cell
    /// of memory that holds none.
    pub const fn raw_get(this: *const Self) -> *mut T {
        // Like std's, it takes every pointer, so that it must not go through a place.
        let value = this.wrapping_byte_add(std::mem::offset_of!(Self, value));
        value.cast::<T>().cast_mut()
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
    pub unsafe fn read(&self) -> T {
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
    pub unsafe fn write(&self, value: T) {
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
