//! `racelab show`: the source of a variant.

use clap::Args;
use serde::Serialize;

use super::error::{Error, Exit};
use super::options::Format;
use super::output::Output;
use super::select;

/// Show the source of a variant.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// exhibit/variant, or an exhibit for its first unsafe variant
    exhibit: String,
}

#[derive(Serialize)]
struct Shown {
    name: String,
    kind: &'static str,
    expected: &'static str,
    bug: Option<&'static str>,
    about: &'static str,
    invariant: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    file: &'static str,
    source: &'static str,
}

impl Show {
    pub(super) fn run(&self, output: &Output) -> Result<Exit, Error> {
        let variant = select::variant(&self.exhibit)?;
        let exhibit = select::exhibit_of(variant);
        let shown = Shown {
            name: variant.to_string(),
            kind: variant.kind.name(),
            expected: variant.kind.expected(),
            bug: variant.kind.bug(),
            about: variant.about,
            invariant: exhibit.invariant,
            note: variant.note,
            file: variant.file,
            source: variant.source,
        };
        match output.format {
            Format::Text => output.write(&text(&shown))?,
            Format::Json => output.write_json(&shown)?,
        }
        Ok(Exit::Success)
    }
}

fn text(shown: &Shown) -> String {
    let Shown {
        name,
        kind,
        bug,
        about,
        invariant,
        note,
        file,
        source,
        ..
    } = shown;
    let bug = bug.map(|bug| format!(", {bug}")).unwrap_or_default();
    let note = note.map(|note| format!("note: {note}\n"));
    let note = note.unwrap_or_default();
    format!("{name}   {kind}{bug}: {about}\nmust hold: {invariant}\n{note}{file}\n\n{source}")
}
