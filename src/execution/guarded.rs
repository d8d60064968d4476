//! Objects that guard data which outlives the execution: locks and cells.

use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use crate::model::State;
use crate::trace::ObjectId;

use super::{CURRENT_NUMBER, Ending, Execution, Identity, give_up, running, try_with, with};

/// The identity of an object that guards data.
///
/// The data is in the object itself, so that an execution which has changed it leaves it changed: the
/// next one would not begin as the first one did. And two executions on two OS threads must not
/// reach it at once: one that uses the object has it to itself until it ends.
#[derive(Debug)]
pub(crate) struct Guarded {
    identity: Identity,
    /// The execution that the data was last lent to for changes, 0 for none.
    lent_to: AtomicU64,
}

impl Guarded {
    /// The identity of an object that is made here.
    #[track_caller]
    pub(crate) const fn new() -> Self {
        Guarded {
            identity: Identity::new(),
            lent_to: AtomicU64::new(0),
        }
    }

    /// The identity of an object that counts as made where it is used first.
    pub(crate) const fn anywhere() -> Self {
        Guarded {
            identity: Identity::anywhere(),
            lent_to: AtomicU64::new(0),
        }
    }

    /// The object in the current execution, or `None` outside of one.
    ///
    /// `begin` and `state` are only asked for where the execution does not know the object yet. It
    /// then waits until no other execution uses it. If the data was changed in an earlier execution,
    /// that is a misuse.
    #[inline]
    #[track_caller]
    pub(crate) fn object(
        &self,
        kind: &'static str,
        begin: impl FnOnce(),
        state: impl FnOnce(&mut Execution) -> State,
    ) -> Option<ObjectId> {
        if CURRENT_NUMBER.get() != 0 && self.identity.known().is_none() {
            self.claim(kind);
            begin();
        }
        self.identity.object(kind, state)
    }

    /// The object that is made now in the current execution, if there is one.
    #[cfg(feature = "loom")]
    #[track_caller]
    pub(crate) fn made(
        &self,
        kind: &'static str,
        state: impl FnOnce(&mut Execution) -> State,
    ) -> Option<ObjectId> {
        self.identity.made(kind, state)
    }

    /// The object in the current execution, if that has used it. Not an operation.
    pub(crate) fn known(&self) -> Option<ObjectId> {
        self.identity.known()
    }

    /// Where the object was made, unless it is zeroed memory.
    pub(crate) fn made_at(&self) -> Option<&'static Location<'static>> {
        self.identity.made_at()
    }

    /// Notes that the data is lent for changes, and how large it is. Data of no size cannot be
    /// changed.
    pub(crate) fn lend(&self, size: usize) {
        let current = CURRENT_NUMBER.get();
        if size > 0 && current != 0 {
            self.lent_to.store(current, Relaxed);
            try_with(Execution::note_plain_write);
        }
    }

    /// Whether it is seen when the data is lent for changes. Who takes a raw lock to guard something
    /// does not say.
    pub(crate) fn sees_changes(&self) -> bool {
        self.made_at().is_some()
    }

    /// Notes that a thread holds the lock, and how large the data is. What is changed under a lock that
    /// guards nothing by itself is not seen.
    #[inline]
    pub(crate) fn guards(&self, size: usize) {
        if size == 0
            && let Some(lock) = self.known()
        {
            try_with(|execution| execution.object_mut(lock).guards_nothing = true);
        }
    }

    #[cold]
    #[track_caller]
    fn claim(&self, kind: &'static str) {
        let used_at = Location::caller();
        let made_at = self.identity.made_at().unwrap_or(used_at);
        let mut waits = None;
        while let Err(owner) = self.identity.claim() {
            let waiting =
                waits.get_or_insert_with(|| running::Waiting::begin(self.identity.number()));
            with(|execution| {
                execution.has_waited = true;
                execution.pulse.touch();
            });
            if waiting.is_in_a_circle(owner) {
                give_up(Ending::Unsupported(format!(
                    "the {kind} made at {made_at} is used by another search at the same time, and \
                     each of the two waits for the other: let them run one after the other"
                )));
            }
            thread::sleep(Duration::from_micros(20));
        }
        drop(waits);
        let lent_to = self.lent_to.load(Relaxed);
        if lent_to != 0 && lent_to != CURRENT_NUMBER.get() && !thread::panicking() {
            give_up(Ending::Misused(format!(
                "the {kind} used at {used_at} was changed in an earlier execution, and each has to \
                 begin alike: make it inside the closure that is explored, or declare it as \
                 `racelab::statics! {{ static NAME: {kind}<…> = …; }}` (it was made at {made_at})"
            )));
        }
    }
}
