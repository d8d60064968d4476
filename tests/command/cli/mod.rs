//! What the command does: results, exit codes, and how it takes bad input.

mod bad_input;
mod exit_codes;
mod output;
mod replays;
mod results;

use std::fs;

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::support::{Folder, Run, command, into_closed_pipe, keys, line, parsed, racelab, words};

// The schedule of the smallest failure of the counter, and one that does not fail.
const FAILS: &str = "0*2.1.2*2.1.0*3";
const PASSES: &str = "0*2.1*2.2*2.0*3";

/// The text of the part of a JSON text that begins after `"key":`.
fn part<'a>(text: &'a str, key: &str) -> &'a str {
    let start = text.find(&format!("\"{key}\":")).expect("the key is there") + key.len() + 3;
    let mut parts = serde_json::Deserializer::from_str(&text[start..]).into_iter::<IgnoredAny>();
    parts
        .next()
        .expect("there is a value")
        .expect("it is well-formed");
    &text[start..start + parts.byte_offset()]
}

/// What a report in JSON says of the failure, apart from how it was found.
fn failure(run: &Run) -> Value {
    let mut failure = parsed(run)["failure"].take();
    for key in ["minimal", "minimise_executions"] {
        failure
            .as_object_mut()
            .expect("there is a failure")
            .remove(key);
    }
    failure
}

/// The report up to what is known of the search: verdict, table and why.
fn shown(run: &Run) -> &str {
    let end = run
        .stdout
        .find("\n  minimal ")
        .or_else(|| run.stdout.find("\n  searched "));
    &run.stdout[..end.expect("a report has the search in it")]
}
