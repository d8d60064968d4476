//! Options that several subcommands share.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, Args, ColorChoice, ValueEnum};

use crate::exhibits::Variant;
use crate::trace::Schedule;
use crate::{Engine, SpuriousWakeUps, exhibits};

use super::error::Error;
use super::select;

/// Where results go and how they look.
#[derive(Debug, Args)]
pub(super) struct Output {
    /// How results are written; only bench and time have markdown
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t = FormatChoice::Text,
        help_heading = "Output",
        // After the options of a command.
        display_order = 100,
    )]
    pub(super) format: FormatChoice,

    /// When to use colours; `auto` also obeys the variable `NO_COLOR`
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value_t = ColorChoice::Auto,
        help_heading = "Output",
        display_order = 101,
    )]
    pub(super) color: ColorChoice,

    /// Write results to a file instead of standard output; - is standard output
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Output",
        display_order = 102
    )]
    pub(super) output: Option<PathBuf>,
}

/// How results can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatChoice {
    // For people. No doc comment: clap would spread every help text over pages to show it.
    Text,
    // For programs.
    Json,
    // For documents. Only `bench` and `time` have it.
    Markdown,
}

/// The option `--format` of a command that has these formats only.
pub(super) fn format(formats: &'static [FormatChoice]) -> Arg {
    let names = formats.iter().filter_map(ValueEnum::to_possible_value);
    let choices = PossibleValuesParser::new(names)
        .try_map(|name| <FormatChoice as ValueEnum>::from_str(&name, false));
    Arg::new("format")
        .long("format")
        .global(true)
        .value_name("FORMAT")
        .value_parser(choices)
        .default_value("text")
        .hide(formats.len() == 1)
        .help("How results are written")
        .help_heading("Output")
        .display_order(100)
}

/// How the results of every command are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// How large a run of an exhibit is.
#[derive(Debug, Args)]
pub(super) struct Size {
    /// How many threads are spawned
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub(super) threads: Option<usize>,

    /// How many operations each thread does
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub(super) ops: Option<usize>,
}

/// How the table of a trace looks.
#[derive(Debug, Args)]
pub(super) struct Look {
    /// Show memory orderings and source locations in the table
    #[arg(long, help_heading = "Output")]
    pub(super) detail: bool,

    /// Use no characters beyond ASCII for lines and arrows
    #[arg(long, help_heading = "Output")]
    pub(super) ascii: bool,
}

/// The bound on the steps of an execution.
#[derive(Debug, Args)]
pub(super) struct MaxSteps {
    /// Cut executions that make more steps than N, 1 to 1000000
    #[arg(
        long,
        value_name = "N",
        default_value_t = crate::DEFAULT_MAX_STEPS,
        value_parser = max_steps,
        allow_negative_numbers = true,
    )]
    pub(super) max_steps: usize,
}

/// Whether waits can end without a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Spurious {
    // Explored, as one of the ways in which a wait can end.
    On,
    // Left out, which the report says.
    Off,
}

impl From<Spurious> for SpuriousWakeUps {
    fn from(spurious: Spurious) -> Self {
        match spurious {
            Spurious::On => SpuriousWakeUps::Explored,
            Spurious::Off => SpuriousWakeUps::LeftOut,
        }
    }
}

/// What the verdict is expected to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Expect {
    // Some interleaving fails.
    Violated,
    // No interleaving fails, and all were explored.
    Holds,
}

impl Size {
    /// The size for a variant, with its defaults filled in.
    pub(super) fn of(&self, variant: &Variant) -> Result<exhibits::Size, Error> {
        self.of_or(variant, select::default_size(variant))
    }

    /// The size for a variant under an engine, with its defaults filled in.
    pub(super) fn under(&self, engine: Engine, variant: &Variant) -> Result<exhibits::Size, Error> {
        let default = select::default_size(variant);
        match engine {
            Engine::Threads => self.of_or(variant, variant.size_on_real_threads(default)),
            _ => self.of_or(variant, default),
        }
    }

    fn of_or(&self, variant: &Variant, default: exhibits::Size) -> Result<exhibits::Size, Error> {
        let exhibit = select::exhibit_of(variant);
        if let Some(only) = variant.only_size {
            return self.if_only(only, variant);
        }
        let number = |flag: &str, number: usize, parameter: &exhibits::Parameter| {
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
            threads: number(
                "--threads",
                self.threads.unwrap_or(default.threads),
                &exhibit.threads,
            )?,
            ops: number("--ops", self.ops.unwrap_or(default.ops), &exhibit.ops)?,
        })
    }

    /// The only size of a variant, unless another one is asked for.
    fn if_only(&self, only: exhibits::Size, variant: &Variant) -> Result<exhibits::Size, Error> {
        let given = [
            ("--threads", self.threads, only.threads),
            ("--ops", self.ops, only.ops),
        ];
        for (flag, number, only) in given {
            if let Some(number) = number.filter(|number| *number != only) {
                return Err(Error::Usage(format!(
                    "{flag} {number} is not possible: {variant} has one size, with {flag} {only}"
                )));
            }
        }
        Ok(only)
    }
}

/// Parses the name of an engine. clap names the nearest one if there is none.
pub(super) fn engine() -> impl TypedValueParser<Value = Engine> {
    let names = Engine::ALL.iter().map(|engine| engine.name());
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Engine>())
}

/// Parses a number that can be anything.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    number(text, 0)
}

/// Parses a number of executions.
pub(super) fn executions(text: &str) -> Result<u64, String> {
    number(text, 1)
}

/// Parses a number of trials.
pub(super) fn trials(text: &str) -> Result<u64, String> {
    number(text, 1)
}

/// Parses a number of items that are asked for.
pub(super) fn items(text: &str) -> Result<usize, String> {
    usize::try_from(number(text, 1)?).map_err(|error| error.to_string())
}

/// Parses a bound on preemptions.
pub(super) fn preemptions(text: &str) -> Result<u8, String> {
    let error = |_| format!("it takes a number from 0 to {}", u8::MAX);
    text.parse().map_err(error)
}

/// Parses a part of a size. The exhibit says later which range it has to be in.
fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        // So that the range is named.
        Ok(0) => Ok(0),
        _ => usize::try_from(number(text, 1)?).map_err(|error| error.to_string()),
    }
}

/// Parses a number. The numbers that can be given are named, in place of what is wrong with the
/// digits.
fn number(text: &str, least: u64) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(number) if number >= least => Ok(number),
        _ => Err(format!("it takes a number from {least} to {}", u64::MAX)),
    }
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
