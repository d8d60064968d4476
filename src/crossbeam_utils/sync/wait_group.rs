//! Threads that wait for each other to get somewhere.

use std::borrow::Cow;
use std::fmt;

use crossbeam_utils::sync as real;

use crate::Named;
use crate::execution::Binding;
use crate::model::channel::{self, Limit, Messages};

/// Like [`crossbeam_utils::sync::WaitGroup`]: waits until all clones are gone.
///
/// In an execution it is a channel on which nothing is sent, and of which each clone is a sender: to
/// drop one is a step, and to wait is to drop one and then, as a second step, to find that there are
/// none.
///
/// ```
/// use racelab::crossbeam_utils::sync::WaitGroup;
/// use racelab::thread;
///
/// let group = WaitGroup::new();
/// let other = thread::spawn({
///     let group = group.clone();
///     move || drop(group)
/// });
/// group.wait();
/// other.join().unwrap();
/// ```
pub struct WaitGroup {
    binding: Binding,
    /// The real one, outside of executions.
    real: Option<real::WaitGroup>,
}

impl WaitGroup {
    /// Makes a group of which this is the only one.
    #[track_caller]
    pub fn new() -> Self {
        let binding = channel::bind("WaitGroup", None);
        let real = binding.is_real().then(real::WaitGroup::new);
        WaitGroup { binding, real }
    }

    /// Drops this one, and waits until all others are gone. Two steps.
    #[track_caller]
    pub fn wait(mut self) {
        let group = self.binding.object();
        match self.real.take() {
            Some(real) => real.wait(),
            None => {
                drop(self);
                if let Some(group) = group {
                    // Nothing is ever sent: it ends when there is no sender.
                    let _ = Messages::<()>::new().receive(group, Limit::None);
                }
            }
        }
    }
}

impl Default for WaitGroup {
    #[track_caller]
    fn default() -> Self {
        WaitGroup::new()
    }
}

impl Clone for WaitGroup {
    #[track_caller]
    fn clone(&self) -> Self {
        channel::add_sender(&self.binding);
        WaitGroup {
            binding: self.binding,
            real: self.real.clone(),
        }
    }
}

impl Drop for WaitGroup {
    fn drop(&mut self) {
        channel::drop_sender(&self.binding);
    }
}

impl Named for WaitGroup {
    fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.binding.name(name.into());
        self
    }
}

impl fmt::Debug for WaitGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.real {
            Some(real) => real.fmt(f),
            None => f.debug_struct("WaitGroup").finish_non_exhaustive(),
        }
    }
}
