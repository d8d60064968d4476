//! The lane of one worker: when it worked and waited, with which share of a processor, and where
//! its items ended.

use super::super::raster::raster;
use super::axis::Axis;
use super::canvas::Canvas;
use crate::timing::{Activity, Lane, Span};

/// How many pixels are between two items that are told apart within a lane.
const ROOM: usize = 3;

/// How high the parts of a lane are, in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heights {
    /// Of work, if the worker had a core for all of it. Of waiting, it is half of that.
    pub(super) bar: f64,
    /// Of the ticks below, one for each item. 0 if there are none.
    pub(super) ticks: f64,
}

/// What a column of pixels shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Nothing,
    Wait,
    /// Work. The worker had a core for the part of it that this is of the height, in pixels.
    Work(u32),
}

/// Draws a lane from its upper left corner on.
///
/// Work is as high as the lane allows, waiting is a thinner line, so that they can be told apart
/// without their colours. Work for which the worker had a core only in part is filled up to that
/// part of its height, and hatched above.
pub(super) fn draw(
    canvas: &mut Canvas,
    lane: &Lane,
    axis: Axis,
    [left, top]: [f64; 2],
    heights: Heights,
) {
    let Heights { bar, ticks } = heights;
    let ends = item_ends(lane, axis);
    let columns = columns(lane, axis, bar, &ends);
    // Waiting goes on behind work that is so narrow that it is a line across it.
    let waits = without_lines(columns.clone());
    let wait = runs(&waits).filter(|(.., column)| *column == Column::Wait);
    let wait = wait.map(|(x, width, _)| [left + x, top + bar / 4.0, width, bar / 2.0]);
    let (mut work, mut missing) = (Vec::new(), Vec::new());
    let both: Vec<_> = columns.into_iter().zip(waits.iter().copied()).collect();
    for (x, width, (column, behind)) in runs(&both) {
        let Column::Work(share) = column else {
            continue;
        };
        let share = f64::from(share);
        let rest = bar - share;
        if share > 0.0 {
            work.push([left + x, top + rest, width, share]);
        }
        if rest > 0.0 && behind != Column::Wait {
            missing.push([left + x, top, width, rest]);
        }
    }
    canvas.bands("wait", &wait.collect::<Vec<_>>());
    canvas.bands("missing", &missing);
    canvas.hatch("hatch", &missing);
    canvas.bands("work", &work);
    if ticks > 0.0 {
        let rail = top + bar;
        let ends: Vec<u32> = ends.iter().map(|count| (*count).min(2)).collect();
        let tick = |class, canvas: &mut Canvas, height, count: u32| {
            let meant = runs(&ends).filter(|(.., ended)| *ended == count);
            let bands = meant.map(|(x, width, _)| [left + x, rail, width, height]);
            canvas.bands(class, &bands.collect::<Vec<_>>());
        };
        tick("item", canvas, ticks / 2.0, 1);
        tick("items", canvas, ticks, 2);
    }
}

/// Runs of equal columns: where each begins, how wide it is, and what it shows.
fn runs<T: PartialEq + Copy>(columns: &[T]) -> impl Iterator<Item = (f64, f64, T)> {
    let mut x = 0.0;
    columns.chunk_by(|a, b| a == b).map(move |run| {
        let begin = x;
        x += number(run.len());
        (begin, number(run.len()), run[0])
    })
}

/// The columns without work of one pixel between two waits.
fn without_lines(mut columns: Vec<Column>) -> Vec<Column> {
    for place in 1..columns.len().saturating_sub(1) {
        let around = [columns[place - 1], columns[place + 1]];
        if around == [Column::Wait; 2] {
            columns[place] = Column::Wait;
        }
    }
    columns
}

/// What each column of pixels shows.
fn columns(lane: &Lane, axis: Axis, bar: f64, ends: &[u32]) -> Vec<Column> {
    let cells = raster(lane, axis.end(), ends.len());
    let shares = shares(lane, axis, ends.len());
    let columns = cells.iter().zip(shares).map(|(cell, share)| match cell {
        None => Column::Nothing,
        Some(Activity::Wait) => Column::Wait,
        Some(Activity::Work) => Column::Work(pixels(share * bar)),
    });
    let mut columns: Vec<Column> = columns.collect();
    for place in turns(lane, axis, ends) {
        columns[place] = Column::Work(pixels(bar));
    }
    columns
}

/// The columns in which a worker turned to its next item after less than a pixel of work, or
/// after none: where there is so much room that its waits can still be seen between them.
fn turns(lane: &Lane, axis: Axis, ends: &[u32]) -> Vec<usize> {
    let is_short = |item: &&[Span]| {
        let work = item.iter().filter(|span| span.activity == Activity::Work);
        let work: f64 = work.map(Span::seconds).sum();
        axis.at(work) < 1.0 && item.iter().any(|span| span.activity == Activity::Wait)
    };
    let turns = lane.items().filter(is_short).filter_map(|item| {
        let place = column(axis, item.last()?.end, ends.len())?;
        let near = place.saturating_sub(ROOM - 1)..(place + ROOM).min(ends.len());
        (ends[near].iter().sum::<u32>() == 1).then_some(place)
    });
    turns.collect()
}

/// How many items end in each column.
pub(super) fn item_ends(lane: &Lane, axis: Axis) -> Vec<u32> {
    let mut ends = vec![0; width(axis)];
    for item in lane.items().filter(|item| item[0].begins_item) {
        let end = item.last().map_or(f64::NAN, |span| span.end);
        if let Some(column) = column(axis, end, ends.len()) {
            ends[column] += 1;
        }
    }
    ends
}

/// For which share of the work in each column its worker had a core. 1 where that is not known.
fn shares(lane: &Lane, axis: Axis, columns: usize) -> Vec<f64> {
    // The processor time in each column, and the time of the work.
    let mut sums = vec![[0.0; 2]; columns];
    for span in lane
        .spans
        .iter()
        .filter(|span| span.activity == Activity::Work)
    {
        let Some(cpu) = span.cpu.filter(|_| span.seconds() > 0.0) else {
            continue;
        };
        let share = (cpu / span.seconds()).clamp(0.0, 1.0);
        let [from, to] = [span.start, span.end].map(|time| axis.at(time));
        let places = (
            column(axis, span.start, columns),
            column(axis, span.end, columns),
        );
        let (Some(first), Some(last)) = places else {
            continue;
        };
        for (place, sums) in sums.iter_mut().enumerate().take(last + 1).skip(first) {
            let part = to.min(number(place) + 1.0) - from.max(number(place));
            sums[0] += share * part.max(0.0);
            sums[1] += part.max(0.0);
        }
    }
    let share = |[cpu, work]: [f64; 2]| if work > 0.0 { cpu / work } else { 1.0 };
    sums.into_iter().map(share).collect()
}

/// How many columns of pixels an axis has.
fn width(axis: Axis) -> usize {
    whole(axis.at(axis.end()))
}

/// The column of a time. `None` if it is not on the axis.
fn column(axis: Axis, time: f64, columns: usize) -> Option<usize> {
    let is_there = time.is_finite() && time >= 0.0 && columns > 0;
    is_there.then(|| whole(axis.at(time)).min(columns - 1))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is a place in a picture"
)]
fn whole(length: f64) -> usize {
    length.floor() as usize
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is a height in pixels"
)]
fn pixels(height: f64) -> u32 {
    height.round() as u32
}

#[expect(clippy::cast_precision_loss, reason = "it is a place in a picture")]
fn number(place: usize) -> f64 {
    place as f64
}
