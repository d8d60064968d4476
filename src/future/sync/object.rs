//! What a type of tokio's is in an execution: an object whose operations are steps.

use std::borrow::Cow;
use std::panic::{Location, resume_unwind};

use crate::execution::{Binding, Guarded, NextStep, leave_doomed, step, step_in_drop, with};
use crate::model::awaited::{self, Awaited, Exchange, Role, Seen};
use crate::model::{Hold, State};
use crate::trace::{ObjectId, Operation};

use super::later::Later;

/// The object behind a type of tokio's.
#[derive(Debug)]
pub(super) struct Object {
    kind: &'static str,
    role: Role,
    bound: Bound,
}

#[derive(Debug)]
enum Bound {
    /// Where it was made.
    Made(Binding),
    /// Where it is used, since a constant has made it.
    Late(Guarded),
}

impl Object {
    /// Binds a new object to the world in which it is made.
    #[track_caller]
    pub(super) fn new(kind: &'static str, role: Role) -> Self {
        Object {
            kind,
            role,
            bound: Bound::Made(Binding::new(kind, |_| state(role))),
        }
    }

    /// An object that is bound where it is used.
    #[track_caller]
    pub(super) const fn late(kind: &'static str, role: Role) -> Self {
        Object {
            kind,
            role,
            bound: Bound::Late(Guarded::new()),
        }
    }

    /// What the object is in the current world.
    #[track_caller]
    pub(super) fn here(&self) -> Here {
        let binding = match &self.bound {
            Bound::Made(binding) => *binding,
            Bound::Late(guarded) => {
                let object = guarded.object(self.kind, || (), |_| state(self.role));
                // What it is in, after this execution, is not what it began with.
                guarded.lend(1);
                Binding::here(self.kind, object)
            }
        };
        Here(binding)
    }

    /// Names the object.
    pub(super) fn name(&self, name: Cow<'static, str>) {
        self.here().0.name(name);
    }
}

fn state(role: Role) -> State {
    State::Awaited(Box::new(Awaited::new(role)))
}

/// An object in one world, in which those stay that have to do with it: guards, permits, futures.
#[derive(Clone, Copy, Debug)]
pub(super) struct Here(Binding);

impl Here {
    /// A new object that stays in this world.
    #[track_caller]
    pub(super) fn new(kind: &'static str, role: Role) -> Self {
        Here(Binding::new(kind, |_| state(role)))
    }

    /// Whether this is in no execution.
    pub(super) fn is_real(self) -> bool {
        self.0.is_real()
    }

    /// Names the object.
    pub(super) fn name(self, name: Cow<'static, str>) {
        self.0.name(name);
    }

    /// The object in the current execution, `None` outside of one.
    #[track_caller]
    pub(super) fn object(self) -> Option<ObjectId> {
        self.0.object()
    }

    /// Looks at the object, as a step of an execution.
    #[track_caller]
    pub(super) fn look<R>(self, look: impl FnOnce() -> R) -> R {
        self.act(Operation::Load, Exchange::Learns, look)
    }

    /// Does an operation that hands this over, as a step of an execution.
    #[track_caller]
    pub(super) fn act<R>(
        self,
        operation: Operation,
        exchange: Exchange,
        act: impl FnOnce() -> R,
    ) -> R {
        self.perform(Location::caller(), operation, act, |_| exchange.into())
    }

    /// Does an operation, as a step of an execution, of which this is seen.
    #[track_caller]
    pub(super) fn perform<R>(
        self,
        at: &'static Location<'static>,
        operation: Operation,
        act: impl FnOnce() -> R,
        seen: impl FnOnce(&R) -> Seen,
    ) -> R {
        let (result, later) = self.perform_first(at, operation, act, seen);
        later.carry_out();
        result
    }

    /// Does an operation, as a step of an execution. The tasks that it wakes are woken afterwards.
    #[track_caller]
    pub(super) fn perform_first<R>(
        self,
        at: &'static Location<'static>,
        operation: Operation,
        act: impl FnOnce() -> R,
        seen: impl FnOnce(&R) -> Seen,
    ) -> (R, Later) {
        let mut later = Later::default();
        let Some(object) = self.object() else {
            return (act(), later);
        };
        let next = NextStep::new(operation).on(object).at(at);
        let ended = step(next, |execution, _| {
            let ended = later.gather(act);
            if let Ok(result) = &ended {
                awaited::note(execution, object, seen(result));
            }
            ended
        });
        let result = ended.unwrap_or_else(|payload| resume_unwind(payload));
        (result, later)
    }

    /// Does an operation of a destructor, as a step of an execution that still runs.
    pub(super) fn perform_in_drop<R>(
        self,
        at: &'static Location<'static>,
        operation: Operation,
        act: impl FnOnce() -> R,
        seen: Seen,
    ) -> R {
        if self.0.is_real() {
            return act();
        }
        let mut later = Later::default();
        if !self.0.is_current() {
            // Those that wait have ended with their execution.
            let ended = later.gather(act);
            return ended.unwrap_or_else(|payload| resume_unwind(payload));
        }
        let Some(object) = self.0.object() else {
            return act();
        };
        let next = NextStep::new(operation).on(object).at(at);
        let ended = step_in_drop(next, |execution, _| {
            let ended = later.gather(act);
            awaited::note(execution, object, seen);
            ended
        });
        later.carry_out_in_drop();
        ended.unwrap_or_else(|payload| resume_unwind(payload))
    }

    /// The object guards data of no size.
    pub(super) fn guards_nothing(self) {
        if let Some(lock) = self.object() {
            with(|execution| awaited::guards_nothing(execution, lock));
        }
    }

    /// A hold of the object ends, which is a lock.
    pub(super) fn let_go(self, hold: Hold) {
        if self.0.is_current()
            && let Some(lock) = self.object()
        {
            with(|execution| awaited::let_go(execution, lock, hold));
        }
    }

    /// Drops an end of a channel, as a step of an execution that still runs.
    pub(super) fn drop_end(self, drop: impl FnOnce()) {
        self.do_in_drop(Operation::Disconnect, drop);
    }

    /// Does an operation of a destructor, as a step of an execution that still runs, at the place
    /// where the object was made: a destructor does not know where it is called.
    pub(super) fn do_in_drop(self, operation: Operation, act: impl FnOnce()) {
        let at = self.0.made_at();
        self.perform_in_drop(at, operation, act, Exchange::Leaves.into());
    }

    /// Ends the thread if the execution has ended: a loop that only does what is no operation has no
    /// other place to end.
    #[track_caller]
    pub(super) fn leave_doomed(self) {
        if self.object().is_some() {
            leave_doomed();
        }
    }

    /// Whether this is the destructor of an execution that has ended, in which nobody is going to do
    /// what is waited for.
    pub(super) fn is_doomed(self) -> bool {
        !self.is_real() && self.0.is_current() && with(|execution| execution.is_doomed())
    }
}

/// What each end of a channel has, whatever it sends: it is shown without its contents, and names the
/// channel.
macro_rules! end {
    ($name:ident) => {
        impl<T> ::std::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }

        impl<T> $crate::Named for $name<T> {
            /// Names the channel.
            fn named(self, name: impl Into<::std::borrow::Cow<'static, str>>) -> Self {
                self.here.name(name.into());
                self
            }
        }
    };
}
pub(super) use end;
