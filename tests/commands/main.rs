//! The commands that have a file of tests of their own, by the real binary.
#![cfg(not(loom))]

mod bench;
mod corpus;
mod diff;
mod loom;
mod programs;
mod real_threads;
mod run;
#[path = "../support/mod.rs"]
mod support;
mod undefined_behaviour;
mod verify;
