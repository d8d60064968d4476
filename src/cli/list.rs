//! `racelab list`: the gallery.

use clap::Args;
use serde::Serialize;
use textwrap::{Options, WordSplitter};

use crate::Engine;
use crate::exhibits::{self, Exhibit, Variant};

use super::error::{Error, Exit};
use super::lessons::{self, Lesson};
use super::options::Format;
use super::output::Output;
use super::select;

/// How many columns a line has at most, however wide the terminal is.
const WIDTH: usize = 80;

/// List the exhibits and their variants.
#[derive(Debug, Args)]
pub(super) struct List {
    /// List the corpus in place of the gallery: programs with a known bug, to compare searches on
    #[arg(long)]
    corpus: bool,

    /// List what starts processes in place of the gallery: only the real machine runs it
    #[arg(long, conflicts_with = "corpus")]
    processes: bool,

    /// List the lessons in place of the gallery: the programs of the tutorials that the lab goes
    /// back to, and the command that shows each
    #[arg(long, conflicts_with_all = ["corpus", "processes"])]
    lessons: bool,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    kind: &'static str,
    expected: &'static str,
    bug: Option<&'static str>,
    engines: Vec<&'static str>,
}

impl List {
    pub(super) fn run(&self, output: &Output) -> Result<Exit, Error> {
        let width = output.plain_style().width.min(WIDTH);
        if self.lessons {
            match output.format {
                Format::Text => {
                    let texts = lessons::ALL
                        .iter()
                        .map(|lesson| text_of_lesson(lesson, width));
                    output.write(&texts.collect::<Vec<_>>().join("\n"))?;
                }
                Format::Json => output.write_json(&lessons::ALL)?,
            }
            return Ok(Exit::Success);
        }
        let exhibits = if self.corpus {
            exhibits::CORPUS
        } else if self.processes {
            exhibits::ACROSS_PROCESSES
        } else {
            exhibits::ALL
        };
        match output.format {
            Format::Text => {
                let texts = exhibits.iter().map(|exhibit| text(exhibit, width));
                output.write(&texts.collect::<Vec<_>>().join("\n"))?;
            }
            Format::Json => {
                let variants = exhibits.iter().flat_map(|exhibit| exhibit.variants);
                output.write_json(&variants.map(entry).collect::<Vec<_>>())?;
            }
        }
        Ok(Exit::Success)
    }
}

fn entry(variant: &Variant) -> Entry {
    let engines = Engine::ALL.iter();
    let engines = engines.filter(|engine| select::runs_under(variant, **engine).is_ok());
    Entry {
        name: variant.to_string(),
        kind: variant.kind.name(),
        expected: variant.kind.expected(),
        bug: variant.kind.bug(),
        engines: engines.map(|engine| engine.name()).collect(),
    }
}

fn text(exhibit: &Exhibit, columns: usize) -> String {
    let names = exhibit.variants.iter().map(|variant| variant.name.len());
    let width = names.max().unwrap_or(0);
    let head = format!("{}: {}", exhibit.name, exhibit.about);
    let must_hold = format!("  must hold: {}", exhibit.invariant);
    let mut out = wrapped(&head, "", columns) + &wrapped(&must_hold, "    ", columns);
    for variant in exhibit.variants {
        let start = format!("  {:width$}   {:6}   ", variant.name, variant.kind.name());
        out += &wrapped(
            &format!("{start}{}", about(variant)),
            // Where there is no room for a column, words go on below.
            &" ".repeat(if start.len() + 20 > columns {
                4
            } else {
                start.len()
            }),
            columns,
        );
    }
    out
}

fn text_of_lesson(lesson: &Lesson, columns: usize) -> String {
    let Lesson {
        lesson,
        command,
        shows,
    } = lesson;
    let lesson = wrapped(lesson, "", columns);
    // In one piece, so that it can be copied.
    let command = format!("  $ {command}\n");
    lesson + &command + &wrapped(&format!("  {shows}"), "  ", columns)
}

fn about(variant: &Variant) -> String {
    match variant.kind.bug() {
        Some(bug) => format!("{bug}: {}", variant.about),
        None => variant.about.to_owned(),
    }
}

/// A text as lines, all but the first of which begin with `indent`.
fn wrapped(text: &str, indent: &str, columns: usize) -> String {
    let options = Options::new(columns)
        .subsequent_indent(indent)
        .break_words(false)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::fill(text, options) + "\n"
}
