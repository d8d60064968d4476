//! The thread-local values of a thread under test.

use std::ptr::NonNull;

use super::kept::Kept;

/// The thread-local values of one thread, in the order in which they were initialised.
#[derive(Debug, Default)]
pub(crate) struct Locals(Vec<Local>);

#[derive(Debug)]
struct Local {
    /// The number of the key's identity.
    key: u64,
    /// `None` once it was destroyed.
    value: Option<Kept>,
}

/// What there is of a thread-local value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LocalState {
    /// It was not initialised yet.
    Nothing,
    /// It is at this place.
    Alive(NonNull<()>),
    /// It was destroyed, or is being destroyed, since the thread ends.
    Destroyed,
}

impl Locals {
    /// What there is for this key.
    pub(crate) fn find(&self, key: u64) -> LocalState {
        match self.0.iter().find(|local| local.key == key) {
            None => LocalState::Nothing,
            Some(Local { value: None, .. }) => LocalState::Destroyed,
            Some(Local {
                value: Some(value), ..
            }) => LocalState::Alive(value.place()),
        }
    }

    /// Forgets the values. Those that are left have no destructors, or their thread was left behind.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Puts a value in, and returns the one that it replaces.
    pub(crate) fn put(&mut self, key: u64, value: Kept) -> Option<Kept> {
        match self.0.iter_mut().find(|local| local.key == key) {
            Some(local) => local.value.replace(value),
            None => {
                let value = Some(value);
                self.0.push(Local { key, value });
                None
            }
        }
    }

    /// Takes out the value that is to be destroyed next: the one that was initialised last. As
    /// with std, those without a destructor stay where they are.
    pub(super) fn destroy_next(&mut self) -> Option<Kept> {
        let mut locals = self.0.iter_mut().rev();
        locals.find_map(|local| local.value.take_if(|value| value.needs_drop))
    }
}
