//! The layout of the table of a trace: a column for each thread, or a list where they do not fit.

use unicode_width::UnicodeWidthStr;

use crate::trace::Trace;

use super::rows::TraceRow;
use super::style::{BOLD, RED, Style, paint, printable};

/// What is left free between two columns, if there is room, and if there is little.
const GAPS: [usize; 2] = [3, 2];

/// The least width of the column of step numbers: that of its head.
const STEP_WIDTH: usize = 4;

/// Lays rows out, within the width of the style if that is possible.
pub(super) fn table(trace: &Trace, rows: &[TraceRow], style: &Style) -> String {
    let names: Vec<String> = (0..)
        .take(trace.threads.len())
        .map(|id| printable(&trace.thread_name(crate::trace::ThreadId(id))))
        .collect();
    let columns = Columns::new(&names, rows);
    let fitting = GAPS.into_iter().find_map(|gap| {
        let is_wide = |row: &TraceRow| columns.line_width(row, gap) > style.width;
        let fit = |row: &TraceRow| match row.cells.as_slice() {
            [(thread, text)] if is_remark(row) && is_wide(row) => moved(row, &names[*thread], text),
            _ => row.clone(),
        };
        let rows: Vec<TraceRow> = rows.iter().map(fit).collect();
        (!rows.iter().any(is_wide)).then_some((rows, gap))
    });
    match fitting {
        Some((rows, gap)) => in_columns(&names, &rows, &columns, gap, style),
        None => as_list(&names, rows, columns.step, style),
    }
}

/// A remark that is too long for where its column begins: in the first column, with the name of its
/// thread.
fn moved(row: &TraceRow, name: &str, text: &str) -> TraceRow {
    TraceRow {
        cells: vec![(0, format!("{name}: {text}"))],
        ..row.clone()
    }
}

/// How wide the columns are.
struct Columns {
    /// That of the step numbers, which is wider where rows are merged: `101–1099`.
    step: usize,
    threads: Vec<usize>,
}

impl Columns {
    fn new(names: &[String], rows: &[TraceRow]) -> Self {
        let mut threads: Vec<usize> = names.iter().map(|name| name.width()).collect();
        for row in rows.iter().filter(|row| !is_remark(row)) {
            for (thread, text) in &row.cells {
                threads[*thread] = threads[*thread].max(text.width());
            }
        }
        let steps = rows.iter().map(|row| row.step.width());
        let step = steps.max().unwrap_or(0).max(STEP_WIDTH);
        Columns { step, threads }
    }

    /// How wide a line becomes.
    fn line_width(&self, row: &TraceRow, gap: usize) -> usize {
        let start = |thread: usize| -> usize {
            let before = self.threads[..thread].iter();
            before.map(|width| width + gap).sum()
        };
        let indent = 2 + self.step + gap;
        let cells = row.cells.iter();
        let cells = cells.map(|(thread, text)| start(*thread) + text.width());
        match row.note.as_str() {
            "" => indent + cells.max().unwrap_or(0),
            note => indent + start(self.threads.len()) + note.width(),
        }
    }
}

/// A text to the right end of a column.
fn right(text: &str, width: usize) -> String {
    " ".repeat(width.saturating_sub(text.width())) + text
}

/// A row with a sign for its step is a remark, which may run over the columns to its right.
fn is_remark(row: &TraceRow) -> bool {
    let is_sign = |c: char| !c.is_ascii_digit();
    row.step.starts_with(is_sign) && row.cells.len() == 1
}

fn in_columns(
    names: &[String],
    rows: &[TraceRow],
    columns: &Columns,
    gap: usize,
    style: &Style,
) -> String {
    let heads = names.iter().cloned().enumerate().collect();
    let head = TraceRow {
        step: "step".to_owned(),
        cells: heads,
        note: String::new(),
    };
    let mut lines = vec![paint(&line(&head, columns, gap), BOLD, style)];
    lines.extend(rows.iter().map(|row| {
        let line = line(row, columns, gap);
        if row.step == style.cross() {
            paint(&line, RED, style)
        } else {
            line
        }
    }));
    lines.join("\n") + "\n"
}

fn line(row: &TraceRow, columns: &Columns, gap: usize) -> String {
    let mut line = format!("  {}", right(&row.step, columns.step));
    let cell = |thread: usize| row.cells.iter().find(|(other, _)| *other == thread);
    for (thread, width) in columns.threads.iter().enumerate() {
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
fn as_list(names: &[String], rows: &[TraceRow], step_width: usize, style: &Style) -> String {
    let widest_name = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let name_width = widest_name.max("thread".len());
    let events = rows.iter().filter(|row| !is_remark(row));
    let texts = events.flat_map(|row| row.cells.iter().map(|(_, text)| text.width()));
    let text_width = texts.max().unwrap_or(0);
    let line = |step: &str, name: &str, text: &str, note: &str| {
        let name_pad = " ".repeat(name_width.saturating_sub(name.width()));
        let text_pad = " ".repeat(text_width.saturating_sub(text.width()));
        let step = right(step, step_width);
        let line = format!("  {step}   {name}{name_pad}   {text}{text_pad}   {note}");
        line.trim_end().to_owned()
    };
    let mut lines = vec![paint(&line("step", "thread", "", ""), BOLD, style)];
    for row in rows {
        for (thread, text) in &row.cells {
            let line = line(&row.step, &names[*thread], text, &row.note);
            let ends = row.step == style.cross();
            lines.push(if ends { paint(&line, RED, style) } else { line });
        }
    }
    lines.join("\n") + "\n"
}
