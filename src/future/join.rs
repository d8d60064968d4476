//! Starting tasks and waiting for their results.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::execution::{Binding, NextStep, RealRun, is_running, step, with};
use crate::model;
use crate::thread::start_modelled;
use crate::trace::{EventResult, ObjectId, Operation, ThreadId};

use super::task;

/// Like [`tokio::spawn`]: starts a task. In an execution that is one step, and so is its end.
///
/// # Panics
///
/// Outside of [`block_on`](super::block_on) and of tasks.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    if !is_running() {
        let future = RealRun::inherited_by_task(future);
        return JoinHandle(Kind::Real(tokio::spawn(future)));
    }
    assert!(
        task::is_inside(),
        "racelab: `future::spawn` outside of `block_on` and of tasks"
    );
    let at = Location::caller();
    let binding = model::task::bind();
    let slot = Arc::new(Slot::new());
    let place = Arc::clone(&slot);
    let (_, joining) = start_modelled(None, move || {
        let value = task::run(binding, at, future);
        place.finish(&binding, at, value);
    });
    let thread = joining.id();
    task::name(&binding, thread);
    JoinHandle(Kind::Modelled(Modelled {
        binding,
        thread,
        slot,
    }))
}

/// Like [`tokio::task::JoinHandle`]: waits for a task to end, and resolves to its result.
///
/// To look whether the task has ended is one step, and a handle that is dropped detaches its task.
/// `abort` is not offered. In an execution, a task that panics is the failure of the execution, so
/// that it never resolves to an error.
pub struct JoinHandle<T>(Kind<T>);

enum Kind<T> {
    Real(tokio::task::JoinHandle<T>),
    Modelled(Modelled<T>),
}

/// A handle to a task of an execution.
struct Modelled<T> {
    binding: Binding,
    thread: ThreadId,
    slot: Arc<Slot<T>>,
}

impl<T> JoinHandle<T> {
    /// Whether the task has ended. In an execution that is one step.
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        match &self.0 {
            Kind::Real(handle) => handle.is_finished(),
            Kind::Modelled(handle) => match handle.binding.object() {
                Some(task) => handle.look(task, &mut None),
                None => true,
            },
        }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Kind::Real(handle) => Pin::new(handle).poll(context).map_err(JoinError::real),
            Kind::Modelled(handle) => handle.poll(context),
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").finish_non_exhaustive()
    }
}

impl<T> Modelled<T> {
    #[track_caller]
    fn poll(&self, context: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        let Some(task) = self.binding.object() else {
            return Poll::Ready(Err(JoinError::ended()));
        };
        let mut waker = Some(context.waker().clone());
        let is_done = self.look(task, &mut waker);
        // It may be one that was there before, and its destructor may be anything.
        drop(waker);
        if !is_done {
            let is_doomed = with(|execution| execution.is_doomed());
            return if is_doomed {
                // This is a destructor, which could wait forever.
                Poll::Ready(Err(JoinError::ended()))
            } else {
                Poll::Pending
            };
        }
        let value = self.slot.lock().value.take();
        Poll::Ready(Ok(value.expect("JoinHandle polled after completion")))
    }

    /// Looks whether the task is done, as a step. If it is not, it leaves a waker, in exchange for
    /// the one that was left there before.
    #[track_caller]
    fn look(&self, task: ObjectId, waker: &mut Option<Waker>) -> bool {
        let next = NextStep::new(Operation::Join).of(self.thread).on(task);
        step(next, |execution, _| {
            let is_done = model::task::state(execution, task).done;
            if !is_done && waker.is_some() {
                std::mem::swap(waker, &mut self.slot.lock().waiting);
            }
            let result = if is_done {
                EventResult::Succeeded
            } else {
                EventResult::Failed
            };
            execution.note(|event| event.result = Some(result));
            is_done
        })
    }
}

/// Like [`tokio::task::JoinError`]: why a task has no result.
#[derive(Debug)]
pub struct JoinError(Option<tokio::task::JoinError>);

impl JoinError {
    /// Whether the task was cancelled, as by the end of its runtime.
    pub fn is_cancelled(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(tokio::task::JoinError::is_cancelled)
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
        match self.0 {
            Some(error) => error.try_into_panic().map_err(JoinError::real),
            None => Err(self),
        }
    }

    fn real(error: tokio::task::JoinError) -> Self {
        JoinError(Some(error))
    }

    fn ended() -> Self {
        JoinError(None)
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(error) => error.fmt(f),
            None => f.write_str("the task was ended by racelab"),
        }
    }
}

impl Error for JoinError {}

/// Where a task leaves its result, and who waits for it leaves a waker.
///
/// The threads of an execution share one OS thread and none is switched away from while it holds
/// the lock, so that nobody ever waits for it.
struct Slot<T>(Mutex<Content<T>>);

struct Content<T> {
    value: Option<T>,
    waiting: Option<Waker>,
}

impl<T> Slot<T> {
    fn new() -> Self {
        Slot(Mutex::new(Content {
            value: None,
            waiting: None,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Content<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the result, as a step, and wakes who waits for it.
    fn finish(&self, binding: &Binding, at: &'static Location<'static>, value: T) {
        let task = binding.object().expect("the task was made in here");
        let mut value = Some(value);
        let next = NextStep::new(Operation::Send).on(task).at(at);
        let waiting = step(next, |execution, _| {
            model::task::state(execution, task).done = true;
            let mut content = self.lock();
            content.value = value.take();
            content.waiting.take()
        });
        if let Some(waker) = waiting {
            waker.wake();
        }
    }
}
