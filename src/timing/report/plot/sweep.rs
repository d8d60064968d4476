//! How the time of a method changes with the number of workers.

use crate::report::Style;

use super::super::units::{range, seconds};
use super::axis::{ABOVE_EACH_OTHER, Axis, Scale};
use super::canvas::{Anchor, Canvas};
use super::figure::{Figure, Layout, Part, text_width};
use super::legend::{Entry, SIGN, legend};
use crate::timing::{TimedWay, Timing};

/// How high the area between the axes is.
const HEIGHT: f64 = 220.0;

/// What is kept free for the marks on the left.
const LEFT: f64 = 80.0;

/// What is kept free on the right.
const RIGHT: f64 = 24.0;

/// What is between the texts of two marks at least.
const APART: f64 = 12.0;

/// From how many times as many workers on the axis is logarithmic.
const WIDE: f64 = 50.0;

/// A line chart for each way that was measured with several numbers of workers.
pub(super) fn sweeps(timing: &Timing, layout: Layout) -> Vec<Figure> {
    let mut series: Vec<Vec<&TimedWay>> = Vec::new();
    for row in &timing.rows {
        let is_same = |other: &&mut Vec<&TimedWay>| other[0].name() == row.name();
        match series.iter_mut().find(is_same) {
            Some(rows) => rows.push(row),
            None => series.push(vec![row]),
        }
    }
    let figures = series.into_iter().map(|mut rows| {
        rows.sort_by_key(|row| row.workers);
        rows.dedup_by_key(|row| row.workers);
        (rows.len() > 1).then(|| chart(&rows, layout))
    });
    figures.flatten().collect()
}

/// The chart of rows with more and more workers.
fn chart(rows: &[&TimedWay], layout: Layout) -> Figure {
    let reach = rows.iter().flat_map(|row| {
        let ideal = row.ideal_seconds.unwrap_or(0.0);
        [row.seconds, row.max(), ideal]
    });
    let axis = Axis::up_to(reach, HEIGHT);
    let workers = Workers::of(rows, layout);
    let mut canvas = Canvas::default();
    let bottom = signs(&mut canvas, rows, layout) + 10.0 + HEIGHT;
    let point = |row: &TimedWay, time: f64| [workers.at(row), bottom - axis.at(time)];
    for (at, text) in axis.marks(Scale::Seconds, ABOVE_EACH_OTHER) {
        let y = bottom - at;
        canvas.line("grid", [LEFT - 4.0, y], [layout.width - RIGHT, y]);
        canvas.text("mark", Anchor::End, [LEFT - 10.0, y + 4.0], &text);
    }
    workers.draw_marks(&mut canvas, rows, bottom);
    let quickest = rows.iter().map(|row| point(row, row.min()));
    let slowest = rows.iter().rev().map(|row| point(row, row.max()));
    canvas.polygon("spread", &quickest.chain(slowest).collect::<Vec<_>>());
    let ideal = rows
        .iter()
        .filter_map(|row| Some(point(row, row.ideal_seconds?)));
    let ideal: Vec<[f64; 2]> = ideal.collect();
    canvas.polyline("ideal", &ideal);
    let medians: Vec<[f64; 2]> = rows.iter().map(|row| point(row, row.seconds)).collect();
    canvas.polyline("median", &medians);
    for (row, median) in rows.iter().zip(&medians) {
        canvas.titled(&described(row), |canvas| {
            let [x, _] = *median;
            let ends = [row.min(), row.max()].map(|time| bottom - axis.at(time));
            canvas.line("whisker", [x, ends[0]], [x, ends[1]]);
            canvas.circle("point", *median, 4.0);
        });
    }
    let name = rows[0].name();
    Figure {
        title: format!("Sweep of {name}"),
        caption:
            "Seconds by the number of workers. The band and the whiskers go from the quickest \
                  run to the slowest; where the bands of two steps overlap, the difference is not \
                  distinguishable from noise."
                .to_owned(),
        parts: vec![Part {
            fold: None,
            height: bottom + 42.0,
            elements: canvas.into_elements(),
        }],
    }
}

/// What the lines are, above the chart. Returns where that ends below.
fn signs(canvas: &mut Canvas, rows: &[&TimedWay], layout: Layout) -> f64 {
    let left = if layout.is_narrow { 0.0 } else { LEFT };
    let has_ideal = rows.iter().any(|row| row.ideal_seconds.is_some());
    let entries: [Entry<'_>; 3] = [
        (
            |canvas, [x, y]| {
                canvas.line("median", [x, y], [x + SIGN, y]);
                canvas.circle("point", [x + SIGN / 2.0, y], 4.0);
            },
            "median of the runs",
        ),
        (
            |canvas, [x, y]| canvas.rect("spread", [x, y - 6.0], [SIGN, 12.0]),
            "quickest to slowest run",
        ),
        (
            |canvas, [x, y]| canvas.line("ideal", [x, y], [x + SIGN, y]),
            "ideal",
        ),
    ];
    let shown = if has_ideal { 3 } else { 2 };
    legend(canvas, layout, [left, 0.0], &entries[..shown])
}

/// What a pointer over a point shows.
fn described(row: &TimedWay) -> String {
    let style = Style::default();
    let median = seconds(row.seconds, &style);
    let range = range(row.min(), row.max(), &style);
    let label = row.label();
    match row.ideal_seconds {
        Some(ideal) => format!(
            "{label}: {median} ({range}), ideal {}",
            seconds(ideal, &style)
        ),
        None => format!("{label}: {median} ({range})"),
    }
}

/// The axis of the numbers of workers. It begins at the first one.
#[derive(Clone, Copy, Debug)]
struct Workers {
    from: f64,
    to: f64,
    is_logarithmic: bool,
    layout: Layout,
}

impl Workers {
    fn of(rows: &[&TimedWay], layout: Layout) -> Self {
        let count = |row: Option<&&TimedWay>| row.map_or(1.0, |row| number(row.workers));
        let (from, to) = (count(rows.first()), count(rows.last()));
        Workers {
            from,
            to,
            is_logarithmic: from >= 1.0 && to / from >= WIDE,
            layout,
        }
    }

    fn at(self, row: &TimedWay) -> f64 {
        let workers = number(row.workers);
        let share = if self.is_logarithmic {
            (workers / self.from).ln() / (self.to / self.from).ln()
        } else {
            (workers - self.from) / (self.to - self.from)
        };
        // The first point is not on the axis of the seconds.
        LEFT + 20.0 + share * (self.layout.width - LEFT - RIGHT - 40.0)
    }

    fn draw_marks(self, canvas: &mut Canvas, rows: &[&TimedWay], bottom: f64) {
        let mut free = 0.0;
        for row in rows {
            let x = self.at(row);
            canvas.line("tick", [x, bottom], [x, bottom + 5.0]);
            let text = crate::report::grouped(row.workers as u64);
            let half = text_width(&text) / 2.0;
            if x - half >= free {
                canvas.text("mark", Anchor::Middle, [x, bottom + 18.0], &text);
                free = x + half + APART;
            }
        }
        let scale = if self.is_logarithmic {
            "workers (logarithmic)"
        } else {
            "workers"
        };
        let middle = f64::midpoint(LEFT, self.layout.width - RIGHT);
        canvas.text("legend", Anchor::Middle, [middle, bottom + 36.0], scale);
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are not so many workers")]
fn number(workers: usize) -> f64 {
    workers as f64
}
