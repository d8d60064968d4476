//! Behaviours of a program that an execution could have had, and that no search looks at.

use std::fmt;

/// A kind of behaviour that was possible and is not explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LeftOut {
    /// An ordering weaker than `SeqCst` was executed, and allows to read older values.
    StaleValues,
    /// A thread waited for a notification or parked, and could have been woken without a cause.
    SpuriousWakeUps,
    /// An operation that can fail without a cause did so, and could have done it again at once.
    RepeatedFailures,
    /// A wait timed out, and could have done it again at once.
    RepeatedTimeouts,
}

impl LeftOut {
    /// All kinds.
    pub const ALL: [LeftOut; 4] = [
        LeftOut::StaleValues,
        LeftOut::SpuriousWakeUps,
        LeftOut::RepeatedFailures,
        LeftOut::RepeatedTimeouts,
    ];

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            LeftOut::StaleValues => "stale-values",
            LeftOut::SpuriousWakeUps => "spurious-wake-ups",
            LeftOut::RepeatedFailures => "repeated-failures",
            LeftOut::RepeatedTimeouts => "repeated-timeouts",
        }
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LeftOut::StaleValues => "the stale values that orderings weaker than SeqCst allow",
            LeftOut::SpuriousWakeUps => "wake-ups without a cause",
            LeftOut::RepeatedFailures => "failures without a cause that come again at once",
            LeftOut::RepeatedTimeouts => "time-outs that come again at once",
        })
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeftOutSet(u8);

impl LeftOutSet {
    pub(crate) fn add(&mut self, kind: LeftOut) {
        self.0 |= 1 << kind as u8;
    }

    pub(crate) fn add_all(&mut self, other: LeftOutSet) {
        self.0 |= other.0;
    }

    pub(crate) fn has(self, kind: LeftOut) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    pub(crate) fn to_vec(self) -> Vec<LeftOut> {
        LeftOut::ALL
            .into_iter()
            .filter(|kind| self.has(*kind))
            .collect()
    }
}
