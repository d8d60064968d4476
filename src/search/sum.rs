//! What the parts of a search have come to, summed up in their order.

use std::collections::BTreeMap;

use crate::trace::{LeftOut, LeftOutSet, Schedule};
use crate::verdict::{Loop, Sharing};

use super::exploration::MAX_ENDLESS;
use super::position::{Begun, Resumed};
use super::{FailingExecution, Stop, Tally};

/// No part comes to more executions than this, and many of them can be added up.
const MAX_COUNT: u64 = 1 << 50;

/// The finished parts of a search, by their places in its order.
///
/// They are summed up in that order, so that the sum does not depend on which part was finished
/// first: a part that ends the search ends it for all that come after it.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    /// How many parts, the first ones, are summed up.
    summed: usize,
    tally: Tally,
    /// Parts that were finished before others that come earlier.
    ahead: BTreeMap<usize, Tally>,
    /// Whether executions without an end rule out that all were explored.
    exhaustive: bool,
}

impl Sum {
    /// Nothing so far. `exhaustive` as in [`Limits`](super::Limits).
    pub(crate) fn new(exhaustive: bool) -> Self {
        Sum {
            exhaustive,
            ..Sum::default()
        }
    }

    /// Adds a part that has come to its own end, which is in its `stop`.
    pub(crate) fn add(&mut self, part: usize, tally: Tally) {
        self.ahead.insert(part, tally);
        while self.tally.stop.is_none()
            && let Some(mut next) = self.ahead.remove(&self.summed)
        {
            let stop = next.stop.take();
            self.tally.merge(next);
            self.summed += 1;
            self.tally.stop = stop.filter(|stop| *stop != Stop::Exhausted);
            if !self.exhaustive && self.tally.truncated >= MAX_ENDLESS {
                self.tally.stop.get_or_insert(Stop::OutOfSteps);
            }
        }
    }

    /// Whether the part is among the finished ones.
    pub(crate) fn has(&self, part: usize) -> bool {
        part < self.summed || self.ahead.contains_key(&part)
    }

    /// How many parts are finished.
    pub(crate) fn finished(&self) -> usize {
        self.summed + self.ahead.len()
    }

    /// The first part that ends the search, as far as is known.
    pub(crate) fn last_part(&self) -> Option<usize> {
        if self.tally.stop.is_some() {
            return Some(self.summed.saturating_sub(1));
        }
        let ends = |tally: &Tally| tally.stop != Some(Stop::Exhausted);
        let mut ahead = self.ahead.iter();
        ahead.find(|(_, tally)| ends(tally)).map(|(part, _)| *part)
    }

    /// Whether what is summed up is the whole: all of so many parts, or up to the one that ends the
    /// search.
    pub(crate) fn is_whole(&self, parts: usize) -> bool {
        self.tally.stop.is_some() || self.summed == parts
    }

    /// The whole, and why the search stopped if it was not that all parts were explored. If not the
    /// whole is known, all that is, cut parts included.
    pub(crate) fn result(self, parts: usize, cut: BTreeMap<usize, Tally>) -> Tally {
        if self.is_whole(parts) {
            return self.tally;
        }
        let Sum {
            mut tally,
            mut ahead,
            ..
        } = self;
        ahead.extend(cut);
        for part in ahead.into_values() {
            tally.merge(part);
        }
        tally
    }
}

/// What is known of a search, as it can be kept outside of the process.
#[derive(Clone, Debug, Default)]
#[cfg_attr(
    feature = "cli",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub(crate) struct Record {
    /// How many parts, the first ones, are summed up.
    pub(crate) summed: usize,
    /// What they have come to.
    pub(crate) sum: Summary,
    /// Parts that were finished before others that come earlier.
    pub(crate) ahead: BTreeMap<usize, Summary>,
    /// Parts that were begun and are not finished.
    #[cfg_attr(
        feature = "cli",
        serde(default, skip_serializing_if = "BTreeMap::is_empty")
    )]
    pub(crate) begun: BTreeMap<usize, Begun>,
}

/// What one or several parts have come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "cli",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub(crate) struct Summary {
    pub(crate) executions: u64,
    pub(crate) blocked: u64,
    pub(crate) truncated: u64,
    pub(crate) violations: u64,
    /// The traces, if they are counted.
    pub(crate) traces: Option<u64>,
    pub(crate) outcomes: BTreeMap<String, u64>,
    /// The names of what was possible and is not explored.
    pub(crate) left_out: Vec<String>,
    /// The schedule of the smallest failure.
    pub(crate) failure: Option<String>,
    /// Whether the search ends with it.
    pub(crate) ends: bool,
    /// The most cells in one execution whose accesses were not all checked.
    pub(crate) unchecked_cells: u64,
    /// Whether a failure ended an execution while there were threads that could have gone on.
    #[cfg_attr(feature = "cli", serde(default, skip_serializing_if = "is_false"))]
    pub(crate) cut_failures: bool,
    /// What the executions have used of the lab, if that is known.
    #[cfg_attr(
        feature = "cli",
        serde(
            default,
            with = "super::kept::sharing",
            skip_serializing_if = "Option::is_none"
        )
    )]
    pub(crate) sharing: Option<Sharing>,
    /// What a thread that the lab does not run has done to an object of an execution.
    #[cfg_attr(
        feature = "cli",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub(crate) intrusion: Option<String>,
    /// The loops of the first execution that hit the bound on its steps.
    #[cfg_attr(
        feature = "cli",
        serde(
            default,
            with = "super::kept::loops",
            skip_serializing_if = "Vec::is_empty"
        )
    )]
    pub(crate) loops: Vec<Loop>,
}

/// Whether something that is mostly so need not be written.
#[cfg(feature = "cli")]
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde gives a reference to the field"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

impl Record {
    /// What can be kept of a sum. Parts that have ended otherwise than by being explored, or by a
    /// failure, are not; and there is nothing if the sum ends with such a part.
    pub(crate) fn of(sum: &Sum, begun: &BTreeMap<usize, Begun>) -> Option<Self> {
        let ahead = match sum.tally.stop {
            None => Some(&sum.ahead),
            // What comes later does not count.
            Some(Stop::Failure) => None,
            Some(_) => return None,
        };
        let can_be_kept =
            |tally: &Tally| matches!(tally.stop, Some(Stop::Exhausted | Stop::Failure));
        let ahead = ahead.into_iter().flatten();
        let ahead = ahead.filter(|(_, tally)| can_be_kept(tally));
        Some(Record {
            summed: sum.summed,
            sum: Summary::of(&sum.tally),
            ahead: ahead
                .map(|(part, tally)| (*part, Summary::of(tally)))
                .collect(),
            begun: {
                let last = sum.last_part().unwrap_or(usize::MAX);
                let needed = begun
                    .iter()
                    .filter(|(part, _)| **part <= last && !sum.has(**part));
                needed.map(|(part, begun)| (*part, begun.clone())).collect()
            },
        })
    }

    /// The executions in it that count against a limit.
    pub(crate) fn executions(&self) -> u64 {
        let begun = self.begun.values().map(|begun| &begun.so_far);
        let all = self.ahead.values().chain([&self.sum]).chain(begun);
        let counts = all.map(|part| part.executions.saturating_add(part.truncated));
        counts.fold(0, u64::saturating_add)
    }

    /// The sum again, and the parts that were begun, if `find` finds the failure of each schedule.
    /// Else what is wrong.
    pub(crate) fn restore(
        &self,
        exhaustive: bool,
        find: impl Fn(&Schedule) -> Option<FailingExecution>,
    ) -> Result<(Sum, BTreeMap<usize, Resumed>), String> {
        let tally = self.sum.restore(&find)?;
        let mut ahead = BTreeMap::new();
        for (part, summary) in &self.ahead {
            if *part <= self.summed || self.sum.ends {
                return Err(format!("part {part} is in it twice, or in the wrong place"));
            }
            let mut tally = summary.restore(&find)?;
            tally.stop.get_or_insert(Stop::Exhausted);
            ahead.insert(*part, tally);
        }
        let sum = Sum {
            summed: self.summed,
            tally,
            ahead,
            exhaustive,
        };
        let mut resumed = BTreeMap::new();
        for (part, begun) in &self.begun {
            if sum.has(*part) {
                return Err(format!("part {part} is in it twice, or in the wrong place"));
            }
            resumed.insert(*part, begun.clone().restore(&find)?);
        }
        Ok((sum, resumed))
    }
}

impl Summary {
    pub(super) fn of(tally: &Tally) -> Self {
        Summary {
            executions: tally.executions,
            blocked: tally.blocked,
            truncated: tally.truncated,
            violations: tally.violations,
            traces: tally.traces,
            outcomes: tally.outcomes.clone(),
            left_out: {
                let kinds = tally.left_out.to_vec();
                kinds.iter().map(|kind| kind.name().to_owned()).collect()
            },
            failure: tally
                .smallest
                .as_ref()
                .map(|found| found.schedule.to_string()),
            ends: tally.stop == Some(Stop::Failure),
            unchecked_cells: tally.unchecked_cells,
            cut_failures: tally.cut_failures,
            sharing: tally.sharing,
            intrusion: tally.intrusion.clone(),
            loops: tally.loops.clone(),
        }
    }

    pub(super) fn restore(
        &self,
        find: impl Fn(&Schedule) -> Option<FailingExecution>,
    ) -> Result<Tally, String> {
        let mut left_out = LeftOutSet::default();
        for name in &self.left_out {
            let kind = LeftOut::ALL.into_iter().find(|kind| kind.name() == name);
            left_out.add(kind.ok_or_else(|| format!("nothing is called `{name}`"))?);
        }
        let counts = [
            self.executions,
            self.blocked,
            self.truncated,
            self.violations,
            self.unchecked_cells,
            self.traces.unwrap_or(0),
        ];
        let counts = counts.iter().chain(self.outcomes.values());
        if counts.into_iter().any(|count| *count > MAX_COUNT) {
            return Err("its counts are too large".to_owned());
        }
        if self.failure.is_some() != (self.violations > 0) || self.ends && self.violations == 0 {
            return Err("it does not fit its own counts".to_owned());
        }
        let smallest = match &self.failure {
            None => None,
            Some(schedule) => {
                let schedule = schedule.parse();
                let schedule: Schedule =
                    schedule.map_err(|error| format!("a failure in it has a {error}"))?;
                let found = find(&schedule);
                Some(found.ok_or_else(|| format!("the schedule {schedule} in it does not fail"))?)
            }
        };
        Ok(Tally {
            executions: self.executions,
            blocked: self.blocked,
            truncated: self.truncated,
            violations: self.violations,
            traces: self.traces,
            outcomes: self.outcomes.clone(),
            left_out,
            unchecked_cells: self.unchecked_cells,
            cut_failures: self.cut_failures,
            sharing: self.sharing,
            intrusion: self.intrusion.clone(),
            loops: self.loops.clone(),
            smallest,
            stop: self.ends.then_some(Stop::Failure),
            ..Tally::default()
        })
    }
}
