//! What a search found out: plain data, which reports render.

use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::str::FromStr;
use std::time::Duration;

use crate::trace::{Blocked, LeftOut, Operation, Race, Schedule, ThreadId, Trace};

/// What runs executions, and which ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Engine {
    /// Each trace once: every interleaving of the steps, up to the order of independent steps.
    Dpor,
    /// Every interleaving of the steps, one after another, without reduction.
    Dfs,
    /// A random walk, uniform over the possible steps.
    Random,
    /// Random priorities of threads, which change at random steps: probabilistic concurrency
    /// testing.
    Pct,
    /// A random walk, uniform over the interleavings.
    Urw,
    /// Random priorities of steps, drawn anew where the order matters: partial order sampling.
    Pos,
    /// A random walk, uniform over the interleavings of the steps on one object.
    Surw,
    /// The executions of loom: the memory model of C11, with some reduction.
    #[cfg(feature = "loom")]
    Loom,
    /// shuttle's random walk, on its own runtime.
    #[cfg(feature = "shuttle")]
    Shuttle,
    /// shuttle's probabilistic concurrency testing, on its own runtime.
    #[cfg(feature = "shuttle")]
    ShuttlePct,
    /// The real machine: the body again and again on threads of the operating system.
    Threads,
}

impl Engine {
    /// All engines.
    pub const ALL: &'static [Engine] = &[
        Engine::Dpor,
        Engine::Dfs,
        Engine::Random,
        Engine::Pct,
        Engine::Urw,
        Engine::Pos,
        Engine::Surw,
        #[cfg(feature = "loom")]
        Engine::Loom,
        #[cfg(feature = "shuttle")]
        Engine::Shuttle,
        #[cfg(feature = "shuttle")]
        Engine::ShuttlePct,
        Engine::Threads,
    ];

    /// The name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Dpor => "dpor",
            Engine::Dfs => "dfs",
            Engine::Random => "random",
            Engine::Pct => "pct",
            Engine::Urw => "urw",
            Engine::Pos => "pos",
            Engine::Surw => "surw",
            #[cfg(feature = "loom")]
            Engine::Loom => "loom",
            #[cfg(feature = "shuttle")]
            Engine::Shuttle => "shuttle",
            #[cfg(feature = "shuttle")]
            Engine::ShuttlePct => "shuttle-pct",
            Engine::Threads => "threads",
        }
    }

    /// Which behaviours of memory it explores.
    pub fn memory_model(self) -> MemoryModel {
        match self {
            Engine::Dpor
            | Engine::Dfs
            | Engine::Random
            | Engine::Pct
            | Engine::Urw
            | Engine::Pos
            | Engine::Surw => MemoryModel::Sc,
            #[cfg(feature = "shuttle")]
            Engine::Shuttle | Engine::ShuttlePct => MemoryModel::Sc,
            #[cfg(feature = "loom")]
            Engine::Loom => MemoryModel::C11,
            Engine::Threads => MemoryModel::Machine,
        }
    }

    /// Whether the lab decides what happens next. Only then can a failure be replayed.
    pub fn is_model(self) -> bool {
        self != Engine::Threads
    }

    /// Whether its search can be divided in parts, for several workers or machines.
    pub fn is_divisible(self) -> bool {
        match self {
            #[cfg(feature = "loom")]
            Engine::Loom => false,
            Engine::Threads => false,
            #[cfg(feature = "shuttle")]
            Engine::Shuttle | Engine::ShuttlePct => false,
            _ => true,
        }
    }

    /// Whether it comes to an end only when everything was explored.
    pub fn is_exhaustive(self) -> bool {
        match self {
            Engine::Dpor | Engine::Dfs => true,
            #[cfg(feature = "loom")]
            Engine::Loom => true,
            _ => false,
        }
    }

    /// Whether it can explore spurious wake-ups: waits are the lab's own under it, and it goes each of
    /// their ways.
    pub fn wakes_spuriously(self) -> bool {
        match self {
            #[cfg(feature = "loom")]
            Engine::Loom => false,
            Engine::Threads => false,
            _ => true,
        }
    }

    /// Whether it draws its choices, so that they depend on the seed.
    pub fn is_random(self) -> bool {
        match self {
            Engine::Random | Engine::Pct | Engine::Urw | Engine::Pos | Engine::Surw => true,
            #[cfg(feature = "shuttle")]
            Engine::Shuttle | Engine::ShuttlePct => true,
            _ => false,
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is not one of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownEngine {
    /// The name.
    pub name: String,
}

impl fmt::Display for UnknownEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        write!(
            f,
            "unknown engine `{name}`{}; the engines are {}",
            without_feature(name),
            engine_names()
        )
    }
}

impl Error for UnknownEngine {}

impl FromStr for Engine {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let engine = Engine::ALL
            .iter()
            .copied()
            .find(|engine| engine.name() == name);
        engine.ok_or_else(|| UnknownEngine {
            name: name.to_owned(),
        })
    }
}

/// Which behaviours of memory an engine explores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MemoryModel {
    /// Sequential consistency: every read sees the newest write.
    Sc,
    /// The memory model of C11, as far as loom has it: a read can see an older write.
    C11,
    /// Whatever the machine and the compiler do: nothing was modelled.
    Machine,
}

impl MemoryModel {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            MemoryModel::Sc => "sc",
            MemoryModel::C11 => "c11",
            MemoryModel::Machine => "machine",
        }
    }
}

impl fmt::Display for MemoryModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MemoryModel::Sc => f.pad("sequential consistency"),
            MemoryModel::C11 => f.pad("C11 memory model"),
            MemoryModel::Machine => f.pad("the real machine"),
        }
    }
}

/// What a search found out, and how far it came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Whether the program is right.
    pub verdict: Verdict,
    /// The engine, or `None` for a replay.
    pub engine: Option<Engine>,
    /// Which behaviours of memory were explored.
    pub memory_model: MemoryModel,
    /// Whether spurious wake-ups were explored.
    pub spurious: SpuriousWakeUps,
    /// The seed of the engine's random choices.
    pub seed: u64,
    /// The executions that came to an end, failing ones included.
    pub executions: u64,
    /// The executions that were begun and then found to be like one that was run. Only a
    /// search with reduction has them.
    pub blocked: u64,
    /// The traces: executions that differ in more than the order of independent steps. `None` if
    /// they were not counted.
    pub traces: Option<u64>,
    /// The executions that were cut because they hit the bound on their steps.
    pub truncated: u64,
    /// The executions in which loom read a stale value although every access was `SeqCst`, which
    /// it takes for less than it is. They count as executions, but not their failures and outcomes.
    pub doubted: u64,
    /// The executions that failed.
    pub violations: u64,
    /// The results that the executions recorded with [`outcome`](crate::outcome), in their order
    /// as text.
    pub outcomes: Vec<Outcome>,
    /// How far the search came.
    pub coverage: Coverage,
    /// The bound on the steps of an execution.
    pub max_steps: usize,
    /// What the program could have done as well, and what is not explored.
    pub left_out: Vec<LeftOut>,
    /// Of how many cells races may not have been found, since
    /// [`UnsafeCell::get`](crate::cell::UnsafeCell::get) gave a pointer to what is in them: the most
    /// in one execution.
    pub unchecked_cells: u64,
    /// The executions that had to wait for another search, which used a lock or a cell that this one
    /// uses too.
    pub waited: u64,
    /// How the search was divided, if it was.
    pub division: Option<Division>,
    /// What happened in the one execution of a replay.
    pub replayed: Option<Trace>,
    /// What the executions have used of racelab. `None` if that was not recorded.
    pub sharing: Option<Sharing>,
    /// What a thread that racelab did not start has done to an object of an execution, where it was
    /// noticed: of that nothing is explored.
    pub intrusion: Option<String>,
    /// The loops in which threads were when the first execution was cut that hit the bound on its
    /// steps.
    pub loops: Vec<Loop>,
    /// Of a body that is not deterministic, where executions with the same choices went apart, if
    /// that came again.
    pub difference: Option<Difference>,
    /// How long it took.
    pub elapsed: Duration,
}

impl Report {
    /// The failure, if there is one.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.verdict {
            Verdict::Violated(failure) => Some(failure),
            Verdict::Holds | Verdict::Inconclusive(_) => None,
        }
    }
}

/// Whether spurious wake-ups are explored: that a wait on a condition variable of std's, or `park`,
/// ends without a notification.
///
/// A thread is woken spuriously again at the same place, on the same object, only after something has
/// changed that it has looked at: what the mutex guards, or what it has loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpuriousWakeUps {
    /// They are another way in which a wait can end.
    Explored,
    /// They do not take place, which the report says.
    #[default]
    LeftOut,
}

/// What executions have used of racelab: the more, the more there is to explore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Sharing {
    /// No operation of racelab.
    Unused,
    /// Operations of one thread only.
    OneThread,
    /// Several threads that do not share an object.
    Nothing,
    /// Several threads, which share objects or wake each other.
    Objects,
}

#[cfg(feature = "cli")]
impl Sharing {
    pub(crate) const ALL: [Sharing; 4] = [
        Sharing::Unused,
        Sharing::OneThread,
        Sharing::Nothing,
        Sharing::Objects,
    ];

    /// As it is written in files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Sharing::Unused => "unused",
            Sharing::OneThread => "one-thread",
            Sharing::Nothing => "nothing",
            Sharing::Objects => "objects",
        }
    }
}

/// A loop in which a thread was when its execution was cut.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loop {
    /// The name of the thread.
    pub thread: String,
    /// How often the thread has gone round.
    pub rounds: u64,
    /// The operations of one round, with their places, as `src/lib.rs:7`.
    pub round: Vec<(Operation, String)>,
}

/// Where two executions with the same choices went apart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// What happened in one of them: thread, operation and place.
    pub one: (String, Operation, &'static Location<'static>),
    /// What happened in the other one.
    pub other: (String, Operation, &'static Location<'static>),
    /// What that speaks for.
    pub cause: Cause,
}

/// What it is, most likely, that makes a body not deterministic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Another way was taken: something else than the scheduler has decided, as the time.
    Decision,
    /// The same operation was done on another object, or found another value: the order of a
    /// collection.
    Order,
    /// The same operation wrote another value: a time or a random number.
    Value,
}

/// How a search is divided in parts, which can be explored one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Division {
    /// How many parts there are in all.
    pub parts: usize,
    /// A number that is most likely another one if the parts are others.
    pub digest: u64,
    /// Which of the parts were to be explored, if not all.
    pub shard: Option<Shard>,
}

/// One of several shares of a search: of its parts every `of`-th, from the `index`-th on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which one, from 1 on.
    pub index: usize,
    /// How many there are.
    pub of: usize,
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shard {} of {}", self.index, self.of)
    }
}

/// A result, and in how many executions it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The result, as [`Debug`](fmt::Debug) shows it.
    pub value: String,
    /// The executions that ended with it.
    pub executions: u64,
}

/// Whether the program is right.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// No interleaving fails, and all were explored.
    Holds,
    /// An interleaving fails.
    Violated(Box<Failure>),
    /// No interleaving was seen to fail, but not all were explored.
    Inconclusive(Reason),
}

impl Verdict {
    /// The name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Holds => Verdict::HOLDS,
            Verdict::Violated(_) => Verdict::VIOLATED,
            Verdict::Inconclusive(_) => Verdict::INCONCLUSIVE,
        }
    }

    /// The name of [`Holds`](Verdict::Holds) in JSON.
    pub(crate) const HOLDS: &'static str = "holds";
    /// The name of [`Violated`](Verdict::Violated) in JSON.
    pub(crate) const VIOLATED: &'static str = "violated";
    /// The name of [`Inconclusive`](Verdict::Inconclusive) in JSON.
    pub(crate) const INCONCLUSIVE: &'static str = "inconclusive";
}

/// How far a search came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Coverage {
    /// All interleavings were explored.
    Complete,
    /// The search stopped at the first failure.
    FirstFailure,
    /// A bound cut the search.
    Bounded(Bound),
    /// The search ended for the reason in the verdict.
    Ended,
}

/// What cut a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bound {
    /// The number of executions.
    MaxExecutions(u64),
    /// The time.
    TimeLimit(Duration),
    /// The number of steps of an execution.
    MaxSteps(usize),
    /// Somebody interrupted the search.
    Interrupted,
    /// The number of preemptions of an execution.
    Preemptions(u8),
    /// Something that the engine does not explore.
    LeftOut(LeftOut),
    /// A failure ended an execution while other threads could have gone on, so that the engine has
    /// not seen what they would have done.
    CutFailures,
    /// A replay is one execution only.
    OneExecution,
    /// The number of runs on real threads.
    Runs(u64),
    /// The number of runs on real threads whose process ended.
    Crashes(u64),
    /// The number of runs on real threads that did not end.
    Timeouts(u64),
    /// Only this share of the search was explored.
    Shard(Shard),
}

impl Bound {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Bound::MaxExecutions(_) => "max-executions",
            Bound::TimeLimit(_) => "time-limit",
            Bound::MaxSteps(_) => "max-steps",
            Bound::Interrupted => "interrupted",
            Bound::Preemptions(_) => "preemptions",
            Bound::LeftOut(kind) => kind.name(),
            Bound::CutFailures => "cut-failures",
            Bound::OneExecution => "one-execution",
            Bound::Runs(_) => "runs",
            Bound::Crashes(_) => "crashes",
            Bound::Timeouts(_) => "timeouts",
            Bound::Shard(_) => "shard",
        }
    }
}

/// Why a search that saw no failure proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// A bound cut the search.
    Bound(Bound),
    /// The runs on real threads ended before all were made.
    Runs {
        /// How many have come to their end.
        made: u64,
        /// What ended them.
        bound: Bound,
    },
    /// Executions with the same choices went apart: something other than the scheduler decides.
    NotDeterministic {
        /// The first step that differed, from 1 on.
        step: usize,
    },
    /// The body made no step for so long that it was given up.
    Stuck {
        /// How long it was waited for.
        waited: Duration,
        /// The last event: thread, operation and place.
        last: Option<(ThreadId, Operation, &'static Location<'static>)>,
    },
    /// A run on real threads did not come to an end, and was left behind.
    Endless {
        /// Which run it was, from 1 on.
        run: u64,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The engine has ended the process that it ran in: how, as `ended by signal 6 (SIGABRT)`.
    Crashed(String),
    /// The program does what the lab cannot run.
    Unsupported(String),
    /// The program uses the lab wrongly.
    Misused(String),
    /// The engine saw a failure that is most likely no bug: it needs values that the orderings of
    /// the program do not allow.
    NotConfirmed {
        /// What the failure said.
        message: String,
        /// Whether a complete search under sequential consistency found no failure, and if not, how
        /// many executions it had run when it was cut.
        searched: Result<u64, u64>,
    },
    /// An execution of loom that was replayed fails, but it has read a stale value although every
    /// access was `SeqCst`, so that it may not be possible.
    Doubtful {
        /// What the failure said.
        message: String,
    },
    /// Of a search that was merged, one shard is inconclusive.
    Shard {
        /// Which one.
        shard: Shard,
        /// Why.
        why: String,
    },
    /// The execution left the schedule that was to be replayed.
    Diverged(String),
}

/// A failing execution: the smallest one that was found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// In which way it fails.
    pub kind: FailureKind,
    /// What the panic said, or a sentence about the standstill.
    pub message: String,
    /// Where the panic was, as `src/lib.rs:7`.
    pub at: Option<String>,
    /// The thread that panicked.
    pub thread: Option<ThreadId>,
    /// What happened. Empty if it was on real threads, where nothing is recorded.
    pub trace: Trace,
    /// The choices that lead to it, for [`replay`](crate::replay). `None` if it was on real
    /// threads, where the lab chooses nothing.
    pub schedule: Option<Schedule>,
    /// How often it leaves a thread that could go on. `None` if it was on real threads, where that
    /// is not known.
    pub preemptions: Option<u32>,
    /// Whether no failing execution has fewer preemptions, or as many and fewer steps. Of an
    /// execution of loom's only that none has fewer preemptions. `None` if that was not looked
    /// into.
    pub minimal: Option<bool>,
    /// The executions that it took to find the smallest one.
    pub minimise_executions: u64,
    /// Whether the failure did not come again when its schedule was replayed.
    pub is_nondeterministic: bool,
    /// The threads that had not ended, with what they wait for and what they hold.
    pub blocked: Vec<Blocked>,
    /// The accesses that race.
    pub race: Option<Race>,
    /// Why it fails, in one sentence, if the reason was recognised.
    pub why: Option<String>,
    /// Remarks on single events, by their index in the trace.
    pub notes: Vec<(usize, String)>,
}

/// In which way an execution fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// A panic reached the root of a thread.
    Panic,
    /// Two threads access a cell, one of them writing, and neither access happens before the other.
    DataRace,
    /// Every thread that has not ended waits for another one.
    Deadlock,
    /// Every thread that could go on only reads, again and again.
    Livelock,
    /// The process of a run on real threads ended.
    Crash,
    /// A run on real threads did not end.
    Timeout,
}

impl FailureKind {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            FailureKind::Panic => "panic",
            FailureKind::DataRace => "data-race",
            FailureKind::Deadlock => "deadlock",
            FailureKind::Livelock => "livelock",
            FailureKind::Crash => "crash",
            FailureKind::Timeout => "timeout",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Which feature of the library an engine needs that is not built in.
fn without_feature(name: &str) -> &'static str {
    match name {
        "loom" if !cfg!(feature = "loom") => " (it needs the feature `loom` of racelab)",
        "shuttle" | "shuttle-pct" if !cfg!(feature = "shuttle") => {
            " (it needs the feature `shuttle` of racelab)"
        }
        _ => "",
    }
}

/// The names of all engines, as a list in a sentence.
fn engine_names() -> String {
    let names: Vec<&str> = Engine::ALL.iter().map(|engine| engine.name()).collect();
    match names.as_slice() {
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
        [] => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_are_found_by_their_names() {
        for engine in Engine::ALL {
            assert_eq!(engine.name().parse(), Ok(*engine));
        }
        assert!("Dfs".parse::<Engine>().is_err());
    }

    #[test]
    fn an_engine_that_is_not_built_in_names_its_feature() {
        let has_loom = cfg!(feature = "loom");
        let has_shuttle = cfg!(feature = "shuttle");
        for (name, feature, is_built_in) in [
            ("loom", "loom", has_loom),
            ("shuttle", "shuttle", has_shuttle),
            ("shuttle-pct", "shuttle", has_shuttle),
        ] {
            match name.parse::<Engine>() {
                Ok(engine) => assert!(is_built_in, "{engine}"),
                Err(error) => {
                    assert!(!is_built_in, "{error}");
                    let needs = format!("(it needs the feature `{feature}` of racelab)");
                    assert!(error.to_string().contains(&needs), "{error}");
                }
            }
        }
    }
}
