//! Whether one way was faster than another, or whether that was noise.

use crate::timing::TimedWay;

/// How often a way has to run for an order to be told. Of two runs each, the ranges of ways that
/// are in truth the same lie apart in one of three cases.
pub(super) const RUNS: usize = 3;

/// How many times as fast, or as long, is too little to matter.
const MATTERS: f64 = 1.05;

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
    /// Their ranges do not overlap, but there are less than 5 % between their medians. Such a
    /// difference can have many a reason, and matters to nobody.
    Close,
    /// One of them ran less than three times, so that little is known of the noise.
    Unknown,
}

/// Compares the runs of two ways.
///
/// The criterion is that the ranges of their runs, from the quickest to the slowest, do not
/// overlap. It asks for nothing but the runs themselves, which need not be distributed in any way.
/// If two ways are in truth the same, then of three runs each it fails in one of ten cases, and of
/// five runs each in one of 126.
pub(super) fn compare(row: &TimedWay, other: &TimedWay) -> Comparison {
    let is_sound = |row: &TimedWay| {
        let runs = row.runs.iter().chain([&row.seconds]);
        row.runs.len() >= RUNS && runs.copied().all(|run| run.is_finite() && run > 0.0)
    };
    if !is_sound(row) || !is_sound(other) {
        return Comparison::Unknown;
    }
    let faster = other.seconds / row.seconds;
    let slower = row.seconds / other.seconds;
    if row.max() < other.min() && faster.is_finite() {
        told(faster, Comparison::Faster)
    } else if row.min() > other.max() && slower.is_finite() {
        told(slower, Comparison::Slower)
    } else {
        Comparison::Alike
    }
}

/// The order, if it is so large that it matters.
fn told(times: f64, order: fn(f64) -> Comparison) -> Comparison {
    if times < MATTERS {
        Comparison::Close
    } else {
        order(times)
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
    fn ranges_apart_by_less_than_5_per_cent_are_in_no_order() {
        let comparison = compared(&[1.0, 1.001, 1.002], &[1.049, 1.048, 1.047]);
        assert_eq!(comparison, Comparison::Close);
        let comparison = compared(&[1.049, 1.048, 1.047], &[1.0, 1.001, 1.002]);
        assert_eq!(comparison, Comparison::Close);
    }

    #[test]
    fn of_fewer_than_three_runs_nothing_is_known() {
        let many = [2.0, 2.0, 2.0];
        assert_eq!(compared(&[1.0], &many), Comparison::Unknown);
        assert_eq!(compared(&[1.0, 1.0], &many), Comparison::Unknown);
        assert_eq!(compared(&many, &[1.0, 1.0]), Comparison::Unknown);
        assert_eq!(compared(&[0.0, 1.0, 1.0], &many), Comparison::Unknown);
    }
}
