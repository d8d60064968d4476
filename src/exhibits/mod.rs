//! The gallery: classic races, each in variants that break and variants that hold.
//!
//! An exhibit is a folder and a variant is a file in it. All variants of an exhibit have the same
//! names in them, so that the difference between two files is the lesson.
//!
//! Beside the gallery stands the corpus: programs with a known bug, on which searches are compared;
//! and what is shared across processes, which no search can schedule.

pub mod async_pitfalls;
pub mod corpus;
pub mod counter;
pub mod event_loop;
mod expectation;
pub mod pool;
pub mod print_lock;
pub mod processes;
pub mod queue_consumer;
mod real_threads;
pub mod session;
pub mod shared_list;
mod variants;

use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::SpuriousWakeUps;
use crate::sync::Arc;

pub use expectation::{Expectation, Missing};

/// A classic race.
#[derive(Debug)]
pub struct Exhibit {
    /// The name, as `counter`.
    pub name: &'static str,
    /// What the code does.
    pub about: &'static str,
    /// What must hold in every interleaving.
    pub invariant: &'static str,
    /// The number of threads: what it counts, and which numbers there can be.
    pub threads: Parameter,
    /// The number of operations of each thread: what it counts, and which numbers there can be.
    pub ops: Parameter,
    /// The ways to write it, the first unsafe one without undefined behaviour at the front.
    pub variants: &'static [Variant],
}

/// A number that sets the size of an exhibit.
#[derive(Debug)]
pub struct Parameter {
    /// What is counted.
    pub counts: &'static str,
    /// The smallest number with which an unsafe variant can fail.
    pub default: usize,
    /// The numbers that can be given.
    pub range: RangeInclusive<usize>,
}

/// How large a run of an exhibit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// The number of threads that are spawned.
    pub threads: usize,
    /// The number of operations of each.
    pub ops: usize,
}

/// One way to write an exhibit.
#[derive(Debug)]
pub struct Variant {
    /// The name of the exhibit.
    pub exhibit: &'static str,
    /// The name within the exhibit, as `load-store`.
    pub name: &'static str,
    /// Whether some interleaving breaks it.
    pub kind: Kind,
    /// How it is written, in a few words.
    pub about: &'static str,
    /// What to do about it: nothing for a safe variant.
    pub fix: &'static str,
    /// What its source and its output do not say by themselves, if there is something.
    pub note: Option<&'static str>,
    /// Whether spurious wake-ups are explored if nothing else is asked for: they are where nothing
    /// else breaks it.
    pub spurious: SpuriousWakeUps,
    /// The file, relative to the root of the package.
    pub file: &'static str,
    /// The text of the file.
    pub source: &'static str,
    /// The one size that it has, if it has not those of its exhibit.
    pub only_size: Option<Size>,
    /// The body to explore. It asserts the invariant.
    pub body: fn(Size),
    /// The program that the exhibit goes back to, at its size, for real threads. What it prints and
    /// reads passes the terminal; what it computes is recorded by [`outcome`](crate::outcome).
    pub program: fn(Arc<dyn Terminal>),
}

/// What a program prints to and reads from, and what was asked of it there.
pub trait Terminal: Send + Sync {
    /// Prints a text, at once and as it is.
    fn write(&self, text: &str);

    /// The next line of the input, without its end, or `None` at the end of the input. A person at
    /// a keyboard is asked for it with the prompt.
    fn read_line(&self, prompt: &str) -> Option<String>;

    /// What the program was asked to do.
    fn settings(&self) -> Settings {
        Settings::default()
    }

    /// Prints the answer to a key, which was pressed so long ago.
    fn answer(&self, key: &str, waited: Duration) {
        let _ = waited;
        self.write(&format!("Key {key}\n"));
    }

    /// Takes note of how long a part of the program took.
    fn took(&self, part: &str, time: Duration) {
        let _ = (part, time);
    }
}

/// What a program can be asked to do, where that is not its size. Each program knows what it does
/// by default.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How many items to ask for: by default up to the end of the input.
    pub items: Option<usize>,
    /// How long to wait or to compute.
    pub seconds: Option<Duration>,
    /// Whether to show each turn of an event loop.
    pub verbose: bool,
    /// The file that processes update: by default one that is removed in the end.
    pub file: Option<PathBuf>,
}

/// Whether some interleaving breaks a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Some interleaving breaks it, by the bug of this name.
    Unsafe {
        /// What the field calls it, as `lost update`.
        bug: &'static str,
    },
    /// Some interleaving breaks it by a data race, which is undefined behaviour: on real threads
    /// anything can happen.
    Undefined {
        /// What the field calls it, as `data race`.
        bug: &'static str,
    },
    /// It holds in every interleaving.
    Safe,
}

/// All exhibits, in the order in which they are best read.
pub const ALL: &[&Exhibit] = &[
    &counter::EXHIBIT,
    &shared_list::EXHIBIT,
    &print_lock::EXHIBIT,
    &session::EXHIBIT,
    &queue_consumer::EXHIBIT,
    &pool::EXHIBIT,
    &event_loop::EXHIBIT,
    &async_pitfalls::EXHIBIT,
];

/// The programs on which searches are compared. They are no part of the gallery: there is nothing
/// to compare them with, and it can take for ever to explore one in full.
pub const CORPUS: &[&Exhibit] = &[&corpus::EXHIBIT];

/// The exhibits whose variants start processes. They are no part of the gallery: no engine can
/// schedule processes, so that they run on the real machine only.
pub const ACROSS_PROCESSES: &[&Exhibit] = &[&processes::EXHIBIT];

impl Exhibit {
    /// The size that is explored if none is given: the smallest that can fail.
    pub fn default_size(&self) -> Size {
        Size {
            threads: self.threads.default,
            ops: self.ops.default,
        }
    }

    /// The size at which a variant is explored if none is given.
    pub fn default_size_of(&self, variant: &Variant) -> Size {
        variant.only_size.unwrap_or_else(|| self.default_size())
    }
}

impl Kind {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Unsafe { .. } | Kind::Undefined { .. } => "unsafe",
            Kind::Safe => "safe",
        }
    }

    /// The verdict that is expected.
    pub fn expected(self) -> &'static str {
        match self {
            Kind::Unsafe { .. } | Kind::Undefined { .. } => "violated",
            Kind::Safe => "holds",
        }
    }

    /// The name of the bug.
    pub fn bug(self) -> Option<&'static str> {
        match self {
            Kind::Unsafe { bug } | Kind::Undefined { bug } => Some(bug),
            Kind::Safe => None,
        }
    }
}

impl fmt::Display for Variant {
    /// The full name, as `counter/load-store`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.exhibit, self.name)
    }
}
