//! What was measured, for the terminal: a table, and what follows from it.

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use crate::report::style::{BOLD, DIMMED, paint, wrapped};
use crate::report::{Style, plural, printable};

use super::columns::{Column, columns, legend};
use super::lanes::lanes;
use super::remarks::remarks;
use crate::timing::Timing;

/// What is between two columns.
const GAP: usize = 2;

/// Renders what was measured: what it is about, a table with a line for each row, what was lost, a
/// small diagram of lanes, and the conclusion as a paragraph.
///
/// Columns that do not fit into the width of the style go on in a second table below.
pub(crate) fn text(timing: &Timing, style: &Style) -> String {
    let mut out = head(timing, style);
    let columns = columns(timing, style);
    let names = Names::of(timing);
    if !timing.rows.is_empty() {
        for columns in pages(&columns, names.width, style) {
            out += "\n";
            out += &table(&names, columns, style);
        }
        out += "\n";
        let legend = wrapped(&legend(&columns), "  ", "  ", style);
        out += &(paint(legend.trim_end(), DIMMED, style) + "\n");
    }
    let remarks = remarks(timing);
    if !remarks.is_empty() {
        out += "\n";
        for remark in remarks {
            out += &wrapped(&printable(&remark), "  ", "    ", style);
        }
    }
    let lanes = lanes(timing, style);
    if !lanes.is_empty() {
        out += "\n";
        out += &lanes;
    }
    if !timing.conclusion.is_empty() {
        let mut conclusion = printable(&timing.conclusion.join(" "));
        if style.ascii {
            conclusion = conclusion.replace('µ', "u");
        }
        out += "\n";
        out += &wrapped(&conclusion, "", "", style);
    }
    out
}

/// What was done, with what and how often, and whether it was interrupted: for a head line.
pub(super) fn subject(timing: &Timing) -> String {
    let mut parts = Vec::new();
    if let Some(row) = timing.rows.first() {
        parts.push(plural(row.items, "item"));
    }
    let runs = || timing.rows.iter().map(|row| row.runs.len() as u64);
    match (runs().min(), runs().max()) {
        (Some(least), Some(most)) if least == most => {
            parts.push(format!("{} of each way", plural(most, "run")));
        }
        (Some(least), Some(most)) => {
            parts.push(format!("{least} to {} of each way", plural(most, "run")));
        }
        _ => parts.push("nothing measured".to_owned()),
    }
    parts.push(plural(timing.cores as u64, "core"));
    if timing.interrupted {
        parts.push("interrupted".to_owned());
    }
    parts.join(", ")
}

/// What the workload was given: `latency 20ms, seed 1`. Empty if it was nothing.
pub(super) fn parameters(timing: &Timing) -> String {
    let given = timing
        .parameters
        .iter()
        .filter(|(_, value)| !value.is_null());
    let texts = given.map(|(name, value)| format!("{name} {}", plain(value)));
    printable(&texts.collect::<Vec<_>>().join(", "))
}

/// A value as it was given: without quotes and brackets.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(","),
        value => value.to_string(),
    }
}

fn head(timing: &Timing, style: &Style) -> String {
    let name = paint(&printable(&timing.workload), BOLD, style);
    let line = format!("{name}   {}", subject(timing));
    let mut out = wrapped(&line, "", "    ", style);
    let parameters = parameters(timing);
    if !parameters.is_empty() {
        out += &wrapped(&parameters, "  ", "  ", style);
    }
    out
}

/// The first cells of the lines: the names of the ways.
struct Names {
    lines: Vec<Name>,
    width: usize,
}

enum Name {
    /// A method whose variants are on the next lines.
    Head(String),
    /// A way, and the place of its row.
    Way(String, usize),
}

impl Names {
    /// A method that has variants is named once, on a line of its own.
    fn of(timing: &Timing) -> Self {
        let mut lines = Vec::new();
        let mut method = None;
        for (place, row) in timing.rows.iter().enumerate() {
            match &row.variant {
                None => {
                    method = None;
                    lines.push(Name::Way(printable(&row.method), place));
                }
                Some(variant) => {
                    if method != Some(&row.method) {
                        method = Some(&row.method);
                        lines.push(Name::Head(printable(&row.method)));
                    }
                    lines.push(Name::Way(format!("  {}", printable(variant)), place));
                }
            }
        }
        let widths = lines.iter().map(|line| match line {
            Name::Head(text) | Name::Way(text, _) => text.width(),
        });
        let width = widths.max().unwrap_or(0);
        Names { lines, width }
    }
}

/// The columns, divided so that each part fits beside the names, into as few parts as possible;
/// by their topics, if that takes no more.
fn pages<'a>(columns: &'a [Column], names: usize, style: &Style) -> Vec<&'a [Column]> {
    let fewest = divided(columns, names, style);
    let by_topic = columns.chunk_by(|a, b| a.topic == b.topic);
    let by_topic = by_topic.flat_map(|columns| divided(columns, names, style));
    let by_topic: Vec<_> = by_topic.collect();
    if by_topic.len() == fewest.len() {
        by_topic
    } else {
        fewest
    }
}

/// The columns, divided wherever the width is used up.
fn divided<'a>(columns: &'a [Column], names: usize, style: &Style) -> Vec<&'a [Column]> {
    let mut parts = Vec::new();
    let mut first = 0;
    let mut used = 2 + names;
    for (place, column) in columns.iter().enumerate() {
        used += GAP + width(column);
        // A table has one column at least, however narrow the terminal is.
        if used > style.width && place > first {
            parts.push(&columns[first..place]);
            first = place;
            used = 2 + names + GAP + width(column);
        }
    }
    parts.push(&columns[first..]);
    parts
}

fn width(column: &Column) -> usize {
    let cells = column.cells.iter().map(|cell| cell.width());
    cells.max().unwrap_or(0).max(column.head.width())
}

fn table(names: &Names, columns: &[Column], style: &Style) -> String {
    let line = |name: &str, cell: &dyn Fn(&Column) -> String| {
        let mut line = format!("  {name}{}", " ".repeat(names.width - name.width()));
        for column in columns {
            let cell = cell(column);
            let pad = GAP + width(column) - cell.width();
            line += &(" ".repeat(pad) + &cell);
        }
        line.trim_end().to_owned()
    };
    let heads = line("", &|column| column.head.to_owned());
    let mut out = paint(&heads, BOLD, style) + "\n";
    for name in &names.lines {
        out += &match name {
            Name::Head(method) => line(method, &|_| String::new()),
            Name::Way(way, row) => line(way, &|column| column.cells[*row].clone()),
        };
        out += "\n";
    }
    out
}
