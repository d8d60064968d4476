//! Which method to take, and why.

use crate::report::plural;

use super::super::comparison::{Comparison, compare};
use super::kind::Bound;
use super::phrase::{as_fast, be, list, title};
use super::rows::{best, distinct, sync};
use crate::timing::{TimedWay, Timing};

/// Which method to take, and why. Empty if only one method can be compared.
pub(super) fn advice(timing: &Timing, bound: Option<Bound>) -> Vec<String> {
    let Some(Choice { taken, tied, bests }) = choice(timing, bound) else {
        return Vec::new();
    };
    let Some(sentence) = taking(timing, taken, &tied, &bests) else {
        return Vec::new();
    };
    let reason = match bound {
        Some(bound) => reason(taken, bound),
        None => reason_of_messages(taken, &bests),
    };
    let mut sentences = vec![sentence];
    sentences.extend(reason.map(str::to_owned));
    sentences
}

/// The way to take. `None` if only one method can be compared.
pub(super) fn taken(timing: &Timing, bound: Option<Bound>) -> Option<&TimedWay> {
    choice(timing, bound).map(|choice| choice.taken)
}

/// What is chosen between.
struct Choice<'a> {
    taken: &'a TimedWay,
    /// The other ways that are as fast as the fastest.
    tied: Vec<&'a TimedWay>,
    /// The best way of each method, the fastest first.
    bests: Vec<&'a TimedWay>,
}

/// Of the methods that are not distinguishable from the fastest, or less than 5 % slower, the one
/// that costs least beside time. `None` if only one method can be compared.
fn choice(timing: &Timing, bound: Option<Bound>) -> Option<Choice<'_>> {
    let methods = distinct(timing, |row| row.method.as_str());
    let bests = methods
        .iter()
        .filter_map(|method| best(timing, |row| row.method == *method));
    let mut bests: Vec<&TimedWay> = bests.collect();
    bests.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let [fastest, _, ..] = bests[..] else {
        return None;
    };
    let tied = bests.iter().copied().filter(|row| ties(row, fastest));
    let mut tied: Vec<&TimedWay> = tied.collect();
    tied.sort_by_key(|row| rank(row, bound));
    let taken = tied.remove(0);
    Some(Choice { taken, tied, bests })
}

/// What the tutorials say of Python and what is otherwise in Rust, beside the figures.
pub(super) fn contrast(timing: &Timing, bound: Option<Bound>) -> Vec<String> {
    let mut sentences = Vec::new();
    let Some(sync) = sync(timing).filter(|_| bound == Some(Bound::Computing)) else {
        return sentences;
    };
    let threads = best(timing, |row| row.method == "threads");
    let threads = threads.or_else(|| best(timing, |row| row.method == "rayon"));
    if let Some(threads) = threads
        && let Comparison::Faster(times) = compare(threads, sync)
    {
        sentences.push(format!(
            "The tutorials' Python gains nothing from threads here, since its interpreter lock \
             lets one thread compute at a time; in Rust they run in parallel: {} {} {} sync on {}.",
            threads.label(),
            be(threads),
            as_fast(times),
            plural(timing.cores as u64, "core")
        ));
    }
    if let Some(tasks) = best(timing, |row| row.method == "async") {
        let how = match compare(tasks, sync) {
            Comparison::Alike => Some("not distinguishable from"),
            Comparison::Close => Some("less than 5 % apart from"),
            _ => None,
        };
        sentences.extend(how.map(|how| {
            format!(
                "{} {} {how} sync: tasks of one event loop take turns on one thread, so that \
                 computing does not overlap.",
                title(&tasks.label()),
                be(tasks)
            )
        }));
    }
    sentences
}

/// Whether a way is as fast as the fastest one, or too little slower to matter.
fn ties(row: &TimedWay, fastest: &TimedWay) -> bool {
    let comparison = compare(row, fastest);
    matches!(comparison, Comparison::Alike | Comparison::Close) || std::ptr::eq(row, fastest)
}

/// The place of a method among those that are equally fast. The simplest is the first.
pub(super) fn rank(row: &TimedWay, bound: Option<Bound>) -> usize {
    let order = match bound {
        Some(Bound::Waiting) => ["sync", "async", "threads", "rayon", "processes"],
        _ => ["sync", "threads", "rayon", "async", "processes"],
    };
    let place = order.iter().position(|method| *method == row.method);
    place.unwrap_or(order.len())
}

/// The sentence that says which way to take, what it is faster than, and what it is as fast as.
fn taking(
    timing: &Timing,
    taken: &TimedWay,
    tied: &[&TimedWay],
    bests: &[&TimedWay],
) -> Option<String> {
    let mut parts = Vec::new();
    let sync = sync(timing).filter(|sync| !std::ptr::eq(*sync, taken));
    // The next in the order, if it gained something itself.
    let next = bests.iter().copied().find(|row| {
        let gains = sync.is_none_or(|sync| matches!(compare(row, sync), Comparison::Faster(_)));
        let is_tied = tied.iter().any(|tied| std::ptr::eq(*tied, *row));
        gains && !is_tied && !std::ptr::eq(*row, taken)
    });
    for other in sync.into_iter().chain(next) {
        if let Comparison::Faster(times) = compare(taken, other) {
            parts.push(format!("{} {}", as_fast(times), other.label()));
        }
    }
    let (alike, close): (Vec<&TimedWay>, Vec<&TimedWay>) = tied
        .iter()
        .partition(|row| compare(taken, row) == Comparison::Alike);
    for (rows, how) in [
        (alike, "not distinguishable from"),
        (close, "less than 5 % apart from"),
    ] {
        let labels: Vec<String> = rows.iter().map(|row| row.label()).collect();
        if !labels.is_empty() {
            parts.push(format!("{how} {}", list(&labels)));
        }
    }
    let name = match taken.method.as_str() {
        "async" => "async tasks",
        method => method,
    };
    let (label, were) = (taken.label(), be(taken));
    let has_parts = !parts.is_empty();
    has_parts.then(|| format!("Take {name}: {label} {were} {}.", parts.join(", ")))
}

/// Why a method is taken for such a work, and when it is not.
fn reason(taken: &TimedWay, bound: Bound) -> Option<&'static str> {
    Some(match (bound, taken.method.as_str()) {
        (_, "sync") => {
            "It is the simplest, and no other way gained more than the noise of these runs, or 5 %."
        }
        (Bound::Waiting, "async") => {
            "Tasks when you can: one thread waits for all of them; threads when you must, as for a \
             library that blocks; processes for work that computes."
        }
        (Bound::Waiting, "threads") => {
            "While one thread waits, others go on; tasks do that on one thread, where the \
             libraries allow it."
        }
        (Bound::Computing, "threads" | "rayon") => {
            "They share memory, while processes have to be started and to send each other what \
             they share."
        }
        (Bound::Computing, "processes") => {
            "They share nothing, so that no lock and no allocator is in their way; what they \
             return has to be sent."
        }
        _ => return None,
    })
}

/// Why threads pass messages faster than processes.
pub(super) fn reason_of_messages(taken: &TimedWay, bests: &[&TimedWay]) -> Option<&'static str> {
    let has_processes = bests.iter().any(|row| row.method == "processes");
    (taken.method == "threads" && has_processes).then_some(
        "Threads leave a message in the memory that they share; processes have it copied by the \
         system, which is the price of sharing nothing.",
    )
}
