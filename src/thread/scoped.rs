//! Scoped threads.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread as real;

use crate::execution::{Mode, RealRun, Spot, is_running, try_with, with};
use crate::model::State;
use crate::trace;

use super::start::{Joining, start_unchecked, wait_for_borrower};
use super::{Builder, Result, Thread};

/// Like [`std::thread::Scope`]: starts threads that end before the scope does.
pub struct Scope<'scope, 'env: 'scope> {
    /// The real scope, outside of executions.
    real: AtomicPtr<real::Scope<'scope, 'env>>,
    /// The threads that were started in an execution and not joined yet.
    unjoined: Mutex<Vec<trace::ThreadId>>,
    /// What stands for the scope in the execution.
    object: Option<trace::ObjectId>,
    /// As std's, invariant in both lifetimes.
    lifetime: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

/// Like [`std::thread::scope`]. In an execution, threads that were not joined are joined at the
/// end of the scope, one step each.
///
/// ```
/// use racelab::thread;
///
/// let mut words = vec!["a", "b"];
/// thread::scope(|scope| {
///     scope.spawn(|| words.push("c"));
/// });
/// assert_eq!(words, ["a", "b", "c"]);
/// ```
///
/// # Panics
///
/// Outside an execution, if a thread panicked that was not joined.
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let scope = Scope {
        real: AtomicPtr::new(ptr::null_mut()),
        unjoined: Mutex::new(Vec::new()),
        object: is_running().then(make_object),
        lifetime: PhantomData,
        env: PhantomData,
    };
    if is_running() {
        modelled_scope(&scope, f)
    } else {
        real_scope(&scope, f)
    }
}

#[track_caller]
fn modelled_scope<'scope, 'env, T>(
    scope: &'scope Scope<'scope, 'env>,
    f: impl FnOnce(&'scope Scope<'scope, 'env>) -> T,
) -> T {
    let result = catch_unwind(AssertUnwindSafe(|| f(scope)));
    // Also after a panic and in a doomed execution, the threads end before what they borrow. To
    // wait for them can be ended itself, by the execution, and then goes on.
    let mut end = Ok(());
    while let Some(thread) = scope.next_to_join() {
        let (has_finished, joined) = wait_for_borrower(thread);
        if let Err(payload) = joined {
            end = Err(payload);
        }
        if has_finished {
            scope.unjoined().retain(|&other| other != thread);
        }
    }
    match (result, end) {
        (Ok(value), Ok(())) => value,
        (Err(payload), _) | (Ok(_), Err(payload)) => resume_unwind(payload),
    }
}

#[expect(unsafe_code, reason = "the scope has to live as long as std's")]
fn real_scope<'scope, 'env, T>(
    scope: &'scope Scope<'scope, 'env>,
    f: impl FnOnce(&'scope Scope<'scope, 'env>) -> T,
) -> T {
    real::scope(|real| {
        // SAFETY: the lifetimes of `real` are at least as long as this call, after which no
        // thread that was started through the pointer is alive, nor `scope` used any more.
        let real = unsafe {
            std::mem::transmute::<&real::Scope<'_, '_>, &'scope real::Scope<'scope, 'env>>(real)
        };
        scope.real.store(ptr::from_ref(real).cast_mut(), Relaxed);
        let result = f(scope);
        // The scope waits for its threads.
        RealRun::note_join();
        result
    })
}

impl<'scope> Scope<'scope, '_> {
    /// Starts a thread that ends before the scope does.
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        self.start(Builder::new(), f)
            .expect("the system can start a thread")
    }

    #[track_caller]
    #[expect(unsafe_code, reason = "scoped threads borrow")]
    fn start<F, T>(&'scope self, builder: Builder, f: F) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        // SAFETY: the pointer is null, or was stored in `real_scope` with a lifetime that is
        // still running, since `self` is borrowed for it.
        let real = unsafe { self.real.load(Relaxed).as_ref::<'scope>() };
        if let Some(real) = real {
            let handle = builder.real().spawn_scoped(real, RealRun::inherited(f));
            let handle = RealRun::started(handle)?;
            let thread = Thread::real(handle.thread().clone());
            return Ok(ScopedJoinHandle {
                thread,
                kind: Kind::Real(handle),
            });
        }
        // SAFETY: what `f` borrows lives for 'scope, and `scope` does not return, in whichever
        // way, before the thread has finished.
        let (thread, joining) = unsafe { start_unchecked(builder.into_name(), f) };
        self.unjoined().push(joining.id());
        touch(self.object);
        Ok(ScopedJoinHandle {
            thread,
            kind: Kind::Modelled {
                joining,
                unjoined: &self.unjoined,
                scope: self.object,
            },
        })
    }

    fn unjoined(&self) -> std::sync::MutexGuard<'_, Vec<trace::ThreadId>> {
        self.unjoined.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread that the scope waits for next: not the one that was spawned first, since that can
    /// depend on the order of independent steps.
    fn next_to_join(&self) -> Option<trace::ThreadId> {
        let unjoined = self.unjoined();
        with(|execution| {
            if let Some(scope) = self.object {
                execution.touch_in_passing(Spot::Object(scope), Mode::Read);
            }
            let threads = unjoined.iter().copied();
            threads.min_by_key(|thread| execution.lineage(*thread))
        })
    }
}

impl Builder {
    /// Starts a thread that ends before the scope does.
    ///
    /// # Errors
    ///
    /// Outside an execution, if the system cannot start a thread.
    #[track_caller]
    pub fn spawn_scoped<'scope, F, T>(
        self,
        scope: &'scope Scope<'scope, '_>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        scope.start(self, f)
    }
}

/// Like [`std::thread::ScopedJoinHandle`]: waits for a scoped thread to finish.
pub struct ScopedJoinHandle<'scope, T> {
    thread: Thread,
    kind: Kind<'scope, T>,
}

enum Kind<'scope, T> {
    Real(real::ScopedJoinHandle<'scope, T>),
    Modelled {
        joining: Joining<T>,
        unjoined: &'scope Mutex<Vec<trace::ThreadId>>,
        scope: Option<trace::ObjectId>,
    },
}

/// Makes what stands for a scope.
#[track_caller]
fn make_object() -> trace::ObjectId {
    let made_at = Location::caller();
    with(|execution| execution.add_object("Scope", made_at, State::Scope))
}

/// Notes that the threads of a scope are others now.
fn touch(scope: Option<trace::ObjectId>) {
    if let Some(scope) = scope {
        try_with(|execution| execution.touch_in_passing(Spot::Object(scope), Mode::Share));
    }
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
            Kind::Real(handle) => {
                RealRun::note_join();
                handle.join()
            }
            Kind::Modelled {
                joining,
                unjoined,
                scope,
            } => {
                let id = joining.id();
                let result = joining.join();
                // In a destructor of a doomed execution, the join of a thread that waits in its
                // turn may return before that has finished: then it is left to the scope.
                if with(|execution| execution.thread(id).finished) {
                    let mut unjoined = unjoined.lock().unwrap_or_else(PoisonError::into_inner);
                    unjoined.retain(|&other| other != id);
                }
                touch(scope);
                result
            }
        }
    }

    /// The thread.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Whether the thread has finished. In an execution that is one step.
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        match &self.kind {
            Kind::Real(handle) => handle.is_finished(),
            Kind::Modelled { joining, .. } => joining.is_finished(),
        }
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle")
            .field("thread", &self.thread)
            .finish_non_exhaustive()
    }
}
