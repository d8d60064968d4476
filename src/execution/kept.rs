//! Values of the code under test that an execution keeps, without knowing their types.

#![expect(
    unsafe_code,
    reason = "the type of a value is forgotten and remembered"
)]

use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// A value of some type, at a place that does not move.
///
/// To drop it is to run user code, so that it is never dropped while the execution is borrowed.
#[derive(Debug)]
pub(crate) struct Kept {
    value: NonNull<()>,
    destroy: unsafe fn(NonNull<()>),
    /// In bytes.
    size: usize,
    /// Whether its destructor does anything.
    pub(super) needs_drop: bool,
}

impl Kept {
    /// Keeps a value.
    ///
    /// # Safety
    ///
    /// What the value borrows must live until the `Kept` is dropped.
    pub(crate) unsafe fn new<T>(value: T) -> Kept {
        let value = Box::into_raw(Box::new(value));
        Kept {
            value: NonNull::new(value).expect("a box is not null").cast(),
            destroy: destroy::<T>,
            size: size_of::<T>(),
            needs_drop: std::mem::needs_drop::<T>(),
        }
    }

    /// Leaves the value where it is for ever, and returns its size in bytes.
    pub(crate) fn leak(self) -> usize {
        ManuallyDrop::new(self).size
    }

    /// The place of the value, good until the `Kept` is dropped.
    pub(crate) fn place(&self) -> NonNull<()> {
        self.value
    }

    /// The value.
    ///
    /// # Safety
    ///
    /// It must be of this type.
    pub(crate) unsafe fn into_inner<T>(self) -> T {
        let value = ManuallyDrop::new(self).value.cast::<T>();
        // SAFETY: it came out of a box of this type in `new`, and is not dropped a second time.
        unsafe { *Box::from_raw(value.as_ptr()) }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // SAFETY: `destroy` is for the type of the value, which nobody has any more after this.
        unsafe { (self.destroy)(self.value) }
    }
}

/// # Safety
///
/// The value must have come out of a box of this type.
unsafe fn destroy<T>(value: NonNull<()>) {
    // SAFETY: as the caller has promised.
    drop(unsafe { Box::from_raw(value.cast::<T>().as_ptr()) });
}
