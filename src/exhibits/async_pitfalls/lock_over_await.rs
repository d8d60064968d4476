//! Unsafe: one half of the main task holds the lock while it waits for room in a channel. The other half
//! goes on meanwhile, on the same thread, and waits there for the lock.

use crate::Named;
use crate::future::{self, sync::mpsc};
use crate::sync::Mutex;

use super::jobs::assert_all;

/// Each half of the main task notes `jobs` jobs for each of `tasks` tasks, and passes them on. A job is in
/// each queue before.
pub(super) fn run(tasks: usize, jobs: usize) {
    future::block_on(async move {
        let noted = Mutex::new(Vec::new()).named("noted");
        let mut workers = Vec::new();
        let mut channels = Vec::new();
        for task in 0..tasks {
            let (sender, mut queue) = mpsc::channel(1);
            let sender = sender.named(format!("queue {}", task + 1));
            sender.send(task).await.unwrap();
            channels.push(sender);
            workers.push(future::spawn(async move {
                for _ in 0..1 + 2 * jobs {
                    queue.recv().await.unwrap();
                }
            }));
        }
        let half = async |half: usize| {
            for job in (tasks + half..tasks + 2 * tasks * jobs).step_by(2) {
                let mut noted = noted.lock().unwrap();
                noted.push(job);
                channels[job % tasks].send(job).await.unwrap();
            }
        };
        future::join!(half(0), half(1));
        for worker in workers {
            worker.await.unwrap();
        }
        let mut noted = noted.lock().unwrap().clone();
        noted.extend(0..tasks);
        assert_all(noted, tasks, 1 + 2 * jobs);
    });
}
