//! What a runtime is made with.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::execution::is_running;

use super::handle::Runtime;

/// Like [`tokio::runtime::Builder`]: makes runtimes. In an execution what is set has no effect.
pub struct Builder(tokio::runtime::Builder);

impl Builder {
    /// For a runtime whose tasks run on the thread of its `block_on`. In an execution they are
    /// interleaved at each operation all the same.
    pub fn new_current_thread() -> Self {
        Builder(tokio::runtime::Builder::new_current_thread())
    }

    /// For a runtime with several threads.
    pub fn new_multi_thread() -> Self {
        Builder(tokio::runtime::Builder::new_multi_thread())
    }

    fn set(&mut self, set: impl FnOnce(&mut tokio::runtime::Builder)) -> &mut Self {
        set(&mut self.0);
        self
    }

    /// Lets the runtime have timers and what else there is.
    pub fn enable_all(&mut self) -> &mut Self {
        self.set(|real| {
            real.enable_all();
        })
    }

    /// Lets the runtime have timers. In an execution there are always timers.
    pub fn enable_time(&mut self) -> &mut Self {
        self.set(|real| {
            real.enable_time();
        })
    }

    /// How many threads run tasks.
    ///
    /// # Panics
    ///
    /// If it is 0.
    #[track_caller]
    pub fn worker_threads(&mut self, threads: usize) -> &mut Self {
        self.set(|real| {
            real.worker_threads(threads);
        })
    }

    /// How many threads run closures that may block.
    ///
    /// # Panics
    ///
    /// If it is 0.
    #[track_caller]
    pub fn max_blocking_threads(&mut self, threads: usize) -> &mut Self {
        self.set(|real| {
            real.max_blocking_threads(threads);
        })
    }

    /// What the threads are called.
    pub fn thread_name(&mut self, name: impl Into<String>) -> &mut Self {
        self.set(|real| {
            real.thread_name(name);
        })
    }

    /// How large the stacks of the threads are, in bytes.
    pub fn thread_stack_size(&mut self, size: usize) -> &mut Self {
        self.set(|real| {
            real.thread_stack_size(size);
        })
    }

    /// How long a thread that has run closures stays.
    pub fn thread_keep_alive(&mut self, duration: Duration) -> &mut Self {
        self.set(|real| {
            real.thread_keep_alive(duration);
        })
    }

    /// Makes the runtime.
    ///
    /// # Errors
    ///
    /// Outside of executions, if the system cannot start threads.
    #[track_caller]
    pub fn build(&mut self) -> io::Result<Runtime> {
        if is_running() {
            Ok(Runtime::modelled())
        } else {
            self.0.build().map(Runtime::real)
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}
