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

use super::{Exhibit, Kind, Parameter, Variant};

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
    variants: &[
        Variant {
            exhibit: "event-loop",
            name: "computes-in-loop",
            kind: Kind::Unsafe {
                bug: "blocked event loop",
            },
            about: "a task computes all pieces in one turn",
            fix: "give control back after each piece: event-loop/gives-back, or let another \
                  thread compute: event-loop/worker",
            file: "src/exhibits/event_loop/computes_in_loop.rs",
            source: include_str!("computes_in_loop.rs"),
            only_size: None,
            body: |size| computes_in_loop::run(size.threads, size.ops, None),
            program: |terminal| computes_in_loop::run(USERS, PIECES, Some(terminal)),
        },
        Variant {
            exhibit: "event-loop",
            name: "never-gives-back",
            kind: Kind::Unsafe { bug: "starvation" },
            about: "a task waits for events in a call that blocks",
            fix: "wait with an `await`, which gives control back: event-loop/gives-back",
            file: "src/exhibits/event_loop/never_gives_back.rs",
            source: include_str!("never_gives_back.rs"),
            only_size: None,
            body: |size| never_gives_back::run(size.threads, size.ops, None),
            program: |terminal| never_gives_back::run(USERS, PIECES, Some(terminal)),
        },
        Variant {
            exhibit: "event-loop",
            name: "gives-back",
            kind: Kind::Safe,
            about: "a task gives control back after each piece",
            fix: "",
            file: "src/exhibits/event_loop/gives_back.rs",
            source: include_str!("gives_back.rs"),
            only_size: None,
            body: |size| gives_back::run(size.threads, size.ops, None),
            program: |terminal| gives_back::run(USERS, PIECES, Some(terminal)),
        },
        Variant {
            exhibit: "event-loop",
            name: "worker",
            kind: Kind::Safe,
            about: "another thread computes, and its result is an event",
            fix: "",
            file: "src/exhibits/event_loop/worker.rs",
            source: include_str!("worker.rs"),
            only_size: None,
            body: |size| worker::run(size.threads, size.ops, None),
            program: |terminal| worker::run(USERS, PIECES, Some(terminal)),
        },
    ],
};
