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
//! # #[cfg(feature = "engine")] {
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
//! What it changes is made inside of it, or is a static of [`statics!`] or an atomic, which begin each
//! execution alike. It is deterministic, apart from the scheduling. It is small: the number of interleavings grows exponentially with the number of
//! steps.
//!
//! # Features
//!
//! Without features, this library is std's types under other names, and has no dependencies.
//! `channel`, `queue`, `crossbeam-utils`, `future` and `parking_lot` add the types of crossbeam, tokio and
//! `parking_lot` under other names.
//!
//! `engine` brings our engines and the search, with all that works without features. `lab` is that
//! with the types of the other crates: what an entry in `[dev-dependencies]` turns on. `loom` and
//! `shuttle` add the engines of these names. `cli`, the default, brings the command with its
//! gallery, and all of these.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(feature = "cli"),
    allow(
        dead_code,
        reason = "some of it serves only engines and façades that are features; with `cli` all of \
                  them are there, and it is seen what nobody uses"
    )
)]

#[cfg(feature = "engine")]
#[macro_use]
mod constructor;

pub mod cell;
#[cfg(feature = "channel")]
pub mod channel;
#[cfg(feature = "crossbeam-utils")]
pub mod crossbeam_utils;
pub mod future;
pub mod hint;
mod named;
#[cfg(feature = "parking_lot")]
pub mod parking_lot;
#[cfg(feature = "queue")]
pub mod queue;
#[cfg(feature = "engine")]
mod statics;
pub mod sync;
pub mod thread;

#[cfg(feature = "cli")]
mod bench;
#[cfg(feature = "engine")]
mod check;
#[cfg(feature = "cli")]
mod child;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "engine")]
mod engine;
#[cfg(feature = "engine")]
mod execution;
#[cfg(feature = "cli")]
pub mod exhibits;
#[cfg(feature = "engine")]
mod explain;
#[cfg(feature = "engine")]
mod explorer;
#[cfg(feature = "engine")]
mod memory;
#[cfg(feature = "engine")]
mod model;
#[cfg(feature = "engine")]
pub mod report;
#[cfg(feature = "engine")]
mod search;
#[cfg(feature = "cli")]
pub mod timing;
#[cfg(feature = "engine")]
pub mod trace;
#[cfg(feature = "engine")]
mod verdict;

pub use named::Named;
#[cfg(feature = "engine")]
pub use statics::Static;
#[cfg(not(feature = "engine"))]
pub use std::thread_local;

#[cfg(feature = "engine")]
pub use check::{DEFAULT_CHECK_TIME, check, parse_duration};
#[cfg(feature = "engine")]
pub use explorer::{
    DEFAULT_MAX_STEPS, DEFAULT_RANDOM_EXECUTIONS, DEFAULT_RUNS, DEFAULT_STALL_LIMIT, Explorer,
    Progress, outcome, replay,
};
#[cfg(feature = "engine")]
pub use verdict::{
    Bound, Cause, Coverage, Difference, Division, Engine, Failure, FailureKind, Loop, MemoryModel,
    Outcome, Reason, Report, Shard, Sharing, SpuriousWakeUps, UnknownEngine, Verdict,
};

/// Declares plain statics. With the feature `engine`, they are made anew in each execution.
#[cfg(not(feature = "engine"))]
#[macro_export]
macro_rules! statics {
    ($($statics:tt)*) => { $($statics)* };
}
