//! Atomics of loom's, in bits.

use std::rc::Rc;
use std::sync::atomic::Ordering;

use loom::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16,
    AtomicU32, AtomicU64, AtomicUsize,
};

use crate::memory::{Access, AtomicType, Rmw};

/// An atomic of any type.
pub(super) trait Atomic {
    /// Does an access, and returns what it has read, or else what it has written.
    fn access(&self, access: Access, ordering: Ordering) -> u64;
}

/// Makes an atomic. Only its maker may access it until it has told others of it.
pub(super) fn new_atomic(is: AtomicType, value: u64) -> Rc<dyn Atomic> {
    match is {
        AtomicType::Bool => Rc::new(AtomicBool::new(value != 0)),
        AtomicType::I8 => Rc::new(AtomicI8::new(i8::of_bits(value))),
        AtomicType::I16 => Rc::new(AtomicI16::new(i16::of_bits(value))),
        AtomicType::I32 => Rc::new(AtomicI32::new(i32::of_bits(value))),
        AtomicType::I64 => Rc::new(AtomicI64::new(i64::of_bits(value))),
        AtomicType::Isize => Rc::new(AtomicIsize::new(isize::of_bits(value))),
        AtomicType::U8 => Rc::new(AtomicU8::new(u8::of_bits(value))),
        AtomicType::U16 => Rc::new(AtomicU16::new(u16::of_bits(value))),
        AtomicType::U32 => Rc::new(AtomicU32::new(u32::of_bits(value))),
        AtomicType::U64 => Rc::new(AtomicU64::new(u64::of_bits(value))),
        AtomicType::Usize | AtomicType::Pointer => Rc::new(AtomicUsize::new(usize::of_bits(value))),
    }
}

/// A value as bits and back.
trait Bits {
    fn of_bits(bits: u64) -> Self;
    fn bits(self) -> u64;
}

macro_rules! atomic {
    ($($atomic:ident($value:ty);)*) => {$(
        impl Bits for $value {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_possible_wrap,
                reason = "the bits are of a value of the type"
            )]
            fn of_bits(bits: u64) -> Self {
                bits as $value
            }

            #[allow(clippy::cast_lossless, clippy::cast_sign_loss, reason = "bits have no sign")]
            fn bits(self) -> u64 {
                self as u64
            }
        }

        impl Atomic for $atomic {
            fn access(&self, access: Access, ordering: Ordering) -> u64 {
                let of_bits = <$value>::of_bits;
                match access {
                    Access::Modify(rmw, operand) => {
                        let operand = of_bits(operand);
                        let read = match rmw {
                            Rmw::Swap => self.swap(operand, ordering),
                            Rmw::Add => self.fetch_add(operand, ordering),
                            Rmw::Sub => self.fetch_sub(operand, ordering),
                            Rmw::And => self.fetch_and(operand, ordering),
                            Rmw::Nand => self.fetch_nand(operand, ordering),
                            Rmw::Or => self.fetch_or(operand, ordering),
                            Rmw::Xor => self.fetch_xor(operand, ordering),
                            Rmw::Max => self.fetch_max(operand, ordering),
                            Rmw::Min => self.fetch_min(operand, ordering),
                        };
                        read.bits()
                    }
                    access => plain!(self, access, ordering, of_bits),
                }
            }
        }
    )*};
}

/// The accesses that all types have.
macro_rules! plain {
    ($atomic:expr, $access:expr, $ordering:expr, $of_bits:expr) => {
        match $access {
            Access::Load => $atomic.load($ordering).bits(),
            Access::Store(value) => {
                $atomic.store($of_bits(value), $ordering);
                value
            }
            Access::Exchange {
                current,
                new,
                failure,
            } => {
                let (current, new) = ($of_bits(current), $of_bits(new));
                let (Ok(read) | Err(read)) =
                    $atomic.compare_exchange(current, new, $ordering, failure);
                read.bits()
            }
            Access::Modify(..) => unreachable!("matched before"),
        }
    };
}

atomic! {
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

impl Bits for bool {
    fn of_bits(bits: u64) -> Self {
        bits != 0
    }

    fn bits(self) -> u64 {
        u64::from(self)
    }
}

impl Atomic for AtomicBool {
    fn access(&self, access: Access, ordering: Ordering) -> u64 {
        let of_bits = bool::of_bits;
        match access {
            Access::Modify(rmw, operand) => {
                let operand = of_bits(operand);
                let read = match rmw {
                    Rmw::Swap => self.swap(operand, ordering),
                    Rmw::And => self.fetch_and(operand, ordering),
                    Rmw::Nand => self.fetch_nand(operand, ordering),
                    Rmw::Or => self.fetch_or(operand, ordering),
                    Rmw::Xor => self.fetch_xor(operand, ordering),
                    Rmw::Add | Rmw::Sub | Rmw::Max | Rmw::Min => {
                        unreachable!("a boolean has no such operation")
                    }
                };
                read.bits()
            }
            access => plain!(self, access, ordering, of_bits),
        }
    }
}
