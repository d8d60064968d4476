//! Child processes: the one place where a process is started, watched and killed, and where its end
//! is put into words.
//!
//! A [`Process`] is this binary, started again. No child outlives its parent, however that ends: the
//! parent holds one end of a pipe that the system closes then, and the child ends when it finds the
//! other end closed (`lifeline.rs`). A [`Supervisor`] hears several of them, each in its place, and
//! kills one that is silent for too long. What takes the place of a lost one is for its user to say.

mod ending;
mod inherited;
mod lifeline;
mod process;
mod supervisor;

pub(crate) use ending::{crash, killed_from_outside, signal};
pub(crate) use inherited::{Descriptor, Inherited, inherit};
pub(crate) use lifeline::{end_with_parent, is_child};
pub(crate) use process::{OnInterrupt, Process, command};
pub(crate) use supervisor::{Event, Supervisor};
