//! Work that is done by processes: real ones, of this same binary.
//!
//! The parent side is a [`Pool`]. It gives each worker one task at a time, puts the answers in order,
//! and replaces workers that are lost. The worker side is [`serve`], which the hidden subcommand
//! `racelab worker NAME` runs. They send each other messages, in the encoding of postcard, over the
//! standard input and output of the worker. What a worker prints goes to its standard error in place
//! of that.
//!
//! No worker outlives its parent: it ends when its standard input does, whatever it is doing, and
//! the system closes that when the parent ends, however that was.

mod connection;
mod manager;
mod messages;
mod pool;
mod shared_number;
mod worker;

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::timing::{Failed, Recorder, Timeline};

pub(crate) use crate::child::Inherited;
pub(crate) use connection::{Connection, InheritedEnd};
pub(crate) use manager::{List, Manager, Proxy};
pub use pool::{Finished, Pool, PoolSettings};
pub(crate) use shared_number::SharedNumber;
pub use worker::serve;

/// Work that worker processes do.
pub trait Work: Sized + 'static {
    /// The name on the command line of a worker.
    const NAME: &'static str;
    /// How many workers may be lost with the same task, or at the start in the same place, before the
    /// pool fails. 1 for work that has effects beyond its answer, which must not be done twice.
    const TRIES: u32 = 3;
    /// What each worker is started with.
    type Setup: Message + Clone;
    /// A piece of work. It is cloned since it is given to another worker if one is lost with it.
    type Task: Message + Clone;
    /// What a piece of work comes to.
    type Answer: Message;

    /// How many workers may be lost, where that depends on what they are started with.
    fn tries(_setup: &Self::Setup) -> u32 {
        Self::TRIES
    }

    /// The initialiser: runs once in each worker, before its tasks. `name` is that of the worker, as
    /// `process 1`.
    ///
    /// # Errors
    ///
    /// If the worker cannot do its work. Then the pool fails.
    fn start(setup: Self::Setup, name: &str) -> Result<Self, String>;

    /// Does a piece of work, and records when it worked and when it waited.
    ///
    /// # Errors
    ///
    /// If the work could not be done. No other worker is asked to: then the pool fails.
    fn run(&mut self, task: Self::Task, lane: &mut Recorder) -> Result<Self::Answer, String>;
}

/// What can be sent from one process to another.
pub trait Message: Debug + Send + Serialize + DeserializeOwned + 'static {}

impl<T: Debug + Send + Serialize + DeserializeOwned + 'static> Message for T {}
