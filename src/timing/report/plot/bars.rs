//! All ways beside each other: a bar for the median, whiskers from the quickest run to the slowest,
//! and a mark for the ideal.

use crate::report::Style;

use super::super::units::{range, seconds, times};
use super::axis::Axis;
use super::canvas::{Anchor, Canvas, cut};
use super::figure::{Figure, WIDTH, label_width, marks_below};
use crate::timing::{TimedWay, Timing};

/// From one bar to the next.
const PITCH: f64 = 28.0;

/// How high a bar is.
const BAR: f64 = 16.0;

/// What is kept free on the right for the figures.
const FIGURES: f64 = 150.0;

/// The comparison of all ways. `None` if there is none.
pub(super) fn bars(timing: &Timing) -> Option<Figure> {
    if timing.rows.is_empty() {
        return None;
    }
    let style = Style::default();
    let labels: Vec<String> = timing.rows.iter().map(TimedWay::label).collect();
    let (left, characters) = label_width(&labels);
    let reach = |row: &TimedWay| {
        row.max()
            .max(row.seconds)
            .max(row.ideal_seconds.unwrap_or(0.0))
    };
    let axis = Axis::up_to(timing.rows.iter().map(reach), WIDTH - left - FIGURES);
    let bottom = PITCH * as_length(timing.rows.len());
    let mut canvas = Canvas::default();
    let mut height = marks_below(&mut canvas, axis, [left, bottom], bottom);
    for (place, (row, label)) in timing.rows.iter().zip(&labels).enumerate() {
        let top = PITCH * as_length(place);
        let middle = top + PITCH / 2.0;
        canvas.titled(&described(row, &style), |canvas| {
            canvas.text(
                "label",
                Anchor::End,
                [left - 10.0, middle + 4.0],
                &cut(label, characters),
            );
            canvas.rect(
                "bar",
                [left, middle - BAR / 2.0],
                [axis.at(row.seconds), BAR],
            );
            if row.runs.len() > 1 {
                whiskers(
                    canvas,
                    [left + axis.at(row.min()), left + axis.at(row.max())],
                    middle,
                );
            }
            if let Some(ideal) = row.ideal_seconds {
                let x = left + axis.at(ideal);
                let reach = BAR / 2.0 + 4.0;
                canvas.line("ideal", [x, middle - reach], [x, middle + reach]);
            }
            let mut figures = seconds(row.seconds, &style);
            if let Some(speedup) = row.speedup {
                figures += &format!("  ({}×)", times(speedup));
            }
            let x = left + axis.at(reach(row)) + 10.0;
            canvas.text("figures", Anchor::Start, [x, middle + 4.0], &figures);
        });
    }
    height += 4.0;
    Some(Figure {
        title: "Time of each way".to_owned(),
        caption: caption(timing),
        height,
        elements: canvas.into_elements(),
    })
}

fn whiskers(canvas: &mut Canvas, [from, to]: [f64; 2], middle: f64) {
    canvas.line("whisker", [from, middle], [to, middle]);
    for x in [from, to] {
        canvas.line("whisker", [x, middle - 4.0], [x, middle + 4.0]);
    }
}

/// What a pointer over a bar shows.
fn described(row: &TimedWay, style: &Style) -> String {
    let mut text = format!("{}: {}", row.label(), seconds(row.seconds, style));
    if row.runs.len() > 1 {
        text += &format!(", from run to run {}", range(row.min(), row.max(), style));
    }
    if let Some(ideal) = row.ideal_seconds {
        text += &format!(", ideal {}", seconds(ideal, style));
    }
    text
}

fn caption(timing: &Timing) -> String {
    let mut text = "Bars are medians; shorter is faster.".to_owned();
    if timing.rows.iter().any(|row| row.runs.len() > 1) {
        text += " Whiskers go from the quickest run to the slowest.";
    }
    if timing.rows.iter().any(|row| row.ideal_seconds.is_some()) {
        text += " The dashed mark is the ideal: no time lost, with these waits, workers and cores.";
    }
    if timing.rows.iter().any(|row| row.speedup.is_some()) {
        text += " In brackets: the speed-up against sync.";
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "there are few rows")]
fn as_length(count: usize) -> f64 {
    count as f64
}
