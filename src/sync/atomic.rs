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
use crate::execution::{
    Access, Alternatives, AtomicType, Binding, Execution, NextStep, Rmw, is_running, step,
    step_on_memory, with,
};
use crate::model::State;
use crate::model::atomic::Atomic;
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

/// A value that a trace can show, and that the memory of an engine can hold.
trait Shown: Copy + PartialEq {
    const TYPE: AtomicType;

    fn show(self, execution: &mut Execution) -> Value;

    fn to_bits(self) -> u64;

    /// The value of which these are the bits. They are of no other value of the type.
    fn from_bits(bits: u64) -> Self;
}

impl<T> Shown for *mut T {
    const TYPE: AtomicType = AtomicType::Usize;

    fn show(self, execution: &mut Execution) -> Value {
        execution.pointer(self.addr())
    }

    fn to_bits(self) -> u64 {
        self.expose_provenance() as u64
    }

    fn from_bits(bits: u64) -> Self {
        let address = usize::try_from(bits).expect("the bits of a pointer");
        std::ptr::with_exposed_provenance_mut(address)
    }
}

/// Notes what an access has read: what the memory of the engine let it read, or the newest value.
/// If it is not the newest one, it is stale.
fn note_read<T: Shown>(execution: &mut Execution, object: ObjectId, read: T, newest: T) {
    let shown = read.show(execution);
    execution.note(|event| event.read = Some(shown));
    if read != newest {
        execution.note_stale(object);
    }
}

/// A load, as a step. `newest` looks at the value.
#[track_caller]
fn load<T: Shown>(object: ObjectId, order: Ordering, newest: impl FnOnce() -> T) -> T {
    let next = NextStep::new(Operation::Load).on(object).ordered(order);
    step_on_memory(next, Access::Load, |execution, _, read| {
        let newest = newest();
        let read = read.map_or(newest, T::from_bits);
        note_read(execution, object, read, newest);
        read
    })
}

/// A store, as a step. `write` does it.
#[track_caller]
fn store<T: Shown>(object: ObjectId, order: Ordering, value: T, write: impl FnOnce(T)) {
    let next = NextStep::new(Operation::Store).on(object).ordered(order);
    let access = Access::Store(value.to_bits());
    step_on_memory(next, access, |execution, _, _| {
        write(value);
        note_written(execution, object, value);
    });
}

/// What a read-modify-write makes of the value and the operand, in bits.
#[derive(Clone, Copy)]
struct Change(Rmw, fn(u64, u64) -> u64);

/// A read-modify-write, as a step. `newest` looks at the value, `write` stores the new one.
#[track_caller]
fn modify<T: Shown>(
    object: ObjectId,
    order: Ordering,
    change: Change,
    operand: u64,
    newest: impl FnOnce() -> T,
    write: impl FnOnce(T),
) -> T {
    let next = NextStep::new(Operation::Rmw).on(object).ordered(order);
    let Change(rmw, change) = change;
    let access = Access::Modify(rmw, operand);
    step_on_memory(next, access, |execution, _, read| {
        let newest = newest();
        let before = read.map_or(newest, T::from_bits);
        note_read(execution, object, before, newest);
        let after = T::from_bits(change(before.to_bits(), operand));
        write(after);
        note_written(execution, object, after);
        before
    })
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

/// A compare-and-swap, as a step. `newest` looks at the value, `write` stores the new one.
#[track_caller]
fn compare_exchange<T: Shown>(
    object: ObjectId,
    cas: CompareExchange<T>,
    newest: impl FnOnce() -> T,
    write: impl FnOnce(T),
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
    let access = Access::Exchange {
        current: current.to_bits(),
        new: new.to_bits(),
        failure,
    };
    step_on_memory(next, access, |execution, alternative, read| {
        let newest = newest();
        let before = read.map_or(newest, T::from_bits);
        let (result, outcome) = match alternative {
            0 if before == current => (Ok(before), EventResult::Succeeded),
            0 => (Err(before), EventResult::Failed),
            _ => (Err(before), EventResult::FailedSpuriously),
        };
        note_read(execution, object, before, newest);
        execution.note(|event| {
            event.result = Some(outcome);
            if result.is_err() {
                event.ordering = Some(failure);
            }
        });
        if result.is_ok() {
            write(new);
            note_written(execution, object, new);
        }
        result
    })
}

fn note_written<T: Shown>(execution: &mut Execution, object: ObjectId, value: T) {
    let shown = value.show(execution);
    execution.note(|event| event.written = Some(shown));
    execution.object_mut(object).state = State::Atomic(Atomic { value: shown });
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
                let state = |execution: &mut Execution| State::Atomic(Atomic { value: value.show(execution) });
                let binding = Binding::new(stringify!($name), state);
                binding.made(|runtime, object| {
                    runtime.made_atomic(object, <$value>::TYPE, Shown::to_bits(value));
                });
                Self { binding, value: real::$name::new(value) }
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
                match self.binding.object() {
                    Some(object) => {
                        let change = Change(Rmw::Swap, |_, operand| operand);
                        self.modify(object, order, change, Shown::to_bits(value))
                    }
                    None => self.value.swap(value, order),
                }
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
                match self.binding.object() {
                    Some(object) if is_load_order(failure) => {
                        let cas = CompareExchange { current, new, success, failure, is_weak: false };
                        compare_exchange(object, cas, || self.peek(), |value| self.poke(value))
                    }
                    _ => self.value.compare_exchange(current, new, success, failure),
                }
            }

            /// Like [`compare_exchange`](Self::compare_exchange), but may fail spuriously.
            ///
            /// Under the lab both ways are explored, a spurious failure once until another
            /// thread writes.
            ///
            /// # Errors
            ///
            /// If the value is not `current`, or if it fails spuriously.
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
                        // Whether it fails spuriously is the search's choice.
                        let cas = CompareExchange { current, new, success, failure, is_weak: true };
                        compare_exchange(object, cas, || self.peek(), |value| self.poke(value))
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

            /// An atomic of std's that holds the value of these bits.
            fn scratch(bits: u64) -> real::$name $(<$param>)? {
                real::$name::new(Shown::from_bits(bits))
            }

            /// The value as it is now, without an operation.
            fn peek(&self) -> $value {
                self.value.load(Ordering::SeqCst)
            }

            /// Stores a value, without an operation.
            fn poke(&self, value: $value) {
                self.value.store(value, Ordering::SeqCst);
            }

            #[track_caller]
            fn modify(
                &self,
                object: ObjectId,
                order: Ordering,
                change: Change,
                operand: u64,
            ) -> $value {
                modify(object, order, change, operand, || self.peek(), |value| self.poke(value))
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
    ($($name:ident($value:ty, $type:ident);)*) => {$(
        atomic!($name, $value, concat!("a `", stringify!($value), "`"));
        default!($name, $value);
        shown!($value, $type, bits => bits as $value);

        impl $name {
            operation!($value: fetch_add Add "Adds to the value, wrapping around");
            operation!($value: fetch_sub Sub "Subtracts from the value, wrapping around");
            operation!($value: fetch_and And "Combines the bits by and");
            operation!($value: fetch_nand Nand "Combines the bits by and, and inverts them");
            operation!($value: fetch_or Or "Combines the bits by or");
            operation!($value: fetch_xor Xor "Combines the bits by exclusive or");
            operation!($value: fetch_max Max "Stores the larger of both");
            operation!($value: fetch_min Min "Stores the smaller of both");
        }
    )*};
}

macro_rules! operation {
    ($value:ty: $method:ident $rmw:ident $what:literal) => {
        #[doc = concat!($what, ", in one step. Returns the value before.")]
        #[track_caller]
        pub fn $method(&self, value: $value, order: Ordering) -> $value {
            let Some(object) = self.binding.object() else {
                return self.value.$method(value, order);
            };
            // An atomic of std's computes, so that the result is std's.
            let change = Change(Rmw::$rmw, |before, operand| {
                let it = Self::scratch(before);
                it.$method(Shown::from_bits(operand), Ordering::Relaxed);
                it.into_inner().to_bits()
            });
            self.modify(object, order, change, value.to_bits())
        }
    };
}

#[cfg(atomic_ptr_arithmetic)]
macro_rules! operation_on_address {
    ($method:ident($size:expr) $rmw:ident $what:literal) => {
        #[doc = concat!($what, ", in one step. Returns the pointer before.")]
        #[track_caller]
        pub fn $method(&self, value: usize, order: Ordering) -> *mut T {
            let Some(object) = self.binding.object() else {
                return self.value.$method(value, order);
            };
            // In bytes, which is what the memory of an engine knows.
            let change = Change(Rmw::$rmw, |before, operand| {
                let it = Self::scratch(before);
                it.$method(usize::from_bits(operand) / $size.max(1), Ordering::Relaxed);
                it.into_inner().to_bits()
            });
            self.modify(object, order, change, value.wrapping_mul($size).to_bits())
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
    ($value:ty, $type:ident, $bits:ident => $from_bits:expr) => {
        impl Shown for $value {
            const TYPE: AtomicType = AtomicType::$type;

            fn show(self, _: &mut Execution) -> Value {
                self.into()
            }

            #[allow(
                clippy::cast_lossless,
                clippy::cast_sign_loss,
                reason = "the same for all types, and bits have no sign"
            )]
            fn to_bits(self) -> u64 {
                self as u64
            }

            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_possible_wrap,
                reason = "the bits are of a value of the type"
            )]
            fn from_bits($bits: u64) -> Self {
                $from_bits
            }
        }
    };
}

integer! {
    AtomicI8(i8, I8);
    AtomicI16(i16, I16);
    AtomicI32(i32, I32);
    AtomicI64(i64, I64);
    AtomicIsize(isize, Isize);
    AtomicU8(u8, U8);
    AtomicU16(u16, U16);
    AtomicU32(u32, U32);
    AtomicU64(u64, U64);
    AtomicUsize(usize, Usize);
}

atomic!(AtomicBool, bool, "a boolean");
default!(AtomicBool, bool);
shown!(bool, Bool, bits => bits != 0);

impl AtomicBool {
    operation!(bool: fetch_and And "Combines the values by and");
    operation!(bool: fetch_nand Nand "Combines the values by and, and inverts the result");
    operation!(bool: fetch_or Or "Combines the values by or");
    operation!(bool: fetch_xor Xor "Combines the values by exclusive or");

    /// Inverts the value, in one step. Returns the value before.
    #[track_caller]
    pub fn fetch_not(&self, order: Ordering) -> bool {
        self.fetch_xor(true, order)
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

#[cfg(atomic_ptr_arithmetic)]
#[expect(clippy::incompatible_msrv, reason = "it is here only where std has it")]
impl<T> AtomicPtr<T> {
    operation_on_address!(fetch_ptr_add(size_of::<T>()) Add "Adds this many elements to the address");
    operation_on_address!(fetch_ptr_sub(size_of::<T>()) Sub "Subtracts this many elements from the address");
    operation_on_address!(fetch_byte_add(1usize) Add "Adds this many bytes to the address");
    operation_on_address!(fetch_byte_sub(1usize) Sub "Subtracts this many bytes from the address");
    operation_on_address!(fetch_and(1usize) And "Combines the bits of the address by and");
    operation_on_address!(fetch_or(1usize) Or "Combines the bits of the address by or");
    operation_on_address!(fetch_xor(1usize) Xor "Combines the bits of the address by exclusive or");
}
