//! `racelab verify`: every variant under every engine, against what is expected of it.

use std::time::Duration;

use clap::Args;
use serde::Deserialize;

use crate::child::{crash, is_child};
use crate::exhibits::Variant;
use crate::report::one_line;
use crate::report::verification::{VerifiedRow, text};
use crate::{Bound, Coverage, Engine, Explorer, Progress, Reason, Report, Verdict};

use super::error::{Error, Exit};
use super::isolated;
use super::odds::{Raising, Runs};
use super::options::{self, Format};
use super::output::Output;
use super::progress::{Stage, with_progress};
use super::select;

const AFTER_HELP: &str = "\
A safe variant has to hold under an engine that explores everything, and must not fail under the
others. An unsafe one has to fail; only on real threads, where races are rare, it need not. Spurious
wake-ups are explored for a variant that nothing else breaks (queue-consumer/wait-without-loop).

Exit codes: 0 all as expected; 1 not so; 3 not so only where the system refused what an engine needs;
4 nothing to verify.";

/// Run variants under engines, and compare the verdicts with what is expected.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Verify {
    /// exhibit/variant, or an exhibit for all of its variants [default: the whole gallery]
    exhibits: Vec<String>,

    /// Verify under this engine; can be given several times [default: every engine but pct, urw,
    /// pos, surw and shuttle-pct]
    #[arg(long = "engine", value_name = "ENGINE", value_parser = options::engine())]
    engines: Vec<Engine>,

    /// Stop each search after so long: 20ms, 10s; a bare number is seconds
    #[arg(
        long,
        value_name = "TIME",
        default_value = "60s",
        value_parser = crate::parse_duration,
        allow_hyphen_values = true,
    )]
    time_limit: Duration,
}

/// What the work came to.
#[derive(Default)]
struct Verified {
    rows: Vec<VerifiedRow>,
    /// How many of them are not as expected since the system did not give the engine what it needs.
    refused: usize,
    interrupted: bool,
}

impl Verify {
    pub(super) fn run(&self, output: &Output) -> Result<Exit, Error> {
        let variants = select::variants(&self.exhibits)?;
        let engines = self.engines();
        let pairs: Vec<(&'static Variant, Engine)> = variants
            .iter()
            .flat_map(|variant| engines.iter().map(move |engine| (*variant, *engine)))
            .collect();
        if let Some(why) = select::why_none_runs(&pairs) {
            return Err(Error::Nothing(format!("there is nothing to verify: {why}")));
        }
        let progress = Progress::default();
        let stage = Stage::default();
        let verified = with_progress(&progress, &stage, || self.verify(&pairs, &progress, &stage))?;
        let rows = &verified.rows;
        let unexpected = rows.iter().filter(|row| !row.as_expected).count();
        match output.format {
            Format::Json => output.write_json(rows)?,
            Format::Text => output.write(&text(rows, &output.plain_style()))?,
        }
        Ok(if verified.interrupted {
            Exit::Interrupted
        } else if unexpected == 0 {
            Exit::Success
        } else if unexpected == verified.refused {
            Exit::Inconclusive
        } else {
            Exit::Violation
        })
    }

    /// The engines to verify under, in the order of all engines and each only once.
    fn engines(&self) -> Vec<Engine> {
        let all = Engine::ALL.iter().copied();
        all.filter(|engine| {
            if self.engines.is_empty() {
                is_verified_by_default(*engine)
            } else {
                self.engines.contains(engine)
            }
        })
        .collect()
    }

    fn verify(
        &self,
        pairs: &[(&'static Variant, Engine)],
        progress: &Progress,
        stage: &Stage,
    ) -> Result<Verified, Error> {
        let mut verified = Verified::default();
        for (index, &(variant, engine)) in pairs.iter().enumerate() {
            let (number, all) = (index + 1, pairs.len());
            stage.set(format!("{number} of {all}, {variant} under {engine}"));
            if let Err(missing) = select::runs_under(variant, engine) {
                let missing = missing_row(variant, engine, missing.to_string());
                verified.rows.push(missing);
                continue;
            }
            let (row, is_refused) = if engine == Engine::Loom && !is_child() {
                match self.verify_in_child(variant, progress)? {
                    Some(found) => found,
                    None => {
                        verified.interrupted = true;
                        break;
                    }
                }
            } else {
                let report = if select::needs_child(variant, engine) {
                    self.race(variant, progress)?
                } else {
                    self.search(variant, engine, progress)
                };
                if report.coverage == Coverage::Bounded(Bound::Interrupted) {
                    verified.interrupted = true;
                    break;
                }
                (row(variant, engine, &report), is_refused(&report))
            };
            verified.refused += usize::from(is_refused && !row.as_expected);
            verified.rows.push(row);
        }
        Ok(verified)
    }

    /// Verifies a variant under loom in a child process: loom can end the process that it runs in. Tells
    /// whether the system has refused what that needs. `None` if it was interrupted.
    fn verify_in_child(
        &self,
        variant: &Variant,
        progress: &Progress,
    ) -> Result<Option<(VerifiedRow, bool)>, Error> {
        let arguments = [
            "verify".to_owned(),
            variant.to_string(),
            format!("--engine={}", Engine::Loom),
            format!("--time-limit={}s", self.time_limit.as_secs_f64()),
            "--format=json".to_owned(),
        ];
        let Some((printed, status)) = isolated::printed_by(&arguments, progress)? else {
            return Ok(None);
        };
        let is_refused = Exit::of_child(status) == Some(Exit::Inconclusive);
        let row = match serde_json::from_str::<Vec<PrintedRow>>(&printed) {
            Ok(found) if found.len() == 1 => found_row(variant, &found[0]),
            _ => {
                let reason = if is_refused {
                    Reason::Unsupported(
                        "the system has not given the process in which it ran what it needs".into(),
                    )
                } else {
                    Reason::Crashed(crash(status))
                };
                let report = Explorer::new(Engine::Loom).not_explored(reason);
                row(variant, Engine::Loom, &report)
            }
        };
        Ok(Some((row, is_refused)))
    }

    /// Makes the runs of a variant on real threads in child processes: it can do anything to the
    /// process that it runs in.
    fn race(&self, variant: &'static Variant, progress: &Progress) -> Result<Report, Error> {
        let runs = Runs {
            variant,
            size: select::default_size(variant),
            runs: None,
            time_limit: Some(self.time_limit),
            seed: 0,
            raising: &Raising::default(),
        };
        runs.report(&Explorer::new(Engine::Threads), progress)
    }

    fn search(&self, variant: &Variant, engine: Engine, progress: &Progress) -> Report {
        let size = select::default_size(variant);
        let body = variant.body;
        Explorer::new(engine)
            .spurious(variant.spurious)
            .time_limit(self.time_limit)
            .progress(progress.clone())
            .explore(move || body(size))
    }
}

/// Whether an engine is among those that verify if none is named: of the random ones only the
/// plain walks, our own and shuttle's. The others take as long, and prove of a safe variant as
/// little.
///
/// `dpor` and `dfs` both are: `dfs` takes a second for the whole gallery, and shares so little with
/// the reduction that a variant on which they differ tells of an error of the lab.
fn is_verified_by_default(engine: Engine) -> bool {
    !engine.is_random() || matches!(engine, Engine::Random | Engine::Shuttle)
}

/// What a child process has found out, as it prints it.
#[derive(Debug, Deserialize)]
struct PrintedRow {
    verdict: Option<String>,
    executions: u64,
    complete: bool,
    as_expected: bool,
    reason: Option<String>,
}

fn found_row(variant: &Variant, found: &PrintedRow) -> VerifiedRow {
    let names = [Verdict::HOLDS, Verdict::VIOLATED, Verdict::INCONCLUSIVE];
    VerifiedRow {
        exhibit: variant.to_string(),
        engine: Engine::Loom.name(),
        expected: Some(variant.expected_under(Engine::Loom).name()),
        verdict: names
            .into_iter()
            .find(|name| found.verdict.as_deref() == Some(name)),
        executions: found.executions,
        complete: found.complete,
        as_expected: found.as_expected,
        reason: found.reason.clone(),
    }
}

/// Whether the system has not given the engine what it needs. What an engine cannot run is not run, so
/// that there is no other reason for this one.
fn is_refused(report: &Report) -> bool {
    matches!(
        report.verdict,
        Verdict::Inconclusive(Reason::Unsupported(_))
    )
}

fn row(variant: &Variant, engine: Engine, report: &Report) -> VerifiedRow {
    let expected = variant.expected_under(engine);
    let as_expected = expected.is_met_by(report);
    let reason = match &report.verdict {
        Verdict::Inconclusive(reason) => Some(reason.to_string()),
        Verdict::Violated(failure) if !as_expected => Some(one_line(&failure.message)),
        Verdict::Holds | Verdict::Violated(_) => None,
    };
    VerifiedRow {
        exhibit: variant.to_string(),
        engine: engine.name(),
        expected: Some(expected.name()),
        verdict: Some(report.verdict.name()),
        executions: report.executions,
        complete: report.coverage == Coverage::Complete,
        as_expected,
        reason,
    }
}

fn missing_row(variant: &Variant, engine: Engine, reason: String) -> VerifiedRow {
    VerifiedRow {
        exhibit: variant.to_string(),
        engine: engine.name(),
        expected: None,
        verdict: None,
        executions: 0,
        complete: false,
        as_expected: true,
        reason: Some(reason),
    }
}
