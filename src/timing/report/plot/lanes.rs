//! When each worker was at work: a lane for each worker, for each way on a time axis of its own.

use crate::report::Style;
use crate::report::{grouped, plural};

use super::super::units::{digits, seconds};
use super::axis::{Axis, Scale};
use super::canvas::{Anchor, Canvas, cut};
use super::figure::{Figure, Fold, Layout, Part, marks_below};
use super::lane::{Heights, draw, item_ends};
use super::legend::{SIGN, legend};
use crate::timing::{Activity, Lane, Span, TimedWay, Timing};

/// How many lanes of a way are shown at most.
const MOST: usize = 40;

/// How many are shown of each way, however many ways there are.
const LEAST: usize = 4;

/// About how many lanes a picture has, if there are many ways.
const IN_ALL: usize = 320;

/// How many items are magnified.
const MAGNIFIED: usize = 4;

/// Items that have more pixels than that need not be magnified.
const LARGE: f64 = 24.0;

/// What is kept free on the right, for the text of the last mark.
const RIGHT: f64 = 40.0;

/// How high lanes are that have room.
pub(super) const HIGH: Heights = Heights {
    bar: 14.0,
    ticks: 6.0,
};

/// How high lanes are if there are many.
const LOW: Heights = Heights {
    bar: 8.0,
    ticks: 4.0,
};

/// The lanes of all ways of which there are any. `None` if there are none.
pub(super) fn lanes(timing: &Timing, layout: Layout) -> Option<Figure> {
    let rows: Vec<&TimedWay> = with_lanes(timing).collect();
    if rows.is_empty() {
        return None;
    }
    let most = (IN_ALL / rows.len()).clamp(LEAST, MOST);
    let names = rows.iter().flat_map(|row| shown(row, most));
    let names = names.map(|lane| lane.name.clone());
    let rests = rows.iter().filter_map(|row| rest(row, most));
    let names: Vec<String> = names.chain(rests).collect();
    let (left, characters) = layout.label_width(&names);
    let way = Way {
        layout,
        most,
        left,
        characters,
    };
    let mut parts = vec![signs(layout)];
    parts.extend(rows.iter().map(|row| way.part(row, is_open(timing, row))));
    Some(Figure {
        title: "When each worker was at work".to_owned(),
        caption: caption(timing, &rows),
        parts,
    })
}

/// The ways that have lanes.
pub(super) fn with_lanes(timing: &Timing) -> impl Iterator<Item = &TimedWay> {
    timing.rows.iter().filter(|row| !row.lanes.is_empty())
}

/// The first lanes of a way, before which that of the thread is that tasks share.
pub(super) fn shown(row: &TimedWay, most: usize) -> impl Iterator<Item = &Lane> {
    let thread = row.thread_of_tasks.iter();
    thread.chain(row.lanes.iter().take(most))
}

/// What stands for the lanes of a way that are not shown.
fn rest(row: &TimedWay, most: usize) -> Option<String> {
    let more = row.lanes.len().saturating_sub(most);
    (more > 0).then(|| format!("… {} more", grouped(more as u64)))
}

/// Whether the lanes of a way are shown from the beginning: those of `sync`, and of the fastest
/// and the slowest way of each method.
fn is_open(timing: &Timing, row: &TimedWay) -> bool {
    let same = || with_lanes(timing).filter(|other| other.method == row.method);
    let fastest = same().min_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let slowest = same().max_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let is = |other: Option<&TimedWay>| other.is_some_and(|other| std::ptr::eq(other, row));
    is(fastest) || is(slowest)
}

fn caption(timing: &Timing, rows: &[&TimedWay]) -> String {
    let mut text = "Each way is on a time axis of its own, from the run whose time is the median. \
                    Below a lane is a tick where each item ended: a long one if several ended \
                    within a pixel. Work that is shorter than a pixel is drawn as one, and so is \
                    the turn from one wait to the next, where there is room between them; \
                    elsewhere each activity has the area of its time. Where a lane is empty, its \
                    worker neither worked nor waited for what the work needs."
        .to_owned();
    let spans = || {
        let lanes = rows.iter().flat_map(|row| shown(row, usize::MAX));
        lanes.flat_map(|lane| &lane.spans)
    };
    if spans().any(|span| span.cpu.is_some()) {
        text += " An item of work is filled up to the share of its time for which its worker had \
                 a core, and hatched above: where inside the item the core was missing is unknown.";
    }
    let works = |span: &Span| span.activity == Activity::Work;
    if spans().any(|span| works(span) && span.cpu.is_none()) {
        text += " Where that share is unknown, as for tasks that take turns within an item, the \
                 item is filled.";
    }
    if rows.iter().any(|row| row.thread_of_tasks.is_some()) {
        text += " All tasks run on one thread, whose lane is the first.";
    }
    let is_of_messages = |row: &TimedWay| row.messages_per_second.is_some();
    if rows.iter().any(|row| is_of_messages(row)) {
        text += " An item is some messages here, whose waits are added up.";
    }
    let has_none = |row: &&TimedWay| row.lanes.is_empty() && is_of_messages(row);
    if let Some(row) = timing.rows.iter().find(has_none) {
        text += &format!(
            " There are no lanes of {}: to know when the read of a pipe waits, each message would \
             take one more call of the system, which would be part of what is measured.",
            row.label()
        );
    }
    text
}

fn signs(layout: Layout) -> Part {
    let mut canvas = Canvas::default();
    let bottom = legend(
        &mut canvas,
        layout,
        [0.0, 0.0],
        &[
            (
                |canvas, [x, y]| canvas.rect("work", [x, y - 7.0], [SIGN, 14.0]),
                "work",
            ),
            (
                |canvas, [x, y]| {
                    canvas.rect("work", [x, y], [SIGN, 7.0]);
                    let rest = [[x, y - 7.0, SIGN, 7.0]];
                    canvas.bands("missing", &rest);
                    canvas.hatch("hatch", &rest);
                },
                "work with a core for half of it",
            ),
            (
                |canvas, [x, y]| canvas.rect("wait", [x, y - 3.5], [SIGN, 7.0]),
                "waiting",
            ),
            (
                |canvas, [x, y]| {
                    canvas.rect("wait", [x, y - 7.0], [SIGN, 7.0]);
                    canvas.bands("item", &[[x + SIGN / 2.0, y + 2.0, 1.0, 3.0]]);
                },
                "an item ended",
            ),
            (
                |canvas, [x, y]| {
                    canvas.rect("wait", [x, y - 7.0], [SIGN, 7.0]);
                    canvas.bands("items", &[[x + SIGN / 2.0 - 3.0, y + 2.0, 6.0, 6.0]]);
                },
                "several ended in each pixel",
            ),
        ],
    );
    Part {
        fold: None,
        height: bottom + 4.0,
        elements: canvas.into_elements(),
    }
}

/// How the lanes of a way are drawn.
struct Way {
    layout: Layout,
    /// How many lanes are shown at most.
    most: usize,
    /// Where the lanes begin.
    left: f64,
    /// How many characters the name of a lane can have.
    characters: usize,
}

impl Way {
    fn part(&self, row: &TimedWay, is_open: bool) -> Part {
        let style = Style::default();
        let mut canvas = Canvas::default();
        let count = shown(row, self.most).count();
        let heights = if count <= 8 { HIGH } else { LOW };
        let pitch = heights.bar + heights.ticks + 4.0;
        let axis = self.axis(row.end());
        let mut bottom = 2.0;
        let mut lanes = Canvas::default();
        for lane in shown(row, self.most) {
            lanes.titled(&described(lane, &style), |canvas| {
                let at = [self.left, bottom];
                self.name(canvas, &lane.name, at, heights);
                draw(canvas, lane, axis, at, heights);
            });
            bottom += pitch;
        }
        let zero = [self.left, bottom];
        let mut end = marks_below(&mut canvas, axis, Scale::Seconds, zero, bottom);
        canvas.moved([0.0, 0.0], &lanes.into_elements());
        if let Some(text) = rest(row, self.most) {
            canvas.text("label", Anchor::End, [self.left - 10.0, end - 5.0], &text);
        }
        if let Some(lane) = row.lanes.iter().find(|lane| is_small(lane, axis)) {
            end = self.magnified(&mut canvas, lane, axis, end + 6.0);
        }
        Part {
            fold: Some(Fold {
                heading: format!("{}, {}", row.label(), seconds(row.seconds, &style)),
                is_open,
            }),
            height: end + 4.0,
            elements: canvas.into_elements(),
        }
    }

    fn axis(&self, end: f64) -> Axis {
        Axis::up_to([end], (self.layout.width - self.left - RIGHT).floor())
    }

    /// The name of a lane that begins at the place.
    fn name(&self, canvas: &mut Canvas, name: &str, [left, top]: [f64; 2], heights: Heights) {
        let base = top + heights.bar / 2.0 + 5.0;
        let name = cut(name, self.characters);
        canvas.text("label", Anchor::End, [left - 10.0, base], &name);
    }

    /// Draws the first items of a lane on an axis of their own. Returns where that ends below.
    fn magnified(&self, canvas: &mut Canvas, lane: &Lane, axis: Axis, top: f64) -> f64 {
        let first = first_items(lane);
        let items = lane.items().count();
        let end = first.spans.last().map_or(0.0, |span| span.end);
        let own = self.axis(end);
        let magnification = own.at(end) / axis.at(end).max(f64::MIN_POSITIVE);
        let text = format!(
            "The first {} of {}, magnified {} times",
            first.items().count(),
            plural(items as u64, "item"),
            digits(magnification, 2)
        );
        let text = cut(&text, self.layout.characters(0.92));
        let at = if self.layout.is_narrow {
            0.0
        } else {
            self.left
        };
        canvas.text("note", Anchor::Start, [at, top + 12.0], &text);
        let top = top + 20.0;
        let bottom = top + HIGH.bar + HIGH.ticks + 3.0;
        let zero = [self.left, bottom];
        let height = bottom - top;
        let end = marks_below(canvas, own, Scale::Seconds, zero, height);
        canvas.titled(&described(&first, &Style::default()), |canvas| {
            let at = [self.left, top];
            self.name(canvas, &lane.name, at, HIGH);
            draw(canvas, &first, own, at, HIGH);
        });
        end
    }
}

/// Whether the items of a lane are so small on an axis that some have to be magnified.
fn is_small(lane: &Lane, axis: Axis) -> bool {
    let ends = item_ends(lane, axis);
    let items = ends.iter().sum::<u32>();
    let first = first_items(lane);
    let end = first.spans.last().map_or(0.0, |span| span.end);
    items > 1 && end > 0.0 && axis.at(axis.end()) / f64::from(items) < LARGE
}

/// The first items of a lane, from the beginning of the first on.
fn first_items(lane: &Lane) -> Lane {
    let items = lane.items().filter(|item| {
        let times = || item.iter().flat_map(|span| [span.start, span.end]);
        item[0].begins_item && times().all(|time| time.is_finite() && time >= 0.0)
    });
    let spans = items.take(MAGNIFIED).flatten();
    let began = spans
        .clone()
        .map(|span| span.start)
        .fold(f64::INFINITY, f64::min);
    let spans = spans.map(|span| Span {
        start: span.start - began,
        end: span.end - began,
        ..*span
    });
    Lane {
        name: lane.name.clone(),
        spans: spans.collect(),
    }
}

/// What a pointer over a lane shows.
fn described(lane: &Lane, style: &Style) -> String {
    let of = |activity: Activity| {
        let spans = lane.spans.iter();
        spans.filter(move |span| span.activity == activity)
    };
    let time = |activity: Activity| of(activity).map(|span| span.seconds().max(0.0)).sum();
    let work: f64 = time(Activity::Work);
    let mut text = format!("{}: {} of work", lane.name, seconds(work, style));
    let cpu: Option<f64> = of(Activity::Work).map(|span| span.cpu).sum();
    if let Some(cpu) = cpu.filter(|cpu| *cpu > 0.0 && work > 0.0) {
        let share = (cpu / work).min(1.0) * 100.0;
        text += &format!(", with a core for {} % of it", digits(share, 2));
    }
    text += &format!(", {} of waiting", seconds(time(Activity::Wait), style));
    let items = lane.items().filter(|item| item[0].begins_item).count();
    if items > 0 {
        text += &format!(", {}", plural(items as u64, "item"));
    }
    text
}
