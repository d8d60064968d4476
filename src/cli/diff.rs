//! `racelab diff`: what differs between two variants of an exhibit.

use anstyle::{AnsiColor, Style as Ansi};
use clap::Args;
use serde::Serialize;
use similar::TextDiff;

use crate::exhibits::Variant;

use super::error::{Error, Exit};
use super::options::Format;
use super::output::Output;
use super::select;

/// Show what differs between two variants of an exhibit, as a unified diff of their sources.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// exhibit/variant, or an exhibit for its first unsafe variant
    #[arg(value_name = "FROM")]
    from: String,

    /// exhibit/variant of the same exhibit
    #[arg(value_name = "TO")]
    to: String,
}

#[derive(Serialize)]
struct Differing {
    from: String,
    to: String,
    from_file: &'static str,
    to_file: &'static str,
    /// Empty if nothing differs.
    diff: String,
}

impl Diff {
    pub(super) fn run(&self, output: &Output) -> Result<Exit, Error> {
        let from = select::variant(&self.from)?;
        let to = select::variant(&self.to)?;
        if from.exhibit != to.exhibit {
            return Err(Error::Usage(format!(
                "{from} and {to} are of two exhibits, which have nothing in common: a diff is of \
                 two variants of one exhibit"
            )));
        }
        let diff = unified(from, to);
        match output.format {
            Format::Text if output.plain_style().color => output.write(&colored(&diff))?,
            Format::Text => output.write(&diff)?,
            Format::Json => output.write_json(&Differing {
                from: from.to_string(),
                to: to.to_string(),
                from_file: from.file,
                to_file: to.file,
                diff,
            })?,
        }
        Ok(Exit::Success)
    }
}

fn unified(from: &Variant, to: &Variant) -> String {
    let diff = TextDiff::from_lines(from.source, to.source);
    diff.unified_diff().header(from.file, to.file).to_string()
}

/// Colours the lines of a unified diff, in the way of other tools.
fn colored(diff: &str) -> String {
    let mut out = String::new();
    for (index, line) in diff.lines().enumerate() {
        let style = match line.as_bytes().first() {
            // The names of the files.
            _ if index < 2 => Ansi::new().bold(),
            Some(b'-') => AnsiColor::Red.on_default(),
            Some(b'+') => AnsiColor::Green.on_default(),
            Some(b'@') => AnsiColor::Cyan.on_default(),
            _ => Ansi::new(),
        };
        out += &format!("{style}{line}{style:#}\n");
    }
    out
}
