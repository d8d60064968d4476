//! When each worker was at work: a lane for each worker, for each way on a time axis of its own.

use crate::report::Style;
use crate::report::grouped;

use super::super::raster::raster;
use super::super::units::seconds;
use super::axis::Axis;
use super::canvas::{Anchor, Canvas, cut};
use super::figure::{Figure, WIDTH, label_width, marks_below};
use crate::timing::{Activity, Lane, TimedWay, Timing};

/// How many lanes of a way are shown at most.
const MOST: usize = 40;

/// How many are shown of each way, however many ways there are.
const LEAST: usize = 4;

/// About how many lanes a picture has, if there are many ways.
const IN_ALL: usize = 320;

/// How many characters the heading of a way can have.
const HEADING: usize = 70;

/// What is kept free on the right, for the text of the last mark.
const RIGHT: f64 = 40.0;

/// The lanes of all ways of which there are any. `None` if there are none.
pub(super) fn lanes(timing: &Timing) -> Option<Figure> {
    let rows = timing.rows.iter().filter(|row| !row.lanes.is_empty());
    let rows: Vec<&TimedWay> = rows.collect();
    if rows.is_empty() {
        return None;
    }
    let most = (IN_ALL / rows.len()).clamp(LEAST, MOST);
    let names = rows.iter().flat_map(|row| row.lanes.iter().take(most));
    let names: Vec<String> = names.map(|lane| lane.name.clone()).collect();
    let (left, characters) = label_width(&names);
    let mut canvas = Canvas::default();
    legend(&mut canvas, left);
    let mut top = 40.0;
    for row in rows {
        top = way(&mut canvas, row, most, [left, top], characters);
    }
    Some(Figure {
        title: "When each worker was at work".to_owned(),
        caption: "Each way is on a time axis of its own, from the run whose time is the median. \
                  What is narrower than a pixel is merged, so that each activity has the area of \
                  its time. Where a lane is empty, its worker neither worked nor waited for what \
                  the work needs."
            .to_owned(),
        height: top - 12.0,
        elements: canvas.into_elements(),
    })
}

fn legend(canvas: &mut Canvas, left: f64) {
    canvas.rect("work", [left, 6.0], [26.0, 12.0]);
    canvas.text("legend", Anchor::Start, [left + 34.0, 16.0], "work");
    canvas.rect("wait", [left + 90.0, 9.0], [26.0, 6.0]);
    canvas.text("legend", Anchor::Start, [left + 124.0, 16.0], "waiting");
}

/// Draws the lanes of a way from this height on. Returns where the next way begins.
fn way(
    canvas: &mut Canvas,
    row: &TimedWay,
    most: usize,
    [left, top]: [f64; 2],
    characters: usize,
) -> f64 {
    let style = Style::default();
    let heading = format!("{}, {}", row.label(), seconds(row.seconds, &style));
    let heading = cut(&heading, HEADING);
    canvas.text("heading", Anchor::Start, [left, top + 12.0], &heading);
    // Few lanes have room, many are small.
    let pitch = if row.lanes.len().min(most) <= 8 {
        20.0
    } else {
        13.0
    };
    let axis = Axis::up_to([row.end()], WIDTH - left - RIGHT);
    let first = top + 22.0;
    let shown = row.lanes.iter().take(most);
    let mut bottom = first;
    let mut lanes = Canvas::default();
    for lane in shown {
        let title = described(lane, &style);
        lanes.titled(&title, |canvas| {
            let base = bottom + pitch / 2.0 + 4.0;
            let name = cut(&lane.name, characters);
            canvas.text("label", Anchor::End, [left - 10.0, base], &name);
            draw(canvas, lane, axis, [left, bottom], pitch);
        });
        bottom += pitch;
    }
    let end = marks_below(canvas, axis, [left, bottom], bottom - first);
    canvas.moved([0.0, 0.0], &lanes.into_elements());
    let more = row.lanes.len().saturating_sub(most);
    if more > 0 {
        let text = format!("… {} more", grouped(more as u64));
        canvas.text("label", Anchor::End, [left - 10.0, end - 5.0], &text);
    }
    end + 20.0
}

/// Work as high as the lane allows, waiting as a thinner line, so that they can be told apart
/// without their colours.
fn draw(canvas: &mut Canvas, lane: &Lane, axis: Axis, [left, top]: [f64; 2], pitch: f64) {
    let width = (WIDTH - left - RIGHT).floor();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is a width in pixels"
    )]
    let cells = raster(lane, axis.end(), width as usize);
    let mut bands = [Vec::new(), Vec::new()];
    let mut x = left;
    for run in cells.chunk_by(|a, b| a == b) {
        #[expect(clippy::cast_precision_loss, reason = "it is a width in pixels")]
        let width = run.len() as f64;
        match run[0] {
            Some(Activity::Work) => bands[0].push([x, width]),
            Some(Activity::Wait) => bands[1].push([x, width]),
            None => {}
        }
        x += width;
    }
    let middle = top + pitch / 2.0;
    let [work, wait] = bands;
    let (high, low) = (pitch - 4.0, (pitch - 4.0) / 2.0);
    canvas.bands("wait", middle - low / 2.0, low, &wait);
    canvas.bands("work", middle - high / 2.0, high, &work);
}

/// What a pointer over a lane shows.
fn described(lane: &Lane, style: &Style) -> String {
    let time = |activity: Activity| {
        let spans = lane.spans.iter().filter(|span| span.activity == activity);
        spans.map(|span| (span.end - span.start).max(0.0)).sum()
    };
    format!(
        "{}: {} of work, {} of waiting",
        lane.name,
        seconds(time(Activity::Work), style),
        seconds(time(Activity::Wait), style)
    )
}
