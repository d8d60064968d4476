//! `racelab explore`: searches the interleavings of a variant.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;

use crate::child::{OnInterrupt, crash, is_child};
use crate::exhibits::{self, Variant};
use crate::explorer::Keeper;
use crate::report::schema::Parameters;
use crate::report::{self, Subject, json};
use crate::{
    Bound, Coverage, Engine, Explorer, Progress, Reason, Report, SpuriousWakeUps, Verdict,
};

use super::checkpoint::Checkpoint;
use super::division::DivisionArgs;
use super::error::{Error, Exit};
use super::isolated;
use super::odds::{Raced, Raising, Runs};
use super::options::{self, Expect, Format, Look, MaxSteps, Spurious};
use super::output::Output;
use super::progress::{Stage, with_progress};
use super::select;

const AFTER_HELP: &str = "\
Exit codes: 0 holds; 1 violated; 2 usage; 3 inconclusive; 130 interrupted.

More options, the engines and examples: racelab explore --help";

const AFTER_LONG_HELP: &str = "\
The random engines draw steps (random), priorities of threads (pct) or of steps (pos), interleavings
(urw), or interleavings of the steps on one object (surw). Those of shuttle draw steps (shuttle) or
priorities of threads (shuttle-pct), on its own runtime and with its own schedulers.

Nothing but a spurious wake-up breaks queue-consumer/wait-without-loop, so that --spurious is on for
it; `--spurious off` shows that it holds without.

Exit codes: 0 holds; 1 violated; 2 usage: also an unknown name, a size out of range, a checkpoint of
another search; 3 inconclusive: not everything was explored, or the system refused what it needs;
70 internal error; 130 interrupted by Ctrl-C, 129 by SIGHUP, 143 by SIGTERM: what is known is reported,
and kept in the checkpoint if there is one. With --expect: 0 if the verdict is this, 1 if not.

Examples:

    racelab explore counter
    racelab explore counter/mutex --threads 3 --jobs 2
    racelab explore counter --engine random --max-executions 500 --seed 7
    racelab explore counter --all --format json -o report.json
    racelab explore counter/mutex --threads 3 --checkpoint search.json";

/// Search the interleavings of a variant for one that breaks it.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP, after_long_help = AFTER_LONG_HELP)]
pub(super) struct Explore {
    /// exhibit/variant, or an exhibit for its first unsafe variant
    exhibit: String,

    #[command(flatten)]
    size: options::Size,

    /// What chooses the interleavings
    #[arg(long, default_value = "dpor", value_parser = options::engine())]
    engine: Engine,

    /// Stop after N executions [default: none, 10000 for random engines]
    #[arg(
        long,
        value_name = "N",
        value_parser = options::executions,
        allow_negative_numbers = true,
    )]
    max_executions: Option<u64>,

    /// With the engine threads: stop after N runs [default: 1000]
    #[arg(
        long,
        value_name = "N",
        value_parser = options::executions,
        allow_negative_numbers = true,
        hide_short_help = true,
    )]
    runs: Option<u64>,

    /// With dpor, dfs and loom: allow at most N preemptions, 0 to 255
    #[arg(
        long,
        value_name = "N",
        value_parser = options::preemptions,
        allow_negative_numbers = true,
    )]
    preemptions: Option<u8>,

    /// Stop after so long: 20ms, 10s; a bare number is seconds [default: none]
    #[arg(long, value_name = "TIME", value_parser = crate::parse_duration, allow_hyphen_values = true)]
    time_limit: Option<Duration>,

    #[command(flatten)]
    max_steps: MaxSteps,

    /// Whether waits on condition variables and `park` can end without a notification [default:
    /// off, unless nothing else breaks the variant]
    #[arg(long, value_enum, value_name = "WHETHER")]
    spurious: Option<Spurious>,

    /// The seed of random choices
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        value_parser = options::seed,
        allow_negative_numbers = true,
    )]
    seed: u64,

    /// Go on past failures, and count failures and outcomes
    #[arg(long)]
    all: bool,

    /// Exit with 0 if the verdict is this, with 1 if not
    #[arg(long, value_enum, value_name = "VERDICT")]
    expect: Option<Expect>,

    #[command(flatten)]
    raising: Raising,

    #[command(flatten)]
    division: DivisionArgs,

    #[command(flatten)]
    look: Look,
}

impl Explore {
    pub(super) fn run(&self, output: &Output) -> Result<Exit, Error> {
        let variant = select::variant(&self.exhibit)?;
        let size = self.size.under(self.engine, variant)?;
        let progress = Progress::default();
        let explorer = self.explorer(variant, progress.clone())?;
        select::refuse_processes(variant, self.engine)?;
        self.raising.is_for(self.engine)?;
        if self.engine == Engine::Threads {
            self.refuse_what_needs_a_scheduler()?;
            return self.race(&explorer, &progress, variant, size, output);
        }
        let checkpoint = self.checkpoint(variant, size, output)?;
        let explorer = match &checkpoint {
            Some(checkpoint) => explorer.kept_by(Arc::clone(checkpoint) as Arc<Mutex<dyn Keeper>>),
            None => explorer,
        };
        let body = variant.body;
        let report = if self.engine == Engine::Loom && !is_child() {
            match in_child(&explorer, OnInterrupt::Tell)? {
                Explored::Reported(exit) => return Ok(exit),
                Explored::Crashed(report) => *report,
            }
        } else {
            with_progress(&progress, &Stage::default(), || {
                explorer.explore(move || body(size))
            })
        };
        let kept = match &checkpoint {
            None => Ok(()),
            Some(checkpoint) => {
                let mut checkpoint = checkpoint.lock().unwrap_or_else(PoisonError::into_inner);
                let is_refused = checkpoint.is_refused();
                let finished = checkpoint.finish();
                if is_refused {
                    return finished.map(|()| Exit::Usage);
                }
                finished
            }
        };
        write(
            output,
            &report,
            variant,
            size,
            self.max_steps.max_steps,
            &self.look,
            self.all,
        )?;
        // Only now, so that what was found is not lost.
        kept?;
        Ok(exit(&report, self.expect))
    }

    /// Makes runs on real threads.
    fn race(
        &self,
        explorer: &Explorer,
        progress: &Progress,
        variant: &'static Variant,
        size: exhibits::Size,
        output: &Output,
    ) -> Result<Exit, Error> {
        let runs = Runs {
            variant,
            size,
            runs: self.runs,
            time_limit: self.time_limit,
            seed: self.seed,
            raising: &self.raising,
        };
        let Raced { report, odds } = runs.race(explorer, progress)?;
        match output.format {
            Format::Json => output.write_json(&json::raced(
                &report,
                &odds,
                variant.to_string(),
                parameters(size),
            ))?,
            Format::Text => {
                let subject = subject(variant, size, self.max_steps.max_steps);
                let style = output.style(&self.look);
                output.write(&report::odds::text(&report, &odds, &subject, &style))?;
            }
        }
        Ok(exit(&report, self.expect))
    }

    /// The checkpoint, if there is to be one, for everything that decides what is explored.
    fn checkpoint(
        &self,
        variant: &Variant,
        size: exhibits::Size,
        output: &Output,
    ) -> Result<Option<Arc<Mutex<Checkpoint>>>, Error> {
        let Some(path) = &self.division.checkpoint else {
            return Ok(None);
        };
        let is_random = !self.engine.is_exhaustive();
        let shard = self.division.shard.map(|shard| shard.to_string());
        let search = [
            ("version", env!("CARGO_PKG_VERSION").into()),
            ("exhibit", variant.to_string().into()),
            ("threads", size.threads.into()),
            ("ops", size.ops.into()),
            ("engine", self.engine.name().into()),
            ("seed", is_random.then_some(self.seed).into()),
            ("shard", shard.into()),
            ("all", self.all.into()),
            ("max_steps", self.max_steps.max_steps.into()),
            (
                "spurious",
                (self.wake_ups(variant) == SpuriousWakeUps::Explored).into(),
            ),
        ];
        let search = search
            .into_iter()
            .map(|(key, value): (&str, serde_json::Value)| (key.to_owned(), value));
        let is_text = output.format == Format::Text;
        let checkpoint = Checkpoint::open(path, search.collect(), is_text)?;
        Ok(Some(Arc::new(Mutex::new(checkpoint))))
    }

    /// Whether spurious wake-ups are explored: as asked for, or as the variant needs it.
    fn wake_ups(&self, variant: &Variant) -> SpuriousWakeUps {
        self.spurious
            .map_or(variant.spurious, SpuriousWakeUps::from)
    }

    fn explorer(&self, variant: &Variant, progress: Progress) -> Result<Explorer, Error> {
        if self.spurious == Some(Spurious::On) && !self.engine.wakes_spuriously() {
            let engine = self.engine;
            return Err(Error::Usage(format!(
                "--spurious on is not for the engine {engine}, which cannot wake a thread spuriously"
            )));
        }
        let explorer = Explorer::new(self.engine)
            .max_steps(self.max_steps.max_steps)
            .spurious(self.wake_ups(variant))
            .seed(self.seed)
            .progress(progress);
        let explorer = match self.executions()? {
            Some(executions) => explorer.max_executions(executions),
            None => explorer,
        };
        let explorer = match self.time_limit {
            Some(limit) => explorer.time_limit(limit),
            None => explorer,
        };
        let explorer = match self.preemption_bound()? {
            Some(preemptions) => explorer.preemption_bound(preemptions),
            None => explorer,
        };
        let explorer = if self.all {
            explorer.past_failures()
        } else {
            explorer
        };
        self.division
            .of(explorer, self.engine, self.preemptions.is_some())
    }

    /// The bound on preemptions, which only exhaustive engines have.
    fn preemption_bound(&self) -> Result<Option<u8>, Error> {
        match (self.engine, self.preemptions) {
            (engine, preemptions) if engine.is_exhaustive() => Ok(preemptions),
            (_, None) => Ok(None),
            (engine, Some(_)) => Err(Error::Usage(format!(
                "--preemptions is for the engines dpor, dfs and loom: {engine} does not bound them"
            ))),
        }
    }

    /// Refuses, on real threads, what would do nothing there. What is as it is by default does no
    /// harm.
    fn refuse_what_needs_a_scheduler(&self) -> Result<(), Error> {
        if self.max_steps.max_steps != crate::DEFAULT_MAX_STEPS {
            return Err(Error::Usage(
                "--max-steps is not for the engine threads, which counts no steps: a run is cut by \
                 --stall-limit"
                    .to_owned(),
            ));
        }
        if self.seed != 0 && !self.raising.has_delays() {
            return Err(Error::Usage(
                "--seed is for the engine threads only with --delays: nothing else is drawn"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// The bound on executions: real threads have runs, everything else has executions.
    fn executions(&self) -> Result<Option<u64>, Error> {
        match (self.engine, self.max_executions, self.runs) {
            (Engine::Threads, Some(_), _) => Err(Error::Usage(
                "--max-executions is not for the engine threads: its bound is --runs".to_owned(),
            )),
            (Engine::Threads, None, runs) => Ok(runs),
            (engine, _, Some(_)) => Err(Error::Usage(format!(
                "--runs is for the engine threads only: the bound of {engine} is --max-executions"
            ))),
            (_, executions, None) => Ok(executions),
        }
    }
}

/// What became of an exploration or a replay in a child process.
pub(super) enum Explored {
    /// The child has reported, and ended so.
    Reported(Exit),
    /// The child has not, which is this report.
    Crashed(Box<Report>),
}

/// Runs this command again in a child process: loom can end the process that it runs in.
pub(super) fn in_child(explorer: &Explorer, on_interrupt: OnInterrupt) -> Result<Explored, Error> {
    let start = Instant::now();
    let status = isolated::same_command(on_interrupt, None)?;
    let status = status.expect("it was waited for without a limit");
    Ok(match Exit::of_child(status) {
        Some(exit) => Explored::Reported(exit),
        None => {
            let reason = Reason::Crashed(crash(status));
            Explored::Crashed(Box::new(Report {
                elapsed: start.elapsed(),
                ..explorer.not_explored(reason)
            }))
        }
    })
}

/// Writes the report of an exploration or a replay.
pub(super) fn write(
    output: &Output,
    report: &Report,
    variant: &Variant,
    size: exhibits::Size,
    max_steps: usize,
    look: &Look,
    with_counts: bool,
) -> Result<(), Error> {
    match output.format {
        Format::Json => output.write_json(&json::explore(
            report,
            variant.to_string(),
            parameters(size),
            with_counts,
        )),
        Format::Text => {
            let subject = subject(variant, size, max_steps);
            let mut text = report::text(report, &subject, &output.style(look));
            if with_counts && !report.outcomes.is_empty() {
                text += &report::outcomes(&report.outcomes);
            }
            output.write(&text)
        }
    }
}

fn parameters(size: exhibits::Size) -> Parameters {
    Parameters {
        threads: size.threads,
        ops: size.ops,
    }
}

fn subject(variant: &Variant, size: exhibits::Size, max_steps: usize) -> Subject {
    Subject {
        name: variant.to_string(),
        size: format!("--threads {} --ops {}", size.threads, size.ops),
        fix: variant.fix.to_owned(),
        replay: replay_command(variant, size, max_steps),
    }
}

/// The command that replays a failure, with every flag that it needs.
fn replay_command(variant: &Variant, size: exhibits::Size, max_steps: usize) -> String {
    let default = select::default_size(variant);
    let mut command = format!("racelab replay {variant} '{{schedule}}'");
    let flags = [
        ("--threads", size.threads, default.threads),
        ("--ops", size.ops, default.ops),
        ("--max-steps", max_steps, crate::DEFAULT_MAX_STEPS),
    ];
    for (flag, value, default) in flags {
        if value != default {
            command += &format!(" {flag} {value}");
        }
    }
    command
}

/// How the command ends with this report.
pub(super) fn exit(report: &Report, expect: Option<Expect>) -> Exit {
    if report.coverage == Coverage::Bounded(Bound::Interrupted) {
        return Exit::Interrupted;
    }
    let met = match (&report.verdict, expect) {
        (Verdict::Inconclusive(Reason::Diverged(_)), _) => return Exit::Usage,
        (verdict, None) => {
            return match verdict {
                Verdict::Holds => Exit::Success,
                Verdict::Violated(_) => Exit::Violation,
                Verdict::Inconclusive(_) => Exit::Inconclusive,
            };
        }
        (Verdict::Holds, Some(expect)) => expect == Expect::Holds,
        (Verdict::Violated(_), Some(expect)) => expect == Expect::Violated,
        (Verdict::Inconclusive(_), Some(_)) => false,
    };
    if met { Exit::Success } else { Exit::Violation }
}
