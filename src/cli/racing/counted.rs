//! What runs came to, counted.

use std::collections::{BTreeMap, HashMap};

use super::super::runs::{Panic, RunEnd};

/// How long the texts of all results may be together, in bytes: runs can come to millions of
/// different lists.
const MOST_KEPT: usize = 1 << 26;

/// The outcome of runs whose outcomes are not kept.
const OTHERS: &str = "(others)";

/// What runs came to.
#[derive(Debug, Default)]
pub(in crate::cli) struct Counted {
    pub(in crate::cli) runs: u64,
    /// Those that failed, crashed or did not end.
    pub(in crate::cli) bad: u64,
    /// By how they ended that came to their end. What is too much to keep is one in [`OTHERS`].
    pub(in crate::cli) ended: HashMap<RunEnd, u64>,
    /// By how the process ended: how often, and what it said the first time.
    pub(in crate::cli) crashes: BTreeMap<String, (u64, Option<String>)>,
    pub(in crate::cli) timeouts: u64,
    pub(in crate::cli) first_bad: Option<Bad>,
    /// What ended them before all were made.
    pub(in crate::cli) stop: Option<Stop>,
    /// How long the texts are that are kept.
    pub(super) kept: usize,
}

/// How a run was bad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Bad {
    Failed(RunEnd),
    /// How its process ended, as `ended by signal 11 (SIGSEGV)`.
    Crashed(String),
    Endless,
}

/// What ended the runs before all were made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Stop {
    TimeLimit,
    Interrupted,
    Crashes,
    Timeouts,
    /// The system cannot make them: why.
    Unable(String),
    /// The system starts no more processes: why.
    Refused(String),
    /// A process came to no run: how.
    NotBegun(String),
    /// Somebody, or the system, has ended a process that made runs: by which signal.
    Killed(String),
}

impl Counted {
    /// Counts a run that has come to its end.
    pub(super) fn add(&mut self, ended: &RunEnd) {
        self.runs += 1;
        if ended.failure.is_some() {
            self.bad += 1;
            if self.first_bad.is_none() {
                self.first_bad = Some(Bad::Failed(ended.clone()));
            }
        }
        if let Some(runs) = self.ended.get_mut(ended) {
            *runs += 1;
            return;
        }
        self.kept += length(ended);
        let ended = if self.kept > MOST_KEPT {
            others(ended)
        } else {
            ended.clone()
        };
        *self.ended.entry(ended).or_default() += 1;
    }
}

fn length(ended: &RunEnd) -> usize {
    let outcome = ended.outcome.as_ref().map_or(0, String::len);
    let failure = ended.failure.as_ref();
    outcome + failure.map_or(0, |failure| failure.message.len())
}

/// What is left of a result that is not kept: whether it is bad.
fn others(ended: &RunEnd) -> RunEnd {
    RunEnd {
        outcome: Some(OTHERS.to_owned()),
        failure: ended.failure.as_ref().map(|_| Panic {
            message: String::new(),
            at: None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_to_keep_is_counted_all_the_same() {
        let mut counted = Counted::default();
        let long = |first: u8, is_bad: bool| {
            let mut text = "x".repeat(MOST_KEPT / 4 + 1);
            text.insert(0, first.into());
            RunEnd {
                outcome: Some(text),
                failure: is_bad.then(|| Panic {
                    message: "no".to_owned(),
                    at: None,
                }),
            }
        };
        for first in b'a'..=b'f' {
            counted.add(&long(first, first == b'a' || first == b'f'));
        }
        // What was kept is still counted by itself.
        counted.add(&long(b'a', true));
        let runs = |ended: &RunEnd| counted.ended.get(ended).copied();
        assert_eq!((counted.runs, counted.bad), (7, 3));
        assert_eq!(counted.ended.values().sum::<u64>(), 7);
        assert_eq!(runs(&long(b'a', true)), Some(2));
        assert_eq!(runs(&others(&long(b'd', false))), Some(2));
        assert_eq!(runs(&others(&long(b'f', true))), Some(1));
    }
}
