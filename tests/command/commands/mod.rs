//! The commands that have a file of tests of their own, by the real binary.

mod bench;
mod checkpoint;
mod corpus;
mod diff;
mod fan_out;
mod help;
mod keyboard;
mod lessons;
#[cfg(target_os = "linux")]
mod limits;
mod loom;
mod pipe;
mod processes;
mod programs;
mod real_threads;
mod run;
mod shards;
mod spurious_wake_ups;
mod test;
mod time;
mod time_io;
mod undefined_behaviour;
mod verify;
