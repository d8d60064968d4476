//! Unsafe: the worker sends the second half of each job into its own queue. If somebody else has filled
//! it, the worker waits for room that only the worker makes.

use crate::Named;
use crate::future::{self, sync::mpsc};

use super::jobs::assert_all;

/// A job, and whether it is half done.
struct Job {
    number: usize,
    is_half_done: bool,
}

/// `tasks` tasks send `jobs` jobs each to a worker, which does them in two halves. One is there before.
pub(super) fn run(tasks: usize, jobs: usize) {
    future::block_on(async move {
        let (sender, mut queue) = mpsc::channel(1);
        let sender = sender.named("queue");
        let first = Job {
            number: 0,
            is_half_done: false,
        };
        sender.send(first).await.unwrap();
        for task in 0..tasks {
            let sender = sender.clone();
            future::spawn(async move {
                for number in (task * jobs + 1)..=((task + 1) * jobs) {
                    let is_half_done = false;
                    sender
                        .send(Job {
                            number,
                            is_half_done,
                        })
                        .await
                        .unwrap();
                }
            });
        }
        let mut done = Vec::new();
        while done.len() < 1 + tasks * jobs {
            let Job {
                number,
                is_half_done,
            } = queue.recv().await.unwrap();
            if is_half_done {
                done.push(number);
            } else {
                let is_half_done = true;
                sender
                    .send(Job {
                        number,
                        is_half_done,
                    })
                    .await
                    .unwrap();
            }
        }
        assert_all(done, 1, 1 + tasks * jobs);
    });
}
