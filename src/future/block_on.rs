//! Running a future to its end.

/// Runs a future to its end on this thread, with a runtime for the tasks that it starts.
///
/// Outside of executions that is a runtime of tokio with two threads. When the future has ended,
/// the tasks that are left are cancelled where they wait next. In an execution they run to their
/// end.
///
/// # Panics
///
/// Inside another `block_on` or a task. Outside of executions, if the system cannot start threads.
#[cfg_attr(feature = "lab", track_caller)]
pub fn block_on<F: Future>(future: F) -> F::Output {
    #[cfg(feature = "lab")]
    if crate::execution::is_running() {
        return super::task::block_on(future);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("the system can start threads");
    runtime.block_on(future)
}
