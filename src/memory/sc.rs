//! Sequential consistency: every access reads the newest value.

use super::{Access, Accessed, AtomicType};

/// What one atomic holds.
#[derive(Debug)]
pub(crate) struct Location {
    is: AtomicType,
    /// If it is a pointer, to how many bytes.
    pointee: usize,
    newest: u64,
}

impl Location {
    /// An atomic of this type that holds this value. A pointer points to `pointee` bytes.
    pub(crate) fn new(is: AtomicType, pointee: usize, value: u64) -> Self {
        Location {
            is,
            pointee,
            newest: value,
        }
    }

    /// If it is a pointer, to how many bytes it points.
    #[inline]
    pub(crate) fn pointee(&self) -> usize {
        self.pointee
    }

    #[inline]
    pub(crate) fn atomic_type(&self) -> AtomicType {
        self.is
    }

    /// The newest value.
    pub(crate) fn newest(&self) -> u64 {
        self.newest
    }

    /// Does an access. `read` is what the memory of the engine has let it read, if it has one of its
    /// own. A compare-and-swap that `fails` does so although the value is the expected one.
    #[expect(
        clippy::inline_always,
        reason = "a part of each step: a call costs as much as what it does"
    )]
    #[inline(always)]
    pub(crate) fn commit(&mut self, access: Access, read: Option<u64>, fails: bool) -> Accessed {
        let newest = self.newest;
        let read = match access {
            Access::Store(_) => newest,
            _ => read.unwrap_or(newest),
        };
        let written = match access {
            Access::Load => None,
            Access::Store(value) => Some(value),
            Access::Modify(rmw, operand) => Some(self.is.apply(rmw, read, operand)),
            Access::Exchange { current, new, .. } => (read == current && !fails).then_some(new),
        };
        if let Some(value) = written {
            self.newest = value;
        }
        Accessed {
            read,
            is_stale: read != newest,
            written,
        }
    }
}
