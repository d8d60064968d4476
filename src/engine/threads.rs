//! Runs of the body on real threads, where the machine decides what happens next.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::execution::{Conditions, RealRun, Record};

use super::panic_hook;

/// A body under test, ready to be run on real threads.
pub(crate) struct Threads {
    pub(crate) body: Arc<dyn Fn() + Send + Sync>,
    /// How long a run may take.
    pub(crate) limit: Duration,
    /// What is done so that the threads of a run meet.
    pub(crate) conditions: Conditions,
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads")
            .field("limit", &self.limit)
            .field("conditions", &self.conditions)
            .finish_non_exhaustive()
    }
}

impl Threads {
    /// Runs the body once, until all threads that it started have ended.
    ///
    /// Returns `None` if that took longer than the limit. The threads go on by themselves then,
    /// since a real thread cannot be ended.
    ///
    /// # Errors
    ///
    /// If the system cannot start a thread for the body.
    pub(crate) fn run_once(&self) -> io::Result<Option<Record>> {
        panic_hook::install();
        let run = RealRun::new(self.conditions);
        let body = Arc::clone(&self.body);
        // Called as the model engines call it.
        let main = thread::Builder::new().name("main".to_owned());
        let main = main.spawn(run.clone().thread(move || {
            body();
            // Before the run counts as ended: it may be the last one that holds the body.
            drop(body);
        }))?;
        let deadline = Instant::now().checked_add(self.limit);
        let record = run.wait(deadline);
        if record.is_some() {
            // It has nothing left to do. A panic in it is in the record.
            let _ = main.join();
        }
        Ok(record)
    }
}
