//! The one-time initialisation without a value.

use std::borrow::Cow;
use std::fmt;

use ::parking_lot as real;
use real::OnceState;

use crate::Named;
use crate::model::once::{OnceBinding, Progress, look_at, run, run_forced};

/// Like `parking_lot::Once`: runs something once.
///
/// In each execution that uses it, it is as new, and what has happened to it there ends with the
/// execution. The start of the initialiser is a step, its end is one, and so is each look at it. Who
/// comes while it runs waits.
///
/// ```
/// use racelab::parking_lot::{Once, OnceState};
///
/// static START: Once = Once::new();
///
/// let mut runs = 0;
/// START.call_once(|| runs += 1);
/// START.call_once(|| runs += 1);
/// assert_eq!(START.state(), OnceState::Done);
/// assert_eq!(runs, 1);
/// ```
pub struct Once {
    binding: OnceBinding,
    /// The real one, for use outside of executions.
    real: real::Once,
}

impl Once {
    /// Makes a new one, for which nothing has run.
    #[track_caller]
    pub const fn new() -> Self {
        Once {
            binding: OnceBinding::new("Once"),
            real: real::Once::new(),
        }
    }

    /// How far it has come. One step.
    #[track_caller]
    pub fn state(&self) -> OnceState {
        let Some(object) = self.binding.object() else {
            return self.real.state();
        };
        match look_at(object) {
            Progress::Incomplete => OnceState::New,
            Progress::Running(_) => OnceState::InProgress,
            Progress::Poisoned => OnceState::Poisoned,
            Progress::Complete => OnceState::Done,
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
    pub fn call_once_force<F: FnOnce(OnceState)>(&self, f: F) {
        match self.binding.object() {
            Some(object) => run_forced(object, |is_poisoned| {
                f(if is_poisoned {
                    OnceState::Poisoned
                } else {
                    OnceState::New
                });
            }),
            None => self.real.call_once_force(f),
        }
    }
}

impl Default for Once {
    #[track_caller]
    fn default() -> Self {
        Once::new()
    }
}

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
