//! `racelab bench`: how many executions each engine needs to find the bug of each program.

use clap::Args;

use crate::bench::{Trials, not_run};
use crate::child::{crash, is_child};
use crate::exhibits::Variant;
use crate::report::bench::{Bench as Measured, BenchRow, markdown, text};
use crate::{Engine, MemoryModel, Progress};

use super::error::{Error, Exit};
use super::isolated;
use super::options::{self, FormatChoice};
use super::output::Output;
use super::progress::{Stage, with_progress};
use super::select;

const AFTER_HELP: &str = "\
Trial k, from 1 on, is `racelab explore PROGRAM --engine ENGINE --seed k --max-executions CAP`,
without minimisation. An engine that explores everything is deterministic: it has one trial, and
then goes on past all bugs until the program is exhausted. The same command prints the same numbers,
unless the engine is threads.

Exit codes: 0 it was measured; 4 nothing to measure; 130 interrupted, with the rows so far.";

/// Measure how many executions engines need to find the bugs of programs.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Bench {
    /// exhibit/variant, or an exhibit for all of its variants; can be given several times [default:
    /// corpus]
    #[arg(long = "program", value_name = "PROGRAM")]
    programs: Vec<String>,

    /// Measure this engine; can be given several times [default: those that are sequentially
    /// consistent, without dfs]
    #[arg(long = "engine", value_name = "ENGINE", value_parser = options::engine())]
    engines: Vec<Engine>,

    /// How many trials there are of each program and engine, with the seeds from 1 on
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20,
        value_parser = options::trials,
        allow_negative_numbers = true,
    )]
    trials: u64,

    /// Stop a trial after N executions
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10_000,
        value_parser = options::executions,
        allow_negative_numbers = true,
    )]
    cap: u64,

    /// Stop after N executions to exhaust a program [default: that of --cap]
    #[arg(
        long,
        value_name = "N",
        value_parser = options::executions,
        allow_negative_numbers = true,
    )]
    exhaust_cap: Option<u64>,
}

/// What the work came to.
struct Rows {
    rows: Vec<BenchRow>,
    interrupted: bool,
}

impl Bench {
    pub(super) fn run(&self, output: &Output, format: FormatChoice) -> Result<Exit, Error> {
        let programs = if self.programs.is_empty() {
            select::corpus()
        } else {
            select::variants(&self.programs)?
        };
        let engines = self.engines();
        let pairs: Vec<(&Variant, Engine)> = programs
            .iter()
            .flat_map(|program| engines.iter().map(move |engine| (*program, *engine)))
            .collect();
        if let Some(why) = select::why_none_runs(&pairs) {
            return Err(Error::Nothing(format!(
                "there is nothing to measure: {why}"
            )));
        }
        let trials = self.trials();
        let progress = Progress::default();
        let stage = Stage::default();
        let Rows { rows, interrupted } = with_progress(&progress, &stage, || {
            measure(trials, &pairs, &progress, &stage)
        })?;
        let measured = Measured::new(trials.count, trials.cap, trials.exhaust_cap, rows);
        match format {
            FormatChoice::Json => output.write_json(&measured)?,
            FormatChoice::Markdown => output.write(&markdown(&measured))?,
            FormatChoice::Text => output.write(&text(&measured, &output.plain_style()))?,
        }
        Ok(if interrupted {
            Exit::Interrupted
        } else {
            Exit::Success
        })
    }

    /// The engines to measure, in the order of all engines and each only once.
    fn engines(&self) -> Vec<Engine> {
        // Naive enumeration says nothing of a program but how large it is, and weak memory is
        // another question.
        let is_default = |engine: &Engine| {
            engine.is_model() && engine.memory_model() == MemoryModel::Sc && *engine != Engine::Dfs
        };
        let is_asked_for = |engine: &Engine| match self.engines.as_slice() {
            [] => is_default(engine),
            engines => engines.contains(engine),
        };
        Engine::ALL.iter().copied().filter(is_asked_for).collect()
    }

    fn trials(&self) -> Trials {
        Trials {
            count: self.trials,
            cap: self.cap,
            exhaust_cap: self.exhaust_cap.unwrap_or(self.cap),
        }
    }
}

fn measure(
    trials: Trials,
    pairs: &[(&Variant, Engine)],
    progress: &Progress,
    stage: &Stage,
) -> Result<Rows, Error> {
    let mut rows = Vec::with_capacity(pairs.len());
    for (index, &(program, engine)) in pairs.iter().enumerate() {
        let (number, all) = (index + 1, pairs.len());
        let stage_of = |trial| {
            stage.set(format!(
                "{number} of {all}, {program} under {engine}, trial {trial}"
            ));
        };
        let size = select::default_size(program);
        let body = program.body;
        let row = if let Err(missing) = program.runs_under(engine) {
            Some(not_run(program.to_string(), engine, missing.to_string()))
        } else if engine == Engine::Loom && !is_child() {
            stage_of(1);
            in_child(trials, program, progress)?
        } else {
            let (name, spurious) = (program.to_string(), program.spurious);
            let body = move || body(size);
            trials.run(name, engine, spurious, body, progress, stage_of)
        };
        match row {
            Some(row) => rows.push(row),
            None => {
                return Ok(Rows {
                    rows,
                    interrupted: true,
                });
            }
        }
    }
    Ok(Rows {
        rows,
        interrupted: false,
    })
}

/// Measures loom in a child process: it can end the process that it runs in. `None` if that was
/// interrupted.
fn in_child(
    trials: Trials,
    program: &Variant,
    progress: &Progress,
) -> Result<Option<BenchRow>, Error> {
    let arguments = [
        "bench".to_owned(),
        format!("--program={program}"),
        format!("--engine={}", Engine::Loom),
        format!("--trials={}", trials.count),
        format!("--cap={}", trials.cap),
        format!("--exhaust-cap={}", trials.exhaust_cap),
        "--format=json".to_owned(),
    ];
    let Some((printed, status)) = isolated::printed_by(&arguments, progress)? else {
        return Ok(None);
    };
    let measured = serde_json::from_str::<Measured>(&printed);
    let row = measured
        .ok()
        .and_then(|measured| measured.rows.into_iter().next());
    Ok(Some(row.unwrap_or_else(|| {
        let reason = format!("the process in which it ran {}", crash(status));
        not_run(program.to_string(), Engine::Loom, reason)
    })))
}
