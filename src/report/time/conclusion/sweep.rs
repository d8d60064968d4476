//! From which number of workers on more of them gain nothing.

use super::super::comparison::{Comparison, compare};
use super::super::{Row, Timing};
use super::phrase::{as_fast, as_long, be};
use super::rows::{can_be_compared, distinct};

/// How many times as fast the next step of a sweep has to be to pay for its workers.
const PAYS: f64 = 1.05;

/// For each method that was measured with several numbers of workers: where that stops paying, so
/// that the next number is less than 5 % faster, or not faster at all.
pub(super) fn sweeps(timing: &Timing) -> Vec<String> {
    let ways = distinct(timing, |row| (&row.method, &row.variant));
    let sentences = ways.into_iter().map(|(method, variant)| {
        let rows = timing.rows.iter();
        let is_meant = |row: &&Row| (&row.method, &row.variant) == (method, variant);
        let mut rows: Vec<&Row> = rows.filter(is_meant).collect();
        rows.sort_by_key(|row| row.workers);
        rows.dedup_by_key(|row| row.workers);
        sentence(&rows)
    });
    sentences.flatten().collect()
}

/// What a sweep shows, from the fewest workers to the most. `None` if it is no sweep, or if there
/// is a step that ran only once.
fn sentence(rows: &[&Row]) -> Option<String> {
    let [_, .., last] = rows else {
        return None;
    };
    if !rows.iter().all(|row| can_be_compared(row)) {
        return None;
    }
    for pair in rows.windows(2) {
        let (here, next) = (pair[0], pair[1]);
        let (label, next_label, were) = (here.label(), next.label(), be(next));
        let why = match compare(next, here) {
            Comparison::Faster(times) if times >= PAYS => continue,
            Comparison::Faster(times) => format!("{were} only {}", as_fast(times)),
            Comparison::Slower(times) => format!("took {}", as_long(times)),
            Comparison::Alike => format!("{were} not distinguishable from"),
            Comparison::Unknown => return None,
        };
        return Some(format!(
            "The sweep of {} stops paying at {}: {next_label} {why} {label}.",
            here.name(),
            here.workers
        ));
    }
    Some(format!(
        "Each step of the sweep of {} paid, up to {} workers, the most that were measured.",
        last.name(),
        last.workers
    ))
}
