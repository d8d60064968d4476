//! Plain data: what happened in an execution, and what the scheduler chose.
//!
//! Nothing here runs anything, and nothing here depends on the other rooms.

mod blocked;
mod clock;
mod event;
mod left_out;
mod operation;
mod race;
mod schedule;
mod value;

pub use blocked::{Blocked, Held, Obstacle};
pub use clock::Clock;
pub use event::{Event, EventResult, ObjectId, ObjectInfo, ThreadId, ThreadInfo, Trace};
pub use left_out::LeftOut;
pub(crate) use left_out::LeftOutSet;
pub use operation::Operation;
pub use race::{Access, Race};
pub(crate) use schedule::CellAccesses;
pub use schedule::{Choice, LoomExecution, ParseScheduleError, Schedule};
pub use value::Value;
