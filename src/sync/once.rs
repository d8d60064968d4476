//! The one-time initialisation without a value.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::sync as real;

use crate::Named;
use crate::execution::Requirement;

use crate::model::once::{OnceBinding, look, look_when, run, run_forced};

/// Like [`std::sync::Once`]: runs something once.
///
/// `new` is `const`, since statics are made of it: in each execution that uses it, it is as new,
/// and what has happened to it there ends with the execution. Outside it is the real one.
///
/// In an execution, the start of the initialiser is a step, its end is one, and so is each look at
/// it. Who comes while it runs waits.
///
/// ```
/// use racelab::sync::Once;
///
/// static START: Once = Once::new();
///
/// let mut runs = 0;
/// START.call_once(|| runs += 1);
/// START.call_once(|| runs += 1);
/// assert!(START.is_completed());
/// assert_eq!(runs, 1);
/// ```
pub struct Once {
    binding: OnceBinding,
    /// The real one, for use outside of executions.
    real: real::Once,
}

/// Like [`std::sync::OnceState`]: what [`Once::call_once_force`] tells of earlier runs.
#[derive(Debug)]
pub struct OnceState {
    is_poisoned: bool,
    /// As std's, it is not for threads to share.
    marker: PhantomData<Cell<bool>>,
}

impl OnceState {
    fn new(is_poisoned: bool) -> Self {
        OnceState {
            is_poisoned,
            marker: PhantomData,
        }
    }

    /// Whether an initialiser has panicked before.
    pub fn is_poisoned(&self) -> bool {
        self.is_poisoned
    }
}

#[expect(clippy::new_without_default, reason = "std's has no default either")]
impl Once {
    /// Makes a new one, for which nothing has run.
    #[track_caller]
    pub const fn new() -> Self {
        Once {
            binding: OnceBinding::new("Once"),
            real: real::Once::new(),
        }
    }

    /// Runs `f` if nothing has run yet. Waits while another thread runs its own.
    ///
    /// # Panics
    ///
    /// If an earlier initialiser has panicked.
    #[track_caller]
    pub fn call_once<F: FnOnce()>(&self, f: F) {
        match self.binding.object() {
            Some(object) => run(object, f),
            None => self.real.call_once(f),
        }
    }

    /// Like [`call_once`](Self::call_once), but also runs `f` if an earlier initialiser has
    /// panicked.
    #[track_caller]
    pub fn call_once_force<F: FnOnce(&OnceState)>(&self, f: F) {
        match self.binding.object() {
            Some(object) => run_forced(object, |is_poisoned| f(&OnceState::new(is_poisoned))),
            None => {
                let force = |state: &real::OnceState| f(&OnceState::new(state.is_poisoned()));
                self.real.call_once_force(force);
            }
        }
    }

    /// Whether an initialiser has run to its end. One step.
    #[track_caller]
    pub fn is_completed(&self) -> bool {
        match self.binding.object() {
            Some(object) => look(object).is_some(),
            None => self.real.is_completed(),
        }
    }

    /// Waits until an initialiser has run to its end. One step.
    ///
    /// # Panics
    ///
    /// If an initialiser has panicked.
    #[track_caller]
    pub fn wait(&self) {
        let Some(object) = self.binding.object() else {
            return self.real.wait();
        };
        let (_, is_poisoned) = look_when(object, Requirement::Ended(object));
        assert!(!is_poisoned, "Once instance has previously been poisoned");
    }

    /// Waits until an initialiser has run to its end, whether others have panicked or not. One
    /// step.
    #[track_caller]
    pub fn wait_force(&self) {
        match self.binding.object() {
            Some(object) => {
                look_when(object, Requirement::Initialised(object));
            }
            None => self.real.wait_force(),
        }
    }
}

/// A new [`Once`].
#[deprecated(note = "use `Once::new`, which is `const`")]
#[expect(
    clippy::declare_interior_mutable_const,
    reason = "as in std: each use is a new one"
)]
pub const ONCE_INIT: Once = Once::new();

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").finish_non_exhaustive()
    }
}

impl Named for Once {
    /// Names the object in the current execution.
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.binding.name(name.into());
        self
    }
}
