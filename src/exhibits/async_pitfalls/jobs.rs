//! What is passed around.

use crate::outcome;

/// Records which jobs were done, and asserts that these are all of `tasks` tasks with `jobs` jobs each.
#[track_caller]
pub(super) fn assert_all(mut done: Vec<usize>, tasks: usize, jobs: usize) {
    done.sort_unstable();
    outcome(&done);
    let all: Vec<usize> = (0..tasks * jobs).collect();
    assert_eq!(done, all, "each job is done once");
}
