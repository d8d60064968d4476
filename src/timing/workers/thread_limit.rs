//! How many threads and processes a run may ask for.

use std::fs;

use crate::timing::Failed;

/// How many worker processes there may be. Each has a memory of its own.
const MOST_PROCESSES: usize = 256;

/// How many threads rayon may have. Those that have nothing to do look for work again and again, and
/// take the cores from those that have.
const MOST_OF_RAYON: usize = 256;

/// Refuses more threads of rayon than make sense.
///
/// # Errors
///
/// If there are too many.
pub(in crate::timing) fn refuse_too_many_of_rayon(threads: usize) -> Result<(), Failed> {
    if threads <= MOST_OF_RAYON {
        return Ok(());
    }
    Err(Failed::Refused(format!(
        "{threads} threads are too many for rayon: at most {MOST_OF_RAYON}, since those without work \
         look for some all the time; one for each core is enough"
    )))
}

/// Refuses a number of threads that the system cannot be trusted with.
///
/// A thread needs memory mappings for its stack. When the system has no more of them, std panics
/// inside of the new thread, where nobody can help it. So what is above a quarter of
/// `vm.max_map_count`, or above the number of processes and threads that the user may have, is
/// refused before anything is started.
///
/// # Errors
///
/// If there are too many threads: how many there may be, and why.
pub(in crate::timing) fn refuse_too_many_threads(threads: usize) -> Result<(), Failed> {
    let limits = [
        (
            number_in("/proc/sys/vm/max_map_count").map(|maps| maps / 4),
            "a quarter of vm.max_map_count",
        ),
        (
            process_limit(),
            "the limit on processes and threads (`ulimit -u`)",
        ),
        (
            number_in("/sys/fs/cgroup/pids.max"),
            "the limit of the control group",
        ),
    ];
    let limits = limits
        .into_iter()
        .filter_map(|(limit, what)| Some((limit?, what)));
    let Some((limit, what)) = limits.min_by_key(|(limit, _)| *limit) else {
        return Ok(());
    };
    if threads <= limit {
        return Ok(());
    }
    Err(Failed::Refused(format!(
        "{threads} threads are too many for this machine: at most {limit}, which is {what}; tasks \
         (`--method async`) have no such limit"
    )))
}

/// Refuses more worker processes than make sense.
///
/// # Errors
///
/// If there are too many.
pub(in crate::timing) fn refuse_too_many_processes(processes: usize) -> Result<(), Failed> {
    if processes <= MOST_PROCESSES {
        return Ok(());
    }
    Err(Failed::Refused(format!(
        "{processes} processes are too many: at most {MOST_PROCESSES}, since each has a memory of \
         its own; leave them out with `--method`"
    )))
}

/// The limit on processes and threads of the user, as `/proc/self/limits` has it.
fn process_limit() -> Option<usize> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max processes"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn number_in(path: &str) -> Option<usize> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}
