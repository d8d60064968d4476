//! The layout of the table of a trace: a column for each thread, or a list where they do not fit.

use anstyle::{AnsiColor, Style as Ansi};
use unicode_width::UnicodeWidthStr;

use crate::trace::Trace;

use super::rows::Row;
use super::text::Style;

/// What is left free between two columns, if there is room, and if there is little.
const GAPS: [usize; 2] = [3, 2];

/// The width of the column of step numbers.
const STEP_WIDTH: usize = 4;

/// Lays rows out, within the width of the style if that is possible.
pub(super) fn table(trace: &Trace, rows: &[Row], style: &Style) -> String {
    let names: Vec<String> = (0..)
        .take(trace.threads.len())
        .map(|id| trace.thread_name(crate::trace::ThreadId(id)))
        .collect();
    let columns = columns(&names, rows);
    let fits = |gap: &usize| {
        let widest = rows.iter().map(|row| line_width(row, &columns, *gap)).max();
        widest.unwrap_or(0) <= style.width
    };
    match GAPS.into_iter().find(fits) {
        Some(gap) => in_columns(&names, rows, &columns, gap, style),
        None => as_list(&names, rows, style),
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

fn line_width(row: &Row, columns: &[usize], gap: usize) -> usize {
    let start =
        |thread: usize| -> usize { columns[..thread].iter().map(|width| width + gap).sum() };
    let indent = 2 + STEP_WIDTH + gap;
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

fn in_columns(
    names: &[String],
    rows: &[Row],
    columns: &[usize],
    gap: usize,
    style: &Style,
) -> String {
    let heads = names.iter().cloned().enumerate().collect();
    let head = Row {
        step: "step".to_owned(),
        cells: heads,
        note: String::new(),
    };
    let mut lines = vec![paint(&line(&head, columns, gap), Ansi::new().bold(), style)];
    lines.extend(rows.iter().map(|row| {
        let line = line(row, columns, gap);
        if row.step == style.cross() {
            paint(&line, red(), style)
        } else {
            line
        }
    }));
    lines.join("\n") + "\n"
}

fn line(row: &Row, columns: &[usize], gap: usize) -> String {
    let mut line = format!("  {:>STEP_WIDTH$}", row.step);
    let cell = |thread: usize| row.cells.iter().find(|(other, _)| *other == thread);
    for (thread, width) in columns.iter().enumerate() {
        let text = cell(thread).map_or("", |(_, text)| text.as_str());
        line += &" ".repeat(gap);
        line += text;
        line += &" ".repeat(width.saturating_sub(text.width()));
    }
    if !row.note.is_empty() {
        line += &" ".repeat(gap);
        line += &row.note;
    }
    line.truncate(line.trim_end().len());
    line
}

/// One event a line, with the name of its thread.
fn as_list(names: &[String], rows: &[Row], style: &Style) -> String {
    let widest_name = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let name_width = widest_name.max("thread".len());
    let events = rows.iter().filter(|row| !is_last(row));
    let texts = events.flat_map(|row| row.cells.iter().map(|(_, text)| text.width()));
    let text_width = texts.max().unwrap_or(0);
    let line = |step: &str, name: &str, text: &str, note: &str| {
        let name_pad = " ".repeat(name_width.saturating_sub(name.width()));
        let text_pad = " ".repeat(text_width.saturating_sub(text.width()));
        let line = format!("  {step:>STEP_WIDTH$}   {name}{name_pad}   {text}{text_pad}   {note}");
        line.trim_end().to_owned()
    };
    let mut lines = vec![paint(
        &line("step", "thread", "", ""),
        Ansi::new().bold(),
        style,
    )];
    for row in rows {
        for (thread, text) in &row.cells {
            let line = line(&row.step, &names[*thread], text, &row.note);
            let ends = row.step == style.cross();
            lines.push(if ends {
                paint(&line, red(), style)
            } else {
                line
            });
        }
    }
    lines.join("\n") + "\n"
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
