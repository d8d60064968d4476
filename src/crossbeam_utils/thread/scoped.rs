//! A scope that is given to each of its threads.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::execution::is_running;
use crate::thread::{self, Builder, Result, Thread};

/// Like [`crossbeam_utils::thread::Scope`]: starts threads that end before the scope does.
pub struct Scope<'env> {
    inner: Inner<'env>,
    /// As crossbeam's, invariant in what the threads borrow.
    env: PhantomData<&'env mut &'env ()>,
}

/// What the scopes have in common that are given to the threads of one call of [`scope`].
///
/// It lives as long as that call, which is less than `'env`, but has no name outside of it.
#[derive(Clone, Copy)]
struct Inner<'env> {
    scope: &'env thread::Scope<'env, 'env>,
    unjoined: &'env Unjoined<'env>,
}

/// The threads outside of executions that nobody has joined yet, in the order in which they were
/// started.
type Unjoined<'env> = Mutex<Vec<Shared<thread::ScopedJoinHandle<'env, ()>>>>;

/// What the first of several takes.
type Shared<T> = Arc<Mutex<Option<T>>>;

/// Like [`crossbeam_utils::thread::scope`]. In an execution, threads that were not joined are joined at
/// the end of the scope, one step each.
///
/// ```
/// use racelab::crossbeam_utils::thread;
///
/// let words = ["a", "b"];
/// let count = thread::scope(|scope| {
///     let outer = scope.spawn(|scope| scope.spawn(|_| words.len()).join().unwrap());
///     outer.join().unwrap()
/// });
/// assert_eq!(count.unwrap(), 2);
/// ```
///
/// # Errors
///
/// Outside an execution, if threads panicked that were not joined: what they panicked with. In an
/// execution the panic of a thread is its failure.
#[track_caller]
#[expect(unsafe_code, reason = "crossbeam's scope has no lifetime of its own")]
pub fn scope<'env, F, R>(f: F) -> Result<R>
where
    F: FnOnce(&Scope<'env>) -> R,
{
    let unjoined = Mutex::new(Vec::new());
    let result = thread::scope(|scope| {
        // SAFETY: both live until all threads have ended. The references are only in a `Scope`, which
        // is lent to `f` here and to the closures of the threads in `ScopedThreadBuilder::spawn`, for
        // a lifetime that neither can name. A handle holds what it got from them for no longer than it
        // borrows the `Scope`.
        let inner = unsafe {
            Inner {
                scope: std::mem::transmute::<&thread::Scope<'_, '_>, &'env thread::Scope<'env, 'env>>(
                    scope,
                ),
                unjoined: std::mem::transmute::<&Unjoined<'_>, &'env Unjoined<'env>>(&unjoined),
            }
        };
        let result = f(&Scope::of(inner));
        let mut panics = Vec::new();
        // Those that are joined may have started others.
        while let Some(next) = first(inner.unjoined) {
            let joined = take(&next).map(thread::ScopedJoinHandle::join);
            panics.extend(joined.and_then(Result::err));
        }
        (result, panics)
    });
    match result {
        (result, panics) if panics.is_empty() => Ok(result),
        (_, panics) => Err(Box::new(panics)),
    }
}

fn first<T>(unjoined: &Mutex<Vec<T>>) -> Option<T> {
    let mut unjoined = lock(unjoined);
    (!unjoined.is_empty()).then(|| unjoined.remove(0))
}

fn take<T>(shared: &Mutex<Option<T>>) -> Option<T> {
    lock(shared).take()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'env> Scope<'env> {
    fn of(inner: Inner<'env>) -> Self {
        Scope {
            inner,
            env: PhantomData,
        }
    }

    /// Starts a thread, which is given the scope. One step.
    ///
    /// # Panics
    ///
    /// Outside an execution, if the system cannot start a thread.
    #[track_caller]
    pub fn spawn<'scope, F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce(&Scope<'env>) -> T,
        F: Send + 'env,
        T: Send + 'env,
    {
        let started = self.builder().spawn(f);
        started.expect("failed to spawn scoped thread")
    }

    /// A thread that can be given a name before it starts.
    pub fn builder<'scope>(&'scope self) -> ScopedThreadBuilder<'scope, 'env> {
        ScopedThreadBuilder {
            scope: self,
            builder: Builder::new(),
        }
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Scope { .. }")
    }
}

/// Like [`crossbeam_utils::thread::ScopedThreadBuilder`]: starts scoped threads with a name.
///
/// In an execution, the stack size has no effect.
#[derive(Debug)]
#[must_use = "a thread has to be spawned"]
pub struct ScopedThreadBuilder<'scope, 'env> {
    scope: &'scope Scope<'env>,
    builder: Builder,
}

impl<'scope, 'env> ScopedThreadBuilder<'scope, 'env> {
    /// Names the thread.
    pub fn name(self, name: String) -> Self {
        ScopedThreadBuilder {
            builder: self.builder.name(name),
            ..self
        }
    }

    /// Sets the size of the stack, in bytes.
    pub fn stack_size(self, size: usize) -> Self {
        ScopedThreadBuilder {
            builder: self.builder.stack_size(size),
            ..self
        }
    }

    /// Starts the thread, which is given the scope. One step.
    ///
    /// # Errors
    ///
    /// Outside an execution, if the system cannot start a thread.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce(&Scope<'env>) -> T,
        F: Send + 'env,
        T: Send + 'env,
    {
        let inner = self.scope.inner;
        let run = move || f(&Scope::of(inner));
        if is_running() {
            let handle = self.builder.spawn_scoped(inner.scope, run)?;
            return Ok(ScopedJoinHandle {
                thread: handle.thread().clone(),
                kind: Kind::Modelled(handle),
            });
        }
        let result = Shared::default();
        let kept = Arc::clone(&result);
        let run = move || *lock(&kept) = Some(run());
        // Before those that it starts itself, which it may join.
        let mut unjoined = lock(inner.unjoined);
        let handle = self.builder.spawn_scoped(inner.scope, run)?;
        let thread = handle.thread().clone();
        let handle = Arc::new(Mutex::new(Some(handle)));
        unjoined.push(Arc::clone(&handle));
        drop(unjoined);
        Ok(ScopedJoinHandle {
            thread,
            kind: Kind::Real(Box::new(move || {
                let handle = take(&handle).expect("the scope joins when its closure has returned");
                handle.join()?;
                Ok(take(&result).expect("it has returned"))
            })),
        })
    }
}

/// Like [`crossbeam_utils::thread::ScopedJoinHandle`]: waits for a scoped thread to finish.
pub struct ScopedJoinHandle<'scope, T> {
    thread: Thread,
    kind: Kind<'scope, T>,
}

enum Kind<'scope, T> {
    /// How it is joined, without the lifetime of its scope.
    Real(Box<dyn FnOnce() -> Result<T> + Send + Sync + 'scope>),
    Modelled(thread::ScopedJoinHandle<'scope, T>),
}

impl<T> ScopedJoinHandle<'_, T> {
    /// Waits for the thread to finish and returns its result. One step, which is possible when
    /// the thread has finished.
    ///
    /// # Errors
    ///
    /// If the thread panicked: what it panicked with.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        match self.kind {
            Kind::Modelled(handle) => handle.join(),
            Kind::Real(join) => join(),
        }
    }

    /// The thread.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("ScopedJoinHandle { .. }")
    }
}
