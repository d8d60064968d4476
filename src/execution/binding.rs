//! Which world an object of the façade belongs to.

use std::borrow::Cow;
use std::panic::Location;

use crate::model::State;
use crate::trace::ObjectId;

use super::identity::intrusion;
use super::{CURRENT_NUMBER, Ending, Execution, delays, give_up, running, with};

/// Where an object was made: in an execution, as an object that the lab knows, or outside of all,
/// as the real thing.
///
/// It is decided when the object is made and never changes. An object that is used in another
/// world than its own is reported, with the place where it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding {
    /// The number of the execution, 0 outside.
    execution: u64,
    object: ObjectId,
    kind: &'static str,
    made_at: &'static Location<'static>,
}

impl Binding {
    /// Binds a new object. `state` is only asked for inside an execution.
    #[track_caller]
    pub(crate) fn new(kind: &'static str, state: impl FnOnce(&mut Execution) -> State) -> Self {
        let made_at = Location::caller();
        let execution = CURRENT_NUMBER.get();
        let object = if execution == 0 {
            ObjectId(0)
        } else {
            with(|current| {
                let state = state(current);
                current.add_object(kind, made_at, state)
            })
        };
        Binding {
            execution,
            object,
            kind,
            made_at,
        }
    }

    /// The binding of what is bound where it is used, as it is here: an object of the current
    /// execution, or the real thing.
    #[cfg(feature = "future")]
    #[track_caller]
    pub(crate) fn here(kind: &'static str, object: Option<ObjectId>) -> Self {
        Binding {
            execution: CURRENT_NUMBER.get(),
            object: object.unwrap_or(ObjectId(0)),
            kind,
            made_at: Location::caller(),
        }
    }

    /// The object in the current execution, or `None` for a real one that is used outside.
    ///
    /// Ends the execution, or panics outside of one, if the object belongs elsewhere.
    #[inline]
    #[track_caller]
    pub(crate) fn object(&self) -> Option<ObjectId> {
        let current = CURRENT_NUMBER.get();
        if self.execution != current {
            self.misused(Location::caller());
            return None;
        }
        if current == 0 {
            delays::before_operation();
            return None;
        }
        Some(self.object)
    }

    /// Whether the object belongs to the execution that is running now.
    pub(crate) fn is_current(&self) -> bool {
        self.execution == CURRENT_NUMBER.get()
    }

    /// Whether the object is a real one.
    pub(crate) fn is_real(&self) -> bool {
        self.execution == 0
    }

    /// Where the object was made.
    pub(crate) fn made_at(&self) -> &'static Location<'static> {
        self.made_at
    }

    /// Names the object.
    pub(crate) fn name(&self, name: Cow<'static, str>) {
        if !self.is_real() && self.is_current() {
            with(|current| current.object_mut(self.object).name = Some(name));
        }
    }

    #[cold]
    fn misused(&self, used_at: &'static Location<'static>) {
        let place = if CURRENT_NUMBER.get() == 0 {
            running::intrude(self.execution, || intrusion(self.kind, used_at));
            Place::OtherThread
        } else if self.execution == 0 {
            Place::Outside
        } else {
            Place::EarlierExecution
        };
        misused(self.kind, place, self.made_at, used_at);
    }
}

/// Where an object belongs that is used in the wrong place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// It was made outside the closure that is explored.
    Outside,
    /// It was made in an execution that is over.
    EarlierExecution,
    /// It belongs to an execution, and is used outside of that.
    OtherThread,
}

/// Ends the execution, or panics outside of one, since an object belongs elsewhere. Returns if a
/// panic unwinds the thread.
#[cold]
pub(super) fn misused(
    kind: &'static str,
    place: Place,
    made_at: &'static Location<'static>,
    used_at: &'static Location<'static>,
) {
    // A second panic in a destructor would end the process.
    if std::thread::panicking() {
        return;
    }
    let advice = "make everything that it uses inside the closure that is explored";
    let place = match place {
        Place::Outside => "outside the closure",
        Place::EarlierExecution => "in an earlier execution",
        Place::OtherThread => panic!(
            "racelab: the {kind} used at {used_at} was made in an execution, at {made_at}, and is \
             used outside of it, or on a thread that the lab does not run: {advice}, and start \
             threads with `racelab::thread`"
        ),
    };
    give_up(Ending::Misused(format!(
        "the {kind} used at {used_at} was made {place}, at {made_at}: {advice}"
    )));
}
