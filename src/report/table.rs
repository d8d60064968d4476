//! The layout of the table of a trace: a column for each thread, or a list where they do not fit.

use anstyle::{AnsiColor, Style as Ansi};
use unicode_width::UnicodeWidthStr;

use crate::trace::Trace;

use super::rows::Row;
use super::text::Style;

/// What is left free between two columns.
const GAP: usize = 3;

/// The width of the column of step numbers.
const STEP_WIDTH: usize = 4;

/// Lays rows out, within the width of the style if that is possible.
pub(super) fn table(trace: &Trace, rows: &[Row], style: &Style) -> String {
    let names: Vec<String> = (0..)
        .take(trace.threads.len())
        .map(|id| trace.thread_name(crate::trace::ThreadId(id)))
        .collect();
    let columns = columns(&names, rows);
    let widest = rows
        .iter()
        .map(|row| line_width(row, &columns))
        .max()
        .unwrap_or(0);
    if widest <= style.width {
        in_columns(&names, rows, &columns, style)
    } else {
        as_list(&names, rows, style)
    }
}

/// The width of each thread's column.
fn columns(names: &[String], rows: &[Row]) -> Vec<usize> {
    let mut widths: Vec<usize> = names.iter().map(|name| name.width()).collect();
    for row in rows.iter().filter(|row| !is_last(row)) {
        for (thread, text) in &row.cells {
            widths[*thread] = widths[*thread].max(text.width());
        }
    }
    widths
}

/// The last row may run over the columns to its right, since nothing follows it.
fn is_last(row: &Row) -> bool {
    row.step.parse::<u32>().is_err() && row.cells.len() == 1 && !row.step.is_empty()
}

fn line_width(row: &Row, columns: &[usize]) -> usize {
    let start =
        |thread: usize| -> usize { columns[..thread].iter().map(|width| width + GAP).sum() };
    let indent = 2 + STEP_WIDTH + GAP;
    let cells = row
        .cells
        .iter()
        .map(|(thread, text)| start(*thread) + text.width())
        .max()
        .unwrap_or(0);
    match row.note.as_str() {
        "" => indent + cells,
        note => indent + start(columns.len()) + note.width(),
    }
}

fn in_columns(names: &[String], rows: &[Row], columns: &[usize], style: &Style) -> String {
    let heads = names.iter().cloned().enumerate().collect();
    let head = Row {
        step: "step".to_owned(),
        cells: heads,
        note: String::new(),
    };
    let mut lines = vec![paint(&line(&head, columns), Ansi::new().bold(), style)];
    lines.extend(rows.iter().map(|row| {
        let line = line(row, columns);
        if row.step == style.cross() {
            paint(&line, red(), style)
        } else {
            line
        }
    }));
    lines.join("\n") + "\n"
}

fn line(row: &Row, columns: &[usize]) -> String {
    let mut line = format!("  {:>STEP_WIDTH$}", row.step);
    let cell = |thread: usize| row.cells.iter().find(|(other, _)| *other == thread);
    for (thread, width) in columns.iter().enumerate() {
        let text = cell(thread).map_or("", |(_, text)| text.as_str());
        line += &" ".repeat(GAP);
        line += text;
        line += &" ".repeat(width.saturating_sub(text.width()));
    }
    if !row.note.is_empty() {
        line += &" ".repeat(GAP);
        line += &row.note;
    }
    line.truncate(line.trim_end().len());
    line
}

/// One event a line, with the name of its thread.
fn as_list(names: &[String], rows: &[Row], style: &Style) -> String {
    let name_width = names
        .iter()
        .map(|name| name.width())
        .max()
        .unwrap_or(0)
        .max("thread".len());
    let texts = rows
        .iter()
        .flat_map(|row| row.cells.iter().map(|(_, text)| text.width()));
    let text_width = texts.max().unwrap_or(0);
    let mut lines = Vec::new();
    let mut push = |step: &str, name: &str, text: &str, note: &str| {
        let name_pad = " ".repeat(name_width.saturating_sub(name.width()));
        let text_pad = " ".repeat(text_width.saturating_sub(text.width()));
        let line = format!("  {step:>STEP_WIDTH$}   {name}{name_pad}   {text}{text_pad}   {note}");
        lines.push(line.trim_end().to_owned());
    };
    push("step", "thread", "", "");
    for row in rows {
        for (thread, text) in &row.cells {
            push(&row.step, &names[*thread], text, &row.note);
        }
    }
    let painted = lines.iter().enumerate().map(|(index, line)| {
        let is_end = line.trim_start().starts_with(style.cross());
        match index {
            0 => paint(line, Ansi::new().bold(), style),
            _ if is_end => paint(line, red(), style),
            _ => line.clone(),
        }
    });
    painted.collect::<Vec<_>>().join("\n") + "\n"
}

/// Colours a text if the style asks for colours.
pub(super) fn paint(text: &str, ansi: Ansi, style: &Style) -> String {
    if style.color {
        format!("{ansi}{text}{ansi:#}")
    } else {
        text.to_owned()
    }
}

pub(super) fn red() -> Ansi {
    AnsiColor::Red.on_default()
}
