//! A trace as rows of a table: what is in them, before they are laid out.

use crate::trace::{Event, EventResult, ObjectInfo, Operation, Trace, Value};
use crate::verdict::Failure;

use super::style::{Style, printable};

/// The longest block of rows that is looked for when repeated rows are merged.
const LONGEST_BLOCK: usize = 8;

/// How often a block must come in a row to be merged.
const REPEATS: usize = 3;

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TraceRow {
    /// The number of the step, or a sign.
    pub(super) step: String,
    /// What is in the columns of the threads.
    pub(super) cells: Vec<(usize, String)>,
    /// A remark to the right of all columns.
    pub(super) note: String,
}

/// The rows of a trace, and of how it ends.
pub(super) fn rows(trace: &Trace, failure: Option<&Failure>, style: &Style) -> Vec<TraceRow> {
    let remarks = failure.map_or(&[][..], |failure| &failure.notes);
    let events = trace
        .events
        .iter()
        .enumerate()
        .map(|(index, event)| TraceRow {
            step: event.step.map(|step| step.to_string()).unwrap_or_default(),
            cells: vec![(event.thread.index(), cell(trace, event, style))],
            note: note(event, index, remarks, style),
        });
    let mut rows = merge_repeats(&events.collect::<Vec<_>>(), style);
    rows.extend(failure.map(|failure| last_row(trace, failure, style)));
    rows
}

/// How wide the names of operations are made, so that what follows them is aligned.
pub(super) fn operation_width(trace: &Trace) -> usize {
    // Long names are rare, and to make room for them would push everything else aside.
    let lengths = trace
        .events
        .iter()
        .map(|event| event.operation.name().len());
    lengths.filter(|&length| length <= 6).max().unwrap_or(0)
}

/// What an event is in the column of its thread.
fn cell(trace: &Trace, event: &Event, style: &Style) -> String {
    if let Some(text) = of_task(trace, event) {
        return text;
    }
    let object = event
        .object
        .map(|object| printable(&trace.object_name(object)));
    let target = event
        .target
        .map(|target| printable(&trace.thread_name(target)));
    let mut text = event.operation.name().to_owned();
    if let Some(name) = object.as_ref().or(target.as_ref()) {
        let width = operation_width(trace);
        text = format!("{text:width$} {name}");
    }
    let arrow = |arrow, value: Option<Value>| {
        value
            .map(|value| format!(" {arrow} {value}"))
            .unwrap_or_default()
    };
    let (reads, writes) = style.arrows();
    text += &arrow(reads, event.read);
    text += &stale(trace, event);
    text += &arrow(writes, event.written);
    text += match event.result {
        Some(EventResult::Failed) => ", failed",
        Some(EventResult::FailedSpuriously) => ", failed spuriously",
        Some(EventResult::Disconnected) => ", disconnected",
        Some(EventResult::Pending) => ", pending",
        // Of a wait that has two rows, where it ends.
        Some(EventResult::Spurious) if event.operation != Operation::Wait => ", spuriously",
        Some(EventResult::Succeeded | EventResult::Spurious | EventResult::Waits) | None => "",
    };
    if let (Some(EventResult::Waits), Some(target)) = (event.result, &target) {
        text += &format!(", waits behind {target}");
    }
    if let (Operation::NotifyOne, Some(target)) = (event.operation, target) {
        text += &format!(", wakes {target}");
    }
    text
}

/// What an event of a task is in the words of those who write tasks. `None` for all others.
fn of_task(trace: &Trace, event: &Event) -> Option<String> {
    let Some(object) = event.object else {
        let branch = event.read.filter(|_| event.operation == Operation::Poll)?;
        return Some(format!("select branch {branch} first"));
    };
    let info = trace.objects.get(object.index())?;
    if info.kind != ObjectInfo::TASK {
        return None;
    }
    let task = printable(&trace.object_name(object));
    let is_pending = event.result == Some(EventResult::Pending);
    let has_failed = event.result == Some(EventResult::Failed);
    let width = operation_width(trace);
    let text = match event.operation {
        Operation::Poll => "poll".to_owned(),
        Operation::Timeout if is_pending => "timer is not over".to_owned(),
        Operation::Timeout => "timer is over".to_owned(),
        Operation::Join if is_pending => format!("{:width$} {task}, pending", "await"),
        Operation::Join => format!("{:width$} {task}", "await"),
        Operation::Send if has_failed => "finish without a result".to_owned(),
        Operation::Send => "finish".to_owned(),
        Operation::Abort if has_failed => format!("{:width$} {task}, which is done", "abort"),
        _ => return None,
    };
    Some(text)
}

/// What the newest value would have been, for a read of another one.
fn stale(trace: &Trace, event: &Event) -> String {
    let newest = event
        .stale
        .and_then(|index| trace.events.get(index as usize));
    let Some(newest) = newest else {
        return String::new();
    };
    let value = newest
        .written
        .map(|value| value.to_string())
        .unwrap_or_default();
    match newest.step {
        Some(step) => format!("   (stale: step {step} stored {value})"),
        None => format!("   (stale: {value} was stored)"),
    }
}

fn note(event: &Event, index: usize, remarks: &[(usize, String)], style: &Style) -> String {
    let mut notes: Vec<String> = Vec::new();
    if style.detail {
        let ordering = event.ordering.map(|ordering| format!("{ordering:?}"));
        notes.push(format!("{:7}", ordering.unwrap_or_default()));
        notes.push(format!("{}:{}", event.at.file(), event.at.line()));
    }
    let remarks = remarks.iter().filter(|(event, _)| *event == index);
    notes.extend(remarks.map(|(_, remark)| printable(remark)));
    notes.join("  ")
}

/// The row that says how it ended.
fn last_row(trace: &Trace, failure: &Failure, style: &Style) -> TraceRow {
    let cells = match failure.thread {
        Some(thread) => {
            let at = failure.at.as_deref().unwrap_or("an unknown place");
            let what = match failure.race {
                Some(race) => {
                    let name = trace.object_name(race.object);
                    format!("{} {name}, races", race.second.operation)
                }
                None if failure.message.starts_with("assertion") => "assertion failed".to_owned(),
                None => "panicked".to_owned(),
            };
            vec![(thread.index(), format!("{what} at {at}"))]
        }
        None => {
            let blocked = failure.blocked.iter().map(|blocked| {
                let object = blocked.object.map(|object| trace.object_name(object));
                let target = || blocked.target.map(|target| trace.thread_name(target));
                let name = object.or_else(target).unwrap_or_default();
                let text = format!("{} {name}", blocked.operation);
                (
                    blocked.thread.index(),
                    format!("{} {}", printable(text.trim_end()), style.ellipsis()),
                )
            });
            blocked.collect()
        }
    };
    TraceRow {
        step: style.cross().to_owned(),
        cells,
        note: String::new(),
    }
}

/// Merges rows that repeat those before them, as a spinning thread makes them.
fn merge_repeats(rows: &[TraceRow], style: &Style) -> Vec<TraceRow> {
    let mut merged = Vec::with_capacity(rows.len());
    let mut start = 0;
    while start < rows.len() {
        let block = (1..=LONGEST_BLOCK).find(|&length| repeats(&rows[start..], length) >= REPEATS);
        let Some(length) = block else {
            merged.push(rows[start].clone());
            start += 1;
            continue;
        };
        let times = repeats(&rows[start..], length);
        let end = start + length * times;
        // Not every row is a step, and the first and the last may be none.
        let mut steps = rows[start..end].iter().map(|row| row.step.as_str());
        let first = steps.find(|step| !step.is_empty()).unwrap_or_default();
        let last = steps.rfind(|step| !step.is_empty());
        if length == 1 {
            let step = match last {
                Some(last) => format!("{first}{}{last}", style.dash()),
                None => first.to_owned(),
            };
            let (thread, text) = &rows[start].cells[0];
            let cells = vec![(*thread, format!("{text}  ({times} times)"))];
            merged.push(TraceRow {
                step,
                cells,
                note: rows[start].note.clone(),
            });
        } else {
            merged.extend_from_slice(&rows[start..start + length]);
            let thread = rows[start].cells[0].0;
            let mut text = format!("these {length} again, {} times", times - 1);
            if let Some(last) = last {
                text += &format!(", up to step {last}");
            }
            merged.push(TraceRow {
                step: style.ellipsis().to_owned(),
                cells: vec![(thread, text)],
                note: String::new(),
            });
        }
        start = end;
    }
    merged
}

/// How often the first `length` rows come one after another.
fn repeats(rows: &[TraceRow], length: usize) -> usize {
    let same = |a: &TraceRow, b: &TraceRow| a.cells == b.cells && a.note == b.note;
    let blocks = rows.chunks_exact(length);
    let Some(first) = blocks.clone().next() else {
        return 0;
    };
    blocks
        .take_while(|block| block.iter().zip(first).all(|(a, b)| same(a, b)))
        .count()
}
