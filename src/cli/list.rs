//! `racelab list`: the gallery.

use serde::Serialize;

use crate::exhibits::{self, Exhibit, Variant};

use super::error::{Error, Exit};
use super::options::Format;
use super::output::Output;

#[derive(Serialize)]
struct Entry {
    name: String,
    kind: &'static str,
    expected: &'static str,
    bug: Option<&'static str>,
    engines: Vec<&'static str>,
}

/// Lists all variants.
pub(super) fn run(output: &Output) -> Result<Exit, Error> {
    match output.format {
        Format::Text => {
            let exhibits = exhibits::ALL.iter().map(|exhibit| text(exhibit));
            output.write(&exhibits.collect::<Vec<_>>().join("\n"))?;
        }
        Format::Json => {
            let variants = exhibits::ALL.iter().flat_map(|exhibit| exhibit.variants);
            output.write_json(&variants.map(entry).collect::<Vec<_>>())?;
        }
    }
    Ok(Exit::Success)
}

fn entry(variant: &Variant) -> Entry {
    Entry {
        name: variant.to_string(),
        kind: variant.kind.name(),
        expected: variant.kind.expected(),
        bug: variant.kind.bug(),
        engines: variant
            .engines()
            .iter()
            .map(|engine| engine.name())
            .collect(),
    }
}

fn text(exhibit: &Exhibit) -> String {
    let width = |of: fn(&Variant) -> usize| exhibit.variants.iter().map(of).max().unwrap_or(0);
    let name_width = width(|variant| variant.name.len());
    let kind_width = width(|variant| kind(variant).len());
    let mut out = format!(
        "{}: {}; {}\n",
        exhibit.name, exhibit.about, exhibit.invariant
    );
    for variant in exhibit.variants {
        let (name, kind, about) = (variant.name, kind(variant), variant.about);
        out += &format!("  {name:name_width$}   {kind:kind_width$}   {about}\n");
    }
    out
}

fn kind(variant: &Variant) -> String {
    match variant.kind.bug() {
        Some(bug) => format!("{}, {bug}", variant.kind.name()),
        None => variant.kind.name().to_owned(),
    }
}
