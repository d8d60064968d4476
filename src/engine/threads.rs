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
        panic_hook::try_install()?;
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

#[cfg(test)]
mod tests {
    use crate::sync::Arc;
    use crate::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use crate::thread;

    use super::*;

    /// Runs a body once, under conditions.
    fn run(conditions: Conditions, body: impl Fn() + Send + Sync + 'static) -> Record {
        let engine = Threads {
            body: Arc::new(body),
            limit: Duration::MAX,
            conditions,
        };
        engine.run_once().unwrap().unwrap()
    }

    fn together(body: impl Fn() + Send + Sync + 'static) -> usize {
        run(Conditions::default(), body).together
    }

    #[test]
    fn what_main_starts_before_its_first_join_begins_together() {
        let many = together(|| {
            let workers: Vec<_> = (0..3).map(|_| thread::spawn(|| {})).collect();
            for worker in workers {
                worker.join().unwrap();
            }
            thread::spawn(|| {}).join().unwrap();
        });
        assert_eq!(many, 3);
        let one_by_one = together(|| {
            thread::spawn(|| {}).join().unwrap();
            thread::spawn(|| {}).join().unwrap();
        });
        assert_eq!(one_by_one, 1);
        let scoped = together(|| {
            thread::scope(|scope| {
                scope.spawn(|| {});
                scope.spawn(|| {});
            });
        });
        assert_eq!(scoped, 2);
        let unjoined = together(|| {
            thread::spawn(|| {
                thread::spawn(|| {}).join().unwrap();
            });
        });
        assert_eq!(unjoined, 1);
    }

    #[test]
    fn no_condition_lets_a_run_hang_or_changes_what_it_does() {
        for together in [0, 1, 2, 5] {
            let conditions = Conditions {
                together,
                first_core: Some(usize::MAX),
                delays: Some(7),
            };
            // The second thread is not started before the first has ended.
            let record = run(conditions, || {
                let n = Arc::new(AtomicUsize::new(0));
                for _ in 0..2 {
                    let n = Arc::clone(&n);
                    let worker = thread::spawn(move || {
                        for _ in 0..9 {
                            n.fetch_add(1, SeqCst);
                        }
                    });
                    worker.join().unwrap();
                }
                crate::outcome(n.load(SeqCst));
            });
            assert_eq!(record.recorded.outcome().as_deref(), Some("18"));
            assert_eq!(record.failure, None);
        }
    }
}
