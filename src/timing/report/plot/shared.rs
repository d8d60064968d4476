//! All ways on one time axis, so that they can be compared by eye.

use crate::report::Style;

use super::super::units::seconds;
use super::axis::{Axis, Scale};
use super::canvas::{Anchor, Canvas, cut};
use super::figure::{Figure, Layout, Part, break_at, marks_below};
use super::lane::{Heights, draw};
use super::lanes::{shown, with_lanes};
use crate::timing::{TimedWay, Timing};

/// How many lanes of a way are shown.
const MOST: usize = 6;

/// How high a lane is.
const LANE: Heights = Heights {
    bar: 5.0,
    ticks: 0.0,
};

/// From one lane to the next.
const PITCH: f64 = 6.0;

/// What is between two ways.
const GAP: f64 = 12.0;

/// How high the label of a way is if it is above the lanes.
const LABEL: f64 = 18.0;

/// What is kept free on the right, for the time.
const RIGHT: f64 = 72.0;

/// The lanes of all ways, if there are several that have some.
pub(super) fn shared(timing: &Timing, layout: Layout) -> Option<Figure> {
    let rows: Vec<&TimedWay> = with_lanes(timing).collect();
    if rows.len() < 2 {
        return None;
    }
    let labels: Vec<String> = rows.iter().map(|row| row.label()).collect();
    let (left, characters) = if layout.is_narrow {
        (layout.indent, layout.characters(1.0))
    } else {
        layout.label_width(&labels)
    };
    let ends = rows.iter().map(|row| row.end());
    let axis = Axis::broken(ends, (layout.width - left - RIGHT).floor());
    let mut lanes = Canvas::default();
    // A break is a little higher than what it breaks.
    let mut top = 4.0;
    for (row, label) in rows.iter().zip(&labels) {
        let label = cut(label, characters);
        if layout.is_narrow {
            lanes.text("label", Anchor::Start, [left, top + 12.0], &label);
            top += LABEL;
        }
        let height = way(&mut lanes, row, axis, [left, top]);
        let base = top + height / 2.0 + 4.0;
        if !layout.is_narrow {
            lanes.text("label", Anchor::End, [left - 10.0, base], &label);
        }
        let time = seconds(row.seconds, &Style::default());
        let x = left + axis.at(row.end()) + 8.0;
        lanes.text("figures", Anchor::Start, [x, base], &time);
        top += height + GAP;
    }
    let mut canvas = Canvas::default();
    let bottom = top - GAP + 4.0;
    let end = marks_below(&mut canvas, axis, Scale::Seconds, [left, bottom], bottom);
    canvas.moved([0.0, 0.0], &lanes.into_elements());
    Some(Figure {
        title: "All ways on one time axis".to_owned(),
        caption: caption(&rows, axis),
        parts: vec![Part {
            fold: None,
            height: end + 4.0,
            elements: canvas.into_elements(),
        }],
    })
}

/// Draws the first lanes of a way. Returns how high they are.
fn way(canvas: &mut Canvas, row: &TimedWay, axis: Axis, [left, top]: [f64; 2]) -> f64 {
    let lanes: Vec<_> = shown(row, MOST).take(MOST).collect();
    let mut bottom = top;
    for lane in &lanes {
        draw(canvas, lane, axis, [left, bottom], LANE);
        bottom += PITCH;
    }
    // Labels have to have room beside the lanes.
    let bottom = bottom.max(top + 2.0 * PITCH);
    if axis.is_beyond(row.end()) {
        let [from, to] = [axis.at(axis.end()), axis.at(row.end())];
        for (place, _) in lanes.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "there are few lanes")]
            let y = top + PITCH * place as f64;
            canvas.rect("beyond", [left + from, y], [to - from, LANE.bar]);
        }
        break_at(canvas, left + axis.break_at(), [top - 2.0, bottom + 1.0]);
    }
    bottom - top
}

fn caption(rows: &[&TimedWay], axis: Axis) -> String {
    let mut text = "The same lanes, drawn small, with one axis for all.".to_owned();
    if rows.iter().any(|row| row.lanes.len() > MOST) {
        text += &format!(" Of each way the first {MOST} lanes are shown.");
    }
    if axis.is_broken() {
        let beyond = rows.iter().find(|row| axis.is_beyond(row.end()));
        let label = beyond.map(|row| row.label()).unwrap_or_default();
        text += &format!(" The axis is broken, since {label} took so much longer than the others.");
    }
    text
}
