//! The search with reduction, held against what is known of small programs, against enumeration,
//! and against a count of traces that shares nothing with it.
#![expect(unsafe_code, reason = "cells are there for code that is unsafe")]

mod bounded;
mod corners;
mod litmus;
mod oracle_rows;
mod preemptions;
pub(crate) mod random_programs;
mod reduction;
mod repetitions;
mod wake_ups;

use proptest::prelude::ProptestConfig;

/// So many random programs, or as many as `PROPTEST_CASES` says, and not more than that left out.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    let default = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let cases = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => default.cases,
        None => cases,
    };
    ProptestConfig {
        cases,
        // A program that is too large is no failure, but most must not be.
        max_global_rejects: 4 * cases + 100,
        ..default
    }
}
