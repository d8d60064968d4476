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

use super::{Exhibit, Kind, Parameter, Size, Variant};

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
    variants: &[
        Variant {
            exhibit: "corpus",
            name: "account",
            kind: Kind::Unsafe {
                bug: "order violation",
            },
            about: "a deposit, a withdrawal, and a check that is wrong if it comes last",
            fix: "let the check wait for what it takes for granted, or take nothing for granted",
            file: "src/exhibits/corpus/account.rs",
            source: include_str!("account.rs"),
            only_size: Some(Size { threads: 3, ops: 1 }),
            body: |_| account::run(),
            program: |_| account::run(),
        },
        Variant {
            exhibit: "corpus",
            name: "bluetooth_driver",
            kind: Kind::Unsafe {
                bug: "atomicity violation",
            },
            about: "a request is counted in another step than the look whether the driver stops",
            fix: "look and count in one critical section",
            file: "src/exhibits/corpus/bluetooth_driver.rs",
            source: include_str!("bluetooth_driver.rs"),
            only_size: Some(Size { threads: 1, ops: 1 }),
            body: |_| bluetooth_driver::run(),
            program: |_| bluetooth_driver::run(),
        },
        Variant {
            exhibit: "corpus",
            name: "circular_buffer",
            kind: Kind::Unsafe {
                bug: "order violation",
            },
            about: "a sender and a receiver skip rounds, and compare by round",
            fix: "let each side wait for its turn, in place of skipping it",
            file: "src/exhibits/corpus/circular_buffer.rs",
            source: include_str!("circular_buffer.rs"),
            only_size: Some(Size { threads: 2, ops: 7 }),
            body: |_| circular_buffer::run(),
            program: |_| circular_buffer::run(),
        },
        Variant {
            exhibit: "corpus",
            name: "deadlock01",
            kind: Kind::Unsafe { bug: "deadlock" },
            about: "two threads take two locks in opposite orders",
            fix: "take the locks in one order everywhere",
            file: "src/exhibits/corpus/deadlock01.rs",
            source: include_str!("deadlock01.rs"),
            only_size: Some(Size { threads: 2, ops: 1 }),
            body: |_| deadlock01::run(),
            program: |_| deadlock01::run(),
        },
        Variant {
            exhibit: "corpus",
            name: "lazy01",
            kind: Kind::Unsafe {
                bug: "order violation",
            },
            about: "two additions, and a check that is wrong if it comes last",
            fix: "let the check wait for what it takes for granted, or take nothing for granted",
            file: "src/exhibits/corpus/lazy01.rs",
            source: include_str!("lazy01.rs"),
            only_size: Some(Size { threads: 3, ops: 1 }),
            body: |_| lazy01::run(),
            program: |_| lazy01::run(),
        },
        Variant {
            exhibit: "corpus",
            name: "queue",
            kind: Kind::Unsafe {
                bug: "order violation",
            },
            about: "a producer and a consumer skip rounds, and compare by round",
            fix: "let each side wait for its turn, in place of skipping it",
            file: "src/exhibits/corpus/queue.rs",
            source: include_str!("queue.rs"),
            only_size: Some(Size {
                threads: 2,
                ops: 20,
            }),
            body: |_| queue::run(),
            program: |_| queue::run(),
        },
        Variant {
            exhibit: "corpus",
            name: "reorder_3",
            kind: Kind::Unsafe {
                bug: "atomicity violation",
            },
            about: "2 threads write a pair without a lock, and one reads it",
            fix: "write the pair and read it under one lock",
            file: "src/exhibits/corpus/reorder.rs",
            source: include_str!("reorder.rs"),
            only_size: Some(Size { threads: 3, ops: 1 }),
            body: |_| reorder::run(2),
            program: |_| reorder::run(2),
        },
        Variant {
            exhibit: "corpus",
            name: "reorder_5",
            kind: Kind::Unsafe {
                bug: "atomicity violation",
            },
            about: "4 threads write a pair without a lock, and one reads it",
            fix: "write the pair and read it under one lock",
            file: "src/exhibits/corpus/reorder.rs",
            source: include_str!("reorder.rs"),
            only_size: Some(Size { threads: 5, ops: 1 }),
            body: |_| reorder::run(4),
            program: |_| reorder::run(4),
        },
        Variant {
            exhibit: "corpus",
            name: "reorder_10",
            kind: Kind::Unsafe {
                bug: "atomicity violation",
            },
            about: "9 threads write a pair without a lock, and one reads it",
            fix: "write the pair and read it under one lock",
            file: "src/exhibits/corpus/reorder.rs",
            source: include_str!("reorder.rs"),
            only_size: Some(Size {
                threads: 10,
                ops: 1,
            }),
            body: |_| reorder::run(9),
            program: |_| reorder::run(9),
        },
        Variant {
            exhibit: "corpus",
            name: "stack",
            kind: Kind::Unsafe {
                bug: "order violation",
            },
            about: "a popper goes by a flag that is never cleared",
            fix: "look whether something is left, in place of the flag, or clear the flag with the last item",
            file: "src/exhibits/corpus/stack.rs",
            source: include_str!("stack.rs"),
            only_size: Some(Size {
                threads: 2,
                ops: 10,
            }),
            body: |_| stack::run(),
            program: |_| stack::run(),
        },
        Variant {
            exhibit: "corpus",
            name: "twostage",
            kind: Kind::Unsafe {
                bug: "atomicity violation",
            },
            about: "two stages are written under two locks, one after the other",
            fix: "write both stages in one critical section",
            file: "src/exhibits/corpus/twostage.rs",
            source: include_str!("twostage.rs"),
            only_size: Some(Size { threads: 2, ops: 1 }),
            body: |_| twostage::run(),
            program: |_| twostage::run(),
        },
        Variant {
            exhibit: "corpus",
            name: "wronglock_3",
            kind: Kind::Unsafe {
                bug: "atomicity violation",
            },
            about: "a thread adds and looks under one lock, 3 add under another",
            fix: "take the same lock everywhere",
            file: "src/exhibits/corpus/wronglock_3.rs",
            source: include_str!("wronglock_3.rs"),
            only_size: Some(Size { threads: 4, ops: 1 }),
            body: |_| wronglock_3::run(),
            program: |_| wronglock_3::run(),
        },
        Variant {
            exhibit: "corpus",
            name: "bounded_buffer",
            kind: Kind::Unsafe {
                bug: "lost wake-up",
            },
            about: "producers and consumers wait on one condition variable, and one is woken",
            fix: "wake all of them, or give each side a condition variable of its own",
            file: "src/exhibits/corpus/bounded_buffer.rs",
            source: include_str!("bounded_buffer.rs"),
            only_size: Some(Size { threads: 4, ops: 1 }),
            body: |_| bounded_buffer::run(),
            program: |_| bounded_buffer::run(),
        },
        Variant {
            exhibit: "corpus",
            name: "bounded_buffer_if",
            kind: Kind::Unsafe {
                bug: "stolen wake-up",
            },
            about: "a thread that was woken does not look again",
            fix: "look again after each wake-up, with `while`",
            file: "src/exhibits/corpus/bounded_buffer_if.rs",
            source: include_str!("bounded_buffer_if.rs"),
            only_size: Some(Size { threads: 4, ops: 1 }),
            body: |_| bounded_buffer_if::run(),
            program: |_| bounded_buffer_if::run(),
        },
        Variant {
            exhibit: "corpus",
            name: "dining_philosophers",
            kind: Kind::Unsafe { bug: "deadlock" },
            about: "each takes the left fork, then the right one",
            fix: "let one of them take the right fork first",
            file: "src/exhibits/corpus/dining_philosophers.rs",
            source: include_str!("dining_philosophers.rs"),
            only_size: None,
            body: |size| dining_philosophers::run(size.threads, size.ops),
            program: |_| dining_philosophers::run(PHILOSOPHERS, MEALS),
        },
    ],
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
