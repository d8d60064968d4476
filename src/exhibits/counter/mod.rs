//! Threads add to one number.
//!
//! `counter += 1` is three actions: read, add, write back. If another thread writes between the
//! read and the write, its increment is overwritten and lost. The fixes make the three actions
//! one (an atomic operation), let one thread at a time do them (a mutex), or share nothing: one
//! thread owns the number (a channel), or each has a number of its own (a sum after the join).

mod channel;
mod fetch_add;
mod load_store;
mod mutex;
mod parking_lot;
mod relaxed_publish;
mod thread_local;
mod unsafe_cell;

use super::{Exhibit, Kind, Parameter, Variant};

/// The size of the program that the exhibit goes back to.
const TASKS: usize = 5000;
const INCREMENTS: usize = 100;

/// The exhibit.
pub static EXHIBIT: Exhibit = Exhibit {
    name: "counter",
    about: "threads add to one number",
    invariant: "in the end the number is threads × increments",
    threads: Parameter {
        counts: "threads",
        default: 2,
        range: 1..=64,
    },
    ops: Parameter {
        counts: "increments of each thread",
        default: 1,
        range: 1..=1000,
    },
    variants: &[
        Variant {
            exhibit: "counter",
            name: "load-store",
            kind: Kind::Unsafe { bug: "lost update" },
            about: "load, add, store: three steps",
            fix: "make it one step: counter/fetch-add, or one critical section: counter/mutex",
            file: "src/exhibits/counter/load_store.rs",
            source: include_str!("load_store.rs"),
            only_size: None,
            body: |size| load_store::run(size.threads, size.ops),
            program: |_| load_store::run(TASKS, INCREMENTS),
        },
        Variant {
            exhibit: "counter",
            name: "unsafe-cell",
            kind: Kind::Undefined { bug: "data race" },
            about: "a plain number with nothing round it",
            fix: "make it one atomic step: counter/fetch-add, or one critical section: \
                  counter/mutex",
            file: "src/exhibits/counter/unsafe_cell.rs",
            source: include_str!("unsafe_cell.rs"),
            only_size: None,
            body: |size| unsafe_cell::run(size.threads, size.ops),
            program: |_| unsafe_cell::run(TASKS, INCREMENTS),
        },
        Variant {
            exhibit: "counter",
            name: "relaxed-publish",
            kind: Kind::Undefined {
                bug: "relaxed publication",
            },
            about: "a number per thread, behind a flag that orders nothing",
            fix: "make the store Release and the load Acquire, or wait for the thread: \
                  counter/thread-local",
            file: "src/exhibits/counter/relaxed_publish.rs",
            source: include_str!("relaxed_publish.rs"),
            only_size: None,
            body: |size| relaxed_publish::run(size.threads, size.ops),
            program: |_| relaxed_publish::run(TASKS, INCREMENTS),
        },
        Variant {
            exhibit: "counter",
            name: "fetch-add",
            kind: Kind::Safe,
            about: "one atomic read-modify-write",
            fix: "",
            file: "src/exhibits/counter/fetch_add.rs",
            source: include_str!("fetch_add.rs"),
            only_size: None,
            body: |size| fetch_add::run(size.threads, size.ops),
            program: |_| fetch_add::run(TASKS, INCREMENTS),
        },
        Variant {
            exhibit: "counter",
            name: "mutex",
            kind: Kind::Safe,
            about: "one critical section",
            fix: "",
            file: "src/exhibits/counter/mutex.rs",
            source: include_str!("mutex.rs"),
            only_size: None,
            body: |size| mutex::run(size.threads, size.ops),
            program: |_| mutex::run(TASKS, INCREMENTS),
        },
        Variant {
            exhibit: "counter",
            name: "parking-lot",
            kind: Kind::Safe,
            about: "one critical section, without poisoning",
            fix: "",
            file: "src/exhibits/counter/parking_lot.rs",
            source: include_str!("parking_lot.rs"),
            only_size: None,
            body: |size| parking_lot::run(size.threads, size.ops),
            program: |_| parking_lot::run(TASKS, INCREMENTS),
        },
        Variant {
            exhibit: "counter",
            name: "channel",
            kind: Kind::Safe,
            about: "one owner receives the increments",
            fix: "",
            file: "src/exhibits/counter/channel.rs",
            source: include_str!("channel.rs"),
            only_size: None,
            body: |size| channel::run(size.threads, size.ops),
            program: |_| channel::run(TASKS, INCREMENTS),
        },
        Variant {
            exhibit: "counter",
            name: "thread-local",
            kind: Kind::Safe,
            about: "a number per thread, summed after the join",
            fix: "",
            file: "src/exhibits/counter/thread_local.rs",
            source: include_str!("thread_local.rs"),
            only_size: None,
            body: |size| thread_local::run(size.threads, size.ops),
            program: |_| thread_local::run(TASKS, INCREMENTS),
        },
    ],
};
