//! Processes bring together what each of them has done.
//!
//! Processes share nothing unless they ask for it: a variable of one is no variable of the other.
//! They send messages, through a pipe or to a process that holds what is shared (a manager), or
//! they map the same memory, and then have all the races that threads have.
//!
//! A variant starts real processes, which no engine can schedule: so the exhibit stands apart from
//! the gallery, and runs on the real machine only.

mod manager;
mod needed;
mod pipe;
mod printing;
mod private_copies;
mod shared_memory_fetch_add;
mod shared_memory_store;

use super::variants::variants;
use super::{Exhibit, Parameter};

/// The works of the processes, for the command that runs them.
pub(crate) mod works {
    pub(crate) use super::manager::Appender as AppendByManager;
    pub(crate) use super::pipe::Talker as SendAndReceive;
    pub(crate) use super::private_copies::Appender as AppendToCopy;
    pub(crate) use super::shared_memory_fetch_add::Adder as AddByFetchAdd;
    pub(crate) use super::shared_memory_store::Adder as AddByLoadAndStore;
}

/// The size of the program that the exhibit goes back to: 0..10 and 10..20.
const PROCESSES: usize = 2;
const ITEMS: usize = 10;

/// How many increments there are for each operation: a few are over before the next process begins.
const INCREMENTS: u64 = 100_000;

/// The exhibit.
pub static EXHIBIT: Exhibit = Exhibit {
    name: "processes",
    about: "processes bring together what each of them has done",
    invariant: "in the end nothing is missing that a process has brought",
    threads: Parameter {
        counts: "processes",
        default: PROCESSES,
        range: 1..=16,
    },
    ops: Parameter {
        counts: "numbers of each process, or hundreds of thousands of increments",
        default: ITEMS,
        range: 1..=1000,
    },
    variants: variants! {
        processes, |size| (size.threads, size.ops, None),
        |terminal| (PROCESSES, ITEMS, Some(terminal));

        private_copies: unsafe "nothing shared", "each process fills a copy of the list",
            fix: "send what belongs in the list to a process that holds it: processes/manager";
        shared_memory_store: unsafe "lost update", "a number in shared memory: load, add, store",
            fix: "make it one step: processes/shared-memory-fetch-add",
            body: |size| shared_memory_store::run(size.threads, increments(size.ops)),
            program: |_| shared_memory_store::run(PROCESSES, increments(ITEMS));
        shared_memory_fetch_add: safe, "a number in shared memory: one atomic read-modify-write",
            body: |size| shared_memory_fetch_add::run(size.threads, increments(size.ops)),
            program: |_| shared_memory_fetch_add::run(PROCESSES, increments(ITEMS));
        manager: safe, "a process that holds the list for all others";
        pipe: safe, "a sender and a receiver, and messages between them",
            note: "a message can be received before its sender says that it was sent: it is in the \
                   pipe by then, and the system decides which process goes on first",
            only: (2, 4), body: |_| pipe::run(None), program: |terminal| pipe::run(Some(terminal));
    },
};

/// The numbers that a process brings.
fn numbers_of(process: usize, items: usize) -> Vec<u64> {
    let numbers = process * items..(process + 1) * items;
    numbers.map(|number| number as u64).collect()
}

/// The increments of a process.
fn increments(ops: usize) -> u64 {
    ops as u64 * INCREMENTS
}
