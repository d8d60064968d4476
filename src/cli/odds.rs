//! `racelab explore --engine threads`: how often a race shows on real threads, and how common it is
//! among the interleavings.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::Args;
use clap::builder::RangedU64ValueParser;

use crate::child::command;
use crate::exhibits::{Size, Variant};
use crate::explorer::RunsElsewhere;
use crate::report::in_words;
use crate::report::odds::{Crash, EndedRuns, Odds, Theory};
use crate::verdict::FailureKind;
use crate::{
    Bound, Coverage, DEFAULT_RUNS, DEFAULT_STALL_LIMIT, Engine, Explorer, Progress, Report,
    SpuriousWakeUps,
};

use super::error::Error;
use super::progress::{Stage, with_progress};
use super::racing::{Bad, Counted, Racing, Stop};
use super::runs::Job;

/// How far the traces are counted.
const MOST_TRACES: u64 = 100_000;
const MOST_TIME: Duration = Duration::from_secs(2);

/// What a child says is read now and then only, and the system can let it wait as long.
const LEAST_STALL_LIMIT: Duration = Duration::from_millis(100);

/// How many processes can race at once.
const MOST_AT_ONCE: u64 = 256;

/// What raises the odds of a race on real threads.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Real threads")]
pub(super) struct Raising {
    /// Delay operations at random, by the seed
    #[arg(long, hide_short_help = true)]
    delays: bool,

    /// Make N runs at once, 1 to 256, each in a process of its own: more runs in the same time, of
    /// which a smaller share may be bad [default: 1]
    #[arg(
        long,
        value_name = "N",
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=MOST_AT_ONCE),
        allow_negative_numbers = true,
        hide_short_help = true,
    )]
    oversubscribe: Option<usize>,

    /// Count a run that takes longer as one that does not end: 500ms, 10s, at least 100ms; a bare
    /// number is seconds [default: 10s]
    #[arg(
        long,
        value_name = "TIME",
        value_parser = stall_limit,
        allow_hyphen_values = true,
        hide_short_help = true,
    )]
    stall_limit: Option<Duration>,
}

impl Raising {
    /// Whether operations are delayed at random.
    pub(super) fn has_delays(&self) -> bool {
        self.delays
    }

    /// Refuses what only real threads have.
    pub(super) fn is_for(&self, engine: Engine) -> Result<(), Error> {
        let flags = [
            ("--delays", self.delays),
            ("--oversubscribe", self.oversubscribe.is_some()),
            ("--stall-limit", self.stall_limit.is_some()),
        ];
        match flags.into_iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) if engine != Engine::Threads => Err(Error::Usage(format!(
                "{flag} is for the engine threads only: {engine} decides itself what happens when"
            ))),
            _ => Ok(()),
        }
    }
}

fn stall_limit(text: &str) -> Result<Duration, String> {
    let limit = crate::parse_duration(text)?;
    if limit < LEAST_STALL_LIMIT {
        let least = in_words(LEAST_STALL_LIMIT);
        return Err(format!(
            "a run that is only slow would count as one that does not end: write {least} or more"
        ));
    }
    Ok(limit)
}

/// Runs on real threads that were asked for.
pub(super) struct Runs<'a> {
    pub(super) variant: &'static Variant,
    pub(super) size: Size,
    pub(super) runs: Option<u64>,
    pub(super) time_limit: Option<Duration>,
    pub(super) seed: u64,
    pub(super) raising: &'a Raising,
}

impl Runs<'_> {
    /// Makes the runs in child processes, and counts the traces.
    pub(super) fn race(&self, explorer: &Explorer, progress: &Progress) -> Result<Raced, Error> {
        let stage = Stage::default();
        with_progress(progress, &stage, || {
            let (counted, elapsed) = self.count(progress, &stage)?;
            let theory = match counted.stop {
                Some(Stop::Interrupted) => Err("it was interrupted".to_owned()),
                _ => self.theory(progress, &stage),
            };
            let odds = odds(&counted, self.size, theory);
            let made = self.made(counted, elapsed);
            Ok(Raced {
                odds: Odds {
                    ended_early: made.end.as_ref().err().cloned(),
                    ..odds
                },
                report: explorer.report_of(made),
            })
        })
    }

    /// Makes the runs in child processes, for a report without odds.
    pub(super) fn report(&self, explorer: &Explorer, progress: &Progress) -> Result<Report, Error> {
        let (counted, elapsed) = self.count(progress, &Stage::default())?;
        Ok(explorer.report_of(self.made(counted, elapsed)))
    }

    /// Makes the runs: what they came to, and how long it took.
    fn count(&self, progress: &Progress, stage: &Stage) -> Result<(Counted, Duration), Error> {
        let start = Instant::now();
        let counted = self.racing(start).run(progress, stage);
        match &counted.stop {
            Some(Stop::Refused(why)) if counted.runs == 0 => Err(Error::Refused(why.clone())),
            Some(Stop::NotBegun(how)) if counted.runs == 0 => Err(Error::Internal(how.clone())),
            _ => Ok((counted, start.elapsed())),
        }
    }

    fn racing(&self, start: Instant) -> Racing<'_> {
        Racing {
            job: Job {
                variant: self.variant.to_string(),
                threads: self.size.threads,
                ops: self.size.ops,
                first: 0,
                runs: self.runs.unwrap_or(DEFAULT_RUNS),
                together: None,
                first_core: 0,
                delays: self.raising.delays.then_some(self.seed),
            },
            at_once: self.raising.oversubscribe.unwrap_or(1),
            stall_limit: self.stall_limit(),
            deadline: self.time_limit.and_then(|limit| start.checked_add(limit)),
            command: &|job| {
                let mut command = command()?;
                command.arg("runs").arg(serde_json::to_string(job)?);
                // What glibc says of damaged memory would go to the terminal otherwise.
                command.env("LIBC_FATAL_STDERR_", "1");
                Ok(command)
            },
        }
    }

    fn stall_limit(&self) -> Duration {
        self.raising.stall_limit.unwrap_or(DEFAULT_STALL_LIMIT)
    }

    /// Counts the traces of the variant, or of the one that goes wrong in the same way.
    fn theory(&self, progress: &Progress, stage: &Stage) -> Result<Theory, String> {
        let Some(variant) = self.variant.in_theory() else {
            return Err("no variant without undefined behaviour goes wrong as this one".to_owned());
        };
        if let Err(missing) = variant.runs_under(Engine::Dpor) {
            return Err(missing.to_string());
        }
        stage.set(format!("traces of {variant}"));
        let (body, size) = (variant.body, self.size);
        let report = Explorer::new(Engine::Dpor)
            .spurious(variant.spurious)
            .past_failures()
            .without_minimisation()
            .max_executions(MOST_TRACES)
            .time_limit(MOST_TIME)
            .progress(progress.clone())
            .explore(move || body(size));
        match report.coverage {
            Coverage::Complete
            | Coverage::Bounded(Bound::MaxExecutions(_) | Bound::TimeLimit(_)) => {}
            Coverage::Bounded(bound) => return Err(format!("dpor was cut by {bound}")),
            _ => return Err("dpor has not come to its end".to_owned()),
        }
        Ok(Theory {
            variant: variant.to_string(),
            traces: report.executions,
            bad: report.violations,
            complete: report.coverage == Coverage::Complete,
            spurious: (report.spurious == SpuriousWakeUps::Explored).then_some("on"),
        })
    }

    fn made(&self, counted: Counted, elapsed: Duration) -> RunsElsewhere {
        let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
        for (ended, runs) in counted.ended {
            if let Some(outcome) = ended.outcome {
                *outcomes.entry(outcome).or_default() += runs;
            }
        }
        RunsElsewhere {
            runs: counted.runs,
            bad: counted.bad,
            outcomes,
            failure: counted.first_bad.and_then(|bad| self.failure(bad)),
            end: match counted.stop {
                None => Ok(Bound::Runs(self.runs.unwrap_or(DEFAULT_RUNS))),
                Some(Stop::TimeLimit) => {
                    Ok(self.time_limit.map_or(Bound::Interrupted, Bound::TimeLimit))
                }
                Some(Stop::Interrupted) => Ok(Bound::Interrupted),
                Some(Stop::Crashes) => {
                    let crashes = counted.crashes.values().map(|(crashes, _)| crashes);
                    Ok(Bound::Crashes(crashes.sum()))
                }
                Some(Stop::Timeouts) => Ok(Bound::Timeouts(counted.timeouts)),
                Some(Stop::Unable(why) | Stop::Refused(why) | Stop::NotBegun(why)) => Err(why),
                Some(Stop::Killed(signal)) => Err(format!(
                    "a process that made the runs was killed from outside ({signal})"
                )),
            },
            elapsed,
        }
    }

    /// In which way a run is bad, what it says, and where.
    fn failure(&self, bad: Bad) -> Option<(FailureKind, String, Option<String>)> {
        Some(match bad {
            Bad::Failed(ended) => {
                let panic = ended.failure?;
                (FailureKind::Panic, panic.message, panic.at)
            }
            Bad::Crashed(how) => (FailureKind::Crash, format!("the process {how}"), None),
            Bad::Endless => {
                let limit = in_words(self.stall_limit());
                let message = format!("a run did not end within {limit}");
                (FailureKind::Timeout, message, None)
            }
        })
    }
}

/// What runs on real threads have come to.
pub(super) struct Raced {
    pub(super) report: Report,
    pub(super) odds: Odds,
}

/// What the report of the runs does not hold.
fn odds(counted: &Counted, size: Size, theory: Result<Theory, String>) -> Odds {
    let mut ended: BTreeMap<(&Option<String>, bool), u64> = BTreeMap::new();
    for (way, runs) in &counted.ended {
        *ended
            .entry((&way.outcome, way.failure.is_some()))
            .or_default() += runs;
    }
    let ended = ended
        .into_iter()
        .map(|((outcome, failed), runs)| EndedRuns {
            outcome: outcome.clone(),
            failed,
            runs,
        });
    let crashes = counted.crashes.iter().map(|(signal, (runs, says))| Crash {
        signal: signal.clone(),
        runs: *runs,
        says: says.clone(),
    });
    let Size { threads, ops } = size;
    Odds {
        size: format!("--threads {threads} --ops {ops}"),
        ended: ended.collect(),
        crashes: crashes.collect(),
        timeouts: counted.timeouts,
        ended_early: None,
        theory,
    }
}
