//! Exhaustive models under the memory model of C11, for `RUSTFLAGS="--cfg loom" cargo test`.
#![cfg(loom)]

mod gallery;
mod raw;
mod verdicts;
mod weak_memory;
