//! What tokio's code sets off in a step and what is done after it.
//!
//! In a step the execution is borrowed, and nothing of the user's may run. But to wake a task is a
//! step of its own, and to drop a waker can be anything. So tokio is given wakers of ours, which
//! keep both until the step is over.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::execution::{is_running, with};

thread_local! {
    /// What is set off in the step that is being performed, if one is.
    static GATHERED: RefCell<Option<Later>> = const { RefCell::new(None) };
}

/// What is to be done when a step is over.
#[derive(Default)]
pub(super) struct Later {
    woken: Vec<Arc<Kept>>,
    dropped: Vec<Waker>,
}

/// How an operation has ended: it may have panicked.
pub(super) type Ended<R> = Result<R, Box<dyn Any + Send>>;

impl Later {
    /// Does an operation of tokio's, and gathers what it sets off.
    pub(super) fn gather<R>(&mut self, act: impl FnOnce() -> R) -> Ended<R> {
        GATHERED.set(Some(Later::default()));
        let ended = catch_unwind(AssertUnwindSafe(act));
        *self = GATHERED.take().unwrap_or_default();
        ended
    }

    /// Wakes the tasks that were put off, in the order in which they began to wait. tokio has an order of
    /// its own, which in part is random.
    pub(super) fn carry_out(mut self) {
        self.woken.sort_by_key(|kept| kept.number);
        for kept in self.woken {
            kept.wake_now();
        }
    }

    /// The same in a destructor, which must not unwind only since its execution has ended. If it
    /// has, the next operation of the thread does.
    pub(super) fn carry_out_in_drop(mut self) {
        self.woken.sort_by_key(|kept| kept.number);
        let mut panic = None;
        for kept in self.woken {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| kept.wake_now())) {
                let is_doomed = is_running() && with(|execution| execution.is_doomed());
                if !is_doomed {
                    panic = Some(payload);
                }
            }
        }
        if let Some(payload) = panic
            && !std::thread::panicking()
        {
            resume_unwind(payload);
        }
    }
}

/// A waker for tokio, of the wait with this number.
pub(super) fn waker(number: u64, waker: &Waker) -> Waker {
    let waker = Some(waker.clone());
    Waker::from(Arc::new(Kept { number, waker }))
}

/// What is behind a waker that tokio is given. The waker is taken out of it only to be dropped.
struct Kept {
    number: u64,
    waker: Option<Waker>,
}

impl Kept {
    fn wake_now(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }
}

impl Wake for Kept {
    fn wake(self: Arc<Self>) {
        if let Some(kept) = gathered(self, |later, kept| later.woken.push(kept)) {
            kept.wake_now();
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(waker) = self.waker.take() {
            drop(gathered(waker, |later, waker| later.dropped.push(waker)));
        }
    }
}

/// Adds something to what is done later, or gives it back outside of steps.
fn gathered<T>(what: T, add: impl FnOnce(&mut Later, T)) -> Option<T> {
    let mut what = Some(what);
    // When the OS thread ends, it may be gone already.
    let _ = GATHERED.try_with(|gathered| {
        if let Some(later) = &mut *gathered.borrow_mut()
            && let Some(what) = what.take()
        {
            add(later, what);
        }
    });
    what
}
