//! An event loop answers keys while a sum is computed.
//!
//! One thread runs all tasks, each until it gives control back. As long as a task does not, nobody
//! else has a turn: keys wait for the end of a long computation, and a task that waits in a call of
//! the thread, for what another task would do, waits for ever. The fixes give control back often enough,
//! or leave to the loop what is short and compute on another thread, which sends its result as an
//! event.

mod computes_in_loop;
mod desk;
mod gives_back;
mod never_gives_back;
pub(super) mod tasks;
mod worker;

use super::variants::variants;
use super::{Exhibit, Parameter};

/// The size of the program that the exhibit goes back to. The user is who types.
const USERS: usize = 1;
const PIECES: usize = 20;

/// The exhibit.
pub static EXHIBIT: Exhibit = Exhibit {
    name: "event-loop",
    about: "an event loop answers keys while a sum is computed",
    invariant: "a key waits for no more than one piece of the computation",
    threads: Parameter {
        counts: "users, who press one key each",
        default: 1,
        range: 1..=64,
    },
    ops: Parameter {
        counts: "pieces of the computation",
        default: 2,
        range: 1..=1000,
    },
    variants: variants! {
        event_loop, |size| (size.threads, size.ops, None),
        |terminal| (USERS, PIECES, Some(terminal));

        computes_in_loop: unsafe "blocked event loop", "a task computes all pieces in one turn",
            fix: "give control back after each piece: event-loop/gives-back, or let another \
                  thread compute: event-loop/worker";
        never_gives_back: unsafe "starvation", "a task waits for events in a call that blocks",
            fix: "wait with an `await`, which gives control back: event-loop/gives-back";
        gives_back: safe, "a task gives control back after each piece";
        worker: safe, "another thread computes, and its result is an event";
    },
};
