//! What was verified: the gallery against its expectations, as a table and as JSON.

use serde::Serialize;

use super::sentences::plural;
use super::style::{BOLD, GREEN, RED, Style, paint, printable, wrapped};

/// What stands for a variant that an engine cannot run.
const NOT_RUN: &str = "-";

/// What stands behind a verdict that was not expected.
const UNEXPECTED: &str = " !";

/// A variant under an engine.
#[derive(Clone, Debug, Serialize)]
pub struct VerifiedRow {
    /// The full name of the variant, as `counter/mutex`.
    pub exhibit: String,
    /// The name of the engine.
    pub engine: &'static str,
    /// The verdict that is expected, or `any`. `None` if the engine cannot run the variant.
    pub expected: Option<&'static str>,
    /// The verdict. `None` if the engine cannot run the variant.
    pub verdict: Option<&'static str>,
    /// The executions that came to an end.
    pub executions: u64,
    /// Whether everything was explored.
    pub complete: bool,
    /// Whether it is as expected. So it is if the engine cannot run the variant: the gallery
    /// says so.
    pub as_expected: bool,
    /// Why the engine cannot run the variant, why the verdict is inconclusive, or what failed
    /// although it should not.
    pub reason: Option<String>,
}

/// Renders rows: a table for each exhibit with a line per variant and a column per engine, and what
/// is not as expected.
pub fn text(rows: &[VerifiedRow], style: &Style) -> String {
    let columns = Columns::new(rows, style);
    let mut out = String::new();
    let mut rest = rows;
    while let Some(first) = rest.first() {
        let name = exhibit_of(first);
        let count = rest.iter().take_while(|row| exhibit_of(row) == name);
        let (exhibit, others) = rest.split_at(count.count());
        out += &columns.table(name, exhibit, style);
        out += "\n";
        rest = others;
    }
    let unexpected = rows.iter().filter(|row| !row.as_expected);
    out += &listed("not as expected", unexpected, style);
    let not_run = rows.iter().filter(|row| row.verdict.is_none());
    out += &listed("not run", not_run, style);
    out + &summary(rows, style)
}

fn exhibit_of(row: &VerifiedRow) -> &str {
    row.exhibit.split('/').next().unwrap_or_default()
}

fn variant_of(row: &VerifiedRow) -> &str {
    row.exhibit.split('/').nth(1).unwrap_or_default()
}

fn cell(row: &VerifiedRow) -> String {
    let verdict = row.verdict.unwrap_or(NOT_RUN);
    let mark = if row.as_expected { "" } else { UNEXPECTED };
    format!("{verdict}{mark}")
}

/// The columns of all tables: they stand below each other.
struct Columns<'a> {
    engines: Vec<&'a str>,
    /// That of the names, which variants are indented in.
    name: usize,
    /// That of each engine.
    engine: usize,
    /// What is left free before the column of an engine.
    gap: usize,
}

impl<'a> Columns<'a> {
    fn new(rows: &'a [VerifiedRow], style: &Style) -> Self {
        let mut engines: Vec<&str> = Vec::new();
        for row in rows {
            if !engines.contains(&row.engine) {
                engines.push(row.engine);
            }
        }
        let names = rows
            .iter()
            .map(|row| exhibit_of(row).len().max(2 + variant_of(row).len()));
        let name = names.max().unwrap_or(0);
        let cells = rows.iter().map(|row| cell(row).len().max(row.engine.len()));
        let cell = cells.max().unwrap_or(0);
        // As wide a gap as there is room for.
        let fits = |gap: &usize| name + engines.len() * (cell + gap) <= style.width;
        let gap = [3, 2].into_iter().find(fits).unwrap_or(1);
        Columns {
            engines,
            name,
            engine: cell,
            gap,
        }
    }

    fn table(&self, name: &str, rows: &[VerifiedRow], style: &Style) -> String {
        let head = self.line(name, self.engines.iter().map(|engine| (*engine).to_owned()));
        let mut out = paint(&head, BOLD, style) + "\n";
        let mut rest = rows;
        while let Some(first) = rest.first() {
            let count = rest.iter().take_while(|row| row.exhibit == first.exhibit);
            let (variant, others) = rest.split_at(count.count());
            let cells = self.engines.iter().map(|engine| {
                let row = variant.iter().find(|row| row.engine == *engine);
                row.map(cell).unwrap_or_default()
            });
            let line = self.line(&format!("  {}", variant_of(first)), cells);
            out += &if variant.iter().all(|row| row.as_expected) {
                line
            } else {
                paint(&line, RED, style)
            };
            out += "\n";
            rest = others;
        }
        out
    }

    fn line(&self, name: &str, cells: impl Iterator<Item = String>) -> String {
        let mut line = format!("{name:0$}", self.name);
        for cell in cells {
            line += &" ".repeat(self.gap);
            line += &format!("{cell:0$}", self.engine);
        }
        line.truncate(line.trim_end().len());
        line
    }
}

fn listed<'a>(head: &str, rows: impl Iterator<Item = &'a VerifiedRow>, style: &Style) -> String {
    let mut out = String::new();
    for row in rows {
        let mut text = format!("{} under {}: ", row.exhibit, row.engine);
        if let (Some(verdict), Some(expected)) = (row.verdict, row.expected) {
            text += &if verdict == expected {
                format!("{verdict}, and not by its bound")
            } else {
                format!("{verdict}, but {expected} was expected")
            };
            if row.reason.is_some() {
                text += "; ";
            }
        }
        text += row.reason.as_deref().unwrap_or_default();
        out += &wrapped(&printable(&text), "  ", "    ", style);
    }
    match out.as_str() {
        "" => out,
        _ => format!("{head}\n{out}\n"),
    }
}

fn summary(rows: &[VerifiedRow], style: &Style) -> String {
    let count = |is: fn(&VerifiedRow) -> bool| rows.iter().filter(|row| is(row)).count() as u64;
    let run = count(|row| row.verdict.is_some());
    let unexpected = count(|row| !row.as_expected);
    let not_run = count(|row| row.verdict.is_none());
    let (result, color) = match unexpected {
        0 => ("all as expected".to_owned(), GREEN),
        _ => (format!("{unexpected} not as expected"), RED),
    };
    let mut line = format!(
        "{}, {}",
        plural(run, "verdict"),
        paint(&result, &format!("{BOLD}{color}"), style)
    );
    if not_run > 0 {
        line += &format!("; {not_run} not run");
    }
    line + "\n"
}
