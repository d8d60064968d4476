//! Which rows sentences are about.

use super::super::comparison::{Comparison, RUNS, compare};
use crate::timing::{TimedWay, Timing};

/// How a server serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Served {
    /// One request at a time.
    OneByOne,
    /// All requests at once.
    AtOnce,
}

/// The way that all others are compared with.
pub(super) fn sync(timing: &Timing) -> Option<&TimedWay> {
    timing.rows.iter().find(|row| row.method == "sync")
}

/// The way with the least median among those that can be compared, the first of several; with as
/// few workers as pay, if it was measured with several numbers of them.
///
/// A way that throws its results away does less than the others, and does not count.
pub(super) fn best(timing: &Timing, is_meant: impl Fn(&TimedWay) -> bool) -> Option<&TimedWay> {
    let rows = timing.rows.iter().filter(|row| can_be_compared(row));
    let rows = rows.filter(|row| has_results(row) && is_meant(row));
    let fastest = rows.min_by(|a, b| a.seconds.total_cmp(&b.seconds))?;
    let rows = sweep(timing, &fastest.method, fastest.variant.as_ref());
    let rows: Vec<&TimedWay> = rows
        .into_iter()
        .filter(|row| can_be_compared(row))
        .collect();
    rows.get(pays_up_to(&rows)).copied()
}

/// The rows of a way, from the fewest workers to the most, each number once.
pub(super) fn sweep<'a>(
    timing: &'a Timing,
    method: &str,
    variant: Option<&String>,
) -> Vec<&'a TimedWay> {
    let rows = timing.rows.iter();
    let is_meant = |row: &&TimedWay| row.method == method && row.variant.as_ref() == variant;
    let mut rows: Vec<&TimedWay> = rows.filter(is_meant).collect();
    rows.sort_by_key(|row| row.workers);
    rows.dedup_by_key(|row| row.workers);
    rows
}

/// The first place in a sweep after which no row is faster by as much as matters.
pub(super) fn pays_up_to(sweep: &[&TimedWay]) -> usize {
    let gains = |here: &TimedWay, later: &[&TimedWay]| {
        let mut compared = later.iter().map(|row| compare(row, here));
        compared.any(|comparison| matches!(comparison, Comparison::Faster(_)))
    };
    let mut places = 0..sweep.len();
    let place = places.find(|place| !gains(sweep[*place], &sweep[place + 1..]));
    place.unwrap_or(0)
}

/// Whether it keeps what its work comes to.
pub(super) fn has_results(row: &TimedWay) -> bool {
    !has_variant(row, "discarded")
}

/// Whether its results go to a manager process, each by itself.
pub(super) fn is_through_manager(row: &TimedWay) -> bool {
    has_variant(row, "manager")
}

/// How its server serves, where servers of both kinds were measured.
pub(super) fn served(row: &TimedWay) -> Option<Served> {
    match row.variant.as_deref() {
        Some("served one by one") => Some(Served::OneByOne),
        Some("served at once") => Some(Served::AtOnce),
        _ => None,
    }
}

fn has_variant(row: &TimedWay, word: &str) -> bool {
    let variant = row.variant.as_deref();
    variant.is_some_and(|variant| variant.contains(word))
}

/// Whether it ran so often that it can be told from others.
pub(super) fn can_be_compared(row: &TimedWay) -> bool {
    row.runs.len() >= RUNS
}

/// The values that a key takes, each once, in the order of the rows.
pub(super) fn distinct<'a, K: PartialEq>(
    timing: &'a Timing,
    key: impl Fn(&'a TimedWay) -> K,
) -> Vec<K> {
    let mut keys = Vec::new();
    for row in &timing.rows {
        let key = key(row);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}
