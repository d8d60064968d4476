//! Safe: the future that is dropped when the time is over has one await. A job that it has taken is its
//! result.

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
            let job = match timeout(PATIENCE, queue.recv()).await {
                Ok(job) => job,
                // It has looked elsewhere, and comes back.
                Err(_) => queue.recv().await,
            };
            yield_now().await;
            done.extend(job);
        }
        assert_all(done, tasks, jobs);
    });
}
