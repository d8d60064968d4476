//! The tasks of a runtime of an execution, and which runtime a thread is in.

use std::cell::RefCell;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

use crate::execution::{NextStep, Requirement, step};
use crate::future::task::{TaskRef, drive};
use crate::trace::Operation;

crate::thread_local! {
    /// The runtimes that the thread is in, the innermost one last.
    static ENTERED: RefCell<Vec<Arc<Tasks>>> = const { RefCell::new(Vec::new()) };
}

/// The tasks that were started on a runtime.
#[derive(Debug, Default)]
pub(in crate::future) struct Tasks(Mutex<Vec<TaskRef>>);

impl Tasks {
    pub(in crate::future) fn add(&self, task: TaskRef) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(task);
    }

    /// Lets the thread be in this runtime until the guard is dropped.
    pub(in crate::future) fn enter(self: &Arc<Self>) -> Entered {
        ENTERED.with_borrow_mut(|entered| entered.push(Arc::clone(self)));
        Entered(())
    }

    /// Runs a future on the current thread, in this runtime.
    #[track_caller]
    pub(in crate::future) fn block_on<F: Future>(self: &Arc<Self>, future: F) -> F::Output {
        drive::assert_outside();
        let _entered = self.enter();
        drive::block_on(future)
    }

    /// Cancels the tasks that are left, where they wait next, and waits until they have ended, if
    /// that is asked for. Those that are started meanwhile are cancelled as well.
    ///
    /// While a panic unwinds the thread it does not wait.
    pub(in crate::future) fn shut_down(&self, waits: bool, at: &'static Location<'static>) {
        let waits = waits && !std::thread::panicking();
        let mut first = 0;
        loop {
            let tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner)[first..].to_vec();
            if tasks.is_empty() {
                return;
            }
            first += tasks.len();
            let left = tasks.iter().filter(|task| !task.is_known_to_be_done());
            let left: Vec<_> = left.collect();
            for task in &left {
                task.abort_in_drop(at);
            }
            for task in left.iter().filter(|_| waits) {
                let next = NextStep::new(Operation::Join).of(task.thread()).at(at);
                step(
                    next.requires(Requirement::Finished(task.thread())),
                    |_, _| (),
                );
            }
        }
    }
}

/// The time in which a thread is in a runtime.
#[derive(Debug)]
pub(in crate::future) struct Entered(());

impl Drop for Entered {
    fn drop(&mut self) {
        // The thread may be about to end, and nothing is left then.
        let _ = ENTERED.try_with(|entered| entered.borrow_mut().pop());
    }
}

/// The runtime that the thread is in, if it is in any.
pub(in crate::future) fn try_current() -> Option<Arc<Tasks>> {
    let current = ENTERED.try_with(|entered| entered.borrow().last().cloned());
    current.ok().flatten()
}

/// The runtime that the thread is in, for an operation of this name.
#[track_caller]
pub(in crate::future) fn current(operation: &str) -> Arc<Tasks> {
    try_current().unwrap_or_else(|| {
        panic!(
            "racelab: `{operation}` outside of a runtime: there is one in `block_on`, in tasks, and \
             where one was entered"
        )
    })
}
