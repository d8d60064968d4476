//! The atomic types of [`std::sync::atomic`], bound at run time.
//!
//! Each access of an atomic that was made in an execution is one step. The value itself lives in
//! an atomic of std's, so that an atomic that was made outside is nothing else.
//!
//! Two things differ from std: `new` is not `const`, since an object is bound where it is made;
//! and there is no `from_ptr`, since there is more to an object than its value.
//!
//! ```
//! use racelab::sync::atomic::{AtomicU32, Ordering};
//!
//! let tickets = AtomicU32::new(7);
//! assert_eq!(tickets.fetch_add(1, Ordering::Relaxed), 7);
//! assert_eq!(tickets.into_inner(), 8);
//! ```

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic as real;

pub use std::sync::atomic::{Ordering, compiler_fence};

use crate::Named;
use crate::execution::{Alternatives, Binding, Execution, NextStep, State, is_running, step, with};
use crate::trace::{EventResult, ObjectId, Operation, Value};

/// Like [`std::sync::atomic::fence`], as one step.
///
/// # Panics
///
/// If `order` is [`Relaxed`](Ordering::Relaxed), as std's does.
#[track_caller]
pub fn fence(order: Ordering) {
    real::fence(order);
    if is_running() {
        step(NextStep::new(Operation::Fence).ordered(order), |_, _| ());
    }
}

/// A value that a trace can show.
trait Shown: Copy + PartialEq {
    fn show(self, execution: &mut Execution) -> Value;
}

impl<T> Shown for *mut T {
    fn show(self, execution: &mut Execution) -> Value {
        execution.pointer(self.addr())
    }
}

/// A load, as a step. `read` looks at the value.
#[track_caller]
fn load<T: Shown>(object: ObjectId, order: Ordering, read: impl FnOnce() -> T) -> T {
    step(
        NextStep::new(Operation::Load).on(object).ordered(order),
        |execution, _| {
            let value = read();
            let shown = value.show(execution);
            execution.note(|event| event.read = Some(shown));
            value
        },
    )
}

/// A store, as a step. `write` does it.
#[track_caller]
fn store<T: Shown>(object: ObjectId, order: Ordering, value: T, write: impl FnOnce(T)) {
    step(
        NextStep::new(Operation::Store).on(object).ordered(order),
        |execution, _| {
            write(value);
            note_written(execution, object, value);
        },
    );
}

/// A read-modify-write, as a step. `modify` does it and returns the value before; `read` looks at
/// the value.
#[track_caller]
fn modify<T: Shown>(
    object: ObjectId,
    order: Ordering,
    modify: impl FnOnce() -> T,
    read: impl FnOnce() -> T,
) -> T {
    step(
        NextStep::new(Operation::Rmw).on(object).ordered(order),
        |execution, _| {
            let before = modify();
            let shown = before.show(execution);
            execution.note(|event| event.read = Some(shown));
            note_written(execution, object, read());
            before
        },
    )
}

/// The parts of a compare-and-swap.
#[derive(Clone, Copy)]
struct CompareExchange<T> {
    current: T,
    new: T,
    success: Ordering,
    failure: Ordering,
    /// Whether it may fail although the value is the expected one.
    is_weak: bool,
}

/// A compare-and-swap, as a step. `exchange` does it.
#[track_caller]
fn compare_exchange<T: Shown>(
    object: ObjectId,
    cas: CompareExchange<T>,
    exchange: impl FnOnce() -> Result<T, T>,
) -> Result<T, T> {
    let CompareExchange {
        current,
        new,
        success,
        failure,
        is_weak,
    } = cas;
    let next = NextStep::new(Operation::Cas).on(object).ordered(success);
    let next = if is_weak {
        next.or(Alternatives::Spurious(with(|execution| {
            current.show(execution)
        })))
    } else {
        next
    };
    step(next, |execution, alternative| {
        let (result, outcome) = match alternative {
            0 => {
                let result = exchange();
                let failed = result.is_err();
                (
                    result,
                    if failed {
                        EventResult::Failed
                    } else {
                        EventResult::Succeeded
                    },
                )
            }
            _ => (Err(current), EventResult::FailedSpuriously),
        };
        let (Ok(before) | Err(before)) = result;
        let shown = before.show(execution);
        execution.note(|event| {
            event.read = Some(shown);
            event.result = Some(outcome);
            if result.is_err() {
                event.ordering = Some(failure);
            }
        });
        if result.is_ok() {
            note_written(execution, object, new);
        }
        result
    })
}

fn note_written<T: Shown>(execution: &mut Execution, object: ObjectId, value: T) {
    let shown = value.show(execution);
    execution.note(|event| event.written = Some(shown));
    execution.object_mut(object).state = State::Atomic { value: shown };
}

/// An ordering that std would refuse is refused before it is announced, by std itself.
fn is_load_order(order: Ordering) -> bool {
    !matches!(order, Ordering::Release | Ordering::AcqRel)
}

fn is_store_order(order: Ordering) -> bool {
    !matches!(order, Ordering::Acquire | Ordering::AcqRel)
}

/// The part that all atomic types have in common.
macro_rules! atomic {
    ($name:ident $(<$param:ident>)?, $value:ty, $what:expr) => {
        #[doc = concat!("Like [`std::sync::atomic::", stringify!($name), "`]: ", $what, " that threads can share.")]
        pub struct $name $(<$param>)? {
            binding: Binding,
            value: real::$name $(<$param>)?,
        }

        impl $(<$param>)? $name $(<$param>)? {
            /// Makes a new atomic.
            #[track_caller]
            pub fn new(value: $value) -> Self {
                let state = |execution: &mut Execution| State::Atomic { value: value.show(execution) };
                Self { binding: Binding::new(stringify!($name), state), value: real::$name::new(value) }
            }

            /// Loads the value.
            ///
            /// # Panics
            ///
            /// If `order` is `Release` or `AcqRel`, as std's does.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                match self.binding.object() {
                    Some(object) if is_load_order(order) => load(object, order, || self.peek()),
                    _ => self.value.load(order),
                }
            }

            /// Stores a value.
            ///
            /// # Panics
            ///
            /// If `order` is `Acquire` or `AcqRel`, as std's does.
            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                match self.binding.object() {
                    Some(object) if is_store_order(order) => {
                        store(object, order, value, |value| self.value.store(value, order));
                    }
                    _ => self.value.store(value, order),
                }
            }

            /// Stores a value and returns the one before.
            #[track_caller]
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                self.modify(order, |it| it.swap(value, order))
            }

            /// Stores `new` if the value is `current`. Returns the value before, as `Ok` if it
            /// was stored.
            ///
            /// # Errors
            ///
            /// If the value is not `current`.
            ///
            /// # Panics
            ///
            /// If `failure` is `Release` or `AcqRel`, as std's does.
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                let exchange = || self.value.compare_exchange(current, new, success, failure);
                match self.binding.object() {
                    Some(object) if is_load_order(failure) => {
                        let cas = CompareExchange { current, new, success, failure, is_weak: false };
                        compare_exchange(object, cas, exchange)
                    }
                    _ => exchange(),
                }
            }

            /// Like [`compare_exchange`](Self::compare_exchange), but may fail without a cause.
            ///
            /// Under the lab both ways are explored, a failure without a cause once until another
            /// thread writes.
            ///
            /// # Errors
            ///
            /// If the value is not `current`, or without a cause.
            ///
            /// # Panics
            ///
            /// If `failure` is `Release` or `AcqRel`, as std's does.
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                match self.binding.object() {
                    Some(object) if is_load_order(failure) => {
                        let cas = CompareExchange { current, new, success, failure, is_weak: true };
                        // The strong one: whether it fails without a cause is the search's choice.
                        let exchange = || self.value.compare_exchange(current, new, success, failure);
                        compare_exchange(object, cas, exchange)
                    }
                    _ => self.value.compare_exchange_weak(current, new, success, failure),
                }
            }

            /// Replaces the value by what `f` makes of it, with a load and compare-and-swaps until
            /// one succeeds. Returns the value before.
            ///
            /// # Errors
            ///
            /// If `f` returns `None`: the value then.
            ///
            /// # Panics
            ///
            /// If `fetch_order` is `Release` or `AcqRel`, as std's does.
            #[track_caller]
            pub fn fetch_update<F: FnMut($value) -> Option<$value>>(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                mut f: F,
            ) -> Result<$value, $value> {
                let mut before = self.load(fetch_order);
                while let Some(new) = f(before) {
                    match self.compare_exchange_weak(before, new, set_order, fetch_order) {
                        Ok(before) => return Ok(before),
                        Err(newer) => before = newer,
                    }
                }
                Err(before)
            }

            /// The same as [`fetch_update`](Self::fetch_update).
            ///
            /// # Errors
            ///
            /// If `f` returns `None`: the value then.
            ///
            /// # Panics
            ///
            /// If `fetch_order` is `Release` or `AcqRel`, as std's does.
            #[track_caller]
            pub fn try_update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                f: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                self.fetch_update(set_order, fetch_order, f)
            }

            /// Replaces the value by what `f` makes of it, with a load and compare-and-swaps until
            /// one succeeds. Returns the value before.
            ///
            /// # Panics
            ///
            /// If `fetch_order` is `Release` or `AcqRel`, as std's does.
            #[track_caller]
            pub fn update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                mut f: impl FnMut($value) -> $value,
            ) -> $value {
                match self.fetch_update(set_order, fetch_order, |value| Some(f(value))) {
                    Ok(before) | Err(before) => before,
                }
            }

            /// The value, by a reference that nobody else can have. Not an operation.
            pub fn get_mut(&mut self) -> &mut $value {
                self.value.get_mut()
            }

            /// The value. Not an operation.
            pub fn into_inner(self) -> $value {
                self.value.into_inner()
            }

            /// A pointer to the value. The lab does not see what is done through it.
            pub fn as_ptr(&self) -> *mut $value {
                self.value.as_ptr()
            }

            /// The value as it is now, without an operation.
            fn peek(&self) -> $value {
                self.value.load(Ordering::SeqCst)
            }

            #[track_caller]
            fn modify(
                &self,
                order: Ordering,
                f: impl FnOnce(&real::$name $(<$param>)?) -> $value,
            ) -> $value {
                match self.binding.object() {
                    Some(object) => modify(object, order, || f(&self.value), || self.peek()),
                    None => f(&self.value),
                }
            }
        }

        impl $(<$param>)? fmt::Debug for $name $(<$param>)? {
            /// Shows the value as it is now. Not an operation.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.value.fmt(f)
            }
        }

        impl $(<$param>)? From<$value> for $name $(<$param>)? {
            #[track_caller]
            fn from(value: $value) -> Self {
                Self::new(value)
            }
        }

        impl $(<$param>)? Named for $name $(<$param>)? {
            fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
                self.binding.name(name.into());
                self
            }
        }
    };
}

macro_rules! integer {
    ($($name:ident($value:ty);)*) => {$(
        atomic!($name, $value, concat!("a `", stringify!($value), "`"));
        default!($name, $value);
        shown!($value);

        impl $name {
            operation!($value: fetch_add "Adds to the value, wrapping around");
            operation!($value: fetch_sub "Subtracts from the value, wrapping around");
            operation!($value: fetch_and "Combines the bits by and");
            operation!($value: fetch_nand "Combines the bits by and, and inverts them");
            operation!($value: fetch_or "Combines the bits by or");
            operation!($value: fetch_xor "Combines the bits by exclusive or");
            operation!($value: fetch_max "Stores the larger of both");
            operation!($value: fetch_min "Stores the smaller of both");
        }
    )*};
}

macro_rules! operation {
    ($value:ty: $method:ident $what:literal) => {
        #[doc = concat!($what, ", in one step. Returns the value before.")]
        #[track_caller]
        pub fn $method(&self, value: $value, order: Ordering) -> $value {
            self.modify(order, |it| it.$method(value, order))
        }
    };
}

macro_rules! operation_on_address {
    ($method:ident $what:literal) => {
        #[doc = concat!($what, ", in one step. Returns the pointer before.")]
        #[track_caller]
        pub fn $method(&self, value: usize, order: Ordering) -> *mut T {
            self.modify(order, |it| it.$method(value, order))
        }
    };
}

macro_rules! default {
    ($name:ident, $value:ty) => {
        impl Default for $name {
            #[track_caller]
            fn default() -> Self {
                Self::new(<$value>::default())
            }
        }
    };
}

macro_rules! shown {
    ($value:ty) => {
        impl Shown for $value {
            fn show(self, _: &mut Execution) -> Value {
                self.into()
            }
        }
    };
}

integer! {
    AtomicI8(i8);
    AtomicI16(i16);
    AtomicI32(i32);
    AtomicI64(i64);
    AtomicIsize(isize);
    AtomicU8(u8);
    AtomicU16(u16);
    AtomicU32(u32);
    AtomicU64(u64);
    AtomicUsize(usize);
}

atomic!(AtomicBool, bool, "a boolean");
default!(AtomicBool, bool);
shown!(bool);

impl AtomicBool {
    operation!(bool: fetch_and "Combines the values by and");
    operation!(bool: fetch_nand "Combines the values by and, and inverts the result");
    operation!(bool: fetch_or "Combines the values by or");
    operation!(bool: fetch_xor "Combines the values by exclusive or");

    /// Inverts the value, in one step. Returns the value before.
    #[track_caller]
    pub fn fetch_not(&self, order: Ordering) -> bool {
        self.modify(order, |it| it.fetch_not(order))
    }
}

atomic!(AtomicPtr<T>, *mut T, "a pointer");

impl<T> Default for AtomicPtr<T> {
    /// A null pointer.
    #[track_caller]
    fn default() -> Self {
        Self::new(std::ptr::null_mut())
    }
}

impl<T> AtomicPtr<T> {
    operation_on_address!(fetch_ptr_add "Adds so many elements to the address");
    operation_on_address!(fetch_ptr_sub "Subtracts so many elements from the address");
    operation_on_address!(fetch_byte_add "Adds so many bytes to the address");
    operation_on_address!(fetch_byte_sub "Subtracts so many bytes from the address");
    operation_on_address!(fetch_and "Combines the bits of the address by and");
    operation_on_address!(fetch_or "Combines the bits of the address by or");
    operation_on_address!(fetch_xor "Combines the bits of the address by exclusive or");
}
