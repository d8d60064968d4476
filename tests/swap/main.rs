//! Code needs nothing but other imports: programs that are compiled with the real crates and with
//! racelab.
#![cfg(not(loom))]

mod complete;
#[cfg(feature = "engine")]
mod explored;
mod real;
mod whole;
mod wrong_use;
