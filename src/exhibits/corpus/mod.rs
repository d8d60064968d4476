//! Small programs with a known bug, on which searches are compared: the corpus.
//!
//! They are programs of `SCTBench`, and two classics, written afresh. Each is small, has one bug,
//! and breaks in some interleavings only. A shared variable is an atomic with `SeqCst`, so that each
//! access is one step, or it is inside the mutex that condition variables need. The main thread
//! starts the others in their order and joins them.
//!
//! What a thread finds wrong is asserted by the main thread, after the joins. So a failure ends no
//! execution early, and as many executions as there are traces explore a program in full.
//!
//! The source of the programs: P. Thomson, A. Donaldson, A. Betts, Concurrency Testing Using
//! Controlled Schedulers: An Empirical Study, ACM TOPC 2016.

mod account;
mod bluetooth_driver;
mod bounded_buffer;
mod bounded_buffer_if;
mod circular_buffer;
mod deadlock01;
mod dining_philosophers;
mod lazy01;
mod queue;
mod reorder;
mod stack;
mod twostage;
mod wronglock_3;

use crate::sync::Arc;
use crate::thread::{self, JoinHandle};

use super::variants::variants;
use super::{Exhibit, Parameter};

/// The exhibit.
pub static EXHIBIT: Exhibit = Exhibit {
    name: "corpus",
    about: "small programs with a known bug, on which searches are compared",
    invariant: "all threads end, and what they have seen is as the main thread asserts",
    threads: Parameter {
        counts: "philosophers",
        default: 3,
        range: 2..=64,
    },
    ops: Parameter {
        counts: "meals of each philosopher",
        default: 1,
        range: 1..=1000,
    },
    variants: variants! {
        corpus, |_| (), |_| ();

        account: unsafe "order violation",
            "a deposit, a withdrawal, and a check that is wrong if it comes last",
            fix: "let the check wait for what it takes for granted, or take nothing for granted",
            only: (3, 1);
        bluetooth_driver as "bluetooth_driver": unsafe "atomicity violation",
            "a request is counted in another step than the look whether the driver stops",
            fix: "look and count in one critical section", only: (1, 1);
        circular_buffer as "circular_buffer": unsafe "order violation",
            "a sender and a receiver skip rounds, and compare by round",
            fix: "let each side wait for its turn, in place of skipping it", only: (2, 7);
        deadlock01: unsafe "deadlock", "two threads take two locks in opposite orders",
            fix: "take the locks in one order everywhere", only: (2, 1);
        lazy01: unsafe "order violation",
            "two additions, and a check that is wrong if it comes last",
            fix: "let the check wait for what it takes for granted, or take nothing for granted",
            only: (3, 1);
        queue: unsafe "order violation",
            "a producer and a consumer skip rounds, and compare by round",
            fix: "let each side wait for its turn, in place of skipping it", only: (2, 20);
        reorder as "reorder_3": unsafe "atomicity violation",
            "2 threads write a pair without a lock, and one reads it",
            fix: "write the pair and read it under one lock", only: (3, 1),
            body: |_| reorder::run(2), program: |_| reorder::run(2);
        reorder as "reorder_5": unsafe "atomicity violation",
            "4 threads write a pair without a lock, and one reads it",
            fix: "write the pair and read it under one lock", only: (5, 1),
            body: |_| reorder::run(4), program: |_| reorder::run(4);
        reorder as "reorder_10": unsafe "atomicity violation",
            "9 threads write a pair without a lock, and one reads it",
            fix: "write the pair and read it under one lock", only: (10, 1),
            body: |_| reorder::run(9), program: |_| reorder::run(9);
        stack: unsafe "order violation", "a popper goes by a flag that is never cleared",
            fix: "look whether something is left, in place of the flag, or clear the flag with \
                  the last item", only: (2, 10);
        twostage: unsafe "atomicity violation",
            "two stages are written under two locks, one after the other",
            fix: "write both stages in one critical section", only: (2, 1);
        wronglock_3 as "wronglock_3": unsafe "atomicity violation",
            "a thread adds and looks under one lock, 3 add under another",
            fix: "take the same lock everywhere", only: (4, 1);
        bounded_buffer as "bounded_buffer": unsafe "lost wake-up",
            "producers and consumers wait on one condition variable, and one is woken",
            fix: "wake all of them, or give each side a condition variable of its own",
            only: (4, 1);
        bounded_buffer_if as "bounded_buffer_if": unsafe "stolen wake-up",
            "a thread that was woken does not look again",
            fix: "look again after each wake-up, with `while`", only: (4, 1);
        dining_philosophers as "dining_philosophers": unsafe "deadlock",
            "each takes the left fork, then the right one",
            fix: "let one of them take the right fork first",
            body: |size| dining_philosophers::run(size.threads, size.ops),
            program: |_| dining_philosophers::run(PHILOSOPHERS, MEALS);
    },
};

/// The size of the dinner as it is told.
const PHILOSOPHERS: usize = 5;
const MEALS: usize = 100;

/// Starts a thread that works on what is shared.
#[track_caller]
fn spawn<S, F, T>(shared: &Arc<S>, work: F) -> JoinHandle<T>
where
    S: Send + Sync + 'static,
    F: FnOnce(&S) -> T + Send + 'static,
    T: Send + 'static,
{
    let shared = Arc::clone(shared);
    thread::spawn(move || work(&shared))
}
