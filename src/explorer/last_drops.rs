//! Checks what a search has assumed of the last drops of `Arc`s.
//!
//! Where the last drop of an `Arc` of std runs a destructor, what raced with it is taken to be ordered
//! if it came first. If that is wrong, it can come second as well, and then it races; but a thread is
//! only switched at steps, and the accesses of cells are none, so that it may never come second. So a
//! search that holds is followed by one in which they are.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::engine::Coroutines;
use crate::trace::{CellAccesses, LeftOut};
use crate::verdict::{Outcome, Report, Verdict};

use super::Explorer;
use super::divided::FanOut;

impl Explorer {
    /// Explores, and if that holds, explores again with the accesses of cells as steps where what is
    /// assumed of last drops needs it.
    pub(super) fn explore_and_check_last_drops(&self, engine: &Coroutines) -> Report {
        let start = Instant::now();
        let report = self.explore_on(engine);
        let assumes = report.left_out.contains(&LeftOut::LastDrops);
        if !assumes || !matches!(report.verdict, Verdict::Holds) {
            return report;
        }
        let engine = Coroutines {
            cells: CellAccesses::Steps,
            ..engine.clone()
        };
        let rest = Explorer {
            max_executions: self
                .max_executions
                .map(|max| max.saturating_sub(report.executions)),
            time_limit: self
                .time_limit
                .map(|limit| limit.saturating_sub(start.elapsed())),
            fan_out: FanOut {
                // What is kept is of the search before.
                keeper: None,
                ..self.fan_out.clone()
            },
            ..self.clone()
        };
        together(report, rest.explore_on(&engine))
    }
}

/// What two searches of one program have come to, of which the first one holds.
fn together(first: Report, second: Report) -> Report {
    let mut outcomes = BTreeMap::new();
    for Outcome { value, executions } in first.outcomes.into_iter().chain(second.outcomes) {
        *outcomes.entry(value).or_default() += executions;
    }
    let is_left_out = |kind: &LeftOut| {
        let by_first = *kind != LeftOut::LastDrops && first.left_out.contains(kind);
        by_first || second.left_out.contains(kind)
    };
    Report {
        executions: first.executions + second.executions,
        blocked: first.blocked + second.blocked,
        traces: first
            .traces
            .zip(second.traces)
            .map(|(first, second)| first + second),
        outcomes: outcomes
            .into_iter()
            .map(|(value, executions)| Outcome { value, executions })
            .collect(),
        left_out: LeftOut::ALL.into_iter().filter(is_left_out).collect(),
        division: first.division,
        ..second
    }
}
