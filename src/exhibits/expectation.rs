//! The matrix of the gallery: which variant runs under which engine, and what must come out.

use std::fmt;

use crate::Engine;
use crate::verdict::{Bound, Reason, Report, SpuriousWakeUps, Verdict};

use super::{ACROSS_PROCESSES, Kind, Variant};

/// Why a variant is not run under an engine. There are no other reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It starts more threads than loom can run.
    ManyThreads,
    /// It waits with a time limit, and loom has no time-outs.
    TimeOuts,
    /// It has several waiters, and loom always wakes the one that has waited longest.
    WakeOrder,
    /// It fails only by a spurious wake-up, and loom has none.
    SpuriousWakeUps,
    /// It fails only where a load can see a stale value.
    WeakMemory,
    /// On real threads, undefined behaviour can do anything to the process.
    UndefinedBehaviour,
    /// It starts processes, which no engine can schedule.
    Processes,
}

/// What must come out when a variant is run under an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// A failure.
    Violated,
    /// No failure, and everything was explored.
    Holds,
    /// No failure, although the engine proves nothing.
    Inconclusive,
    /// A failure or none: it is a matter of luck.
    Any,
}

/// The variants that an engine cannot run, apart from those that their kind tells.
const MISSING: &[(&str, Engine, Missing)] = &[
    ("queue-consumer/condvar", Engine::Loom, Missing::WakeOrder),
    (
        "async-pitfalls/dropped-half-way",
        Engine::Loom,
        Missing::TimeOuts,
    ),
    (
        "async-pitfalls/cancel-safe",
        Engine::Loom,
        Missing::TimeOuts,
    ),
    ("corpus/reorder_5", Engine::Loom, Missing::ManyThreads),
    ("corpus/reorder_10", Engine::Loom, Missing::ManyThreads),
];

impl Variant {
    /// Whether the engine can run it at its default size.
    ///
    /// # Errors
    ///
    /// If it cannot: why.
    pub fn runs_under(&self, engine: Engine) -> Result<(), Missing> {
        if matches!(self.kind, Kind::Undefined { .. }) && !engine.is_model() {
            return Err(Missing::UndefinedBehaviour);
        }
        if self.starts_processes() && engine.is_model() {
            return Err(Missing::Processes);
        }
        let is_spurious = self.spurious == SpuriousWakeUps::Explored;
        if is_spurious && engine.is_model() && !engine.wakes_spuriously() {
            return Err(Missing::SpuriousWakeUps);
        }
        let name = self.to_string();
        let mut missing = MISSING.iter();
        match missing.find(|(variant, other, _)| (*variant, *other) == (&*name, engine)) {
            Some((.., missing)) => Err(*missing),
            None => Ok(()),
        }
    }

    /// Whether it starts processes.
    fn starts_processes(&self) -> bool {
        let mut exhibits = ACROSS_PROCESSES.iter();
        exhibits.any(|exhibit| exhibit.name == self.exhibit)
    }

    /// The engines that can run it at its default size.
    pub fn engines(&self) -> impl Iterator<Item = Engine> {
        let engines = Engine::ALL.iter().copied();
        engines.filter(|&engine| self.runs_under(engine).is_ok())
    }

    /// What must come out under an engine that can run it.
    pub fn expected_under(&self, engine: Engine) -> Expectation {
        let is_safe = self.kind == Kind::Safe;
        match (is_safe, engine.is_model(), engine.is_exhaustive()) {
            (false, true, _) => Expectation::Violated,
            (false, false, _) => Expectation::Any,
            (true, _, true) => Expectation::Holds,
            (true, _, false) => Expectation::Inconclusive,
        }
    }
}

impl Expectation {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Expectation::Violated => "violated",
            Expectation::Holds => "holds",
            Expectation::Inconclusive => "inconclusive",
            Expectation::Any => "any",
        }
    }

    /// Whether a report is what was expected.
    ///
    /// That nothing failed counts only if a bound on executions, runs or the time ended the search:
    /// what the lab could not run, or what did not end, says nothing.
    pub fn is_met_by(self, report: &Report) -> bool {
        let is_cut = matches!(
            report.verdict,
            Verdict::Inconclusive(
                Reason::Bound(Bound::MaxExecutions(_) | Bound::TimeLimit(_) | Bound::Runs(_))
                    | Reason::Runs {
                        bound: Bound::TimeLimit(_),
                        ..
                    }
            )
        );
        let is_endless = matches!(
            report.verdict,
            Verdict::Inconclusive(Reason::Endless { .. })
        );
        let is_violated = matches!(report.verdict, Verdict::Violated(_));
        match self {
            Expectation::Violated => is_violated,
            Expectation::Holds => matches!(report.verdict, Verdict::Holds),
            Expectation::Inconclusive => is_cut,
            // Real threads that stand still are what a deadlock looks like.
            Expectation::Any => is_violated || is_cut || is_endless,
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Missing::ManyThreads => "it starts more than the four threads that loom can run",
            Missing::TimeOuts => "loom does not explore time-outs",
            Missing::WakeOrder => "loom does not explore the order of wake-ups",
            Missing::SpuriousWakeUps => "loom does not explore spurious wake-ups",
            Missing::WeakMemory => "it needs weak memory",
            Missing::UndefinedBehaviour => "undefined behaviour is run only in a child process",
            Missing::Processes => "it starts processes, which only the real machine can run",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_missing_from_a_variant_that_there_is() {
        let exhibits = crate::exhibits::ALL.iter().chain(crate::exhibits::CORPUS);
        let variants = exhibits.flat_map(|exhibit| exhibit.variants);
        let names: Vec<String> = variants.map(ToString::to_string).collect();
        for (name, _, missing) in MISSING {
            assert!(names.iter().any(|other| other == name), "{name}: {missing}");
        }
    }
}
