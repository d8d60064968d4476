//! What takes the time of the work: waiting or computing.

use super::super::comparison::{Comparison, compare};
use super::super::units::digits;
use super::phrase::{as_fast, be};
use super::rows::{best, sync};
use crate::timing::{Activity, TimedWay, Timing};

/// What takes the time of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    Waiting,
    Computing,
    Both,
}

/// What takes the time of the work, and how that was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind<'a> {
    pub(super) bound: Bound,
    /// Of the processor time that this way could have, it used the share.
    seen: &'a TimedWay,
    share: f64,
    /// Whether it had work to do for much longer than it had a core.
    is_starved: bool,
}

/// From this share of the time on, a work that computes is CPU-bound.
const COMPUTES: f64 = 0.8;

/// A way that had a core for less than this share of the time in which it had work to do was not
/// alone on the machine.
const STARVED: f64 = 0.75;

/// What takes the time, as seen by `sync`: if it keeps its core busy for up to half of the time the
/// work is I/O-bound, from 80 % on it is CPU-bound. Without `sync`, the first way stands for it.
///
/// The processor time decides, with lanes and without. A lane calls all of a download a wait, and
/// what of it was spent on computing is only in the processor time. Lanes serve for one thing: a
/// work that hardly waits and did not get its core all the same is CPU-bound on a machine that had
/// something else to do.
///
/// `None` if no processor time is known.
pub(super) fn kind(timing: &Timing) -> Option<Kind<'_>> {
    let is_known = |row: &&TimedWay| row.cores_busy().is_some_and(f64::is_finite);
    let sync = sync(timing).filter(is_known);
    let seen = sync.or_else(|| timing.rows.iter().find(is_known))?;
    let share = seen.cores_busy()? / count(cores_of(seen, timing));
    let is_starved = is_starved(seen, cores_of(seen, timing));
    let bound = match share {
        _ if is_starved => Bound::Computing,
        share if share <= 0.5 => Bound::Waiting,
        share if share < COMPUTES => Bound::Both,
        _ => Bound::Computing,
    };
    Some(Kind {
        bound,
        seen,
        share,
        is_starved,
    })
}

impl Kind<'_> {
    /// What takes the time, and the figures that show it.
    pub(super) fn sentence(self, timing: &Timing) -> String {
        let Kind {
            bound,
            seen,
            share,
            is_starved,
        } = self;
        let what = match bound {
            Bound::Waiting => "is I/O-bound",
            Bound::Computing => "is CPU-bound",
            Bound::Both => "both computes and waits",
        };
        let busy = match (cores_of(seen, timing), be(seen)) {
            (1, _) => "one core",
            (_, "were") => "the cores that they could use",
            _ => "the cores that it could use",
        };
        let percent = match share {
            share if share < 0.01 => "less than 1".to_owned(),
            share => digits(share.min(1.0) * 100.0, 2),
        };
        let seen = seen.label();
        let mut text =
            format!("This work {what}: {seen} kept {busy} busy for {percent} % of the time");
        if bound != Bound::Computing
            && let Some((threads, speedup)) = fastest_threads(timing)
            // A little more than the cores give is noise.
            && speedup > count(timing.cores) * 1.2
        {
            let given = match timing.cores {
                1 => "one core".to_owned(),
                cores => format!("{cores} cores"),
            };
            let (label, were, fast) = (threads.label(), be(threads), as_fast(speedup));
            text += &format!(", and {label} {were} {fast} sync, more than {given} can compute");
        }
        if is_starved {
            text += ", and had work to do for longer: the machine was busy with something else, so \
                     that these times say little";
        }
        text + "."
    }
}

/// Whether its lanes say that it hardly waited, and that it had work for much longer than it had a
/// core.
fn is_starved(row: &TimedWay, cores: usize) -> bool {
    let hardly_waited = row.share_of_work().is_some_and(|share| share >= COMPUTES);
    let had_cores = row.cpu_seconds.unwrap_or(0.0);
    hardly_waited && had_cores < core_seconds_of_work(row, cores) * STARVED
}

/// The processor time that its workers could have used on so many cores, by their lanes.
fn core_seconds_of_work(row: &TimedWay, cores: usize) -> f64 {
    let spans = row.lanes.iter().flat_map(|lane| &lane.spans);
    let work = spans.filter(|span| span.activity == Activity::Work);
    let mut changes: Vec<(f64, isize)> = work
        .flat_map(|span| [(span.start, 1), (span.end, -1)])
        .collect();
    changes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut at_work = 0;
    let steps = changes.windows(2).map(|pair| {
        at_work += pair[0].1;
        count(cores.min(usize::try_from(at_work).unwrap_or(0))) * (pair[1].0 - pair[0].0)
    });
    steps.sum()
}

/// How many cores a way can keep busy.
fn cores_of(row: &TimedWay, timing: &Timing) -> usize {
    match row.method.as_str() {
        // An event loop is one thread.
        "sync" | "async" => 1,
        _ => row.workers.min(timing.cores).max(1),
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are not so many cores")]
fn count(cores: usize) -> f64 {
    cores as f64
}

/// The best way with threads, if it was faster than `sync`, and how many times as fast.
fn fastest_threads(timing: &Timing) -> Option<(&TimedWay, f64)> {
    let threads = best(timing, |row| row.method == "threads")?;
    match compare(threads, sync(timing)?) {
        Comparison::Faster(times) => Some((threads, times)),
        _ => None,
    }
}
