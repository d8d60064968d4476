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
    /// What the value borrows, and its destructor looks at, must live until the `Kept` is dropped.
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

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    fn keep<T>(value: T) -> Kept {
        // SAFETY: what the values below borrow is not looked at when they are dropped.
        unsafe { Kept::new(value) }
    }

    #[test]
    fn a_place_is_good_wherever_the_kept_value_is_moved() {
        let kept = keep(vec![1_u8]);
        let mut place = kept.place().cast::<Vec<u8>>();
        let moved = [Some(kept)];
        // SAFETY: it is of this type, and nobody else refers to it.
        unsafe { place.as_mut() }.push(2);
        // SAFETY: as above.
        assert_eq!(unsafe { place.as_ref() }, &[1, 2]);
        let [kept] = moved;
        // SAFETY: it is of this type.
        let value = unsafe { kept.unwrap().into_inner::<Vec<u8>>() };
        assert_eq!(value, [1, 2]);
    }

    #[test]
    fn a_kept_value_is_dropped_once_or_taken_out_or_left_where_it_is() {
        let value = Rc::new(());
        drop(keep(Rc::clone(&value)));
        assert_eq!(Rc::strong_count(&value), 1);
        // SAFETY: it is of this type.
        drop(unsafe { keep(Rc::clone(&value)).into_inner::<Rc<()>>() });
        assert_eq!(Rc::strong_count(&value), 1);
        let kept = keep(Rc::clone(&value));
        let place = kept.place().cast::<Rc<()>>();
        assert_eq!(kept.leak(), size_of::<Rc<()>>());
        assert_eq!(Rc::strong_count(&value), 2);
        // SAFETY: it came out of a box of this type, and is not dropped otherwise.
        drop(unsafe { Box::from_raw(place.as_ptr()) });
        assert_eq!(Rc::strong_count(&value), 1);
    }

    #[test]
    fn what_a_kept_value_borrows_may_be_gone_when_no_destructor_looks_at_it() {
        let text = String::from("a");
        let kept = [keep(text.as_str()), keep(Box::new(text.as_str()))];
        drop(text);
        drop(kept);
    }
}
