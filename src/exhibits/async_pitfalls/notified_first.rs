//! Safe: a task asks to be notified before it looks, so that what comes after the look is not missed.

use crate::Named;
use crate::future::{self, sync::Notify};
use crate::sync::{Arc, Mutex};

use super::jobs::assert_all;

/// `tasks` tasks wait until there are jobs, and do `jobs` jobs each.
pub(super) fn run(tasks: usize, jobs: usize) {
    future::block_on(async move {
        let ready = Arc::new(Mutex::new(false).named("ready"));
        let notify = Arc::new(Notify::new().named("notify"));
        let mut workers = Vec::new();
        for task in 0..tasks {
            let (ready, notify) = (Arc::clone(&ready), Arc::clone(&notify));
            workers.push(future::spawn(async move {
                loop {
                    let notified = notify.notified();
                    if *ready.lock().unwrap() {
                        break;
                    }
                    notified.await;
                }
                (task * jobs..(task + 1) * jobs).collect::<Vec<_>>()
            }));
        }
        *ready.lock().unwrap() = true;
        notify.notify_waiters();
        let mut done = Vec::new();
        for worker in workers {
            done.extend(worker.await.unwrap());
        }
        assert_all(done, tasks, jobs);
    });
}
