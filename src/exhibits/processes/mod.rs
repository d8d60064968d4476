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
mod private_copies;
mod shared_memory_fetch_add;
mod shared_memory_store;

use super::{Exhibit, Kind, Parameter, Size, Variant};

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
    variants: &[
        Variant {
            exhibit: "processes",
            name: "private-copies",
            kind: Kind::Unsafe {
                bug: "nothing shared",
            },
            about: "each process fills a copy of the list",
            fix: "send what belongs in the list to a process that holds it: processes/manager",
            file: "src/exhibits/processes/private_copies.rs",
            source: include_str!("private_copies.rs"),
            only_size: None,
            body: |size| private_copies::run(size.threads, size.ops),
            program: |_| private_copies::run(PROCESSES, ITEMS),
        },
        Variant {
            exhibit: "processes",
            name: "shared-memory-store",
            kind: Kind::Unsafe { bug: "lost update" },
            about: "a number in shared memory: load, add, store",
            fix: "make it one step: processes/shared-memory-fetch-add",
            file: "src/exhibits/processes/shared_memory_store.rs",
            source: include_str!("shared_memory_store.rs"),
            only_size: None,
            body: |size| shared_memory_store::run(size.threads, increments(size.ops)),
            program: |_| shared_memory_store::run(PROCESSES, increments(ITEMS)),
        },
        Variant {
            exhibit: "processes",
            name: "shared-memory-fetch-add",
            kind: Kind::Safe,
            about: "a number in shared memory: one atomic read-modify-write",
            fix: "",
            file: "src/exhibits/processes/shared_memory_fetch_add.rs",
            source: include_str!("shared_memory_fetch_add.rs"),
            only_size: None,
            body: |size| shared_memory_fetch_add::run(size.threads, increments(size.ops)),
            program: |_| shared_memory_fetch_add::run(PROCESSES, increments(ITEMS)),
        },
        Variant {
            exhibit: "processes",
            name: "manager",
            kind: Kind::Safe,
            about: "a process that holds the list for all others",
            fix: "",
            file: "src/exhibits/processes/manager.rs",
            source: include_str!("manager.rs"),
            only_size: None,
            body: |size| manager::run(size.threads, size.ops),
            program: |_| manager::run(PROCESSES, ITEMS),
        },
        Variant {
            exhibit: "processes",
            name: "pipe",
            kind: Kind::Safe,
            about: "a sender and a receiver, and messages between them",
            fix: "",
            file: "src/exhibits/processes/pipe.rs",
            source: include_str!("pipe.rs"),
            only_size: Some(Size { threads: 2, ops: 4 }),
            body: |_| pipe::run(None),
            program: |terminal| pipe::run(Some(terminal)),
        },
    ],
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
