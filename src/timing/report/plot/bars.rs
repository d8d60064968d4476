//! All ways beside each other: a bar for each, whiskers from the least of its runs to the most, and
//! a mark for the ideal.

use crate::report::Style;

use super::super::units::{count, range, seconds, times};
use super::axis::{Axis, Scale};
use super::canvas::{Anchor, Canvas, cut};
use super::figure::{Figure, Layout, Part, break_at, marks_below, text_width};
use crate::timing::{TimedWay, Timing};

/// How high a bar is.
const BAR: f64 = 16.0;

/// From one bar to the next.
const PITCH: f64 = 28.0;

/// How high the label of a bar is if it is above.
const LABEL: f64 = 16.0;

/// What is shown of a way.
struct Bar {
    label: String,
    value: f64,
    /// The least and the most of the runs, if there are several.
    range: Option<[f64; 2]>,
    ideal: Option<f64>,
    /// What stands beside the bar.
    figures: String,
    /// What a pointer over the bar shows.
    described: String,
}

/// The comparison of all ways: one chart of the times, and for messages one of how many there are in
/// a second and one of how long each is on its way.
pub(super) fn bars(timing: &Timing, layout: Layout) -> Vec<Figure> {
    let rates = throughputs(timing);
    let delays = latencies(timing);
    let times = times_of(timing);
    let charts = [
        (
            "Messages in a second",
            "Bars are of the run whose time is the median; longer is better.".to_owned(),
            Scale::Count,
            rates,
        ),
        (
            "Time of a message on its way",
            "Half of the time of a message and its answer, one after another, in the run whose \
             time is the median; shorter is better."
                .to_owned(),
            Scale::Seconds,
            delays,
        ),
        (
            "Time of each way",
            "Bars are medians; shorter is faster.".to_owned(),
            Scale::Seconds,
            times,
        ),
    ];
    let figures = charts.into_iter().filter(|(.., bars)| !bars.is_empty());
    figures
        .map(|(title, caption, scale, bars)| chart(title, caption, scale, &bars, layout))
        .collect()
}

fn times_of(timing: &Timing) -> Vec<Bar> {
    let style = Style::default();
    let bar = |row: &TimedWay| {
        let mut figures = seconds(row.seconds, &style);
        if let Some(speedup) = row.speedup {
            figures += &format!("  ({}×)", times(speedup));
        }
        Bar {
            label: row.label(),
            value: row.seconds,
            range: (row.runs.len() > 1).then(|| [row.min(), row.max()]),
            ideal: row.ideal_seconds,
            figures,
            described: described(row, &style),
        }
    };
    timing.rows.iter().map(bar).collect()
}

fn throughputs(timing: &Timing) -> Vec<Bar> {
    let bars = timing.rows.iter().filter_map(|row| {
        let rate = row.messages_per_second?;
        let figures = count(rate);
        Some(Bar {
            label: row.label(),
            value: rate,
            range: ends(&row.messages_per_second_of_runs),
            ideal: None,
            described: format!("{}: {figures} messages in a second", row.label()),
            figures,
        })
    });
    bars.collect()
}

fn latencies(timing: &Timing) -> Vec<Bar> {
    let bars = timing.rows.iter().filter_map(|row| {
        let latency = row.latency_seconds?;
        let figures = seconds(latency, &Style::default());
        Some(Bar {
            label: row.label(),
            value: latency,
            range: ends(&row.latency_seconds_of_runs),
            ideal: None,
            described: format!("{}: a message takes {figures}", row.label()),
            figures,
        })
    });
    bars.collect()
}

/// The least and the most, if there are several.
fn ends(runs: &[f64]) -> Option<[f64; 2]> {
    let least = runs.iter().copied().fold(f64::INFINITY, f64::min);
    let most = runs.iter().copied().fold(0.0, f64::max);
    (runs.len() > 1).then_some([least, most])
}

fn chart(title: &str, caption: String, scale: Scale, bars: &[Bar], layout: Layout) -> Figure {
    let labels: Vec<String> = bars.iter().map(|bar| bar.label.clone()).collect();
    let (left, characters, label) = if layout.is_narrow {
        (layout.indent, layout.characters(1.0), LABEL)
    } else {
        let (left, characters) = layout.label_width(&labels);
        (left, characters, 0.0)
    };
    let figures = bars.iter().map(|bar| text_width(&bar.figures));
    let figures = figures.fold(40.0, f64::max) + 14.0;
    let axis = Axis::broken(bars.iter().map(reach), layout.width - left - figures);
    let mut canvas = Canvas::default();
    let pitch = PITCH + label;
    let bottom = pitch * as_length(bars.len());
    let height = marks_below(&mut canvas, axis, scale, [left, bottom], bottom);
    for (place, bar) in bars.iter().enumerate() {
        let top = pitch * as_length(place);
        let middle = top + label + PITCH / 2.0;
        canvas.titled(&bar.described, |canvas| {
            let text = cut(&bar.label, characters);
            if layout.is_narrow {
                canvas.text("label", Anchor::Start, [left, top + 13.0], &text);
            } else {
                let at = [left - 10.0, middle + 4.0];
                canvas.text("label", Anchor::End, at, &text);
            }
            draw(canvas, bar, axis, [left, middle]);
        });
    }
    Figure {
        title: title.to_owned(),
        caption: caption + &signs(bars, axis),
        parts: vec![Part {
            fold: None,
            height: height + 4.0,
            elements: canvas.into_elements(),
        }],
    }
}

/// The most that is shown of a way.
fn reach(bar: &Bar) -> f64 {
    let [_, most] = bar.range.unwrap_or_default();
    bar.value.max(most).max(bar.ideal.unwrap_or(0.0))
}

/// Draws a bar with what belongs to it, from the middle of its left end on.
fn draw(canvas: &mut Canvas, bar: &Bar, axis: Axis, [left, middle]: [f64; 2]) {
    let top = middle - BAR / 2.0;
    canvas.rect("bar", [left, top], [axis.at(bar.value), BAR]);
    let is_beyond = axis.is_beyond(reach(bar));
    if let Some(range) = bar.range.filter(|_| !is_beyond) {
        let [from, to] = range.map(|end| left + axis.at(end));
        canvas.line("whisker", [from, middle], [to, middle]);
        for x in [from, to] {
            canvas.line("whisker", [x, middle - 4.0], [x, middle + 4.0]);
        }
    }
    if let Some(ideal) = bar.ideal.filter(|ideal| !axis.is_beyond(*ideal)) {
        let x = left + axis.at(ideal);
        let reach = BAR / 2.0 + 4.0;
        canvas.line("ideal", [x, middle - reach], [x, middle + reach]);
    }
    if is_beyond {
        let height = [top - 3.0, top + BAR + 3.0];
        break_at(canvas, left + axis.break_at(), height);
    }
    let x = left + axis.at(reach(bar)) + 10.0;
    canvas.text("figures", Anchor::Start, [x, middle + 4.0], &bar.figures);
}

/// What a pointer over the time of a way shows.
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

/// What the signs mean that are not bars.
fn signs(bars: &[Bar], axis: Axis) -> String {
    let mut text = String::new();
    if bars.iter().any(|bar| bar.range.is_some()) {
        text += " Whiskers go from the least of the runs to the most.";
    }
    if bars.iter().any(|bar| bar.ideal.is_some()) {
        text += " The dashed mark is the ideal: no time lost, with these waits, workers and cores.";
    }
    if bars.iter().any(|bar| bar.figures.contains('×')) {
        text += " In brackets: the speed-up against sync.";
    }
    if let Some(bar) = bars.iter().find(|bar| axis.is_beyond(reach(bar))) {
        text += &format!(
            " The axis is broken, since {} is so far beyond the others; it has no whiskers here.",
            bar.label
        );
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "there are few rows")]
fn as_length(count: usize) -> f64 {
    count as f64
}
