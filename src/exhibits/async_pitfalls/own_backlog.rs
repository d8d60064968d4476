//! Safe: the worker keeps the second halves of jobs to itself, where there is always room.

use std::collections::VecDeque;

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
        let mut backlog = VecDeque::new();
        let mut done = Vec::new();
        while done.len() < 1 + tasks * jobs {
            let Job {
                number,
                is_half_done,
            } = match backlog.pop_front() {
                Some(job) => job,
                None => queue.recv().await.unwrap(),
            };
            if is_half_done {
                done.push(number);
            } else {
                let is_half_done = true;
                backlog.push_back(Job {
                    number,
                    is_half_done,
                });
            }
        }
        assert_all(done, 1, 1 + tasks * jobs);
    });
}
