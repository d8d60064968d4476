//! When each worker was at work, for the terminal: a line for each worker.

use unicode_width::UnicodeWidthStr;

use crate::report::style::{BLUE, BOLD, YELLOW, paint, wrapped};
use crate::report::{Style, printable};

use super::raster::raster;
use super::units::seconds;
use crate::timing::{Activity, Lane, TimedWay, Timing};

/// How many workers of a way are shown if there are not more.
const MOST: usize = 8;

/// How many are shown if there are more.
const FIRST: usize = 4;

/// How wide the names of workers can become.
const NAME_WIDTH: usize = 20;

/// Renders the lanes of `sync` and of the fastest way of each other method, each on a time axis of
/// its own. Empty if no lanes were recorded.
pub(super) fn lanes(timing: &Timing, style: &Style) -> String {
    let rows = shown(timing);
    if rows.is_empty() {
        return String::new();
    }
    let names = rows.iter().flat_map(|row| shown_of(row)).map(name);
    let widths = names.map(|name| name.width());
    let name_width = widths.max().unwrap_or(0);
    let cells = style.width.saturating_sub(name_width + 6).clamp(10, 120);
    let mut out = String::new();
    for row in rows {
        let label = paint(&printable(&row.label()), BOLD, style);
        let line = format!("{label}   {}", seconds(row.seconds, style));
        out += &wrapped(&line, "  ", "      ", style);
        let end = row.end();
        let shown = shown_of(row);
        for lane in &shown {
            let name = name(lane);
            let pad = " ".repeat(name_width - name.width());
            let line = format!("    {name}{pad}  {}", drawn(lane, end, cells, style));
            out += &format!("{}\n", line.trim_end());
        }
        let more = row.lanes.len() + row.thread_of_tasks.iter().len() - shown.len();
        if more > 0 {
            out += &format!("    {} {more} more\n", style.ellipsis());
        }
    }
    let (work, wait) = signs(style);
    let legend = format!(
        "{} work   {} waiting   (each way on a time axis of its own)",
        paint(work, color_of(Activity::Work), style),
        paint(wait, color_of(Activity::Wait), style)
    );
    out + &wrapped(&legend, "  ", "  ", style)
}

/// The rows that are shown, in the order of all.
fn shown(timing: &Timing) -> Vec<&TimedWay> {
    let mut shown: Vec<&TimedWay> = Vec::new();
    for row in timing.rows.iter().filter(|row| !row.lanes.is_empty()) {
        match shown.iter_mut().find(|other| other.method == row.method) {
            None => shown.push(row),
            Some(other) if row.seconds < other.seconds => *other = row,
            Some(_) => {}
        }
    }
    shown
}

/// The lanes that are shown of a way, before which that of the thread is that tasks share.
fn shown_of(row: &TimedWay) -> Vec<&Lane> {
    let lanes = if row.lanes.len() > MOST {
        &row.lanes[..FIRST]
    } else {
        &row.lanes
    };
    row.thread_of_tasks.iter().chain(lanes).collect()
}

/// The name of a worker, cut if it is long.
fn name(lane: &Lane) -> String {
    let name = printable(&lane.name);
    if name.width() <= NAME_WIDTH {
        return name;
    }
    let mut cut = String::new();
    for c in name.chars() {
        if cut.width() + 2 > NAME_WIDTH {
            break;
        }
        cut.push(c);
    }
    cut
}

fn drawn(lane: &Lane, end: f64, cells: usize, style: &Style) -> String {
    let raster = raster(lane, end, cells);
    let (work, wait) = signs(style);
    let runs = raster.chunk_by(|a, b| a == b);
    let drawn = runs.map(|run| match run[0] {
        None => " ".repeat(run.len()),
        Some(activity) => {
            let sign = match activity {
                Activity::Work => work,
                Activity::Wait => wait,
            };
            paint(&sign.repeat(run.len()), color_of(activity), style)
        }
    });
    drawn.collect()
}

/// What stands for work, and for waiting.
fn signs(style: &Style) -> (&'static str, &'static str) {
    if style.ascii {
        ("#", ".")
    } else {
        ("█", "░")
    }
}

fn color_of(activity: Activity) -> &'static str {
    match activity {
        Activity::Work => BLUE,
        Activity::Wait => YELLOW,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    use super::super::samples;
    use super::*;

    #[test]
    fn lanes_are_as_in_the_golden_files() {
        let all = [
            ("io", samples::io()),
            ("cpu", samples::cpu()),
            ("primes", samples::primes()),
            ("sleep", samples::sleep()),
        ];
        for (name, timing) in all {
            let lanes = lanes(&timing, &Style::default());
            expect_file![format!("golden/{name}.lanes.txt")].assert_eq(&lanes);
        }
    }

    #[test]
    fn a_way_has_few_lines_however_many_workers_it_has() {
        let mut timing = samples::io();
        timing.rows.truncate(1);
        timing.rows[0].lanes = vec![timing.rows[0].lanes[0].clone(); 10_000];
        let lanes = lanes(&timing, &Style::default());
        assert_eq!(lanes.lines().count(), 1 + FIRST + 1 + 1);
        assert!(lanes.contains("… 9996 more\n"));
    }

    #[test]
    fn without_lanes_there_is_nothing() {
        assert_eq!(lanes(&samples::pipe(), &Style::default()), "");
    }

    #[test]
    fn ascii_is_ascii() {
        let style = Style {
            ascii: true,
            ..Style::default()
        };
        assert!(lanes(&samples::io(), &style).is_ascii());
    }
}
