//! Threads download pages with one HTTP session.
//!
//! A download is two calls: the request is sent, and the answer is received. On a connection that
//! is kept, answers come in the order of the requests, so that a thread which comes between the
//! two calls takes an answer that is not its own. That each call is safe for itself, by a lock or
//! by a queue without one, does not help.
//!
//! A lock round both calls does, but then one thread downloads at a time. The better fix is
//! *confinement*: what is not shared needs no lock. Each thread has a session of its own
//! (thread-local storage); or each process, made by the initialiser of a pool, which is how
//! `racelab time io` downloads with processes; or one thread runs all tasks, and each task takes a
//! connection out of the session while it waits. That is also what sessions do that may be shared
//! by threads: a connection belongs to one download at a time.

mod event_loop;
mod http;
mod lock_per_call;
mod mutex;
mod pool;
mod shared;
mod thread_local;

use super::{Exhibit, Kind, Parameter, Variant};

/// The size of the program that the exhibit goes back to: 160 downloads.
const READERS: usize = 5;
const DOWNLOADS: usize = 32;

/// The exhibit.
pub static EXHIBIT: Exhibit = Exhibit {
    name: "session",
    about: "threads download pages with one HTTP session",
    invariant: "each thread reads the answers to its own requests",
    threads: Parameter {
        counts: "threads that download",
        default: 2,
        range: 1..=64,
    },
    ops: Parameter {
        counts: "downloads of each thread",
        default: 1,
        range: 1..=1000,
    },
    variants: &[
        Variant {
            exhibit: "session",
            name: "shared",
            kind: Kind::Unsafe {
                bug: "atomicity violation",
            },
            about: "send, then receive, on a connection that all threads share",
            fix: "give each thread a session of its own: session/thread-local, or each download \
                  a connection: session/pool",
            file: "src/exhibits/session/shared.rs",
            source: include_str!("shared.rs"),
            only_size: None,
            body: |size| shared::run(size.threads, size.ops, None),
            program: |terminal| shared::run(READERS, DOWNLOADS, Some(terminal)),
        },
        Variant {
            exhibit: "session",
            name: "lock-per-call",
            kind: Kind::Unsafe {
                bug: "atomicity violation",
            },
            about: "a lock round the send, and a lock round the receive",
            fix: "hold the lock for the whole download: session/mutex, or share no connection: \
                  session/thread-local",
            file: "src/exhibits/session/lock_per_call.rs",
            source: include_str!("lock_per_call.rs"),
            only_size: None,
            body: |size| lock_per_call::run(size.threads, size.ops, None),
            program: |terminal| lock_per_call::run(READERS, DOWNLOADS, Some(terminal)),
        },
        Variant {
            exhibit: "session",
            name: "mutex",
            kind: Kind::Safe,
            about: "a lock round the whole download, one at a time",
            fix: "",
            file: "src/exhibits/session/mutex.rs",
            source: include_str!("mutex.rs"),
            only_size: None,
            body: |size| mutex::run(size.threads, size.ops, None),
            program: |terminal| mutex::run(READERS, DOWNLOADS, Some(terminal)),
        },
        Variant {
            exhibit: "session",
            name: "thread-local",
            kind: Kind::Safe,
            about: "a session for each thread",
            fix: "",
            file: "src/exhibits/session/thread_local.rs",
            source: include_str!("thread_local.rs"),
            only_size: None,
            body: |size| thread_local::run(size.threads, size.ops, None),
            program: |terminal| thread_local::run(READERS, DOWNLOADS, Some(terminal)),
        },
        Variant {
            exhibit: "session",
            name: "pool",
            kind: Kind::Safe,
            about: "one session, which has a connection for each download",
            fix: "",
            file: "src/exhibits/session/pool.rs",
            source: include_str!("pool.rs"),
            only_size: None,
            body: |size| pool::run(size.threads, size.ops, None),
            program: |terminal| pool::run(READERS, DOWNLOADS, Some(terminal)),
        },
        Variant {
            exhibit: "session",
            name: "event-loop",
            kind: Kind::Safe,
            about: "one session for the tasks of one thread, without a lock",
            fix: "",
            file: "src/exhibits/session/event_loop.rs",
            source: include_str!("event_loop.rs"),
            only_size: None,
            body: |size| event_loop::run(size.threads, size.ops, None),
            program: |terminal| event_loop::run(READERS, DOWNLOADS, Some(terminal)),
        },
    ],
};
