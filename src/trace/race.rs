//! Two accesses of which neither happens before the other.

use std::panic::Location;

use super::{ObjectId, Operation, ThreadId};

/// A data race: two accesses of a cell by different threads, at least one of them a write, of
/// which neither happens before the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Race {
    /// The cell.
    pub object: ObjectId,
    /// The access that took place.
    pub first: Access,
    /// The access that was about to take place.
    pub second: Access,
}

/// An access of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Access {
    /// The thread.
    pub thread: ThreadId,
    /// [`CellRead`](Operation::CellRead) or [`CellWrite`](Operation::CellWrite). The making of a
    /// cell counts as a write.
    pub operation: Operation,
    /// The place in the source.
    pub at: &'static Location<'static>,
}
