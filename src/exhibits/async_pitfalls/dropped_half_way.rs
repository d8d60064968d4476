//! Unsafe: where the time is over while a job waits for its turn, the future is dropped that has already
//! taken the job out of its queue.

use std::time::Duration;

use crate::Named;
use crate::future::{self, sync::mpsc, task::yield_now, time::timeout};

use super::jobs::assert_all;

/// How long the main task waits for a job before it does something else. In an execution that is any
/// time.
const PATIENCE: Duration = Duration::from_millis(1);

/// `tasks` tasks send `jobs` jobs each to the main task, which looks elsewhere from time to time.
pub(super) fn run(tasks: usize, jobs: usize) {
    future::block_on(async move {
        let (sender, mut queue) = mpsc::channel(1);
        let sender = sender.named("queue");
        for task in 0..tasks {
            let sender = sender.clone();
            future::spawn(async move {
                for job in task * jobs..(task + 1) * jobs {
                    sender.send(job).await.unwrap();
                }
            });
        }
        drop(sender);
        let mut done = Vec::new();
        for _ in 0..tasks * jobs {
            let job = match timeout(PATIENCE, next(&mut queue)).await {
                Ok(job) => job,
                // It has looked elsewhere, and comes back.
                Err(_) => next(&mut queue).await,
            };
            done.extend(job);
        }
        assert_all(done, tasks, jobs);
    });
}

/// The next job, once it has its turn.
async fn next(queue: &mut mpsc::Receiver<usize>) -> Option<usize> {
    let job = queue.recv().await?;
    yield_now().await;
    Some(job)
}
