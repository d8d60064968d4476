//! `racelab merge`: puts the reports of all shards of a search together.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::exhibits::{self, Variant};
use crate::report::schema::{BoundValue, EXPLORE, Explore, FailureValue, ShardValue};
use crate::search::Tally;
use crate::trace::{LeftOut, LeftOutSet, Schedule};
use crate::{
    Bound, Coverage, Engine, Explorer, Failure, Reason, Report, Shard, Sharing, SpuriousWakeUps,
    Verdict,
};

use super::error::{Error, Exit};
use super::explore;
use super::options::{self, Expect, Look};
use super::output::Output;
use super::select;

const AFTER_HELP: &str = "\
The reports are those of `racelab explore --shard K/N --format json -o FILE`, for each K from 1 to N
and otherwise the same command.

Exit codes: as those of explore; 2 if the reports do not belong together.";

/// Put the reports of all shards of a search together.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Merge {
    /// The reports of all shards, as JSON
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Exit with 0 if the verdict is this, with 1 if not
    #[arg(long, value_enum, value_name = "VERDICT")]
    expect: Option<Expect>,

    #[command(flatten)]
    look: Look,
}

/// A shard, and the file that reports it.
struct Reported {
    file: PathBuf,
    part: Explore,
    shard: ShardValue,
    failure: Option<ShardFailure>,
}

/// The smallest failing execution of a shard.
struct ShardFailure {
    schedule: Schedule,
    preemptions: u32,
    minimal: Option<bool>,
    minimise_executions: u64,
}

/// The program that the shards are of.
struct Program {
    variant: &'static Variant,
    size: exhibits::Size,
    engine: Engine,
    max_steps: usize,
    spurious: SpuriousWakeUps,
}

impl Merge {
    pub(super) fn run(&self, output: &Output) -> Result<Exit, Error> {
        let shards: Vec<Reported> = self
            .files
            .iter()
            .map(|file| read(file))
            .collect::<Result<_, _>>()?;
        let shards = whole(shards)?;
        let first = &shards[0];
        let program = Program::of(first)?;
        let report = merged(&shards, &program)?;
        let Program {
            variant,
            size,
            max_steps,
            ..
        } = program;
        let all = first.shard.all;
        explore::write(output, &report, variant, size, max_steps, &self.look, all)?;
        Ok(explore::exit(&report, self.expect))
    }
}

/// Reads the report of a shard.
fn read(file: &Path) -> Result<Reported, Error> {
    let text = fs::read_to_string(file);
    let text = text.map_err(|error| refuse(file, &format!("it cannot be read: {error}")))?;
    let mut part: Explore = serde_json::from_str(&text).map_err(|error| {
        let what = "it is no report of `racelab explore --format json`, or not the whole of one";
        refuse(file, &format!("{what}: {error}"))
    })?;
    if part.schema != EXPLORE {
        return Err(refuse(file, &format!("its schema is {:?}", part.schema)));
    }
    let Some(shard) = part.shard.take() else {
        let why = "it is not the report of a shard (`racelab explore --shard K/N`)";
        return Err(refuse(file, why));
    };
    if !(1..=shard.of).contains(&shard.index) {
        let ShardValue { index, of, .. } = shard;
        return Err(refuse(file, &format!("there is no shard {index} of {of}")));
    }
    if shard.version != env!("CARGO_PKG_VERSION") {
        let ours = env!("CARGO_PKG_VERSION");
        let why = format!("it is of racelab {}, and this is {ours}", shard.version);
        return Err(refuse(file, &why));
    }
    if let Some(why) = contradiction(&part, &shard) {
        return Err(refuse(file, &format!("it contradicts itself: {why}")));
    }
    let failure = part.failure.as_ref().map(ShardFailure::of).transpose();
    Ok(Reported {
        file: file.to_owned(),
        failure: failure.map_err(|why| refuse(file, &why))?,
        part,
        shard,
    })
}

/// What in the report of a shard cannot be true together, if anything cannot.
fn contradiction(part: &Explore, shard: &ShardValue) -> Option<String> {
    let Explore {
        verdict,
        executions,
        violations,
        ..
    } = part;
    let fails = part.failure.is_some();
    let counted = violations.unwrap_or(u64::from(fails));
    let outcomes = part.outcomes.iter().flatten();
    let outcomes = outcomes.map(|outcome| outcome.executions);
    let recorded = outcomes.fold(0, u64::saturating_add);
    let bound = part.bound.as_ref();
    let of_shard = bound.filter(|bound| bound.kind == "shard");
    let found = [
        (
            ![Verdict::VIOLATED, Verdict::INCONCLUSIVE].contains(&verdict.as_str()),
            format!("a shard alone cannot be `{verdict}`"),
        ),
        (
            fails != (verdict == Verdict::VIOLATED),
            format!(
                "its verdict is `{verdict}`, {} a failure",
                if fails { "with" } else { "without" }
            ),
        ),
        (
            part.reason.is_some() != (verdict == Verdict::INCONCLUSIVE),
            format!(
                "its verdict is `{verdict}`, {} a reason why it is inconclusive",
                if part.reason.is_some() {
                    "with"
                } else {
                    "without"
                }
            ),
        ),
        (
            part.complete,
            "a shard alone is not a complete search".to_owned(),
        ),
        (
            fails != (counted > 0),
            format!(
                "{counted} executions failed, {} a failure",
                if fails { "with" } else { "without" }
            ),
        ),
        (
            counted > *executions,
            format!("{counted} of {executions} executions failed"),
        ),
        (
            recorded > *executions,
            format!("{recorded} of {executions} executions recorded an outcome"),
        ),
        (
            part.traces.is_some_and(|traces| traces > *executions),
            format!(
                "{executions} executions are of {} traces",
                part.traces.unwrap_or(0)
            ),
        ),
        (
            shard.all != violations.is_some() || shard.all != part.outcomes.is_some(),
            "only a search with `--all` counts failing executions and outcomes".to_owned(),
        ),
        (
            of_shard.is_some_and(|bound| bound.value != shard.index),
            format!("its bound is another shard than {}", shard.index),
        ),
    ];
    let mut found = found.into_iter();
    found.find_map(|(is_so, why)| is_so.then_some(why))
}

impl ShardFailure {
    fn of(failure: &FailureValue) -> Result<Self, String> {
        let (Some(schedule), Some(preemptions)) = (&failure.schedule, failure.preemptions) else {
            return Err("its failure has no schedule".to_owned());
        };
        let schedule = schedule.parse::<Schedule>();
        Ok(ShardFailure {
            schedule: schedule.map_err(|error| format!("its failure has a {error}"))?,
            preemptions,
            minimal: failure.minimal,
            minimise_executions: failure.minimise_executions,
        })
    }

    /// How large it is: preemptions, then steps.
    fn size(&self) -> (u32, usize) {
        (self.preemptions, self.schedule.len())
    }
}

fn refuse(file: &Path, why: &str) -> Error {
    Error::Usage(format!("cannot merge {}: {why}", file.display()))
}

/// The shards in their order, if they are all shards of one search, and each only once.
fn whole(shards: Vec<Reported>) -> Result<Vec<Reported>, Error> {
    let mut in_order: BTreeMap<usize, Reported> = BTreeMap::new();
    let facts = shards[0].facts();
    let (first, of) = (shards[0].file.clone(), shards[0].shard.of);
    for reported in shards {
        for ((name, its), (_, of_first)) in reported.facts().into_iter().zip(&facts) {
            if its != *of_first {
                let first = first.display();
                let why = format!("its {name} is {its}, but that of {first} is {of_first}");
                return Err(refuse(&reported.file, &why));
            }
        }
        let index = reported.shard.index;
        if let Some(other) = in_order.get(&index) {
            let other = other.file.display();
            let why = format!("it is shard {index} of {of}, and so is {other}");
            return Err(refuse(&reported.file, &why));
        }
        in_order.insert(index, reported);
    }
    let mut missing = (1..=of).filter(|index| !in_order.contains_key(index));
    let named: Vec<String> = missing
        .by_ref()
        .take(10)
        .map(|index| index.to_string())
        .collect();
    if named.is_empty() {
        return Ok(in_order.into_values().collect());
    }
    let more = if missing.next().is_some() {
        ", …"
    } else {
        ""
    };
    let (s, are) = if named.len() == 1 {
        ("", "is")
    } else {
        ("s", "are")
    };
    let named = named.join(", ");
    Err(Error::Usage(format!(
        "cannot merge: shard{s} {named}{more} of {of} {are} missing"
    )))
}

impl Reported {
    /// What has to be the same in all shards.
    fn facts(&self) -> [(&'static str, String); 12] {
        let Reported { part, shard, .. } = self;
        [
            ("exhibit", part.exhibit.clone()),
            ("number of threads", part.parameters.threads.to_string()),
            ("number of operations", part.parameters.ops.to_string()),
            ("engine", part.engine.clone().unwrap_or_default()),
            ("memory model", part.memory_model.clone()),
            ("seed", part.seed.to_string()),
            (
                "`--spurious`",
                part.spurious.clone().unwrap_or_else(|| "off".to_owned()),
            ),
            ("number of shards", shard.of.to_string()),
            ("bound on steps", shard.max_steps.to_string()),
            ("`--all`", shard.all.to_string()),
            ("number of parts", shard.parts.to_string()),
            ("division", shard.digest.clone()),
        ]
    }

    fn shard(&self) -> Shard {
        Shard {
            index: self.shard.index,
            of: self.shard.of,
        }
    }

    /// What its executions have used of racelab, if there were any.
    fn sharing(&self) -> Option<Sharing> {
        let has_run = self.part.executions > 0;
        has_run.then(|| self.part.sharing.unwrap_or(Sharing::Objects))
    }

    /// Why not all of the shard was explored, if that is so.
    fn cut(&self) -> Option<(Coverage, Reason)> {
        let bound = self.part.bound.as_ref();
        if bound.is_some_and(|bound| bound.kind == "shard") {
            return None;
        }
        if self.part.verdict == Verdict::VIOLATED && bound.is_none() {
            // It stopped there, as it should.
            return None;
        }
        let coverage = bound.and_then(BoundValue::of_shard);
        let reason = Reason::Shard {
            shard: self.shard(),
            why: self.part.reason.clone().unwrap_or_default(),
        };
        Some((coverage.map_or(Coverage::Ended, Coverage::Bounded), reason))
    }
}

impl Program {
    fn of(first: &Reported) -> Result<Self, Error> {
        let refuse = |error: &dyn std::fmt::Display| refuse(&first.file, &error.to_string());
        let variant = select::variant(&first.part.exhibit).map_err(|error| refuse(&error))?;
        let size = options::Size {
            threads: Some(first.part.parameters.threads),
            ops: Some(first.part.parameters.ops),
        };
        let size = size.of(variant).map_err(|error| refuse(&error))?;
        let engine = first.part.engine.as_deref().unwrap_or_default();
        let engine = engine.parse::<Engine>().map_err(|error| refuse(&error))?;
        // Only these have shards, and none of them executes undefined behaviour.
        if !engine.is_divisible() {
            return Err(refuse(&format!("the search of {engine} cannot be divided")));
        }
        select::refuse_processes(variant, engine).map_err(|error| refuse(&error))?;
        Ok(Program {
            variant,
            size,
            engine,
            max_steps: first.shard.max_steps,
            spurious: match first.part.spurious {
                Some(_) => SpuriousWakeUps::Explored,
                None => SpuriousWakeUps::LeftOut,
            },
        })
    }

    /// The failure of a shard, which is run again to show it.
    fn failure(&self, file: &Path, found: &ShardFailure) -> Result<Failure, Error> {
        let schedule = &found.schedule;
        let (body, size) = (self.variant.body, self.size);
        let explorer = Explorer::new(self.engine).max_steps(self.max_steps);
        let report = explorer.replay(schedule, move || body(size));
        match report.verdict {
            Verdict::Violated(failure) => Ok(Failure {
                minimal: found.minimal,
                minimise_executions: found.minimise_executions,
                ..*failure
            }),
            _ => Err(refuse(
                file,
                &format!(
                    "its failure {schedule} does not fail here: it is most likely of another \
                     version of the code"
                ),
            )),
        }
    }
}

/// One report of all shards.
fn merged(shards: &[Reported], program: &Program) -> Result<Report, Error> {
    let sum = |count: fn(&Explore) -> u64| -> u64 {
        let counts = shards.iter().map(|reported| count(&reported.part));
        counts.fold(0, u64::saturating_add)
    };
    let executions = sum(|part| part.executions);
    let truncated = sum(|part| part.truncated.unwrap_or(0));
    let left_out = left_out(shards)?;
    let all = shards[0].shard.all;
    let smallest = shards
        .iter()
        .filter_map(|reported| Some((reported, reported.failure.as_ref()?)))
        .min_by_key(|(_, failure)| failure.size());
    let cut = shards.iter().find_map(Reported::cut);
    let (coverage, reason) = match cut {
        _ if smallest.is_some() && !all => (Coverage::FirstFailure, None),
        Some((coverage, reason)) => (coverage, Some(reason)),
        None => {
            let bound = if program.engine.is_exhaustive() {
                left_out.bound().map(Bound::LeftOut)
            } else {
                Some(Bound::MaxExecutions(executions + truncated))
            };
            match bound {
                Some(bound) => (Coverage::Bounded(bound), Some(Reason::Bound(bound))),
                None => (Coverage::Complete, None),
            }
        }
    };
    let verdict = match smallest {
        Some((of, found)) => {
            let failure = program.failure(&of.file, found)?;
            Verdict::Violated(Box::new(
                if coverage == Coverage::Complete && program.engine == Engine::Dfs {
                    // All executions were seen, so that none is smaller.
                    Failure {
                        minimal: Some(true),
                        minimise_executions: 0,
                        ..failure
                    }
                } else {
                    failure
                },
            ))
        }
        None => match reason {
            Some(reason) => Verdict::Inconclusive(reason),
            None => Verdict::Holds,
        },
    };
    let seconds: f64 = shards.iter().map(|reported| reported.part.seconds).sum();
    let elapsed = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let explorer = Explorer::new(program.engine)
        .max_steps(program.max_steps)
        .spurious(program.spurious)
        .seed(shards[0].part.seed);
    let tally = Tally {
        executions,
        blocked: sum(|part| part.blocked),
        // Without a count in one of them, there is none of the whole.
        traces: shards
            .iter()
            .map(|reported| reported.part.traces)
            .try_fold(0, |sum: u64, traces| Some(sum.saturating_add(traces?))),
        truncated,
        violations: sum(|part| part.violations.unwrap_or(u64::from(part.failure.is_some()))),
        outcomes: outcomes(shards),
        left_out,
        sharing: shards.iter().filter_map(Reported::sharing).max(),
        intrusion: {
            let mut intrusions = shards.iter().map(|reported| &reported.part.intrusion);
            intrusions.find_map(Clone::clone)
        },
        loops: {
            let mut loops = shards.iter().map(|reported| &reported.part.loops);
            loops
                .find(|loops| !loops.is_empty())
                .cloned()
                .unwrap_or_default()
        },
        unchecked_cells: {
            let counts = shards.iter().map(|reported| reported.part.unchecked_cells);
            counts.max().flatten().unwrap_or(0)
        },
        ..Tally::default()
    };
    Ok(Report {
        elapsed,
        ..explorer.report(verdict, coverage, tally)
    })
}

fn left_out(shards: &[Reported]) -> Result<LeftOutSet, Error> {
    let mut set = LeftOutSet::default();
    for reported in shards {
        for name in &reported.part.left_out {
            let kind = LeftOut::ALL.into_iter().find(|kind| kind.name() == name);
            let kind =
                kind.ok_or_else(|| refuse(&reported.file, &format!("nothing is called {name:?}")))?;
            set.add(kind);
        }
    }
    Ok(set)
}

fn outcomes(shards: &[Reported]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let outcomes = shards
        .iter()
        .filter_map(|reported| reported.part.outcomes.as_ref());
    for outcome in outcomes.flatten() {
        let count: &mut u64 = counts.entry(outcome.value.clone()).or_default();
        *count = count.saturating_add(outcome.executions);
    }
    counts
}
