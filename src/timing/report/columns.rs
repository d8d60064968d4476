//! What the table says of each row.

use crate::report::Style;
use crate::report::grouped;

use super::units::{bytes, count, digits, plus_minus, range, seconds, times};
use crate::timing::{TimedWay, Timing};

/// A column of the table.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) topic: Topic,
    pub(super) head: &'static str,
    /// What it counts or measures. Empty if the head says it.
    pub(super) means: &'static str,
    /// A cell for each row, which can be empty.
    pub(super) cells: Vec<String>,
}

/// What a column is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// How long the work took.
    Time,
    /// What it took beside time.
    Resources,
}

/// The columns in the order in which they are read, without those that no row fills.
pub(super) fn columns(timing: &Timing, style: &Style) -> Vec<Column> {
    let of = |cell: &dyn Fn(&TimedWay) -> Option<String>| -> Vec<String> {
        let cells = timing.rows.iter().map(|row| cell(row).unwrap_or_default());
        cells.collect()
    };
    let several = |row: &TimedWay| row.runs.len() > 1;
    let columns = [
        Column {
            topic: Topic::Time,
            head: "workers",
            means: "",
            cells: of(&|row| Some(grouped(row.workers as u64))),
        },
        Column {
            topic: Topic::Time,
            head: "median",
            means: "",
            cells: of(&|row| Some(seconds(row.seconds, style))),
        },
        Column {
            topic: Topic::Time,
            head: if style.ascii { "min-max" } else { "min–max" },
            means: "the quickest and the slowest run; the tutorials publish the quickest of three",
            cells: of(&|row| several(row).then(|| range(row.min(), row.max(), style))),
        },
        Column {
            topic: Topic::Time,
            head: "spread",
            means: "half of max - min, relative to the median",
            cells: of(&|row| Some(plus_minus(row.spread()?, style))),
        },
        Column {
            topic: Topic::Time,
            head: "speed-up",
            means: "the median of sync, divided by this one",
            cells: of(&|row| row.speedup.map(times)),
        },
        Column {
            topic: Topic::Time,
            head: "ideal",
            means: "no time lost, with these waits, workers and cores",
            cells: of(&|row| Some(seconds(row.ideal_seconds?, style))),
        },
        Column {
            topic: Topic::Time,
            head: if style.ascii { "x ideal" } else { "× ideal" },
            means: "",
            cells: of(&|row| row.ratio_to_ideal().map(times)),
        },
        Column {
            topic: Topic::Time,
            head: "found",
            means: "how many primes",
            cells: of(&|row| row.found.map(grouped)),
        },
        Column {
            topic: Topic::Time,
            head: "messages/s",
            means: "",
            cells: of(&|row| row.messages_per_second.map(count)),
        },
        Column {
            topic: Topic::Time,
            head: "latency",
            means: "half of the time of a message and its answer",
            cells: of(&|row| Some(seconds(row.latency_seconds?, style))),
        },
        Column {
            topic: Topic::Resources,
            head: "cores busy",
            means: "processor time, divided by time",
            cells: of(&|row| Some(digits(row.cores_busy()?, 3))),
        },
        Column {
            topic: Topic::Resources,
            head: "on each core",
            means: "the share of the time for which a loop was on core 0, core 1 and so on",
            cells: of(&shares_of_cores),
        },
        Column {
            topic: Topic::Resources,
            head: "in flight",
            means: "the most waits at once",
            cells: of(&|row| row.peak_in_flight.map(grouped)),
        },
        Column {
            topic: Topic::Resources,
            head: "memory",
            means: "the most that was resident (of processes, the sum of what each had at most)",
            cells: of(&|row| row.peak_memory_bytes.map(bytes)),
        },
    ];
    let is_filled = |column: &Column| column.cells.iter().any(|cell| !cell.is_empty());
    columns.into_iter().filter(is_filled).collect()
}

/// The share of its time that a way was on each core. `None` if that is not known.
fn shares_of_cores(row: &TimedWay) -> Option<String> {
    let shares = row.seconds_on_cores.iter();
    let shares = shares.map(|seconds| format!("{:.0} %", seconds / row.seconds * 100.0));
    let shares: Vec<String> = shares.collect();
    (!shares.is_empty()).then(|| shares.join(", "))
}

/// What the columns mean whose heads do not say it. Empty if there are none.
pub(super) fn legend(columns: &[Column]) -> String {
    let explained = columns.iter().filter(|column| !column.means.is_empty());
    let parts: Vec<String> = explained
        .map(|column| format!("{}: {}", column.head, column.means))
        .collect();
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn a_column_that_no_row_fills_is_left_out() {
        let heads = |timing: &Timing| -> Vec<&str> {
            let columns = columns(timing, &Style::default());
            columns.iter().map(|column| column.head).collect()
        };
        let io = heads(&samples::io());
        assert!(io.contains(&"in flight") && !io.contains(&"latency"));
        let pipe = heads(&samples::pipe());
        assert!(pipe.contains(&"latency") && !pipe.contains(&"in flight"));
        let mut once = samples::cpu();
        for row in &mut once.rows {
            row.runs.truncate(1);
        }
        assert!(!heads(&once).contains(&"spread"));
    }
}
