//! Handles to tasks: waiting for their results, and aborting them.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::execution::{Binding, NextStep, Panic, fail_of_caught, is_running, step, with};
use crate::model;
use crate::trace::{EventResult, ObjectId, Operation, ThreadId};

use super::drive;
use super::set::Member;

/// Like [`tokio::task::JoinHandle`]: waits for a task to end, and resolves to its result.
///
/// To look whether the task has ended is one step, and a handle that is dropped detaches its task.
/// In an execution, a panic of the task that nobody takes out of the handle is the failure of the
/// execution.
pub struct JoinHandle<T>(Kind<T>);

enum Kind<T> {
    Real(tokio::task::JoinHandle<T>),
    Modelled(TaskRef, Arc<Slot<T>>),
}

/// A task of an execution.
#[derive(Clone, Copy, Debug)]
pub(in crate::future) struct TaskRef {
    binding: Binding,
    thread: ThreadId,
}

impl<T> JoinHandle<T> {
    pub(in crate::future) fn real(handle: tokio::task::JoinHandle<T>) -> Self {
        JoinHandle(Kind::Real(handle))
    }

    pub(super) fn modelled(task: TaskRef, slot: Arc<Slot<T>>) -> Self {
        JoinHandle(Kind::Modelled(task, slot))
    }

    /// Takes the result, which is there, of a task of an execution.
    #[track_caller]
    pub(super) fn take(&self) -> Option<Result<T, JoinError>> {
        match &self.0 {
            Kind::Real(_) => None,
            Kind::Modelled(task, slot) => Some(task.take(slot)),
        }
    }

    /// The task, if it is one of an execution.
    pub(super) fn task(&self) -> Option<&TaskRef> {
        match &self.0 {
            Kind::Real(_) => None,
            Kind::Modelled(task, _) => Some(task),
        }
    }

    /// Asks that the task be cancelled where it waits next. In an execution that is one step. It does
    /// nothing to a task that has ended.
    #[track_caller]
    pub fn abort(&self) {
        match &self.0 {
            Kind::Real(handle) => handle.abort(),
            Kind::Modelled(task, _) => task.abort(),
        }
    }

    /// Whether the task has ended. In an execution that is one step.
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        match &self.0 {
            Kind::Real(handle) => handle.is_finished(),
            Kind::Modelled(task, _) => task.is_finished(),
        }
    }

    /// A handle that can abort the task, and not wait for it.
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle(match &self.0 {
            Kind::Real(handle) => AbortKind::Real(handle.abort_handle()),
            Kind::Modelled(task, _) => AbortKind::Modelled(*task),
        })
    }

    /// The number of the task.
    pub fn id(&self) -> Id {
        match &self.0 {
            Kind::Real(handle) => Id(IdKind::Real(handle.id())),
            Kind::Modelled(task, _) => task.id(),
        }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Kind::Real(handle) => Pin::new(handle).poll(context).map_err(JoinError::real),
            Kind::Modelled(task, slot) => task.poll(slot, context),
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}

/// Like [`tokio::task::AbortHandle`]: aborts a task, and cannot wait for it.
#[derive(Clone)]
pub struct AbortHandle(AbortKind);

#[derive(Clone)]
enum AbortKind {
    Real(tokio::task::AbortHandle),
    Modelled(TaskRef),
}

impl AbortHandle {
    pub(super) fn real(handle: tokio::task::AbortHandle) -> Self {
        AbortHandle(AbortKind::Real(handle))
    }

    /// Like [`JoinHandle::abort`].
    #[track_caller]
    pub fn abort(&self) {
        match &self.0 {
            AbortKind::Real(handle) => handle.abort(),
            AbortKind::Modelled(task) => task.abort(),
        }
    }

    /// Like [`JoinHandle::is_finished`].
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        match &self.0 {
            AbortKind::Real(handle) => handle.is_finished(),
            AbortKind::Modelled(task) => task.is_finished(),
        }
    }

    /// The number of the task.
    pub fn id(&self) -> Id {
        match &self.0 {
            AbortKind::Real(handle) => Id(IdKind::Real(handle.id())),
            AbortKind::Modelled(task) => task.id(),
        }
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle")
            .field("id", &self.id())
            .finish()
    }
}

impl TaskRef {
    pub(super) fn new(binding: Binding, thread: ThreadId) -> Self {
        TaskRef { binding, thread }
    }

    fn id(&self) -> Id {
        Id(IdKind::Modelled(self.thread))
    }

    #[track_caller]
    fn abort(&self) {
        if let Some(task) = self.binding.object() {
            model::task::abort(task);
        }
    }

    /// Aborts the task in a destructor, called for at this place.
    pub(in crate::future) fn abort_in_drop(&self, at: &'static Location<'static>) {
        if self.binding.is_current()
            && !self.is_known_to_be_done()
            && let Some(task) = self.binding.object()
        {
            model::task::abort_in_drop(task, NextStep::new(Operation::Abort).at(at));
        }
    }

    /// Whether the result of the task is there, and that happens before what the current thread does
    /// next.
    pub(in crate::future) fn is_known_to_be_done(&self) -> bool {
        self.binding
            .object()
            .is_none_or(|task| model::task::is_known_to_be_done(task, self.thread))
    }

    /// The thread of the task.
    pub(in crate::future) fn thread(&self) -> ThreadId {
        self.thread
    }

    #[track_caller]
    fn is_finished(&self) -> bool {
        self.binding
            .object()
            .is_none_or(|task| self.look(task, || ()))
    }

    #[track_caller]
    fn poll<T>(&self, slot: &Slot<T>, context: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        let cancelled = || JoinError(self.id(), Reason::Cancelled);
        let Some(task) = self.binding.object() else {
            return Poll::Ready(Err(cancelled()));
        };
        let mut waker = Some(context.waker().clone());
        let is_done = self.look(task, || {
            std::mem::swap(&mut waker, &mut slot.lock().waiting);
        });
        // It may be one that was there before, and its destructor may be anything.
        drop(waker);
        if !is_done {
            let is_doomed = with(|execution| execution.is_doomed());
            return if is_doomed {
                // This is a destructor, which could wait forever.
                Poll::Ready(Err(cancelled()))
            } else {
                Poll::Pending
            };
        }
        Poll::Ready(self.take(slot))
    }

    /// Takes the result, which is there.
    #[track_caller]
    pub(super) fn take<T>(&self, slot: &Slot<T>) -> Result<T, JoinError> {
        let result = slot.lock().result.take();
        let result = result.expect("JoinHandle polled after completion");
        result.map_err(|ended| JoinError(self.id(), ended.into_reason()))
    }

    /// Looks whether the task is done, as a step, which includes `wait` if it is not.
    #[track_caller]
    fn look(&self, task: ObjectId, wait: impl FnOnce()) -> bool {
        let next = NextStep::new(Operation::Join).of(self.thread).on(task);
        step(next, |execution, _| {
            let is_done = model::task::is_done(execution, task);
            if !is_done {
                wait();
            }
            let result = if is_done {
                EventResult::Succeeded
            } else {
                EventResult::Pending
            };
            execution.note(|event| event.result = Some(result));
            is_done
        })
    }
}

/// Like [`tokio::task::Id`]: the number of a task.
///
/// In an execution it is that of its thread in the trace, the same in every replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id(IdKind);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum IdKind {
    Real(tokio::task::Id),
    Modelled(ThreadId),
}

impl fmt::Debug for IdKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IdKind::Real(id) => id.fmt(f),
            IdKind::Modelled(thread) => thread.0.fmt(f),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IdKind::Real(id) => id.fmt(f),
            IdKind::Modelled(thread) => thread.0.fmt(f),
        }
    }
}

impl Id {
    pub(super) fn real(id: tokio::task::Id) -> Self {
        Id(IdKind::Real(id))
    }
}

/// The number of the task that runs.
///
/// # Panics
///
/// Outside of tasks.
#[track_caller]
pub fn id() -> Id {
    try_id().expect("Can't get a task id when not inside a task")
}

/// The number of the task that runs, or `None` outside of tasks.
pub fn try_id() -> Option<Id> {
    if is_running() {
        drive::current()?;
        let thread = with(|execution| execution.me());
        Some(Id(IdKind::Modelled(thread)))
    } else {
        tokio::task::try_id().map(|id| Id(IdKind::Real(id)))
    }
}

/// Like [`tokio::task::JoinError`]: why a task has no result.
pub struct JoinError(Id, Reason);

enum Reason {
    Real(tokio::task::JoinError),
    Cancelled,
    /// The mutex makes it one that threads can share.
    Panicked(Mutex<Box<dyn Any + Send>>, String),
}

impl JoinError {
    /// Whether the task was cancelled: it was aborted, or its runtime has ended.
    pub fn is_cancelled(&self) -> bool {
        match &self.1 {
            Reason::Real(error) => error.is_cancelled(),
            Reason::Cancelled => true,
            Reason::Panicked(..) => false,
        }
    }

    /// Whether the task has panicked.
    pub fn is_panic(&self) -> bool {
        !self.is_cancelled()
    }

    /// What the task has panicked with.
    ///
    /// # Panics
    ///
    /// If it has not.
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        self.try_into_panic()
            .expect("`JoinError` reason is not a panic.")
    }

    /// What the task has panicked with.
    ///
    /// # Errors
    ///
    /// If it has not: the error itself.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send + 'static>, JoinError> {
        match self.1 {
            Reason::Real(error) => error.try_into_panic().map_err(JoinError::real),
            Reason::Cancelled => Err(self),
            Reason::Panicked(payload, _) => {
                Ok(payload.into_inner().unwrap_or_else(PoisonError::into_inner))
            }
        }
    }

    /// The number of the task.
    pub fn id(&self) -> Id {
        self.0
    }

    pub(super) fn real(error: tokio::task::JoinError) -> Self {
        JoinError(Id(IdKind::Real(error.id())), Reason::Real(error))
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.1 {
            Reason::Real(error) => error.fmt(f),
            Reason::Cancelled => write!(f, "JoinError::Cancelled({:?})", self.0),
            Reason::Panicked(_, message) => {
                write!(f, "JoinError::Panic({:?}, {message:?}, ...)", self.0)
            }
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.0;
        match &self.1 {
            Reason::Real(error) => error.fmt(f),
            Reason::Cancelled => write!(f, "task {id} was cancelled"),
            Reason::Panicked(_, message) => {
                write!(f, "task {id} panicked with message {message:?}")
            }
        }
    }
}

impl Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> Self {
        io::Error::other(if error.is_cancelled() {
            "task was cancelled"
        } else {
            "task panicked"
        })
    }
}

/// Why a task has ended without a result.
pub(super) enum Ended {
    Cancelled,
    Panicked(Unasked, Box<dyn Any + Send>),
}

impl Ended {
    /// The current thread has caught a panic of the task that it runs.
    pub(super) fn panicked(panic: Panic, payload: Box<dyn Any + Send>) -> Self {
        let thread = with(|execution| execution.me());
        Ended::Panicked(Unasked(Some((thread, panic))), payload)
    }

    /// Somebody asks.
    fn into_reason(self) -> Reason {
        match self {
            Ended::Cancelled => Reason::Cancelled,
            Ended::Panicked(mut unasked, payload) => {
                let message = unasked.0.take().map(|(_, (message, _))| message);
                Reason::Panicked(Mutex::new(payload), message.unwrap_or_default())
            }
        }
    }
}

/// A panic of a task for which nobody has asked yet. If nobody ever does, it is the failure.
pub(super) struct Unasked(Option<(ThreadId, Panic)>);

impl Drop for Unasked {
    fn drop(&mut self) {
        if let Some((thread, panic)) = self.0.take() {
            fail_of_caught(thread, panic);
        }
    }
}

/// Where a task leaves its result, and who waits for it leaves a waker.
///
/// The threads of an execution share one OS thread and none is switched away from while it holds
/// the lock, so that nobody ever waits for it.
pub(super) struct Slot<T> {
    content: Mutex<Content<T>>,
    set: Option<Member>,
}

struct Content<T> {
    result: Option<Result<T, Ended>>,
    waiting: Option<Waker>,
}

impl<T> Slot<T> {
    pub(super) fn new(set: Option<Member>) -> Self {
        let content = Content {
            result: None,
            waiting: None,
        };
        Slot {
            content: Mutex::new(content),
            set,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Content<T>> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the result, as a step, and wakes who waits for it.
    pub(super) fn finish(
        &self,
        binding: &Binding,
        at: &'static Location<'static>,
        result: Result<T, Ended>,
    ) {
        let task = binding.object().expect("the task was made in here");
        let has_failed = result.is_err();
        let mut result = Some(result);
        let next = NextStep::new(Operation::Send).on(task).at(at);
        let waiting = step(next, |execution, _| {
            model::task::note_done(execution, task);
            if has_failed {
                execution.note(|event| event.result = Some(EventResult::Failed));
            }
            let mut content = self.lock();
            content.result = result.take();
            let waiting = content.waiting.take();
            waiting.or_else(|| self.set.as_ref()?.take_waiting())
        });
        if let Some(waker) = waiting {
            waker.wake();
        }
    }
}
