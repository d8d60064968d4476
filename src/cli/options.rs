//! Options that several subcommands share.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ColorChoice, ValueEnum};

use crate::exhibits::Variant;
use crate::trace::Schedule;
use crate::{Engine, exhibits};

use super::error::Error;

/// Where results go and how they look.
#[derive(Debug, Args)]
pub(super) struct Output {
    /// How results are written
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,

    /// When to use colours; `auto` also obeys the variable `NO_COLOR`
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    pub(super) color: ColorChoice,

    /// Write results to a file instead of standard output; - is standard output
    #[arg(short, long, global = true, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// How large a run of an exhibit is.
#[derive(Debug, Args)]
pub(super) struct Size {
    /// How many threads are spawned
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<usize>,

    /// How many operations each thread does
    #[arg(long, value_name = "N")]
    pub(super) ops: Option<usize>,
}

/// How the table of a trace looks.
#[derive(Debug, Args)]
pub(super) struct Look {
    /// Show memory orderings and source locations in the table
    #[arg(long)]
    pub(super) detail: bool,

    /// Use no characters beyond ASCII for lines and arrows
    #[arg(long)]
    pub(super) ascii: bool,
}

/// The bound on the steps of an execution.
#[derive(Debug, Args)]
pub(super) struct MaxSteps {
    /// Cut executions that make more steps
    #[arg(
        long,
        value_name = "N",
        default_value_t = crate::DEFAULT_MAX_STEPS,
        value_parser = max_steps,
    )]
    pub(super) max_steps: usize,
}

/// What the verdict is expected to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Expect {
    /// Some interleaving fails
    Violated,
    /// No interleaving fails, and all were explored
    Holds,
}

impl Size {
    /// The size for a variant, with its defaults filled in.
    pub(super) fn of(&self, variant: &Variant) -> Result<exhibits::Size, Error> {
        let exhibit = super::select::exhibit_of(variant);
        let number = |flag: &str, given: Option<usize>, parameter: &exhibits::Parameter| {
            let number = given.unwrap_or(parameter.default);
            if parameter.range.contains(&number) {
                return Ok(number);
            }
            let (least, most) = (parameter.range.start(), parameter.range.end());
            Err(Error::Usage(format!(
                "{flag} {number} is out of range: {} takes {least} to {most} {}",
                exhibit.name, parameter.counts
            )))
        };
        Ok(exhibits::Size {
            threads: number("--threads", self.threads, &exhibit.threads)?,
            ops: number("--ops", self.ops, &exhibit.ops)?,
        })
    }
}

/// Parses the name of an engine. clap names the nearest one if there is none.
pub(super) fn engine() -> impl TypedValueParser<Value = Engine> {
    let names = Engine::ALL.iter().map(|engine| engine.name());
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Engine>())
}

/// Parses a duration.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    crate::parse_duration(text)
}

fn max_steps(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(steps) if (1..=Schedule::MAX_STEPS).contains(&steps) => Ok(steps),
        _ => Err(format!(
            "it takes a number from 1 to {}",
            Schedule::MAX_STEPS
        )),
    }
}
