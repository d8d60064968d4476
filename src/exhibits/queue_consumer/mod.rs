//! Consumers take items from a queue until they are told to stop.
//!
//! A hand-off is three agreements: who takes an item, how a consumer without one learns of the
//! next, and how all learn of the end. Each variant breaks one of them. The fixes look, wait and
//! take under one lock and look again after each wake-up (a condition variable), or leave it all to
//! a channel, whose end is a message as well.

mod r#async;
mod check_then_pop;
mod condvar;
mod crossbeam;
mod if_not_while;
mod lost_wakeup;
mod mpsc;
mod one_sentinel;
mod stop_flag;
mod unsafe_deque;
mod work;

use super::{Exhibit, Kind, Parameter, Variant};

/// The size of the program that the exhibit goes back to, and of the one for bugs that need two.
const ONE_CONSUMER: usize = 1;
const TWO_CONSUMERS: usize = 2;

/// The exhibit.
pub static EXHIBIT: Exhibit = Exhibit {
    name: "queue-consumer",
    about: "threads consume what main puts into a queue",
    invariant: "all threads end, and each item was consumed once",
    threads: Parameter {
        counts: "consumers",
        default: 2,
        range: 1..=64,
    },
    ops: Parameter {
        counts: "items",
        default: 1,
        range: 1..=1000,
    },
    variants: &[
        Variant {
            exhibit: "queue-consumer",
            name: "check-then-pop",
            kind: Kind::Unsafe {
                bug: "check-then-act",
            },
            about: "wait for an item, then pop, in two critical sections",
            fix: "wait and pop in one critical section: queue-consumer/condvar",
            file: "src/exhibits/queue_consumer/check_then_pop.rs",
            source: include_str!("check_then_pop.rs"),
            only_size: None,
            body: |size| check_then_pop::run(size.threads, work::numbers(size.ops)),
            program: |terminal| check_then_pop::run(TWO_CONSUMERS, work::lines(terminal)),
        },
        Variant {
            exhibit: "queue-consumer",
            name: "lost-wakeup",
            kind: Kind::Unsafe {
                bug: "lost wake-up",
            },
            about: "look, then wait, in two critical sections",
            fix: "look under the lock with which you wait: queue-consumer/condvar, or let a \
                  channel wait: queue-consumer/mpsc",
            file: "src/exhibits/queue_consumer/lost_wakeup.rs",
            source: include_str!("lost_wakeup.rs"),
            only_size: None,
            body: |size| lost_wakeup::run(size.threads, work::numbers(size.ops)),
            program: |terminal| lost_wakeup::run(ONE_CONSUMER, work::lines(terminal)),
        },
        Variant {
            exhibit: "queue-consumer",
            name: "if-not-while",
            kind: Kind::Unsafe {
                bug: "stolen wake-up",
            },
            about: "wait once, and pop without another look",
            fix: "look again after each wake-up, with `while`: queue-consumer/condvar",
            file: "src/exhibits/queue_consumer/if_not_while.rs",
            source: include_str!("if_not_while.rs"),
            only_size: None,
            body: |size| if_not_while::run(size.threads, work::numbers(size.ops)),
            program: |terminal| if_not_while::run(TWO_CONSUMERS, work::lines(terminal)),
        },
        Variant {
            exhibit: "queue-consumer",
            name: "one-sentinel",
            kind: Kind::Unsafe { bug: "deadlock" },
            about: "one message that says stop, for all consumers",
            fix: "send a stop to each consumer: queue-consumer/condvar, or close the queue: \
                  queue-consumer/mpsc",
            file: "src/exhibits/queue_consumer/one_sentinel.rs",
            source: include_str!("one_sentinel.rs"),
            only_size: None,
            body: |size| one_sentinel::run(size.threads, work::numbers(size.ops)),
            program: |terminal| one_sentinel::run(TWO_CONSUMERS, work::lines(terminal)),
        },
        Variant {
            exhibit: "queue-consumer",
            name: "stop-flag",
            kind: Kind::Unsafe {
                bug: "lost messages",
            },
            about: "a flag beside the queue that says stop",
            fix: "put the stop into the queue, behind the items: queue-consumer/condvar, or close \
                  the queue: queue-consumer/mpsc",
            file: "src/exhibits/queue_consumer/stop_flag.rs",
            source: include_str!("stop_flag.rs"),
            only_size: None,
            body: |size| stop_flag::run(size.threads, work::numbers(size.ops)),
            program: |terminal| stop_flag::run(ONE_CONSUMER, work::lines(terminal)),
        },
        Variant {
            exhibit: "queue-consumer",
            name: "unsafe-deque",
            kind: Kind::Undefined { bug: "data race" },
            about: "a deque in a plain cell",
            fix: "guard the queue: queue-consumer/condvar, or use a channel: queue-consumer/mpsc",
            file: "src/exhibits/queue_consumer/unsafe_deque.rs",
            source: include_str!("unsafe_deque.rs"),
            only_size: None,
            body: |size| unsafe_deque::run(size.threads, work::numbers(size.ops)),
            program: |terminal| unsafe_deque::run(ONE_CONSUMER, work::lines(terminal)),
        },
        Variant {
            exhibit: "queue-consumer",
            name: "condvar",
            kind: Kind::Safe,
            about: "look, wait and take under one lock; a stop for each",
            fix: "",
            file: "src/exhibits/queue_consumer/condvar.rs",
            source: include_str!("condvar.rs"),
            only_size: None,
            body: |size| condvar::run(size.threads, work::numbers(size.ops)),
            program: |terminal| condvar::run(ONE_CONSUMER, work::lines(terminal)),
        },
        Variant {
            exhibit: "queue-consumer",
            name: "mpsc",
            kind: Kind::Safe,
            about: "a channel, whose end is the stop",
            fix: "",
            file: "src/exhibits/queue_consumer/mpsc.rs",
            source: include_str!("mpsc.rs"),
            only_size: None,
            body: |size| mpsc::run(size.threads, work::numbers(size.ops)),
            program: |terminal| mpsc::run(ONE_CONSUMER, work::lines(terminal)),
        },
        Variant {
            exhibit: "queue-consumer",
            name: "crossbeam",
            kind: Kind::Safe,
            about: "a channel with a receiver for each consumer",
            fix: "",
            file: "src/exhibits/queue_consumer/crossbeam.rs",
            source: include_str!("crossbeam.rs"),
            only_size: None,
            body: |size| crossbeam::run(size.threads, work::numbers(size.ops)),
            program: |terminal| crossbeam::run(ONE_CONSUMER, work::lines(terminal)),
        },
        Variant {
            exhibit: "queue-consumer",
            name: "async",
            kind: Kind::Safe,
            about: "tasks, and a channel for each",
            fix: "",
            file: "src/exhibits/queue_consumer/async.rs",
            source: include_str!("async.rs"),
            only_size: None,
            body: |size| r#async::run(size.threads, work::numbers(size.ops)),
            program: |terminal| r#async::run(ONE_CONSUMER, work::lines(terminal)),
        },
    ],
};
