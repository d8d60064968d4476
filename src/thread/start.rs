//! Starting threads and joining them.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread as real;

use crate::execution::{
    Alternatives, Mode, NextStep, RealRun, Requirement, Spot, is_running, run_thread, step,
    try_with, with,
};
use crate::trace::{self, Operation};

use super::{Result, Thread};

/// Like [`std::thread::spawn`]. In an execution the start is one step.
///
/// # Panics
///
/// Outside an execution, if the system cannot start a thread.
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    if is_running() {
        let (thread, joining) = start(None, f);
        JoinHandle {
            thread,
            kind: Kind::Modelled(joining),
        }
    } else {
        let started = Builder::new().spawn(f);
        started.unwrap_or_else(|error| panic!("failed to spawn thread: {error:?}"))
    }
}

/// Like [`std::thread::Builder`]: starts threads with a name.
///
/// In an execution the name heads the thread's column in the table of a failure, and the stack
/// size has no effect.
#[derive(Debug, Default)]
#[must_use = "a thread has to be spawned"]
pub struct Builder {
    name: Option<String>,
    stack_size: Option<usize>,
}

impl Builder {
    /// A thread without a name.
    pub fn new() -> Self {
        Builder::default()
    }

    /// Names the thread.
    pub fn name(self, name: String) -> Self {
        Builder {
            name: Some(name),
            ..self
        }
    }

    /// Sets the size of the stack, in bytes.
    pub fn stack_size(self, size: usize) -> Self {
        Builder {
            stack_size: Some(size),
            ..self
        }
    }

    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// Outside an execution, if the system cannot start a thread.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        if is_running() {
            let (thread, joining) = start(self.name, f);
            Ok(JoinHandle {
                thread,
                kind: Kind::Modelled(joining),
            })
        } else {
            let handle = RealRun::started(self.real().spawn(RealRun::inherited(f)))?;
            Ok(JoinHandle::real(handle))
        }
    }

    /// Starts a thread that may borrow from its surroundings.
    ///
    /// # Safety
    ///
    /// What `f` and its result borrow must live until the thread has finished, and all handles to it
    /// that hold the result are gone.
    ///
    /// # Errors
    ///
    /// Outside an execution, if the system cannot start a thread.
    #[track_caller]
    #[expect(unsafe_code, reason = "std has it")]
    pub unsafe fn spawn_unchecked<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        if is_running() {
            // SAFETY: the caller has promised what this asks for.
            let (thread, joining) = unsafe { start_unchecked(self.name, f) };
            Ok(JoinHandle {
                thread,
                kind: Kind::Borrowing(joining),
            })
        } else {
            // SAFETY: the caller has promised what std asks for.
            let handle = unsafe { self.real().spawn_unchecked(RealRun::inherited(f)) };
            let handle = RealRun::started(handle)?;
            Ok(JoinHandle::real(handle))
        }
    }

    pub(super) fn real(self) -> real::Builder {
        let builder = real::Builder::new();
        let builder = match self.name {
            Some(name) => builder.name(name),
            None => builder,
        };
        match self.stack_size {
            Some(size) => builder.stack_size(size),
            None => builder,
        }
    }

    pub(super) fn into_name(self) -> Option<String> {
        self.name
    }
}

/// Like [`std::thread::JoinHandle`]: waits for a thread to finish.
///
/// In an execution, a thread that panics is the failure of the execution, so that a join in it
/// never returns an error.
pub struct JoinHandle<T> {
    thread: Thread,
    kind: Kind<T>,
}

enum Kind<T> {
    Real(real::JoinHandle<T>),
    Modelled(Joining<T>),
    /// The thread may borrow from its surroundings.
    Borrowing(Joining<T>),
}

// SAFETY: as with std's, a handle only is made where the result may be sent to another thread, and
// there is no reference to the result before it is taken.
#[expect(unsafe_code, reason = "std's are")]
unsafe impl<T> Send for JoinHandle<T> {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "std's are")]
unsafe impl<T> Sync for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    fn real(handle: real::JoinHandle<T>) -> Self {
        JoinHandle {
            thread: Thread::real(handle.thread().clone()),
            kind: Kind::Real(handle),
        }
    }

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
            Kind::Modelled(joining) => joining.join(),
            Kind::Borrowing(joining) => joining.join_borrower(),
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
            Kind::Modelled(joining) | Kind::Borrowing(joining) => joining.is_finished(),
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("thread", &self.thread)
            .finish_non_exhaustive()
    }
}

/// A modelled thread, and where it leaves its result.
pub(crate) struct Joining<T> {
    id: trace::ThreadId,
    result: Arc<Mutex<Option<T>>>,
}

impl<T> Drop for Joining<T> {
    fn drop(&mut self) {
        touch_result::<T>(self.id);
    }
}

/// Notes that a result is let go of, if that can mean anything.
fn touch_result<T>(thread: trace::ThreadId) {
    if std::mem::needs_drop::<T>() {
        try_with(|execution| execution.touch_in_passing(Spot::Result(thread), Mode::Write));
    }
}

impl<T> Joining<T> {
    #[track_caller]
    pub(super) fn join(self) -> Result<T> {
        if is_running() {
            let next = NextStep::new(Operation::Join).of(self.id);
            step(next.requires(Requirement::Finished(self.id)), |_, _| ());
        }
        self.into_result()
    }

    /// Like [`join`](Self::join), but returns or unwinds only when the thread has finished.
    #[track_caller]
    fn join_borrower(self) -> Result<T> {
        let mut end = Ok(());
        while is_running() {
            let (has_finished, joined) = wait_for_borrower(self.id);
            end = end.and(joined);
            if has_finished {
                break;
            }
        }
        if let Err(payload) = end {
            resume_unwind(payload);
        }
        self.into_result()
    }

    fn into_result(self) -> Result<T> {
        let result = self
            .result
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // Without a result the execution is doomed, and this is a destructor.
        result.ok_or_else(|| Box::new("the thread was ended by racelab") as _)
    }

    #[track_caller]
    pub(super) fn is_finished(&self) -> bool {
        if !is_running() {
            return true;
        }
        // The end of a thread is no operation, so that to look for it is a join that may fail. It
        // may also fail behind the last step of the thread, which takes its time to end.
        let next = NextStep::new(Operation::Join)
            .of(self.id)
            .or(Alternatives::Unfinished);
        step(next, |execution, alternative| {
            let thread = execution.thread_mut(self.id);
            let is_finished = thread.finished && alternative == 0;
            thread.seen_finished |= is_finished;
            let result = if is_finished {
                trace::EventResult::Succeeded
            } else {
                trace::EventResult::Failed
            };
            execution.note(|event| event.result = Some(result));
            is_finished
        })
    }

    pub(crate) fn id(&self) -> trace::ThreadId {
        self.id
    }
}

/// Waits until a thread has finished that borrows from this one, so that the end of the execution
/// must not unwind this one alone: that is returned, with whether the thread has finished. If not,
/// others were unwound a bit further, and it has to be waited for again.
#[track_caller]
pub(super) fn wait_for_borrower(thread: trace::ThreadId) -> (bool, Result<()>) {
    let next = NextStep::new(Operation::Join).of(thread);
    let next = next.requires(Requirement::Finished(thread));
    let joined = catch_unwind(AssertUnwindSafe(|| step(next, |_, _| ())));
    let has_finished = with(|execution| execution.thread(thread).finished);
    if !has_finished {
        // Doomed: it is this thread's turn although a younger one has not ended, which waits in a
        // destructor. Let it go first.
        let runtime = with(|execution| {
            execution.current_mut().waits_unwinding = true;
            execution.runtime()
        });
        runtime.let_others_unwind();
        with(|execution| execution.current_mut().waits_unwinding = false);
    }
    (has_finished, joined)
}

/// Starts a modelled thread.
#[track_caller]
pub(crate) fn start<F, T>(name: Option<String>, f: F) -> (Thread, Joining<T>)
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    #[expect(unsafe_code, reason = "shared with scoped threads")]
    // SAFETY: the closure and its result may live forever.
    unsafe {
        start_unchecked(name, f)
    }
}

/// Starts a modelled thread that may borrow from its surroundings.
///
/// # Safety
///
/// What `f` and its result borrow must live until the thread has finished.
#[track_caller]
#[expect(unsafe_code, reason = "scoped threads borrow")]
pub(super) unsafe fn start_unchecked<F, T>(name: Option<String>, f: F) -> (Thread, Joining<T>)
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    let handle_name = name.clone();
    let next = NextStep::new(Operation::Spawn);
    let (id, is_doomed) = step(next, |execution, _| {
        let id = execution.add_thread(name);
        execution.note(|event| event.target = Some(id));
        (id, execution.is_doomed())
    });
    let result = Arc::new(Mutex::new(None));
    let place = Arc::clone(&result);
    let main = AssertUnwindSafe(move || {
        // A result that nobody is going to ask for is dropped before the thread has finished,
        // since that may be operations.
        run_thread(id, move || {
            let value = f();
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
            touch_result::<T>(id);
            drop(place);
        });
    });
    let main: Box<dyn FnOnce()> = Box::new(main);
    // SAFETY: only the lifetime changes. The caller has promised that what is borrowed lives
    // until the thread has finished, and the box is gone then.
    let main =
        unsafe { std::mem::transmute::<Box<dyn FnOnce() + '_>, Box<dyn FnOnce() + 'static>>(main) };
    if is_doomed {
        // A destructor starts a thread while its execution ends: it ends before it begins.
        with(|execution| execution.cancel_start(id));
        drop(main);
    } else {
        let runtime = with(|execution| execution.runtime());
        runtime.spawn(id, main);
    }
    (
        Thread::modelled(id, handle_name.as_deref()),
        Joining { id, result },
    )
}
