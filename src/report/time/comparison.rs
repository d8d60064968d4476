//! Whether one way was faster than another, or whether that was noise.

use super::Row;

/// A way beside another one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Comparison {
    /// Each of its runs was quicker than each of the other's. So many times as fast: the other
    /// median divided by its own.
    Faster(f64),
    /// Each of its runs took longer than each of the other's. So many times as long: its own
    /// median divided by the other one.
    Slower(f64),
    /// Their ranges overlap: what lies between their medians is not more than what lies between
    /// runs of the same way.
    Alike,
    /// One of them ran only once, so that nothing is known of the noise.
    Unknown,
}

/// Compares the runs of two ways.
///
/// The criterion is that the ranges of their runs, from the quickest to the slowest, do not
/// overlap. It asks for nothing but the runs themselves, which need not be distributed in any way.
/// If two ways are in truth the same, then of three runs each it fails in one of ten cases, and of
/// five runs each in one of 126.
pub(super) fn compare(row: &Row, other: &Row) -> Comparison {
    let is_sound = |row: &Row| {
        let runs = row.runs.iter().chain([&row.seconds]);
        row.runs.len() > 1 && runs.copied().all(|run| run.is_finite() && run > 0.0)
    };
    if !is_sound(row) || !is_sound(other) {
        return Comparison::Unknown;
    }
    let faster = other.seconds / row.seconds;
    let slower = row.seconds / other.seconds;
    if row.max() < other.min() && faster.is_finite() {
        Comparison::Faster(faster)
    } else if row.min() > other.max() && slower.is_finite() {
        Comparison::Slower(slower)
    } else {
        Comparison::Alike
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::row;
    use super::*;

    fn compared(runs: &[f64], others: &[f64]) -> Comparison {
        compare(&row("threads", 2, runs), &row("sync", 1, others))
    }

    #[test]
    fn ranges_that_overlap_are_alike() {
        let comparison = compared(&[1.0, 1.1, 1.2], &[2.0, 1.2, 2.2]);
        assert_eq!(comparison, Comparison::Alike);
    }

    #[test]
    fn ranges_apart_are_in_an_order() {
        let comparison = compared(&[1.0, 1.1, 0.9], &[2.0, 2.1, 1.9]);
        assert_eq!(comparison, Comparison::Faster(2.0));
        let comparison = compared(&[3.0, 3.1, 2.9], &[2.0, 2.1, 1.9]);
        assert_eq!(comparison, Comparison::Slower(1.5));
    }

    #[test]
    fn nothing_is_known_of_one_run() {
        assert_eq!(compared(&[1.0], &[2.0, 2.0]), Comparison::Unknown);
        assert_eq!(compared(&[1.0, 1.0], &[2.0]), Comparison::Unknown);
        assert_eq!(compared(&[0.0, 1.0], &[2.0, 2.0]), Comparison::Unknown);
    }
}
