//! Unsafe: one half of the main task holds the lock while it gives others a turn. The other half goes on
//! then, on the same thread, and waits there for the lock.

use crate::Named;
use crate::future::{self, task::yield_now};
use crate::sync::{Arc, Mutex};

use super::jobs::assert_all;

/// `tasks` tasks note `jobs` jobs each, and so does each half of the main task, which gives others a turn
/// after each job.
pub(super) fn run(tasks: usize, jobs: usize) {
    future::block_on(async move {
        let noted = Arc::new(Mutex::new(Vec::new()).named("noted"));
        let mut workers = Vec::new();
        for task in 0..tasks {
            let noted = Arc::clone(&noted);
            workers.push(future::spawn(async move {
                for job in task * jobs..(task + 1) * jobs {
                    noted.lock().unwrap().push(job);
                }
            }));
        }
        let half = async |half: usize| {
            for job in (tasks + half) * jobs..(tasks + half + 1) * jobs {
                let mut noted = noted.lock().unwrap();
                noted.push(job);
                yield_now().await;
            }
        };
        future::join!(half(0), half(1));
        for worker in workers {
            worker.await.unwrap();
        }
        let noted = noted.lock().unwrap().clone();
        assert_all(noted, tasks + 2, jobs);
    });
}
