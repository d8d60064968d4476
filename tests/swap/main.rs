//! Code needs nothing but other imports: programs that are compiled with the real crates and with
//! racelab.
#![cfg(not(loom))]

#[cfg(feature = "engine")]
mod explored;
mod real;
