//! The lab as a library: façade, engines, searches and what is said of failures.
#![cfg(not(loom))]

mod cell;
mod check;
mod data_race;
mod division;
mod dpor;
mod explain;
mod facade;
#[cfg(feature = "cli")]
mod known_bugs;
mod last_drops;
#[cfg(feature = "loom")]
mod loom_engine;
#[cfg(feature = "loom")]
mod loom_minimisation;
#[cfg(feature = "loom")]
mod loom_reduction;
mod oracle;
mod outcomes;
mod own_process;
#[cfg(feature = "loom")]
mod races_against_loom;
mod reused_memory;
mod search;
#[cfg(feature = "shuttle")]
mod shuttle_engine;
mod spinning;
#[cfg(feature = "loom")]
mod stale_reads;
#[cfg(feature = "cli")]
mod strategies;
mod threads;
