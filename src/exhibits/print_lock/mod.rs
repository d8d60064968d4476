//! Threads print lines on one console.
//!
//! A print of a text and of the end of its line is two writes. If another thread writes between
//! them, two texts share a line, and an empty line comes after. The fixes hold a lock round the
//! whole line, make the line one write, or let one thread do all the printing. A lock round each
//! write alone fixes nothing: what must stay together has to be in one critical section.

mod console;
mod lock_per_line;
mod lock_per_write;
mod one_write;
mod printer_thread;
mod text_then_newline;

use super::{Exhibit, Kind, Parameter, Variant};

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
    variants: &[
        Variant {
            exhibit: "print-lock",
            name: "text-then-newline",
            kind: Kind::Unsafe {
                bug: "atomicity violation",
            },
            about: "two writes a line",
            fix: "make it one write: print-lock/one-write, or one critical section: \
                  print-lock/lock-per-line",
            file: "src/exhibits/print_lock/text_then_newline.rs",
            source: include_str!("text_then_newline.rs"),
            only_size: None,
            body: |size| text_then_newline::run(size.threads, size.ops, None),
            program: |terminal| text_then_newline::run(PRINTERS, LINES, Some(terminal)),
        },
        Variant {
            exhibit: "print-lock",
            name: "lock-per-write",
            kind: Kind::Unsafe {
                bug: "atomicity violation",
            },
            about: "two writes a line, with a lock round each",
            fix: "hold the lock for the whole line: print-lock/lock-per-line",
            file: "src/exhibits/print_lock/lock_per_write.rs",
            source: include_str!("lock_per_write.rs"),
            only_size: None,
            body: |size| lock_per_write::run(size.threads, size.ops, None),
            program: |terminal| lock_per_write::run(PRINTERS, LINES, Some(terminal)),
        },
        Variant {
            exhibit: "print-lock",
            name: "lock-per-line",
            kind: Kind::Safe,
            about: "two writes a line, with a lock round both",
            fix: "",
            file: "src/exhibits/print_lock/lock_per_line.rs",
            source: include_str!("lock_per_line.rs"),
            only_size: None,
            body: |size| lock_per_line::run(size.threads, size.ops, None),
            program: |terminal| lock_per_line::run(PRINTERS, LINES, Some(terminal)),
        },
        Variant {
            exhibit: "print-lock",
            name: "one-write",
            kind: Kind::Safe,
            about: "one write a line",
            fix: "",
            file: "src/exhibits/print_lock/one_write.rs",
            source: include_str!("one_write.rs"),
            only_size: None,
            body: |size| one_write::run(size.threads, size.ops, None),
            program: |terminal| one_write::run(PRINTERS, LINES, Some(terminal)),
        },
        Variant {
            exhibit: "print-lock",
            name: "printer-thread",
            kind: Kind::Safe,
            about: "one thread writes, the others send it their lines",
            fix: "",
            file: "src/exhibits/print_lock/printer_thread.rs",
            source: include_str!("printer_thread.rs"),
            only_size: None,
            body: |size| printer_thread::run(size.threads, size.ops, None),
            program: |terminal| printer_thread::run(PRINTERS, LINES, Some(terminal)),
        },
    ],
};
