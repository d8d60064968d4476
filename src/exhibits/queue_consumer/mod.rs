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
mod enum_stop;
mod if_not_while;
mod in_band_stop;
mod lost_wakeup;
mod mpsc;
mod one_sentinel;
mod stop_flag;
mod unsafe_deque;
mod wait_without_loop;
mod work;

use super::variants::variants;
use super::{Exhibit, Parameter};

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
    variants: variants! {
        queue_consumer, |size| (size.threads, work::numbers(size.ops)),
        |terminal| (ONE_CONSUMER, work::lines(terminal));

        check_then_pop: unsafe "check-then-act",
            "wait for an item, then pop, in two critical sections",
            fix: "wait and pop in one critical section: queue-consumer/condvar",
            program: |terminal| check_then_pop::run(TWO_CONSUMERS, work::lines(terminal));
        lost_wakeup: unsafe "lost wake-up", "look, then wait, in two critical sections",
            fix: "look under the lock with which you wait: queue-consumer/condvar, or let a \
                  channel wait: queue-consumer/mpsc";
        if_not_while: unsafe "stolen wake-up", "wait once, and pop without another look",
            fix: "look again after each wake-up, with `while`: queue-consumer/condvar",
            program: |terminal| if_not_while::run(TWO_CONSUMERS, work::lines(terminal));
        wait_without_loop: unsafe "spurious wake-up", "a queue for each; wait once, then pop",
            fix: "look again after each wake-up, with `while`: queue-consumer/condvar",
            spurious: Explored;
        one_sentinel: unsafe "deadlock", "one message that says stop, for all consumers",
            fix: "send a stop to each consumer: queue-consumer/condvar, or close the queue: \
                  queue-consumer/mpsc",
            program: |terminal| one_sentinel::run(TWO_CONSUMERS, work::lines(terminal));
        stop_flag: unsafe "lost messages", "a flag beside the queue that says stop",
            fix: "put the stop into the queue, behind the items: queue-consumer/condvar, or \
                  close the queue: queue-consumer/mpsc";
        in_band_stop: unsafe "in-band signal", "a word among the items that says stop",
            fix: "let the stop be something that no item can be: queue-consumer/enum-stop, or close \
                  the queue: queue-consumer/mpsc",
            body: |size| in_band_stop::run(size.threads, work::stop_and_numbers(size.ops));
        unsafe_deque: undefined "data race", "a deque in a plain cell",
            fix: "guard the queue: queue-consumer/condvar, or use a channel: queue-consumer/mpsc";
        condvar: safe, "look, wait and take under one lock; a stop for each";
        enum_stop: safe, "a message that is an item or the stop",
            body: |size| enum_stop::run(size.threads, work::stop_and_numbers(size.ops));
        mpsc: safe, "a channel, whose end is the stop";
        crossbeam: safe, "a channel with a receiver for each consumer";
        r#async as "async" in "async.rs": safe, "tasks, and a channel for each";
    },
};
