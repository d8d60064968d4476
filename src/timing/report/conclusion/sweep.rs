//! From which number of workers on more of them gain nothing.

use super::super::comparison::{Comparison, compare};
use super::phrase::{as_long, be};
use super::rows::{can_be_compared, distinct, pays_up_to, sweep};
use crate::timing::{TimedWay, Timing};

/// For each method that was measured with several numbers of workers: where that stops paying, so
/// that no greater number is faster by 5 %.
pub(super) fn sweeps(timing: &Timing) -> Vec<String> {
    let ways = distinct(timing, |row| (&row.method, &row.variant));
    let sentences = ways
        .into_iter()
        .map(|(method, variant)| sentence(&sweep(timing, method, variant.as_ref())));
    sentences.flatten().collect()
}

/// What a sweep shows, from the fewest workers to the most. `None` if it is no sweep, or if there
/// is a step that ran too seldom.
fn sentence(rows: &[&TimedWay]) -> Option<String> {
    let [_, _, ..] = rows else {
        return None;
    };
    if !rows.iter().all(|row| can_be_compared(row)) {
        return None;
    }
    let place = pays_up_to(rows);
    let (here, next) = (rows[place], rows.get(place + 1));
    let Some(next) = next else {
        return Some(format!(
            "The sweep of {} paid up to {} workers, the most that were measured.",
            here.name(),
            here.workers
        ));
    };
    let (label, next_label, were) = (here.label(), next.label(), be(next));
    let why = match compare(next, here) {
        Comparison::Slower(times) => format!("took {}", as_long(times)),
        Comparison::Alike => format!("{were} not distinguishable from"),
        Comparison::Close => format!("{were} less than 5 % apart from"),
        Comparison::Faster(_) | Comparison::Unknown => return None,
    };
    let mut text = format!(
        "The sweep of {} stops paying at {}: {next_label} {why} {label}",
        here.name(),
        here.workers
    );
    if let Some((slowest, times)) = slowest(rows, place) {
        let long = as_long(times);
        text += &format!(
            "; {} took {long} {label}: more workers made it slower",
            slowest.label()
        );
    }
    Some(text + ".")
}

/// Of the steps after the next one, the slowest, if it took longer than the one at which the sweep
/// stops paying.
fn slowest<'a>(rows: &[&'a TimedWay], place: usize) -> Option<(&'a TimedWay, f64)> {
    let later = rows.iter().skip(place + 2);
    let slower = later.filter_map(|row| match compare(row, rows[place]) {
        Comparison::Slower(times) => Some((*row, times)),
        _ => None,
    });
    slower.max_by(|(_, a), (_, b)| a.total_cmp(b))
}
