//! What follows from the figures that were measured, and from nothing else.

mod advice;
mod busy;
mod kind;
mod messages;
mod phrase;
mod rows;
mod servers;
mod sweep;
#[cfg(test)]
mod tests;
mod workers;
mod worth;

use crate::report::{Style, plural};

use super::comparison::{Comparison, compare};
use super::units::seconds;
use crate::timing::{TimedWay, Timing};

use advice::{advice, contrast, taken};
use busy::busy;
use kind::{Bound, kind};
use messages::of_messages;
use phrase::{as_fast, as_long, be, title};
use rows::{can_be_compared, distinct, has_results, is_through_manager, served, sync};
use servers::servers;
use sweep::sweeps;
use workers::workers;
use worth::worth;

/// How many ways that were slower than `sync` are named.
const NAMED: usize = 3;

/// From this share of the median on, half of what lies between runs is told.
const WIDE: f64 = 0.1;

/// What follows from the rows, in sentences, the answer first. Empty if there is no row.
///
/// That one way was faster than another is only said if the slowest of its runs was faster than the
/// quickest of the other's, and if there are 5 % between their medians; else they are called not
/// distinguishable, or less than 5 % apart. Of a way that ran once or twice, no order is told.
pub(crate) fn conclusion(timing: &Timing) -> Vec<String> {
    let is_of_messages = |row: &TimedWay| row.messages_per_second.is_some();
    let mut sentences = if timing.rows.iter().any(is_of_messages) {
        of_messages(timing)
    } else if timing.workload == "busy" {
        busy(timing)
    } else {
        of_work(timing)
    };
    if timing.interrupted && !sentences.is_empty() {
        // The answer stays the first.
        let interrupted = "This is of what was measured before the interruption.";
        sentences.insert(1, interrupted.to_owned());
    }
    sentences
}

/// What follows from the times of work.
fn of_work(timing: &Timing) -> Vec<String> {
    let mut sentences = Vec::new();
    let kind = kind(timing);
    let bound = kind.map(|kind| kind.bound);
    sentences.extend(worth(timing, taken(timing, bound)));
    sentences.extend(kind.map(|kind| kind.sentence(timing)));
    sentences.extend(ran_seldom(timing));
    if let [only] = timing.rows.as_slice() {
        let label = only.label();
        sentences.push(format!("There is no other way to compare {label} with."));
    }
    sentences.extend(advice(timing, bound));
    sentences.extend(contrast(timing, bound));
    sentences.extend(workers(timing, bound));
    sentences.extend(sweeps(timing));
    sentences.extend(servers(timing));
    sentences.extend(variants(timing));
    sentences.extend(slower_than_sync(timing, bound));
    sentences
}

/// The ways that ran so seldom that nothing is known of the noise.
fn ran_seldom(timing: &Timing) -> Option<String> {
    let rows = timing.rows.iter();
    let seldom: Vec<&TimedWay> = rows.filter(|row| !can_be_compared(row)).collect();
    let counts = || seldom.iter().map(|row| row.runs.len());
    let often = match (counts().min()?, counts().max()?) {
        (_, 1) => "once",
        (2, 2) => "twice",
        _ => "once or twice",
    };
    Some(match seldom.as_slice() {
        seldom if seldom.len() == timing.rows.len() => {
            let each = match seldom {
                [row] => format!("{} ran", title(&row.label())),
                _ => "Each way ran".to_owned(),
            };
            format!(
                "{each} only {often}, so that no difference could be told from noise: ask for more \
                 `--runs`."
            )
        }
        [row] => format!(
            "{} ran only {often} and {} not compared.",
            title(&row.label()),
            be(row)
        ),
        rows => format!(
            "{} ways ran only {often} and were not compared.",
            rows.len()
        ),
    })
}

/// For each method that has several variants: what is between the fastest and the slowest of them.
fn variants(timing: &Timing) -> Vec<String> {
    let methods = distinct(timing, |row| &row.method);
    let sentences = methods.into_iter().filter_map(|method| {
        let rows = timing.rows.iter();
        let rows = rows.filter(|row| row.method == *method && can_be_compared(row));
        let rows = rows.filter(|row| has_results(row) && served(row).is_none());
        let rows: Vec<&TimedWay> = rows.collect();
        let fastest = rows.iter().min_by(|a, b| a.seconds.total_cmp(&b.seconds))?;
        let slowest = rows.iter().max_by(|a, b| a.seconds.total_cmp(&b.seconds))?;
        if fastest.variant == slowest.variant {
            return None;
        }
        let Comparison::Faster(times) = compare(fastest, slowest) else {
            return None;
        };
        let why = if is_through_manager(slowest) {
            ", where each result is a message of its own"
        } else {
            ""
        };
        Some(format!(
            "{} {} {} {}{why}.",
            title(&fastest.label()),
            be(fastest),
            as_fast(times),
            slowest.label()
        ))
    });
    sentences.collect()
}

/// What took longer than one after another, and why, the worst ways first.
fn slower_than_sync(timing: &Timing, bound: Option<Bound>) -> Vec<String> {
    let Some(sync) = sync(timing) else {
        return Vec::new();
    };
    let rows = timing.rows.iter();
    let rows = rows.filter(|row| row.method != "async-blocking");
    let slower = rows.filter_map(|row| match compare(row, sync) {
        Comparison::Slower(times) => Some((row, times)),
        _ => None,
    });
    let mut slower: Vec<(&TimedWay, f64)> = slower.collect();
    slower.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let mut sentences: Vec<String> = slower
        .iter()
        .take(NAMED)
        .map(|(row, times)| {
            let long = as_long(*times);
            let why = why_slower(row, bound);
            let more = per_result(row).unwrap_or_default();
            format!("{} took {long} sync: {why}{more}.", title(&row.label()))
        })
        .collect();
    if slower.len() > NAMED {
        let more = slower.len() - NAMED;
        sentences.push(match more {
            1 => "One more way was slower than sync.".to_owned(),
            _ => format!("{more} more ways were slower than sync."),
        });
    }
    sentences
}

/// Where each result is a message to one process: how long one took, and why that differs from run
/// to run.
fn per_result(row: &TimedWay) -> Option<String> {
    let results = row
        .found
        .filter(|results| *results > 0 && is_through_manager(row))?;
    #[expect(clippy::cast_precision_loss, reason = "only a few digits are told")]
    let each = row.seconds / results as f64;
    let mut text = format!(
        ", which took {} for each of {}",
        seconds(each, &Style::default()),
        plural(results, "result")
    );
    if row.spread().is_some_and(|spread| spread >= WIDE) {
        text += "; the runs lie far apart: one reason is on which core the system wakes each \
                 process";
    }
    Some(text)
}

/// What a way has to do that `sync` has not.
fn why_slower(row: &TimedWay, bound: Option<Bound>) -> &'static str {
    match row.method.as_str() {
        _ if is_through_manager(row) => {
            "each result is a message to the manager process and its answer, and all workers wait \
             for that one process"
        }
        "async" if bound == Some(Bound::Computing) => {
            "tasks of one event loop take turns on one thread, and to switch costs time"
        }
        "processes" => "to start processes and to send messages cost more than was gained",
        _ => "to start workers and to hand out the work cost more than was gained",
    }
}
