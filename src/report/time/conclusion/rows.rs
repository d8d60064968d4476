//! Which rows sentences are about.

use super::super::{Row, Timing};

/// The way that all others are compared with.
pub(super) fn sync(timing: &Timing) -> Option<&Row> {
    timing.rows.iter().find(|row| row.method == "sync")
}

/// The way with the least median among those that can be compared, the first of several.
///
/// A way that throws its results away does less than the others, and does not count.
pub(super) fn best(timing: &Timing, is_meant: impl Fn(&Row) -> bool) -> Option<&Row> {
    let rows = timing.rows.iter().filter(|row| can_be_compared(row));
    let rows = rows.filter(|row| has_results(row) && is_meant(row));
    rows.min_by(|a, b| a.seconds.total_cmp(&b.seconds))
}

/// Whether it keeps what its work comes to.
pub(super) fn has_results(row: &Row) -> bool {
    !has_variant(row, "discarded")
}

/// Whether its results go to a manager process, each by itself.
pub(super) fn is_through_manager(row: &Row) -> bool {
    has_variant(row, "manager")
}

fn has_variant(row: &Row, word: &str) -> bool {
    let variant = row.variant.as_deref();
    variant.is_some_and(|variant| variant.contains(word))
}

/// Whether it ran more than once.
pub(super) fn can_be_compared(row: &Row) -> bool {
    row.runs.len() > 1
}

/// The values that a key takes, each once, in the order of the rows.
pub(super) fn distinct<'a, K: PartialEq>(timing: &'a Timing, key: impl Fn(&'a Row) -> K) -> Vec<K> {
    let mut keys = Vec::new();
    for row in &timing.rows {
        let key = key(row);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}
