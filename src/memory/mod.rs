//! The memory model: what an atomic holds, and what an access may read there.
//!
//! The value of an atomic has one owner, its [`Location`]. A façade type keeps only the value that
//! it was made with, from which each execution starts. Values are bits here; what a type of atomic
//! makes of them is said by [`AtomicType`].
//!
//! Under the engine loom the memory is loom's. A location follows it then, to tell which of the
//! values that loom lets an access read are not the newest ones.

mod sc;

use std::sync::atomic::Ordering;

use crate::trace::Value;

pub(crate) use sc::Location;

/// An access of an atomic.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Access {
    Load,
    Store(u64),
    /// Replaces the value by what is made of it and the operand.
    Modify(Rmw, u64),
    /// Stores `new` if the value is `current`, which is what is read then.
    Exchange {
        current: u64,
        new: u64,
        failure: Ordering,
    },
}

/// What a read-modify-write makes of the value and the operand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rmw {
    Swap,
    Add,
    Sub,
    And,
    Nand,
    Or,
    Xor,
    Max,
    Min,
}

/// What an access has read and written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Accessed {
    /// What it has read. A plain store reads nothing, and this is the value that it overwrote.
    pub(crate) read: u64,
    /// Whether that is not the newest value.
    pub(crate) is_stale: bool,
    pub(crate) written: Option<u64>,
}

/// The type of an atomic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtomicType {
    Bool,
    I8,
    I16,
    I32,
    I64,
    Isize,
    U8,
    U16,
    U32,
    U64,
    Usize,
    Pointer,
}

impl AtomicType {
    /// The value that these bits are, for a trace. A pointer has none: its address tells nothing.
    #[inline]
    pub(crate) fn show(self, bits: u64) -> Option<Value> {
        Some(match self {
            AtomicType::Bool => Value::Bool(bits != 0),
            AtomicType::I8
            | AtomicType::I16
            | AtomicType::I32
            | AtomicType::I64
            | AtomicType::Isize => Value::Signed(bits.cast_signed()),
            AtomicType::U8
            | AtomicType::U16
            | AtomicType::U32
            | AtomicType::U64
            | AtomicType::Usize => Value::Unsigned(bits),
            AtomicType::Pointer => return None,
        })
    }

    /// What a read-modify-write makes of a value.
    fn apply(self, rmw: Rmw, value: u64, operand: u64) -> u64 {
        match self {
            AtomicType::Bool => rmw.on_bool(value != 0, operand != 0).into(),
            AtomicType::I8 => rmw.on_i8(value, operand),
            AtomicType::I16 => rmw.on_i16(value, operand),
            AtomicType::I32 => rmw.on_i32(value, operand),
            AtomicType::I64 => rmw.on_i64(value, operand),
            AtomicType::Isize => rmw.on_isize(value, operand),
            AtomicType::U8 => rmw.on_u8(value, operand),
            AtomicType::U16 => rmw.on_u16(value, operand),
            AtomicType::U32 => rmw.on_u32(value, operand),
            AtomicType::U64 => rmw.on_u64(value, operand),
            AtomicType::Usize | AtomicType::Pointer => rmw.on_usize(value, operand),
        }
    }
}

macro_rules! on_integers {
    ($($function:ident($integer:ty);)*) => {$(
        #[allow(
            clippy::cast_lossless,
            clippy::cast_possible_truncation,
            clippy::cast_possible_wrap,
            clippy::cast_sign_loss,
            reason = "the same for all types: the bits are of a value of the type"
        )]
        fn $function(self, value: u64, operand: u64) -> u64 {
            let (value, operand) = (value as $integer, operand as $integer);
            (match self {
                Rmw::Swap => operand,
                Rmw::Add => value.wrapping_add(operand),
                Rmw::Sub => value.wrapping_sub(operand),
                Rmw::And => value & operand,
                Rmw::Nand => !(value & operand),
                Rmw::Or => value | operand,
                Rmw::Xor => value ^ operand,
                Rmw::Max => value.max(operand),
                Rmw::Min => value.min(operand),
            }) as u64
        }
    )*};
}

impl Rmw {
    on_integers! {
        on_i8(i8);
        on_i16(i16);
        on_i32(i32);
        on_i64(i64);
        on_isize(isize);
        on_u8(u8);
        on_u16(u16);
        on_u32(u32);
        on_u64(u64);
        on_usize(usize);
    }

    fn on_bool(self, value: bool, operand: bool) -> bool {
        match self {
            Rmw::Swap => operand,
            Rmw::Nand => !(value & operand),
            Rmw::And | Rmw::Min => value & operand,
            Rmw::Or | Rmw::Max => value | operand,
            Rmw::Add | Rmw::Sub | Rmw::Xor => value ^ operand,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicI8, AtomicU16, Ordering::Relaxed};

    use proptest::prelude::*;

    use super::*;

    const ALL: [Rmw; 9] = [
        Rmw::Swap,
        Rmw::Add,
        Rmw::Sub,
        Rmw::And,
        Rmw::Nand,
        Rmw::Or,
        Rmw::Xor,
        Rmw::Max,
        Rmw::Min,
    ];

    macro_rules! agrees_with_std {
        ($($test:ident: $atomic:ty, $type:ident, $value:ty;)*) => {$(
            proptest! {
                #[test]
                #[allow(
                    clippy::cast_lossless,
                    clippy::cast_sign_loss,
                    reason = "the same for all types, and bits have no sign"
                )]
                fn $test(value: $value, operand: $value) {
                    for rmw in ALL {
                        let atomic = <$atomic>::new(value);
                        match rmw {
                            Rmw::Swap => atomic.swap(operand, Relaxed),
                            Rmw::Add => atomic.fetch_add(operand, Relaxed),
                            Rmw::Sub => atomic.fetch_sub(operand, Relaxed),
                            Rmw::And => atomic.fetch_and(operand, Relaxed),
                            Rmw::Nand => atomic.fetch_nand(operand, Relaxed),
                            Rmw::Or => atomic.fetch_or(operand, Relaxed),
                            Rmw::Xor => atomic.fetch_xor(operand, Relaxed),
                            Rmw::Max => atomic.fetch_max(operand, Relaxed),
                            Rmw::Min => atomic.fetch_min(operand, Relaxed),
                        };
                        let made = AtomicType::$type.apply(rmw, value as u64, operand as u64);
                        prop_assert_eq!(made, atomic.into_inner() as u64, "{:?}", rmw);
                    }
                }
            }
        )*};
    }

    agrees_with_std! {
        signed_bytes_are_changed_as_std_does: AtomicI8, I8, i8;
        unsigned_numbers_are_changed_as_std_does: AtomicU16, U16, u16;
    }

    proptest! {
        #[test]
        fn booleans_are_changed_as_std_does(value: bool, operand: bool) {
            for rmw in [Rmw::Swap, Rmw::And, Rmw::Nand, Rmw::Or, Rmw::Xor] {
                let atomic = AtomicBool::new(value);
                match rmw {
                    Rmw::And => atomic.fetch_and(operand, Relaxed),
                    Rmw::Nand => atomic.fetch_nand(operand, Relaxed),
                    Rmw::Or => atomic.fetch_or(operand, Relaxed),
                    Rmw::Xor => atomic.fetch_xor(operand, Relaxed),
                    _ => atomic.swap(operand, Relaxed),
                };
                prop_assert_eq!(rmw.on_bool(value, operand), atomic.into_inner(), "{:?}", rmw);
            }
        }
    }
}
