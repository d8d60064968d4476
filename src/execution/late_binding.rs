//! Objects that are bound where they are used, since they are made where there is no execution.

use std::borrow::Cow;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::model::State;
use crate::model::once::Initialisation;
use crate::trace::ObjectId;

use super::{Origin, is_running, with};

/// A number by which an object is told apart from all others in the process, wherever it is moved.
///
/// An address would not do: a value can be moved after it was used, and another one be made where
/// it was.
#[derive(Debug)]
pub(crate) struct Identity(AtomicU64);

impl Identity {
    /// A new identity.
    pub(crate) const fn new() -> Self {
        Identity(AtomicU64::new(0))
    }

    /// The number, which is never 0. It is drawn when it is asked for first.
    pub(crate) fn number(&self) -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let known = self.0.load(Relaxed);
        if known != 0 {
            return known;
        }
        let drawn = NEXT.fetch_add(1, Relaxed);
        match self.0.compare_exchange(0, drawn, Relaxed, Relaxed) {
            Ok(_) => drawn,
            Err(other) => other,
        }
    }
}

/// An object of a one-time initialisation. Statics are made of it, so that its `new` is `const`.
///
/// In each execution that uses it, it is a new object, and what is initialised there ends with the
/// execution. When it is dropped, the object in the current execution goes with it.
#[derive(Debug)]
pub(crate) struct LateBinding {
    identity: Identity,
    kind: &'static str,
    made_at: &'static Location<'static>,
}

impl LateBinding {
    /// Something to be bound later.
    #[track_caller]
    pub(crate) const fn new(kind: &'static str) -> Self {
        LateBinding {
            identity: Identity::new(),
            kind,
            made_at: Location::caller(),
        }
    }

    /// The object in the current execution, which is made at its first use; `None` outside.
    pub(crate) fn object(&self) -> Option<ObjectId> {
        if !is_running() {
            return None;
        }
        let number = self.identity.number();
        Some(with(|execution| {
            if let Some(&object) = execution.late_objects.get(&number) {
                return object;
            }
            let state = State::Once(Initialisation::default());
            let origin = Origin::BoundLate;
            let object = execution.add_object_from(origin, self.kind, self.made_at, state);
            execution.late_objects.insert(number, object);
            object
        }))
    }

    /// Looks at or changes the initialisation in the current execution, if it was used there. Not
    /// an operation.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Initialisation) -> R) -> Option<R> {
        if !is_running() {
            return None;
        }
        let number = self.identity.number();
        with(|execution| {
            let object = *execution.late_objects.get(&number)?;
            Some(change(execution.initialisation(object)))
        })
    }

    /// Names the object in the current execution.
    pub(crate) fn name(&self, name: Cow<'static, str>) {
        if let Some(object) = self.object() {
            with(|execution| execution.object_mut(object).name = Some(name));
        }
    }

    /// Where the object was made.
    pub(crate) fn made_at(&self) -> &'static Location<'static> {
        self.made_at
    }
}

impl Drop for LateBinding {
    fn drop(&mut self) {
        let value = self.change(|initialisation| initialisation.value.take());
        if is_running() {
            with(|execution| execution.late_objects.remove(&self.identity.number()));
        }
        // Outside of the borrow, since its destructor is user code.
        drop(value);
    }
}
