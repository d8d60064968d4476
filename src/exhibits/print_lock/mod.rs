//! Threads print lines on one console.
//!
//! A print of a text and of the end of its line is two writes. If another thread writes between
//! them, two texts share a line, and an empty line comes after. The fixes hold a lock round the
//! whole line, make the line one write, or let one thread do all the printing. Without other threads
//! nobody writes between either, but the printers wait for each other. A lock round each write alone
//! fixes nothing: what must stay together has to be in one critical section.

mod console;
mod lock_per_line;
mod lock_per_write;
mod one_after_another;
mod one_write;
mod printer_thread;
mod text_then_newline;

use crate::sync::Arc;

use super::variants::variants;
use super::{Exhibit, Parameter, Terminal};

/// The size of the program that the exhibit goes back to.
const PRINTERS: usize = 5;
const LINES: usize = 1;

/// The exhibit.
pub static EXHIBIT: Exhibit = Exhibit {
    name: "print-lock",
    about: "threads print lines on one console",
    invariant: "in the end the console shows whole lines, in some order",
    threads: Parameter {
        counts: "threads that print",
        default: 2,
        range: 1..=64,
    },
    ops: Parameter {
        counts: "lines of each thread",
        default: 1,
        range: 1..=1000,
    },
    variants: variants! {
        print_lock, |size| (size.threads, size.ops, None),
        |terminal| (PRINTERS, LINES, Some(terminal));

        text_then_newline: unsafe "atomicity violation", "two writes a line",
            fix: "make it one write: print-lock/one-write, or one critical section: \
                  print-lock/lock-per-line";
        lock_per_write: unsafe "atomicity violation", "two writes a line, with a lock round each",
            fix: "hold the lock for the whole line: print-lock/lock-per-line";
        lock_per_line: safe, "two writes a line, with a lock round both";
        one_write: safe, "one write a line";
        printer_thread: safe, "one thread writes, the others send it their lines";
        one_after_another: safe, "no threads: each printer waits for the one before",
            program: one_after_another_and_at_once;
    },
};

/// What the threads save: the same lines one after another, and then by threads.
fn one_after_another_and_at_once(terminal: Arc<dyn Terminal>) {
    one_after_another::run(PRINTERS, LINES, Some(Arc::clone(&terminal)));
    lock_per_line::run(PRINTERS, LINES, Some(terminal));
}
