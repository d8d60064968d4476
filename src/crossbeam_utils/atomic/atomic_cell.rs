//! A value of any type that is read and written as a whole.

use std::borrow::Cow;
use std::fmt;
use std::mem;
use std::panic::{RefUnwindSafe, UnwindSafe};

use crossbeam_utils::atomic as real;

use crate::Named;
use crate::execution::{Guarded, Identity};
use crate::model::atomic_cell::{self, Shown};
use crate::trace::{EventResult, ObjectId, Operation};

use super::shown::shown;

/// Like [`crossbeam_utils::atomic::AtomicCell`]: a value of any type that threads read and write as a
/// whole.
///
/// In an execution, each operation is one step. A load is ordered as by `Acquire`, a store as by
/// `Release`, and the others as by both.
///
/// ```
/// use racelab::crossbeam_utils::atomic::AtomicCell;
///
/// let position = AtomicCell::new((1, 2));
/// assert_eq!(position.swap((3, 4)), (1, 2));
/// assert_eq!(position.load(), (3, 4));
/// ```
pub struct AtomicCell<T> {
    identity: Guarded,
    /// The value, in executions and outside.
    real: real::AtomicCell<T>,
}

impl<T> UnwindSafe for AtomicCell<T> {}
impl<T> RefUnwindSafe for AtomicCell<T> {}

impl<T> AtomicCell<T> {
    constructor! {
        /// Makes a cell that holds this value.
        pub fn new(val: T) -> Self {
            AtomicCell {
                identity: Guarded::new(),
                real: real::AtomicCell::new(val),
            }
        }
    }

    #[cfg(feature = "loom")]
    #[track_caller]
    fn made(&self) {
        atomic_cell::made(&self.identity);
    }

    /// The cell in the current execution, or `None` outside of one.
    #[inline]
    #[track_caller]
    fn object(&self) -> Option<ObjectId> {
        atomic_cell::object(&self.identity)
    }

    /// Notes that the value is about to be changed.
    fn lend(&self) {
        self.identity.lend(size_of::<T>());
    }

    /// The value. Not an operation.
    pub fn into_inner(self) -> T {
        self.real.into_inner()
    }

    /// Whether the real cell needs no lock for values of this type.
    pub const fn is_lock_free() -> bool {
        real::AtomicCell::<T>::is_lock_free()
    }

    /// Stores a value, and drops the old one. One step.
    #[track_caller]
    pub fn store(&self, val: T) {
        let operation = if mem::needs_drop::<T>() {
            Operation::Rmw
        } else {
            Operation::Store
        };
        drop(self.replace(operation, val));
    }

    /// Stores a value, and returns the old one. One step.
    #[track_caller]
    pub fn swap(&self, val: T) -> T {
        self.replace(Operation::Rmw, val)
    }

    #[track_caller]
    fn replace(&self, operation: Operation, val: T) -> T {
        let Some(cell) = self.object() else {
            return self.real.swap(val);
        };
        self.lend();
        atomic_cell::access(cell, operation, |_| {
            let written = shown(&val);
            let old = self.real.swap(val);
            let read = shown(&old);
            (old, Shown { read, written })
        })
    }

    /// A pointer to the value. What is done through it is not seen. Not an operation.
    pub fn as_ptr(&self) -> *mut T {
        self.lend();
        self.real.as_ptr()
    }
}

impl<T: Default> AtomicCell<T> {
    /// Stores the default value, and returns the old one. One step.
    #[track_caller]
    pub fn take(&self) -> T {
        self.swap(T::default())
    }
}

impl<T: Copy> AtomicCell<T> {
    /// The value. One step.
    #[track_caller]
    pub fn load(&self) -> T {
        let Some(cell) = self.object() else {
            return self.real.load();
        };
        atomic_cell::access(cell, Operation::Load, |_| {
            let value = self.real.load();
            let read = shown(&value);
            (
                value,
                Shown {
                    read,
                    written: None,
                },
            )
        })
    }

    /// Changes the value, and returns the old one. `change` is no code of the user's.
    #[track_caller]
    fn modify(&self, cell: ObjectId, change: impl FnOnce(T) -> T) -> T {
        self.lend();
        atomic_cell::access(cell, Operation::Rmw, |_| {
            let new = change(self.real.load());
            let old = self.real.swap(new);
            let (read, written) = (shown(&old), shown(&new));
            (old, Shown { read, written })
        })
    }
}

impl<T: Copy + Eq> AtomicCell<T> {
    /// Stores a value if the cell holds another one, and returns what it held. One step.
    #[deprecated(note = "use `compare_exchange`")]
    #[track_caller]
    pub fn compare_and_swap(&self, current: T, new: T) -> T {
        match self.compare_exchange(current, new) {
            Ok(old) | Err(old) => old,
        }
    }

    /// Stores a value if the cell holds another one. One step, which never fails spuriously.
    ///
    /// # Errors
    ///
    /// If the cell holds something else: what it holds.
    #[track_caller]
    pub fn compare_exchange(&self, current: T, new: T) -> Result<T, T> {
        let Some(cell) = self.object() else {
            return self.real.compare_exchange(current, new);
        };
        self.lend();
        let exchanged = atomic_cell::access(cell, Operation::Cas, |execution| {
            let read = shown(&self.real.load());
            let result = read
                .is_some()
                .then(|| self.real.compare_exchange(current, new));
            execution.note(|event| {
                event.result = result.map(|result| match result {
                    Ok(_) => EventResult::Succeeded,
                    Err(_) => EventResult::Failed,
                });
            });
            let written = shown(&new).filter(|_| matches!(result, Some(Ok(_))));
            (result, Shown { read, written })
        });
        // To compare other values is to run code of the user's. It is not the turn of another thread.
        exchanged.unwrap_or_else(|| self.real.compare_exchange(current, new))
    }

    /// Changes the value to what `f` makes of it, in a loop of looks and attempts, each of them a
    /// step.
    ///
    /// # Errors
    ///
    /// If `f` makes nothing of the value: the value.
    #[track_caller]
    pub fn fetch_update<F>(&self, mut f: F) -> Result<T, T>
    where
        F: FnMut(T) -> Option<T>,
    {
        let mut current = self.load();
        while let Some(new) = f(current) {
            match self.compare_exchange(current, new) {
                Ok(old) => return Ok(old),
                Err(other) => current = other,
            }
        }
        Err(current)
    }
}

macro_rules! operations {
    ($value:ty: $($(#[$doc:meta])* $name:ident = $change:expr;)*) => {
        impl AtomicCell<$value> {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self, val: $value) -> $value {
                let change: fn($value, $value) -> $value = $change;
                match self.object() {
                    Some(cell) => self.modify(cell, |old| change(old, val)),
                    None => self.real.$name(val),
                }
            }
        )*}
    };
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        operations! {
            $integer:
            /// Adds, wrapping around, and returns the old value. One step.
            fetch_add = <$integer>::wrapping_add;
            /// Subtracts, wrapping around, and returns the old value. One step.
            fetch_sub = <$integer>::wrapping_sub;
            /// Stores the bitwise "and", and returns the old value. One step.
            fetch_and = |old, val| old & val;
            /// Stores the bitwise "nand", and returns the old value. One step.
            fetch_nand = |old, val| !(old & val);
            /// Stores the bitwise "or", and returns the old value. One step.
            fetch_or = |old, val| old | val;
            /// Stores the bitwise "xor", and returns the old value. One step.
            fetch_xor = |old, val| old ^ val;
            /// Stores the larger value, and returns the old one. One step.
            fetch_max = Ord::max;
            /// Stores the smaller value, and returns the old one. One step.
            fetch_min = Ord::min;
        }
    )*};
}

integers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

operations! {
    bool:
    /// Stores the logical "and", and returns the old value. One step.
    fetch_and = |old, val| old & val;
    /// Stores the logical "nand", and returns the old value. One step.
    fetch_nand = |old, val| !(old & val);
    /// Stores the logical "or", and returns the old value. One step.
    fetch_or = |old, val| old | val;
    /// Stores the logical "xor", and returns the old value. One step.
    fetch_xor = |old, val| old ^ val;
}

impl<T: Default> Default for AtomicCell<T> {
    #[track_caller]
    fn default() -> Self {
        AtomicCell::new(T::default())
    }
}

impl<T> From<T> for AtomicCell<T> {
    #[track_caller]
    fn from(val: T) -> Self {
        AtomicCell::new(val)
    }
}

impl<T: Copy + fmt::Debug> fmt::Debug for AtomicCell<T> {
    /// Shows the value. Not an operation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.real.fmt(f)
    }
}

impl<T> Named for AtomicCell<T> {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        Identity::name(self.object(), name.into());
        self
    }
}
