//! Sets of tasks, which are awaited in the order in which they end.

use std::fmt;
use std::future::poll_fn;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::execution::{Binding, RealRun, is_running};
use crate::future::runtime::{Handle, Tasks, current};
use crate::model;
use crate::trace::ObjectId;

use super::join::{AbortHandle, Id, JoinError, JoinHandle};

/// Like [`tokio::task::JoinSet`]: tasks that are awaited in the order in which they end, and aborted
/// when the set is dropped.
///
/// In an execution, a look for a task that has ended is one step. A panic of a task that nobody takes
/// out of the set is the failure.
pub struct JoinSet<T>(Kind<T>);

enum Kind<T> {
    Real(tokio::task::JoinSet<T>),
    Modelled(Set<T>),
}

/// A set in an execution.
struct Set<T> {
    binding: Binding,
    /// Of who waits for the set.
    waiting: Arc<Mutex<Option<Waker>>>,
    handles: Vec<JoinHandle<T>>,
    made_at: &'static Location<'static>,
}

/// A set, as a task knows it that belongs to it.
pub(super) struct Member {
    set: ObjectId,
    waiting: Arc<Mutex<Option<Waker>>>,
}

impl Member {
    pub(super) fn object(&self) -> ObjectId {
        self.set
    }

    /// Takes the waker of who waits for the set.
    pub(super) fn take_waiting(&self) -> Option<Waker> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.take()
    }
}

impl<T> JoinSet<T> {
    /// An empty set.
    #[track_caller]
    pub fn new() -> Self {
        JoinSet(if is_running() {
            Kind::Modelled(Set {
                binding: model::task::bind_set(),
                waiting: Arc::default(),
                handles: Vec::new(),
                made_at: Location::caller(),
            })
        } else {
            Kind::Real(tokio::task::JoinSet::new())
        })
    }

    /// How many tasks are in it, those that have ended and were not taken out included.
    pub fn len(&self) -> usize {
        match &self.0 {
            Kind::Real(set) => set.len(),
            Kind::Modelled(set) => set.handles.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: 'static> JoinSet<T> {
    /// Starts a task in the set.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, as [`spawn`](super::spawn).
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        match &mut self.0 {
            Kind::Real(set) => AbortHandle::real(set.spawn(RealRun::inherited_by_task(task))),
            Kind::Modelled(set) => set.spawn(&current("JoinSet::spawn"), task),
        }
    }

    /// Starts a task in the set, on that runtime.
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        match &mut self.0 {
            Kind::Real(set) => {
                let task = RealRun::inherited_by_task(task);
                AbortHandle::real(set.spawn_on(task, handle.as_real()))
            }
            Kind::Modelled(set) => set.spawn(handle.as_modelled(), task),
        }
    }

    /// Runs a closure that may block on a thread for itself, in the set.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, as [`spawn`](super::spawn).
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        match &mut self.0 {
            Kind::Real(set) => AbortHandle::real(set.spawn_blocking(RealRun::inherited(f))),
            Kind::Modelled(set) => {
                let member = set.member();
                let tasks = current("JoinSet::spawn_blocking");
                set.add(tasks.spawn_blocking_into(member, f))
            }
        }
    }

    /// Waits for the next task to end, and takes it out. `None` if the set is empty.
    ///
    /// # Errors
    ///
    /// If the task has panicked or was aborted.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|context| self.poll_join_next(context)).await
    }

    /// Like [`join_next`](Self::join_next), with the number of the task.
    ///
    /// # Errors
    ///
    /// If the task has panicked or was aborted: the error has its number.
    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        poll_fn(|context| self.poll_join_next_with_id(context)).await
    }

    /// Takes a task out that has ended, if there is one.
    ///
    /// # Errors
    ///
    /// If the task has panicked or was aborted.
    #[track_caller]
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.try_join_next_with_id().map(without_id)
    }

    /// Like [`try_join_next`](Self::try_join_next), with the number of the task.
    ///
    /// # Errors
    ///
    /// If the task has panicked or was aborted: the error has its number.
    #[track_caller]
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        match &mut self.0 {
            Kind::Real(set) => set.try_join_next_with_id().map(real),
            Kind::Modelled(set) => set.take(&mut None),
        }
    }

    /// Like [`join_next`](Self::join_next), for a future that is written by hand.
    ///
    /// # Errors
    ///
    /// If the task has panicked or was aborted.
    #[track_caller]
    pub fn poll_join_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<T, JoinError>>> {
        let next = self.poll_join_next_with_id(context);
        next.map(|ended| ended.map(without_id))
    }

    /// Like [`poll_join_next`](Self::poll_join_next), with the number of the task.
    ///
    /// # Errors
    ///
    /// If the task has panicked or was aborted: the error has its number.
    #[track_caller]
    pub fn poll_join_next_with_id(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        match &mut self.0 {
            Kind::Real(set) => set
                .poll_join_next_with_id(context)
                .map(|ended| ended.map(real)),
            Kind::Modelled(set) => {
                let mut waker = Some(context.waker().clone());
                let ended = set.take(&mut waker);
                // It may be one that was there before, and its destructor may be anything.
                drop(waker);
                if ended.is_none() && !set.handles.is_empty() {
                    Poll::Pending
                } else {
                    Poll::Ready(ended)
                }
            }
        }
    }

    /// Aborts all tasks and waits until they have ended.
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }

    /// Waits for all tasks, and returns their results in the order in which they have ended.
    ///
    /// # Panics
    ///
    /// If a task has panicked, with what it has panicked with, or was aborted.
    pub async fn join_all(mut self) -> Vec<T> {
        let mut all = Vec::with_capacity(self.len());
        while let Some(ended) = self.join_next().await {
            match ended {
                Ok(value) => all.push(value),
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(error) => panic!("{error}"),
            }
        }
        all
    }

    /// Aborts all tasks, which stay in the set.
    #[track_caller]
    pub fn abort_all(&mut self) {
        match &mut self.0 {
            Kind::Real(set) => set.abort_all(),
            Kind::Modelled(set) => set.handles.iter().for_each(JoinHandle::abort),
        }
    }

    /// Takes all tasks out and lets them go on.
    pub fn detach_all(&mut self) {
        match &mut self.0 {
            Kind::Real(set) => set.detach_all(),
            Kind::Modelled(set) => set.handles.clear(),
        }
    }
}

fn without_id<T>(ended: Result<(Id, T), JoinError>) -> Result<T, JoinError> {
    ended.map(|(_, value)| value)
}

fn real<T>(
    ended: Result<(tokio::task::Id, T), tokio::task::JoinError>,
) -> Result<(Id, T), JoinError> {
    match ended {
        Ok((id, value)) => Ok((Id::real(id), value)),
        Err(error) => Err(JoinError::real(error)),
    }
}

impl<T> Set<T> {
    #[track_caller]
    fn spawn<F>(&mut self, tasks: &Arc<Tasks>, task: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let member = self.member();
        self.add(tasks.spawn_into(member, task))
    }

    #[track_caller]
    fn member(&self) -> Option<Member> {
        Some(Member {
            set: self.binding.object()?,
            waiting: Arc::clone(&self.waiting),
        })
    }

    fn add(&mut self, handle: JoinHandle<T>) -> AbortHandle {
        let abort = handle.abort_handle();
        self.handles.push(handle);
        abort
    }

    /// Takes a task out that has ended, as a step. If there is none, it leaves a waker, in exchange
    /// for the one that was left before.
    #[track_caller]
    fn take(&mut self, waker: &mut Option<Waker>) -> Option<Result<(Id, T), JoinError>> {
        if self.handles.is_empty() {
            return None;
        }
        let set = self.binding.object()?;
        let threads = || {
            let tasks = self.handles.iter().map(JoinHandle::task);
            tasks.map(|task| task.map(super::TaskRef::thread))
        };
        let is_in_set = |thread| threads().any(|other| other == Some(thread));
        let ended = model::task::take_ended(set, is_in_set, || {
            if waker.is_some() {
                let waiting = self.waiting.lock();
                std::mem::swap(waker, &mut waiting.unwrap_or_else(PoisonError::into_inner));
            }
        })?;
        let index = threads().position(|thread| thread == Some(ended))?;
        let handle = self.handles.remove(index);
        let id = handle.id();
        Some(handle.take()?.map(|value| (id, value)))
    }
}

impl<T> Drop for Set<T> {
    fn drop(&mut self) {
        for task in self.handles.iter().filter_map(JoinHandle::task) {
            task.abort_in_drop(self.made_at);
        }
    }
}

impl<T> Default for JoinSet<T> {
    #[track_caller]
    fn default() -> Self {
        JoinSet::new()
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish()
    }
}

impl<T, F> FromIterator<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = F>>(tasks: I) -> Self {
        let mut set = JoinSet::new();
        set.extend(tasks);
        set
    }
}

impl<T, F> Extend<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    #[track_caller]
    fn extend<I: IntoIterator<Item = F>>(&mut self, tasks: I) {
        for task in tasks {
            self.spawn(task);
        }
    }
}
