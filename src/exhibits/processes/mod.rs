//! Processes bring together what each of them has done.
//!
//! Processes share nothing unless they ask for it: a variable of one is no variable of the other.
//! They send messages, through a pipe or to a process that holds what is shared (a manager), or
//! they map the same memory, and then have all the races that threads have.
//!
//! A variant starts real processes, which no engine can schedule: so the exhibit stands apart from
//! the gallery, and runs on the real machine only.

mod file_append;
mod file_lock;
mod file_read_change_write;
mod manager;
mod needed;
mod pipe;
mod printing;
mod private_copies;
mod session_per_process;
mod shared_file;
mod shared_memory_fetch_add;
mod shared_memory_store;
mod site;

use super::variants::variants;
use super::{Exhibit, Parameter};

/// The works of the processes, for the command that runs them.
pub(crate) mod works {
    pub(crate) use super::file_append::Appender as AppendToFile;
    pub(crate) use super::file_lock::Adder as AddUnderFileLock;
    pub(crate) use super::file_read_change_write::Adder as AddByReadAndWrite;
    pub(crate) use super::manager::Appender as AppendByManager;
    pub(crate) use super::pipe::Talker as SendAndReceive;
    pub(crate) use super::private_copies::Appender as AppendToCopy;
    pub(crate) use super::session_per_process::Reader as DownloadBySession;
    pub(crate) use super::shared_memory_fetch_add::Adder as AddByFetchAdd;
    pub(crate) use super::shared_memory_store::Adder as AddByLoadAndStore;
}

/// The size of the program that the exhibit goes back to: 0..10 and 10..20.
const PROCESSES: usize = 2;
const ITEMS: usize = 10;

/// How many increments there are for each operation: a few are over before the next process begins.
const INCREMENTS: u64 = 100_000;

/// How many updates of a file there are for each operation, which take longer.
const UPDATES: u64 = 1000;

/// How many pages each process downloads in the program: 160 in all.
const PAGES: usize = 80;

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
        counts: "numbers or pages of each process, thousands of updates of a file, or hundreds of \
                 thousands of increments",
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
        file_read_change_write: unsafe "lost update", "a number in a file: read, add, write",
            fix: "hold a lock on the file meanwhile: processes/file-lock, or only append to it: \
                  processes/file-append",
            body: |size| file_read_change_write::run(size.threads, updates(size.ops), None),
            program: |terminal| {
                file_read_change_write::run(PROCESSES, updates(ITEMS), Some(&terminal));
            };
        file_lock: safe, "a number in a file, which is locked meanwhile",
            body: |size| file_lock::run(size.threads, updates(size.ops), None),
            program: |terminal| file_lock::run(PROCESSES, updates(ITEMS), Some(&terminal));
        file_append: safe, "a file to which each process appends a line",
            body: |size| file_append::run(size.threads, updates(size.ops), None),
            program: |terminal| file_append::run(PROCESSES, updates(ITEMS), Some(&terminal));
        session_per_process: safe, "a session for each process, made by its initialiser",
            program: |terminal| session_per_process::run(PROCESSES, PAGES, Some(terminal));
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

/// The updates of a file by a process.
fn updates(ops: usize) -> u64 {
    ops as u64 * UPDATES
}

/// The increments of a process.
fn increments(ops: usize) -> u64 {
    ops as u64 * INCREMENTS
}
