//! Threads bring numbers into one list.
//!
//! The first question is whether there is one list at all: a thread that has a copy fills that,
//! and nobody sees it. If there is one, an append is a read of the length and two writes, and code
//! round it that looks first and pushes later is more steps still. The fixes make it one critical
//! section (a mutex), make it rare (a local list, merged once), let one thread own the list (a
//! channel), or use a list whose push is one operation.

mod channel;
mod check_then_push;
mod local_then_extend;
mod mutex;
mod private_copies;
mod reserve_then_write;
mod seg_queue;
mod unsafe_vec;

use super::variants::variants;
use super::{Exhibit, Parameter};

/// The size of the program that the exhibit goes back to: 0..10 and 10..20.
const WORKERS: usize = 2;
const ITEMS: usize = 10;

/// The exhibit.
pub static EXHIBIT: Exhibit = Exhibit {
    name: "shared-list",
    about: "threads bring numbers into one list",
    invariant: "in the end each number is in the list once",
    threads: Parameter {
        counts: "threads",
        default: 2,
        range: 1..=64,
    },
    ops: Parameter {
        counts: "numbers of each thread",
        default: 1,
        range: 1..=1000,
    },
    variants: variants! {
        shared_list, |size| (size.threads, size.ops), |_| (WORKERS, ITEMS);

        check_then_push: unsafe "check-then-act", "look, then push, in two critical sections",
            fix: "look and push in one critical section, or push without a look: shared-list/mutex";
        reserve_then_write: unsafe "lost update",
            "read the length, write the slot, store the length",
            fix: "make it one critical section: shared-list/mutex, or let the list do it: \
                  shared-list/seg-queue";
        private_copies: unsafe "nothing shared", "each thread fills a copy of the list",
            fix: "share the list: shared-list/mutex, or send what belongs in it: \
                  shared-list/channel";
        unsafe_vec: undefined "data race", "push into a plain cell",
            fix: "guard the list: shared-list/mutex, or let one thread own it: shared-list/channel",
            note: "safe Rust does not compile it: error[E0499]: cannot borrow `list` as mutable \
                   more than once at a time";
        mutex: safe, "one critical section a push";
        local_then_extend: safe, "a local list, merged in one critical section";
        channel: safe, "one owner receives the numbers";
        seg_queue: safe, "a list whose push is one operation";
    },
};
