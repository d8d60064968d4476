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

use super::variants::variants;
use super::{Exhibit, Parameter};

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
    variants: variants! {
        counter, |size| (size.threads, size.ops), |_| (TASKS, INCREMENTS);

        load_store: unsafe "lost update", "load, add, store: three steps",
            fix: "make it one step: counter/fetch-add, or one critical section: counter/mutex";
        unsafe_cell: undefined "data race", "a plain number with nothing round it",
            fix: "make it one atomic step: counter/fetch-add, or one critical section: \
                  counter/mutex";
        relaxed_publish: undefined "relaxed publication",
            "a number per thread, behind a flag that orders nothing",
            fix: "make the store Release and the load Acquire, or wait for the thread: \
                  counter/thread-local";
        fetch_add: safe, "one atomic read-modify-write";
        mutex: safe, "one critical section";
        parking_lot: safe, "one critical section, without poisoning";
        channel: safe, "one owner receives the increments";
        thread_local: safe, "a number per thread, summed after the join";
    },
};
