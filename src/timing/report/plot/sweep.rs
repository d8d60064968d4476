//! How the time of a method changes with the number of workers.

use crate::report::Style;

use super::super::units::{range, seconds};
use super::axis::Axis;
use super::canvas::{Anchor, Canvas};
use super::figure::{Figure, WIDTH};
use crate::timing::{TimedWay, Timing};

/// How high the area between the axes is.
const HEIGHT: f64 = 220.0;

/// What is kept free for the marks on the left.
const LEFT: f64 = 80.0;

/// What is kept free on the right.
const RIGHT: f64 = 40.0;

/// What is kept free above, for the legend.
const TOP: f64 = 30.0;

/// The least way between the texts of two marks.
const APART: f64 = 44.0;

/// From how many times as many workers on the axis is logarithmic.
const WIDE: f64 = 50.0;

/// A line chart for each way that was measured with several numbers of workers.
pub(super) fn sweeps(timing: &Timing) -> Vec<Figure> {
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
        (rows.len() > 1).then(|| chart(&rows))
    });
    figures.flatten().collect()
}

/// The chart of rows with more and more workers.
fn chart(rows: &[&TimedWay]) -> Figure {
    let reach = rows.iter().flat_map(|row| {
        let ideal = row.ideal_seconds.unwrap_or(0.0);
        [row.seconds, row.max(), ideal]
    });
    let axis = Axis::up_to(reach, HEIGHT);
    let workers = Workers::of(rows);
    let bottom = TOP + HEIGHT;
    let point = |row: &TimedWay, time: f64| [workers.at(row), bottom - axis.at(time)];
    let mut canvas = Canvas::default();
    for (at, text) in axis.marks() {
        let y = bottom - at;
        canvas.line("grid", [LEFT - 4.0, y], [WIDTH - RIGHT, y]);
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
    legend(&mut canvas, !ideal.is_empty());
    let name = rows[0].name();
    Figure {
        title: format!("Sweep of {name}"),
        caption:
            "Seconds by the number of workers. The band and the whiskers go from the quickest \
                  run to the slowest; where the bands of two steps overlap, the difference is not \
                  distinguishable from noise."
                .to_owned(),
        height: bottom + 42.0,
        elements: canvas.into_elements(),
    }
}

/// What the lines are, above the chart.
fn legend(canvas: &mut Canvas, has_ideal: bool) {
    let y = 12.0;
    canvas.line("median", [LEFT, y], [LEFT + 26.0, y]);
    canvas.circle("point", [LEFT + 13.0, y], 4.0);
    canvas.text(
        "legend",
        Anchor::Start,
        [LEFT + 34.0, y + 4.0],
        "median of the runs",
    );
    canvas.rect("spread", [LEFT + 180.0, y - 6.0], [26.0, 12.0]);
    canvas.text(
        "legend",
        Anchor::Start,
        [LEFT + 214.0, y + 4.0],
        "quickest to slowest run",
    );
    if has_ideal {
        canvas.line("ideal", [LEFT + 390.0, y], [LEFT + 416.0, y]);
        canvas.text("legend", Anchor::Start, [LEFT + 424.0, y + 4.0], "ideal");
    }
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
}

impl Workers {
    fn of(rows: &[&TimedWay]) -> Self {
        let count = |row: Option<&&TimedWay>| row.map_or(1.0, |row| number(row.workers));
        let (from, to) = (count(rows.first()), count(rows.last()));
        Workers {
            from,
            to,
            is_logarithmic: from >= 1.0 && to / from >= WIDE,
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
        LEFT + 20.0 + share * (WIDTH - LEFT - RIGHT - 40.0)
    }

    fn draw_marks(self, canvas: &mut Canvas, rows: &[&TimedWay], bottom: f64) {
        let mut free = 0.0;
        for row in rows {
            let x = self.at(row);
            canvas.line("tick", [x, bottom], [x, bottom + 5.0]);
            if x >= free {
                let text = crate::report::grouped(row.workers as u64);
                canvas.text("mark", Anchor::Middle, [x, bottom + 18.0], &text);
                free = x + APART;
            }
        }
        let scale = if self.is_logarithmic {
            "workers (logarithmic)"
        } else {
            "workers"
        };
        let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
        canvas.text("legend", Anchor::Middle, [middle, bottom + 36.0], scale);
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are not so many workers")]
fn number(workers: usize) -> f64 {
    workers as f64
}
