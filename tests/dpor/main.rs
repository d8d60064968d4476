//! The search with reduction, held against what is known of small programs, against enumeration,
//! and against a count of traces that shares nothing with it.
#![cfg(not(loom))]

#[allow(
    dead_code,
    reason = "each test target uses its own part of this module"
)]
#[path = "../oracle/mod.rs"]
mod oracle;

mod bounded;
mod oracle_rows;
mod random_programs;
mod reduction;
