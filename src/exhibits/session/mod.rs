//! Threads download pages with one HTTP session.
//!
//! A download is two calls: the request is sent, and the answer is received. On a connection that
//! is kept, answers come in the order of the requests, so that a thread which comes between the
//! two calls takes an answer that is not its own. That each call is safe for itself, by a lock or
//! by a queue without one, does not help.
//!
//! A lock round both calls does, but then one thread downloads at a time. The better fix is
//! *confinement*: what is not shared needs no lock. Each thread has a session of its own
//! (thread-local storage); or each process, made by the initialiser of a pool, as in
//! `processes/session-per-process` and in `racelab time io`; or one thread runs all tasks, and each
//! task takes a connection out of the session while it waits. That is also what sessions do that may
//! be shared by threads: a connection belongs to one download at a time.

mod event_loop;
mod http;
mod lock_per_call;
mod mutex;
mod pool;
mod shared;
mod thread_local;

use super::variants::variants;
use super::{Exhibit, Parameter};

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
    variants: variants! {
        session, |size| (size.threads, size.ops, None),
        |terminal| (READERS, DOWNLOADS, Some(terminal));

        shared: unsafe "atomicity violation",
            "send, then receive, on a connection that all threads share",
            fix: "give each thread a session of its own: session/thread-local, or each download \
                  a connection: session/pool";
        lock_per_call: unsafe "atomicity violation",
            "a lock round the send, and a lock round the receive",
            fix: "hold the lock for the whole download: session/mutex, or share no connection: \
                  session/thread-local";
        mutex: safe, "a lock round the whole download, one at a time";
        thread_local: safe, "a session for each thread";
        pool: safe, "one session, which has a connection for each download";
        event_loop: safe, "one session for the tasks of one thread, without a lock";
    },
};
