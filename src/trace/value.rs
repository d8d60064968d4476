//! What an operation read or wrote.

use std::fmt;

/// A value that an operation read or wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Value {
    /// An unsigned integer.
    Unsigned(u64),
    /// A signed integer.
    Signed(i64),
    /// A boolean.
    Bool(bool),
    /// A pointer, as the rank of its first appearance in the execution. Zero is null.
    ///
    /// Addresses differ from run to run, ranks do not, so that a replay shows the same values.
    Pointer(u32),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Unsigned(value) => write!(f, "{value}"),
            Value::Signed(value) => write!(f, "{value}"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Pointer(0) => f.write_str("null"),
            Value::Pointer(rank) => write!(f, "ptr#{rank}"),
        }
    }
}

macro_rules! from_integer {
    ($variant:ident($wide:ty): $($narrow:ty)*) => {$(
        impl From<$narrow> for Value {
            fn from(value: $narrow) -> Self {
                Value::$variant(<$wide>::from(value))
            }
        }
    )*};
}

from_integer!(Unsigned(u64): u8 u16 u32 u64);
from_integer!(Signed(i64): i8 i16 i32 i64);

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Value::Unsigned(value as u64)
    }
}

impl From<isize> for Value {
    fn from(value: isize) -> Self {
        Value::Signed(value as i64)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}
