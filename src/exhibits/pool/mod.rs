//! Threads make queries on the connections of a pool.
//!
//! A pool is a queue of what is free, and a semaphore that counts it: whoever has a permit finds
//! something in the queue. That is two agreements more than a queue has. A permit that is free
//! before its connection is, or that two threads take, finds the queue empty; one that is not given
//! back, since a panic has left out what does it, is missing for ever. The fixes look again after
//! each wake-up, give back in the order in which that is safe, and let no panic leave that
//! out; or they let one lock, or a channel, be both.

mod catch_then_give_back;
mod channel;
mod freed_too_early;
mod if_not_while;
mod leaked_permit;
mod one_lock;
mod queries;
mod semaphore;

use super::variants::variants;
use super::{Exhibit, Parameter};

/// The size of the program: fewer connections than threads.
const THREADS: usize = 5;
const QUERIES: usize = 3;

/// The exhibit.
pub static EXHIBIT: Exhibit = Exhibit {
    name: "pool",
    about: "threads make queries on the connections of a pool",
    invariant: "whoever has a permit finds a connection, and all are given back",
    threads: Parameter {
        counts: "threads, which have half as many connections",
        default: 2,
        range: 1..=64,
    },
    ops: Parameter {
        counts: "queries of each thread",
        default: 1,
        range: 1..=1000,
    },
    variants: variants! {
        pool, |size| (size.threads, size.ops, None),
        |terminal| (THREADS, QUERIES, Some(terminal));

        if_not_while: unsafe "stolen wake-up", "wait once for a permit, without another look",
            fix: "look again after each wake-up, with `while`: pool/semaphore";
        freed_too_early: unsafe "order violation", "the permit is given back before the connection",
            fix: "give back the connection, then the permit: pool/semaphore, or make it one step: \
                  pool/one-lock";
        leaked_permit: unsafe "leaked permit", "a query that panics leaves out what gives back",
            fix: "catch the panic of the query alone, then give back: pool/catch-then-give-back";
        semaphore: safe, "a queue, and a semaphore that counts what is in it";
        catch_then_give_back: safe, "what is lent is given back, whatever has become of the query";
        one_lock: safe, "the queue is counted by its own length, under its lock";
        channel: safe, "a channel that holds what is free";
    },
};
