//! Running a future to its end.

/// Runs a future to its end on this thread, with a runtime for the tasks that it starts.
///
/// Outside of executions that is a runtime of tokio with two threads. When the future has ended,
/// the tasks that are left are cancelled where they wait next, and it waits until they have ended, in
/// executions too. Without the feature `future` no tasks can be started, and there is no runtime.
///
/// ```
/// use std::future::poll_fn;
/// use std::task::Poll;
/// use racelab::{future, thread};
///
/// let wait = || {
///     let mut waker = None;
///     future::block_on(poll_fn(move |context| {
///         if waker.is_some() {
///             return Poll::Ready(());
///         }
///         let woken = waker.insert(context.waker().clone()).clone();
///         thread::spawn(move || woken.wake());
///         Poll::Pending
///     }));
/// };
/// wait();
/// # #[cfg(feature = "engine")]
/// racelab::check(wait);
/// ```
///
/// # Panics
///
/// Inside another `block_on` or a task, but where there is no runtime. Outside of executions, if the
/// system cannot start threads.
#[cfg_attr(feature = "engine", track_caller)]
pub fn block_on<F: Future>(future: F) -> F::Output {
    #[cfg(feature = "engine")]
    if crate::execution::is_running() {
        return in_execution(future);
    }
    run(future)
}

#[cfg(all(feature = "engine", feature = "future"))]
#[track_caller]
fn in_execution<F: Future>(future: F) -> F::Output {
    use std::panic::Location;
    use std::sync::Arc;

    use super::runtime::Tasks;

    /// A runtime of one future, which ends with it.
    struct Runtime(Arc<Tasks>, &'static Location<'static>);

    impl Drop for Runtime {
        fn drop(&mut self) {
            self.0.shut_down(true, self.1);
        }
    }

    let runtime = Runtime(Arc::default(), Location::caller());
    runtime.0.block_on(future)
}

#[cfg(all(feature = "engine", not(feature = "future")))]
#[track_caller]
fn in_execution<F: Future>(future: F) -> F::Output {
    super::task::drive::block_on(future)
}

#[cfg(feature = "future")]
fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("the system can start threads");
    runtime.block_on(future)
}

#[cfg(not(feature = "future"))]
fn run<F: Future>(future: F) -> F::Output {
    use std::pin::pin;
    use std::sync::{Arc, Condvar, Mutex, PoisonError};
    use std::task::{Context, Poll, Wake, Waker};

    /// Whether the future was woken since it was last polled. It is not the token of
    /// `thread::park`, which the future itself could take.
    #[derive(Default)]
    struct Woken(Mutex<bool>, Condvar);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            self.1.notify_one();
        }
    }

    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        let mut is_woken = woken.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !*is_woken {
            let waited = woken.1.wait(is_woken);
            is_woken = waited.unwrap_or_else(PoisonError::into_inner);
        }
        *is_woken = false;
    }
}
