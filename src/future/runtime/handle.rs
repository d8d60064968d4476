//! Runtimes and handles to them.

use std::error::Error;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::execution::{Binding, RealRun, is_running};
use crate::future::task::{JoinHandle, drive};
use crate::model::State;

use super::builder::Builder;
use super::tasks::{Entered, Tasks, try_current};

/// Like [`tokio::runtime::Runtime`]: runs tasks.
///
/// One that is made in an execution belongs to it, and one that is made outside cannot be used in it.
/// When it is dropped, its tasks are cancelled where they wait next.
///
/// ```
/// use racelab::future::runtime::Runtime;
///
/// let sum = || {
///     let runtime = Runtime::new().unwrap();
///     let task = runtime.spawn(async { 1 + 1 });
///     assert_eq!(runtime.block_on(task).unwrap(), 2);
/// };
/// sum();
/// # #[cfg(feature = "engine")]
/// racelab::check(sum);
/// ```
#[derive(Debug)]
pub struct Runtime {
    handle: Handle,
    /// `None` in an execution.
    real: Option<tokio::runtime::Runtime>,
}

impl Runtime {
    /// A runtime with several threads.
    ///
    /// # Errors
    ///
    /// Outside of executions, if the system cannot start threads.
    #[track_caller]
    pub fn new() -> io::Result<Self> {
        Builder::new_multi_thread().enable_all().build()
    }

    #[track_caller]
    pub(super) fn modelled() -> Self {
        let kind = Kind::Modelled(Arc::default());
        Runtime {
            handle: Handle::new(kind),
            real: None,
        }
    }

    #[track_caller]
    pub(super) fn real(runtime: tokio::runtime::Runtime) -> Self {
        Runtime {
            handle: Handle::new(Kind::Real(runtime.handle().clone())),
            real: Some(runtime),
        }
    }

    /// A handle to it.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Like [`Handle::spawn`].
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// Like [`Handle::spawn_blocking`].
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.handle.spawn_blocking(f)
    }

    /// Runs a future to its end on this thread. The tasks that it has started are left, and go on.
    ///
    /// # Panics
    ///
    /// Inside another `block_on` or a task.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        match &self.real {
            // One with a single thread runs its tasks here.
            Some(real) if !is_running() => real.block_on(future),
            _ => self.handle.block_on(future),
        }
    }

    /// Like [`Handle::enter`].
    #[track_caller]
    pub fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    /// Cancels the tasks that are left, and waits until they have ended, for `duration` at most. In an
    /// execution the time can run out at once, so that it does not wait.
    pub fn shutdown_timeout(mut self, duration: Duration) {
        match self.real.take() {
            Some(real) => real.shutdown_timeout(duration),
            None => self.handle.shut_down(false),
        }
    }

    /// Cancels the tasks that are left, and does not wait until they have ended.
    pub fn shutdown_background(mut self) {
        match self.real.take() {
            Some(real) => real.shutdown_background(),
            None => self.handle.shut_down(false),
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if self.real.is_none() {
            self.handle.shut_down(true);
        }
    }
}

/// Like [`tokio::runtime::Handle`]: starts tasks on a runtime.
#[derive(Clone, Debug)]
pub struct Handle {
    binding: Binding,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Real(tokio::runtime::Handle),
    Modelled(Arc<Tasks>),
}

impl Handle {
    #[track_caller]
    fn new(kind: Kind) -> Self {
        Handle {
            binding: Binding::new("Runtime", |_| State::Scope),
            kind,
        }
    }

    /// A handle to the runtime that the thread is in.
    ///
    /// # Panics
    ///
    /// Outside of runtimes.
    #[track_caller]
    pub fn current() -> Self {
        match Handle::try_current() {
            Ok(handle) => handle,
            Err(error) => panic!("{error}"),
        }
    }

    /// A handle to the runtime that the thread is in.
    ///
    /// # Errors
    ///
    /// Outside of runtimes.
    #[track_caller]
    pub fn try_current() -> Result<Self, TryCurrentError> {
        let kind = if is_running() {
            let tasks = try_current().ok_or(TryCurrentError(None))?;
            Kind::Modelled(tasks)
        } else {
            let handle = tokio::runtime::Handle::try_current();
            Kind::Real(handle.map_err(|error| TryCurrentError(Some(error)))?)
        };
        Ok(Handle::new(kind))
    }

    /// Starts a task on the runtime. In an execution that is one step.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match self.kind() {
            Kind::Real(handle) => {
                JoinHandle::real(handle.spawn(RealRun::inherited_by_task(future)))
            }
            Kind::Modelled(tasks) => tasks.spawn(future),
        }
    }

    /// Runs a closure that may block on a thread for itself. In an execution it can be aborted until it
    /// has begun, which is a step.
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        match self.kind() {
            Kind::Real(handle) => JoinHandle::real(handle.spawn_blocking(RealRun::inherited(f))),
            Kind::Modelled(tasks) => tasks.spawn_blocking(f),
        }
    }

    /// Runs a future to its end on this thread, in the runtime.
    ///
    /// # Panics
    ///
    /// Inside another `block_on` or a task.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        match self.kind() {
            Kind::Real(handle) => handle.block_on(future),
            Kind::Modelled(tasks) => tasks.block_on(future),
        }
    }

    /// Lets the thread be in the runtime until the guard is dropped: what starts tasks starts them on it.
    #[track_caller]
    pub fn enter(&self) -> EnterGuard<'_> {
        EnterGuard {
            _guard: match self.kind() {
                Kind::Real(handle) => Guard::Real(handle.enter()),
                Kind::Modelled(tasks) => Guard::Modelled(tasks.enter()),
            },
            thread: PhantomData,
        }
    }

    /// tokio's handle. A set of tasks and a runtime belong to the same world, since they are used in it.
    #[track_caller]
    pub(in crate::future) fn as_real(&self) -> &tokio::runtime::Handle {
        match self.kind() {
            Kind::Real(handle) => handle,
            Kind::Modelled(..) => {
                panic!("racelab: a runtime of an execution is used outside of it")
            }
        }
    }

    /// The tasks of a runtime of the execution.
    #[track_caller]
    pub(in crate::future) fn as_modelled(&self) -> &Arc<Tasks> {
        match self.kind() {
            Kind::Modelled(tasks) => tasks,
            Kind::Real(_) => {
                panic!("racelab: a runtime that was made outside is used in an execution")
            }
        }
    }

    /// What it is, in the world to which it belongs. In another one it is a misuse.
    #[track_caller]
    fn kind(&self) -> &Kind {
        // Ends the execution if it belongs elsewhere.
        let _ = self.binding.object();
        &self.kind
    }

    fn shut_down(&self, waits: bool) {
        let Kind::Modelled(tasks) = &self.kind else {
            return;
        };
        if !self.binding.is_current() {
            return;
        }
        assert!(
            !waits || drive::current().is_none() || std::thread::panicking(),
            "Cannot drop a runtime in a context where blocking is not allowed. This happens when a \
             runtime is dropped from within an asynchronous context."
        );
        tasks.shut_down(waits, self.binding.made_at());
    }
}

/// Like [`tokio::runtime::EnterGuard`]: the time in which a thread is in a runtime.
#[derive(Debug)]
#[must_use = "the thread leaves the runtime when the guard is dropped"]
pub struct EnterGuard<'a> {
    _guard: Guard<'a>,
    /// It belongs to its thread.
    thread: PhantomData<*mut &'a Handle>,
}

#[derive(Debug)]
#[expect(dead_code, reason = "they are kept for what their destructors do")]
enum Guard<'a> {
    Real(tokio::runtime::EnterGuard<'a>),
    Modelled(Entered),
}

/// Like [`tokio::runtime::TryCurrentError`]: the thread is in no runtime.
pub struct TryCurrentError(Option<tokio::runtime::TryCurrentError>);

impl TryCurrentError {
    /// Whether the thread is in no runtime.
    pub fn is_missing_context(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(tokio::runtime::TryCurrentError::is_missing_context)
    }

    /// Whether the thread is about to end.
    pub fn is_thread_local_destroyed(&self) -> bool {
        !self.is_missing_context()
    }
}

impl fmt::Debug for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryCurrentError").finish_non_exhaustive()
    }
}

impl fmt::Display for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(error) => error.fmt(f),
            None => f.write_str(
                "there is no runtime here: there is one in `block_on`, in tasks, and where one was \
                 entered",
            ),
        }
    }
}

impl Error for TryCurrentError {}
