//! A lane as equal cells, for pictures that have only so many.

use crate::timing::{Activity, Lane};

/// What a worker does in each cell, if the time from 0 to `end` seconds is divided into so many.
/// `None` where it does neither work nor wait.
///
/// A cell shows one thing, and what is left of the others counts for the next cells: so spans that
/// are narrower than a cell have together as many cells as they have time. A lane in which something
/// happens has one cell at least.
pub(super) fn raster(lane: &Lane, end: f64, cells: usize) -> Vec<Option<Activity>> {
    if cells == 0 || !end.is_finite() || end <= 0.0 {
        return vec![None; cells];
    }
    let coverage = coverage(lane, end, cells);
    let mut due = [0.0; 3];
    let mut raster: Vec<Option<Activity>> = coverage
        .iter()
        .map(|[work, wait]| {
            // Spans of one lane do not overlap; if they did, the cell would still be one.
            let whole = (work + wait).max(1.0);
            let idle = 1.0 - (work + wait) / whole;
            for (due, part) in due.iter_mut().zip([work / whole, wait / whole, idle]) {
                *due += part;
            }
            let shown = if due[0] >= due[1] && due[0] >= due[2] {
                0
            } else if due[1] >= due[2] {
                1
            } else {
                2
            };
            due[shown] -= 1.0;
            [Some(Activity::Work), Some(Activity::Wait), None][shown]
        })
        .collect();
    let most = |[work, wait]: &[f64; 2]| work + wait;
    if raster.iter().all(Option::is_none)
        && let Some((place, [work, wait])) = coverage
            .iter()
            .enumerate()
            .max_by(|(_, a), (_, b)| most(a).total_cmp(&most(b)))
        && work + wait > 0.0
    {
        raster[place] = Some(if work >= wait {
            Activity::Work
        } else {
            Activity::Wait
        });
    }
    raster
}

/// Which parts of each cell are work and waiting.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "cells are few, and a cast of a float saturates"
)]
fn coverage(lane: &Lane, end: f64, cells: usize) -> Vec<[f64; 2]> {
    let mut coverage = vec![[0.0; 2]; cells];
    let place = |time: f64| (time / end * cells as f64).clamp(0.0, cells as f64);
    for span in &lane.spans {
        let (from, to) = (place(span.start), place(span.end));
        if from.is_nan() || to.is_nan() || from >= to {
            continue;
        }
        let kind = match span.activity {
            Activity::Work => 0,
            Activity::Wait => 1,
        };
        let (first, last) = (from as usize, (to.ceil() as usize).min(cells));
        for (cell, parts) in coverage.iter_mut().enumerate().take(last).skip(first) {
            let start = from.max(cell as f64);
            let stop = to.min(cell as f64 + 1.0);
            parts[kind] += (stop - start).max(0.0);
        }
    }
    coverage
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "there are few cells")]

    use proptest::prelude::*;

    use super::*;
    use crate::timing::Span;

    fn lane(spans: &[(f64, f64, Activity)]) -> Lane {
        let spans = spans.iter().map(|(start, end, activity)| Span {
            start: *start,
            end: *end,
            activity: *activity,
            cpu: None,
            begins_item: true,
        });
        Lane {
            name: "thread 1".to_owned(),
            spans: spans.collect(),
        }
    }

    fn drawn(lane: &Lane, end: f64, cells: usize) -> String {
        let raster = raster(lane, end, cells);
        let cells = raster.into_iter().map(|cell| match cell {
            Some(Activity::Work) => '#',
            Some(Activity::Wait) => '.',
            None => ' ',
        });
        cells.collect()
    }

    #[test]
    fn spans_are_where_they_were() {
        let lane = lane(&[
            (0.0, 2.0, Activity::Work),
            (2.0, 5.0, Activity::Wait),
            (7.0, 8.0, Activity::Work),
        ]);
        assert_eq!(drawn(&lane, 10.0, 10), "##...  #  ");
        assert_eq!(drawn(&lane, 10.0, 20), "####......    ##    ");
    }

    #[test]
    fn narrow_spans_have_as_many_cells_as_they_have_time() {
        let spans: Vec<_> = (0..1000)
            .map(|i| {
                let start = f64::from(i);
                (start, start + 0.25, Activity::Work)
            })
            .collect();
        assert_eq!(drawn(&lane(&spans), 1000.0, 20).matches('#').count(), 5);
    }

    #[test]
    fn what_is_shorter_than_a_cell_is_not_lost() {
        let lane = lane(&[(4.2, 4.3, Activity::Wait)]);
        assert_eq!(drawn(&lane, 10.0, 10), "    .     ");
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(drawn(&lane(&[]), 1.0, 4), "    ");
        assert_eq!(drawn(&lane(&[(0.0, 0.0, Activity::Work)]), 0.0, 4), "    ");
        assert_eq!(
            drawn(&lane(&[(f64::NAN, 1.0, Activity::Work)]), 1.0, 4),
            "    "
        );
        assert_eq!(drawn(&lane(&[]), 1.0, 0), "");
    }

    proptest! {
        #[test]
        fn each_activity_has_its_share_of_the_cells(
            lengths in prop::collection::vec((0.0..3.0_f64, 0..3_u8), 1..200),
            cells in 20..300_usize,
        ) {
            let mut now = 0.0;
            let mut spans = Vec::new();
            for (length, kind) in lengths {
                match kind {
                    0 => spans.push((now, now + length, Activity::Work)),
                    1 => spans.push((now, now + length, Activity::Wait)),
                    _ => {}
                }
                now += length;
            }
            let end = now + 0.1;
            let drawn = drawn(&lane(&spans), end, cells);
            for (activity, c) in [(Activity::Work, '#'), (Activity::Wait, '.')] {
                let spans = spans.iter().filter(|(.., other)| *other == activity);
                let time: f64 = spans.map(|(start, stop, _)| stop - start).sum();
                let due = time / end * cells as f64;
                let shown = drawn.matches(c).count() as f64;
                prop_assert!((due - shown).abs() <= 2.0, "{due} of {cells} cells, not {shown}");
            }
        }
    }
}
