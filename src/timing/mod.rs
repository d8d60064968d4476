//! The timing laboratory: the same work done one after another, by threads, by tasks and by
//! processes, timed side by side.
//!
//! The options make a `Workload`, which `measure` does in each of its ways; what came of it is a
//! `Timing`, plain data, which the files under `report` show.

mod figures;
mod measure;
mod options;
mod origin;
pub(crate) mod processes;
mod report;
mod resources;
mod timeline;
mod way;
mod workers;
pub mod workloads;

pub(crate) use figures::{Activity, Cost, Costs, TimedWay, Timing};
#[doc(hidden)]
pub use figures::{Lane, Span};
pub(crate) use measure::{Event, Measurements, Plan, measure};
pub(crate) use options::Choice;
pub(crate) use origin::Origin;
pub(crate) use report::{conclusion, html, markdown, svg, text};
// For the tests of the pool.
#[doc(hidden)]
pub use processes::{Finished, Message, Pool, PoolSettings, Work, serve};
pub(crate) use timeline::Waits;
#[doc(hidden)]
pub use timeline::{Recorder, Timeline};
pub(crate) use way::{Method, Way, cores};
pub use workloads::Failed;
pub(crate) use workloads::{Done, Workload};
