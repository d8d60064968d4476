//! A laboratory for race conditions.

pub mod cell;
pub mod hint;
mod named;
pub mod sync;
pub mod thread;

#[cfg(feature = "lab")]
mod check;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "lab")]
mod engine;
#[cfg(feature = "lab")]
mod execution;
#[cfg(feature = "cli")]
pub mod exhibits;
#[cfg(feature = "lab")]
pub mod explain;
#[cfg(feature = "lab")]
mod explorer;
#[cfg(feature = "lab")]
pub mod report;
#[cfg(feature = "lab")]
mod search;
#[cfg(feature = "lab")]
pub mod trace;
#[cfg(feature = "lab")]
mod verdict;

pub use named::Named;

#[cfg(feature = "lab")]
pub use check::{DEFAULT_CHECK_TIME, check, parse_duration};
#[cfg(feature = "lab")]
pub use explorer::{
    DEFAULT_MAX_STEPS, DEFAULT_RANDOM_EXECUTIONS, DEFAULT_STALL_LIMIT, Explorer, Progress, outcome,
    replay,
};
#[cfg(feature = "lab")]
pub use verdict::{
    Bound, Coverage, Engine, Failure, FailureKind, MemoryModel, Outcome, Reason, Report,
    UnknownEngine, Verdict,
};
