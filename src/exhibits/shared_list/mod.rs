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

use super::{Exhibit, Kind, Parameter, Variant};

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
    variants: &[
        Variant {
            exhibit: "shared-list",
            name: "check-then-push",
            kind: Kind::Unsafe {
                bug: "check-then-act",
            },
            about: "look, then push, in two critical sections",
            fix: "look and push in one critical section, or push without a look: shared-list/mutex",
            file: "src/exhibits/shared_list/check_then_push.rs",
            source: include_str!("check_then_push.rs"),
            only_size: None,
            body: |size| check_then_push::run(size.threads, size.ops),
            program: |_| check_then_push::run(WORKERS, ITEMS),
        },
        Variant {
            exhibit: "shared-list",
            name: "reserve-then-write",
            kind: Kind::Unsafe { bug: "lost update" },
            about: "read the length, write the slot, store the length",
            fix: "make it one critical section: shared-list/mutex, or let the list do it: \
                  shared-list/seg-queue",
            file: "src/exhibits/shared_list/reserve_then_write.rs",
            source: include_str!("reserve_then_write.rs"),
            only_size: None,
            body: |size| reserve_then_write::run(size.threads, size.ops),
            program: |_| reserve_then_write::run(WORKERS, ITEMS),
        },
        Variant {
            exhibit: "shared-list",
            name: "private-copies",
            kind: Kind::Unsafe {
                bug: "nothing shared",
            },
            about: "each thread fills a copy of the list",
            fix: "share the list: shared-list/mutex, or send what belongs in it: \
                  shared-list/channel",
            file: "src/exhibits/shared_list/private_copies.rs",
            source: include_str!("private_copies.rs"),
            only_size: None,
            body: |size| private_copies::run(size.threads, size.ops),
            program: |_| private_copies::run(WORKERS, ITEMS),
        },
        Variant {
            exhibit: "shared-list",
            name: "unsafe-vec",
            kind: Kind::Undefined { bug: "data race" },
            about: "push into a plain cell",
            fix: "guard the list: shared-list/mutex, or let one thread own it: shared-list/channel",
            file: "src/exhibits/shared_list/unsafe_vec.rs",
            source: include_str!("unsafe_vec.rs"),
            only_size: None,
            body: |size| unsafe_vec::run(size.threads, size.ops),
            program: |_| unsafe_vec::run(WORKERS, ITEMS),
        },
        Variant {
            exhibit: "shared-list",
            name: "mutex",
            kind: Kind::Safe,
            about: "one critical section a push",
            fix: "",
            file: "src/exhibits/shared_list/mutex.rs",
            source: include_str!("mutex.rs"),
            only_size: None,
            body: |size| mutex::run(size.threads, size.ops),
            program: |_| mutex::run(WORKERS, ITEMS),
        },
        Variant {
            exhibit: "shared-list",
            name: "local-then-extend",
            kind: Kind::Safe,
            about: "a local list, merged in one critical section",
            fix: "",
            file: "src/exhibits/shared_list/local_then_extend.rs",
            source: include_str!("local_then_extend.rs"),
            only_size: None,
            body: |size| local_then_extend::run(size.threads, size.ops),
            program: |_| local_then_extend::run(WORKERS, ITEMS),
        },
        Variant {
            exhibit: "shared-list",
            name: "channel",
            kind: Kind::Safe,
            about: "one owner receives the numbers",
            fix: "",
            file: "src/exhibits/shared_list/channel.rs",
            source: include_str!("channel.rs"),
            only_size: None,
            body: |size| channel::run(size.threads, size.ops),
            program: |_| channel::run(WORKERS, ITEMS),
        },
        Variant {
            exhibit: "shared-list",
            name: "seg-queue",
            kind: Kind::Safe,
            about: "a list whose push is one operation",
            fix: "",
            file: "src/exhibits/shared_list/seg_queue.rs",
            source: include_str!("seg_queue.rs"),
            only_size: None,
            body: |size| seg_queue::run(size.threads, size.ops),
            program: |_| seg_queue::run(WORKERS, ITEMS),
        },
    ],
};
