//! How many connections there may be at once.

use std::fs;

use super::Source;
use crate::timing::{Failed, Method, Way};

/// What a process has open besides connections: more than enough.
const OTHERS: usize = 64;

/// Refuses a way that has more connections at once than this process may have files open.
///
/// # Errors
///
/// If there are too many: how many there may be, and what to do.
pub(super) fn refuse_too_many(way: &Way, source: &Source) -> Result<(), Failed> {
    let Some(limit) = limit() else {
        return Ok(());
    };
    // The server is in this process, and has the other end of each connection.
    let at_server = match source {
        Source::Embedded(_) => 1,
        Source::Urls(_) => 0,
    };
    let ends = match way.method {
        Method::Sync | Method::Threads | Method::Async | Method::AsyncBlocking | Method::Rayon => {
            1 + at_server
        }
        // The pipes of a worker, and the end that the server has.
        Method::Processes => 2 + at_server,
    };
    if way.workers.saturating_mul(ends).saturating_add(OTHERS) <= limit {
        return Ok(());
    }
    let least = way.workers.saturating_mul(ends).saturating_add(OTHERS);
    Err(Failed::Refused(format!(
        "{way}: the connections and what else is open come to {least} files, and this process may \
         have {limit}; raise the limit (`ulimit -n`), or take fewer workers or items"
    )))
}

/// How many files this process may have open. `None` where the system does not tell.
fn limit() -> Option<usize> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let mut lines = limits.lines();
    let line = lines.find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}
