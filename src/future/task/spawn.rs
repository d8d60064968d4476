//! Starting tasks.

use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::Arc;

use crate::execution::{Binding, RealRun, caught_panic, is_doom, is_running};
use crate::future::runtime::{Tasks, current};
use crate::model;
use crate::thread::start_modelled;

use super::drive;
use super::join::{Ended, JoinHandle, Slot, TaskRef};
use super::set::Member;

/// Like [`tokio::task::spawn`]: starts a task. In an execution that is one step, and so is its end.
///
/// # Panics
///
/// Outside of a runtime: there is one in [`block_on`](crate::future::block_on), in tasks, and where
/// one was entered.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    if is_running() {
        current("spawn").spawn(future)
    } else {
        let future = RealRun::inherited_by_task(future);
        JoinHandle::real(tokio::spawn(future))
    }
}

/// Like [`tokio::task::spawn_blocking`]: runs a closure that may block on a thread for itself.
///
/// In an execution it can be aborted until it has begun, which is a step.
///
/// # Panics
///
/// Outside of a runtime, as [`spawn`].
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    if is_running() {
        current("spawn_blocking").spawn_blocking(f)
    } else {
        JoinHandle::real(tokio::task::spawn_blocking(RealRun::inherited(f)))
    }
}

impl Tasks {
    /// Starts a task in an execution.
    #[track_caller]
    pub(in crate::future) fn spawn<F>(self: &Arc<Self>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_into(None, future)
    }

    /// The same for a task of a set.
    #[track_caller]
    pub(super) fn spawn_into<F>(
        self: &Arc<Self>,
        set: Option<Member>,
        future: F,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let at = Location::caller();
        self.start(set, move |binding| drive::drive(binding, at, future))
    }

    /// Starts a thread in an execution that runs a closure.
    #[track_caller]
    pub(in crate::future) fn spawn_blocking<F, R>(self: &Arc<Self>, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.spawn_blocking_into(None, f)
    }

    /// The same for a task of a set.
    #[track_caller]
    pub(super) fn spawn_blocking_into<F, R>(
        self: &Arc<Self>,
        set: Option<Member>,
        f: F,
    ) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let at = Location::caller();
        self.start(set, move |binding| {
            let task = binding.object()?;
            let is_run = model::task::begin_poll(task, model::task::poll(task).at(at));
            is_run.then(f)
        })
    }

    /// Starts a thread that runs a task: `run` returns its result, or nothing if it was cancelled.
    #[track_caller]
    fn start<T: Send + 'static>(
        self: &Arc<Self>,
        set: Option<Member>,
        run: impl FnOnce(Binding) -> Option<T> + Send + 'static,
    ) -> JoinHandle<T> {
        let at = Location::caller();
        let binding = model::task::bind(set.as_ref().map(Member::object));
        let slot = Arc::new(Slot::new(set));
        let place = Arc::clone(&slot);
        let tasks = Arc::clone(self);
        let (_, joining) = start_modelled(None, move || {
            let _entered = tasks.enter();
            let ended = catch_unwind(AssertUnwindSafe(|| run(binding)));
            let result = match ended {
                Ok(value) => value.ok_or(Ended::Cancelled),
                Err(payload) if is_doom(&*payload) => resume_unwind(payload),
                Err(payload) => Err(Ended::panicked(caught_panic(&*payload), payload)),
            };
            place.finish(&binding, at, result);
        });
        let task = TaskRef::new(binding, joining.id());
        self.add(task);
        drive::name(&binding, joining.id());
        JoinHandle::modelled(task, slot)
    }
}
