//! The atomic types of [`std::sync::atomic`], bound at run time.
//!
//! Each access of an atomic in an execution is one step. An execution has values of its own: each
//! begins with the value that the atomic was made with, so that a static is as good as an atomic
//! that is made in the closure. Outside of executions an atomic is one of std's.
//!
//! There is no `from_ptr`, since there is more to an object than its value. With the feature `loom`,
//! `new` is not `const`: loom has to see where objects are made.
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
use std::panic::Location;
use std::sync::atomic as real;

pub use std::sync::atomic::{Ordering, compiler_fence};

use crate::Named;
use crate::execution::{Identity, is_running};
use crate::memory::{Access, AtomicType, Rmw};
use crate::model::atomic;
use crate::trace::ObjectId;

/// Like [`std::sync::atomic::fence`], as one step.
///
/// # Panics
///
/// If `order` is [`Relaxed`](Ordering::Relaxed), as std's does.
#[track_caller]
pub fn fence(order: Ordering) {
    real::fence(order);
    if is_running() {
        atomic::fence(order);
    }
}

/// Like [`std::sync::atomic::spin_loop_hint`]: a [`spin_loop`](crate::hint::spin_loop).
#[deprecated(note = "use `hint::spin_loop`")]
#[track_caller]
pub fn spin_loop_hint() {
    crate::hint::spin_loop();
}

/// A value that the memory of an execution can hold.
trait Bits: Copy {
    const TYPE: AtomicType;

    /// If it is a pointer, to how many bytes.
    const POINTEE: usize = 0;

    fn to_bits(self) -> u64;

    /// The value of which these are the bits. They are of no other value of the type.
    fn from_bits(bits: u64) -> Self;
}

impl<T> Bits for *mut T {
    const TYPE: AtomicType = AtomicType::Pointer;
    const POINTEE: usize = size_of::<T>();

    fn to_bits(self) -> u64 {
        self.expose_provenance() as u64
    }

    fn from_bits(bits: u64) -> Self {
        let address = usize::try_from(bits).expect("the bits of a pointer");
        std::ptr::with_exposed_provenance_mut(address)
    }
}

/// What a compare-and-swap returns: the value before, as `Ok` if the new one was stored.
fn result<T: Bits>(accessed: crate::memory::Accessed) -> Result<T, T> {
    let read = T::from_bits(accessed.read);
    match accessed.written {
        Some(_) => Ok(read),
        None => Err(read),
    }
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
        // The value first, so that code which takes a pointer to an atomic for one to its value reads
        // the atomic itself, as it may with std's.
        #[repr(C)]
        pub struct $name $(<$param>)? {
            /// The value that executions begin with, and the atomic itself outside of them.
            value: real::$name $(<$param>)?,
            identity: Identity,
        }

        impl $(<$param>)? $name $(<$param>)? {
            const KIND: atomic::Kind = atomic::Kind {
                name: stringify!($name),
                is: <$value as Bits>::TYPE,
                pointee: <$value as Bits>::POINTEE,
            };

            constructor! {
                /// Makes a new atomic.
                pub fn new(value: $value) -> Self {
                    Self { identity: Identity::new(), value: real::$name::new(value) }
                }
            }

            #[cfg(feature = "loom")]
            #[track_caller]
            fn made(&self) {
                atomic::made(&self.identity, Self::KIND, self.stored());
            }

            /// The atomic in the current execution, or `None` outside of one.
            #[inline]
            #[track_caller]
            fn object(&self) -> Option<ObjectId> {
                atomic::object(&self.identity, Self::KIND, || self.stored())
            }

            /// The value that is stored in the atomic itself.
            fn stored(&self) -> u64 {
                self.value.load(Ordering::Relaxed).to_bits()
            }

            /// Stores the value of the current execution in the atomic itself, from which the next
            /// step takes it back.
            fn lend(&self) {
                if let Some(bits) = atomic::peek(&self.identity) {
                    self.value.store(Bits::from_bits(bits), Ordering::Relaxed);
                    self.identity.lend();
                }
            }

            /// Loads the value.
            ///
            /// # Panics
            ///
            /// If `order` is `Release` or `AcqRel`, as std's does.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                match self.object() {
                    Some(object) if is_load_order(order) => {
                        Bits::from_bits(atomic::access(object, Access::Load, order).read)
                    }
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
                match self.object() {
                    Some(object) if is_store_order(order) => {
                        atomic::access(object, Access::Store(value.to_bits()), order);
                    }
                    _ => self.value.store(value, order),
                }
            }

            /// Stores a value and returns the one before.
            #[track_caller]
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                match self.object() {
                    Some(object) => {
                        let access = Access::Modify(Rmw::Swap, value.to_bits());
                        Bits::from_bits(atomic::access(object, access, order).read)
                    }
                    None => self.value.swap(value, order),
                }
            }

            /// Stores `new` if the value is `current`. Returns the value before.
            #[deprecated(note = "use `compare_exchange` or `compare_exchange_weak`")]
            #[track_caller]
            pub fn compare_and_swap(
                &self,
                current: $value,
                new: $value,
                order: Ordering,
            ) -> $value {
                let failure = match order {
                    Ordering::Release => Ordering::Relaxed,
                    Ordering::AcqRel => Ordering::Acquire,
                    order => order,
                };
                match self.compare_exchange(current, new, order, failure) {
                    Ok(before) | Err(before) => before,
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
                match self.object() {
                    Some(object) if is_load_order(failure) => {
                        let (current, new) = (current.to_bits(), new.to_bits());
                        let access = Access::Exchange { current, new, failure };
                        result(atomic::access(object, access, success))
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
                match self.object() {
                    Some(object) if is_load_order(failure) => {
                        let (current, new) = (current.to_bits(), new.to_bits());
                        let failed = atomic::exchange_weak(object, current, new, success, failure);
                        result(failed)
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
                self.lend();
                self.value.get_mut()
            }

            /// The value. Not an operation.
            pub fn into_inner(self) -> $value {
                self.lend();
                self.value.into_inner()
            }

            /// A pointer to the value. What is written through it before the next step on the atomic
            /// is seen there as a plain write; the lab does not see what is written later.
            pub fn as_ptr(&self) -> *mut $value {
                self.lend();
                self.value.as_ptr()
            }
        }

        impl $(<$param>)? fmt::Debug for $name $(<$param>)? {
            /// Shows the value as it is now. Not an operation.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match atomic::peek(&self.identity) {
                    Some(bits) => <$value as Bits>::from_bits(bits).fmt(f),
                    None => self.value.fmt(f),
                }
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
                Identity::name(self.object(), name.into());
                self
            }
        }
    };
}

macro_rules! integer {
    ($($name:ident($value:ty, $type:ident);)*) => {$(
        atomic!($name, $value, concat!("a `", stringify!($value), "`"));
        default!($name, $value);
        bits!($value, $type, bits => bits as $value);

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

/// What the counts of [`counted`](super::counted) need. It never unwinds.
impl AtomicUsize {
    /// Gives the atomic a name.
    #[track_caller]
    pub(super) fn name(&self, name: Cow<'static, str>) {
        Identity::name(self.object(), name);
    }

    /// Subtracts one with `Release`, in a destructor. Returns the value before.
    pub(super) fn subtract_in_drop(&self, at: &'static Location<'static>) -> usize {
        let Some(object) = self.object() else {
            return self.value.fetch_sub(1, Ordering::Release);
        };
        let access = Access::Modify(Rmw::Sub, 1);
        Bits::from_bits(atomic::access_in_drop(object, access, Ordering::Release, at).read)
    }

    /// An `Acquire` fence, in a destructor.
    pub(super) fn acquire_in_drop(&self, at: &'static Location<'static>) {
        match self.object() {
            Some(_) => atomic::fence_in_drop(Ordering::Acquire, at),
            None => real::fence(Ordering::Acquire),
        }
    }
}

macro_rules! operation {
    ($value:ty: $method:ident $rmw:ident $what:literal) => {
        #[doc = concat!($what, ", in one step. Returns the value before.")]
        #[track_caller]
        pub fn $method(&self, value: $value, order: Ordering) -> $value {
            let Some(object) = self.object() else {
                return self.value.$method(value, order);
            };
            let access = Access::Modify(Rmw::$rmw, value.to_bits());
            Bits::from_bits(atomic::access(object, access, order).read)
        }
    };
}

#[cfg(atomic_ptr_arithmetic)]
macro_rules! operation_on_address {
    ($method:ident($size:expr) $rmw:ident $what:literal) => {
        #[doc = concat!($what, ", in one step. Returns the pointer before.")]
        #[track_caller]
        pub fn $method(&self, value: usize, order: Ordering) -> *mut T {
            let Some(object) = self.object() else {
                return self.value.$method(value, order);
            };
            // In bytes, which is what the memory knows.
            let access = Access::Modify(Rmw::$rmw, value.wrapping_mul($size).to_bits());
            Bits::from_bits(atomic::access(object, access, order).read)
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

macro_rules! bits {
    ($value:ty, $type:ident, $bits:ident => $from_bits:expr) => {
        impl Bits for $value {
            const TYPE: AtomicType = AtomicType::$type;

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
bits!(bool, Bool, bits => bits != 0);

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

impl<T> fmt::Pointer for AtomicPtr<T> {
    /// Shows the pointer as it is now. Not an operation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match atomic::peek(&self.identity) {
            Some(bits) => fmt::Pointer::fmt(&<*mut T as Bits>::from_bits(bits), f),
            None => fmt::Pointer::fmt(&self.value, f),
        }
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

macro_rules! initial {
    ($($name:ident: $type:ident = $value:expr;)*) => {$(
        #[doc = concat!("A new [`", stringify!($type), "`] of `", stringify!($value), "`.")]
        #[cfg(not(feature = "loom"))]
        #[deprecated(note = "use `new`, which is `const`")]
        #[expect(clippy::declare_interior_mutable_const, reason = "as in std: each use is a new one")]
        pub const $name: $type = $type::new($value);
    )*};
}

initial! {
    ATOMIC_BOOL_INIT: AtomicBool = false;
    ATOMIC_ISIZE_INIT: AtomicIsize = 0;
    ATOMIC_USIZE_INIT: AtomicUsize = 0;
}
