//! Tasks pass jobs to each other.
//!
//! An `await` is where a task can wait, and where it can end: its future can be dropped there. What it
//! holds meanwhile, others wait for; what it has taken and not passed on is lost; and a look before it
//! is old when it waits. Each variant that breaks stands before its fix.

mod cancel_safe;
mod dropped_half_way;
mod jobs;
mod lock_over_await;
mod lock_released;
mod notified_first;
mod notify_before_wait;
mod own_backlog;
mod sends_to_itself;
mod waker_after_look;
mod waker_first;

use super::variants::variants;
use super::{Exhibit, Parameter};

/// The size of the program.
const TASKS: usize = 4;
const JOBS: usize = 25;

/// The exhibit.
pub static EXHIBIT: Exhibit = Exhibit {
    name: "async-pitfalls",
    about: "tasks pass jobs to each other",
    invariant: "each job is done once, and all tasks terminate",
    threads: Parameter {
        counts: "tasks beside the main one",
        default: 1,
        range: 1..=64,
    },
    ops: Parameter {
        counts: "jobs of each task",
        default: 1,
        range: 1..=1000,
    },
    variants: variants! {
        async_pitfalls, |size| (size.threads, size.ops), |_| (TASKS, JOBS);

        lock_over_await: unsafe "deadlock", "a lock of std is held over an await",
            fix: "release the lock before the await: async-pitfalls/lock-released, or take a lock \
                  that is awaited";
        lock_released: safe, "the lock is released before the await";
        dropped_half_way: unsafe "lost messages", "a future is dropped between two awaits",
            fix: "await once in a future that can be dropped, and do the rest behind it: \
                  async-pitfalls/cancel-safe";
        cancel_safe: safe, "the future that can be dropped has one await";
        notify_before_wait: unsafe "lost wake-up", "look, then ask to be notified",
            fix: "ask to be notified, then look: async-pitfalls/notified-first";
        notified_first: safe, "ask to be notified, then look";
        sends_to_itself: unsafe "deadlock", "a task sends into the bounded channel that it empties",
            fix: "keep own jobs in a queue of the task: async-pitfalls/own-backlog";
        own_backlog: safe, "own jobs are in a queue of the task";
        waker_after_look: unsafe "lost wake-up", "look, then leave the waker",
            fix: "leave the waker, then look: async-pitfalls/waker-first";
        waker_first: safe, "leave the waker, then look";
    },
};
