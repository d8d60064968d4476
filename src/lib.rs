//! A laboratory for race conditions.
//!
//! Write concurrent code with [`sync`] and [`thread`] in place of `std::sync` and `std::thread`.
//! Outside of the lab the types are the real thing. Inside, in a body that [`check`] or an
//! [`Explorer`] runs, every operation is a step that the lab schedules and records, and the body is
//! run under one interleaving after another.
//!
//! - When an interleaving fails, there is a [`Failure`]: the smallest failing execution, with its
//!   events, the reason, and a schedule that replays it.
//! - When none fails, the [`Verdict`] says whether all were explored, and if not, why.
//!
//! ```
//! # #[cfg(feature = "lab")] {
//! use racelab::sync::{Arc, atomic::{AtomicUsize, Ordering::SeqCst}};
//! use racelab::{Engine, Explorer, FailureKind, thread};
//!
//! let report = Explorer::new(Engine::Dpor).explore(|| {
//!     let n = Arc::new(AtomicUsize::new(0));
//!     let other = thread::spawn({
//!         let n = Arc::clone(&n);
//!         move || n.store(n.load(SeqCst) + 1, SeqCst)
//!     });
//!     n.store(n.load(SeqCst) + 1, SeqCst);
//!     other.join().unwrap();
//!     assert_eq!(n.load(SeqCst), 2);
//! });
//! let failure = report.failure().expect("one of the increments can be lost");
//! assert_eq!(failure.kind, FailureKind::Panic);
//! assert_eq!(failure.preemptions, Some(1));
//! println!("{report}");
//! # }
//! ```
//!
//! # What a body has to keep to
//!
//! Everything of the façade that it uses is made inside of it. It is deterministic, apart from the
//! scheduling. It is small: the number of interleavings grows exponentially with the number of
//! steps.
//!
//! # Features
//!
//! Without features, this library is std's types under other names, and has no dependencies.
//! `channel`, `queue`, `future` and `parking_lot` add the types of crossbeam, tokio and
//! `parking_lot` under other names. `lab` brings the engines and the search, and all of these.
//! `shuttle` adds the engines of that name. `cli`, the default, brings the command with its gallery,
//! and all of these.

#[cfg(feature = "lab")]
#[macro_use]
mod constructor;

pub mod cell;
#[cfg(feature = "channel")]
pub mod channel;
#[cfg(feature = "future")]
pub mod future;
pub mod hint;
mod named;
#[cfg(feature = "parking_lot")]
pub mod parking_lot;
#[cfg(feature = "queue")]
pub mod queue;
pub mod sync;
pub mod thread;

#[cfg(feature = "cli")]
mod bench;
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
mod explain;
#[cfg(feature = "lab")]
mod explorer;
#[cfg(feature = "lab")]
mod memory;
#[cfg(feature = "lab")]
mod model;
#[cfg(feature = "lab")]
pub mod report;
#[cfg(feature = "lab")]
mod search;
#[cfg(feature = "lab")]
pub mod trace;
#[cfg(feature = "lab")]
mod verdict;
#[cfg(feature = "cli")]
pub mod workloads;

pub use named::Named;
#[cfg(not(feature = "lab"))]
pub use std::thread_local;

#[cfg(feature = "lab")]
pub use check::{DEFAULT_CHECK_TIME, check, parse_duration};
#[cfg(feature = "lab")]
pub use explorer::{
    DEFAULT_MAX_STEPS, DEFAULT_RANDOM_EXECUTIONS, DEFAULT_RUNS, DEFAULT_STALL_LIMIT, Explorer,
    Progress, outcome, replay,
};
#[cfg(feature = "lab")]
pub use verdict::{
    Bound, Coverage, Division, Engine, Failure, FailureKind, MemoryModel, Outcome, Reason, Report,
    Shard, UnknownEngine, Verdict,
};
