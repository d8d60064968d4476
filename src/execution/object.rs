//! The objects of an execution.

use std::borrow::Cow;
use std::panic::Location;

use crate::model::State;
use crate::trace::{Clock, ThreadId};

use super::waiting::Passing;

/// An object that was made in the execution.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) kind: &'static str,
    pub(crate) name: Option<Cow<'static, str>>,
    pub(crate) made_at: &'static Location<'static>,
    pub(crate) state: State,
    /// What is released to those who acquire from it.
    pub(super) released: Clock,
    /// How often it was changed.
    pub(super) version: u32,
    /// What threads have written to it in passing.
    pub(super) passing: Vec<Passing>,
    /// If it is a lock: how often what it guards may have been changed.
    pub(super) guarded_version: u32,
    /// If it is a lock: how often that was not in a round of a loop that polls, but for the first.
    pub(super) guarded_news: u32,
    /// If it is a lock: whether what it guards is not in it.
    pub(crate) guards_nothing: bool,
    /// Who has acquired it last to have it alone, and how often that thread had changed plain data by
    /// then.
    pub(super) plain_writes: (ThreadId, u32),
    pub(super) origin: Origin,
    /// Whether its state may have been changed from outside of the execution.
    pub(crate) is_lent: bool,
}

/// By what an object is known again in another execution, where other numbers may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    /// Its maker, and which of the objects of that thread it is, from 1 on.
    Made(ThreadId, u32),
    /// It was bound where it was used first, which can be by any thread.
    BoundLate,
}
