//! Safe: a task leaves its waker before it looks, so that a result that comes after the look wakes it.

use std::future::poll_fn;
use std::task::{Poll, Waker};

use crate::Named;
use crate::future;
use crate::sync::{Arc, Mutex};

use super::jobs::assert_all;

/// Where a task leaves its result, and its reader its waker.
struct Slot {
    done: Mutex<Option<Vec<usize>>>,
    waker: Mutex<Option<Waker>>,
}

/// `tasks` tasks do `jobs` jobs each, and the main task waits for their results.
pub(super) fn run(tasks: usize, jobs: usize) {
    future::block_on(async move {
        let mut slots = Vec::new();
        for task in 0..tasks {
            let slot = Arc::new(Slot {
                done: Mutex::new(None).named("done"),
                waker: Mutex::new(None).named("waker"),
            });
            slots.push(Arc::clone(&slot));
            future::spawn(async move {
                let done = (task * jobs..(task + 1) * jobs).collect();
                *slot.done.lock().unwrap() = Some(done);
                if let Some(waker) = slot.waker.lock().unwrap().take() {
                    waker.wake();
                }
            });
        }
        let mut done = Vec::new();
        for slot in slots {
            done.extend(slot.result().await);
        }
        assert_all(done, tasks, jobs);
    });
}

impl Slot {
    async fn result(&self) -> Vec<usize> {
        poll_fn(|context| {
            *self.waker.lock().unwrap() = Some(context.waker().clone());
            match self.done.lock().unwrap().take() {
                Some(done) => Poll::Ready(done),
                None => Poll::Pending,
            }
        })
        .await
    }
}
