//! What workers cost, and how many of them are too many.

use crate::report::Style;

use super::super::comparison::{Comparison, compare};
use super::super::units::{bytes, seconds, times};
use super::kind::Bound;
use super::phrase::{as_fast, as_long, be, title};
use super::rows::{can_be_compared, sweep, sync};
use crate::timing::{Costs, TimedWay, Timing};

/// For work that waits: whether a thread for each piece of it was slower than a handful of threads,
/// as the tutorials hold, what a thread costs beside a task, and what became of tasks whose library
/// blocks.
pub(super) fn workers(timing: &Timing, bound: Option<Bound>) -> Vec<String> {
    if bound != Some(Bound::Waiting) {
        return Vec::new();
    }
    let sentences = [
        a_thread_each(timing),
        timing.costs.and_then(costs),
        tasks_that_block(timing),
    ];
    sentences.into_iter().flatten().collect()
}

/// A thread for each piece of work beside the fewest threads.
fn a_thread_each(timing: &Timing) -> Option<String> {
    let rows = sweep(timing, "threads", None);
    let [few, .., each] = rows[..] else {
        return None;
    };
    if (each.workers as u64) < each.items {
        return None;
    }
    let claim = "The tutorials hold that a thread for each piece of work is slower than a handful \
                 of threads";
    let (label, were) = (each.label(), be(each));
    Some(match compare(each, few) {
        Comparison::Slower(times) => {
            format!("{claim}: {label} took {} {}.", as_long(times), few.label())
        }
        Comparison::Faster(times) => format!(
            "{claim}; it is not so here: {label} {were} {} {}.",
            as_fast(times),
            few.label()
        ),
        Comparison::Alike | Comparison::Close => format!(
            "{claim}; it is not so here: {label} {were} as fast as {}.",
            few.label()
        ),
        Comparison::Unknown => return None,
    })
}

/// What a thread costs beside a task.
fn costs(costs: Costs) -> Option<String> {
    let style = Style::default();
    let Costs { thread, task } = costs;
    let memory = |bytes: u64| Some(bytes).filter(|bytes| *bytes > 0);
    let (thread_memory, task_memory) = (memory(thread.memory_bytes)?, memory(task.memory_bytes)?);
    #[expect(clippy::cast_precision_loss, reason = "only a few digits are told")]
    let ratio = thread_memory as f64 / task_memory as f64;
    Some(format!(
        "Before it has done anything, a thread costs {} to start and {} of memory here, a task {} \
         and {}: {} and {} times as much.",
        seconds(thread.start_seconds, &style),
        bytes(thread_memory),
        seconds(task.start_seconds, &style),
        bytes(task_memory),
        times(thread.start_seconds / task.start_seconds),
        times(ratio)
    ))
}

/// Tasks whose library blocks, beside `sync`.
fn tasks_that_block(timing: &Timing) -> Option<String> {
    let mut rows = timing.rows.iter();
    let tasks: &TimedWay = rows.find(|row| row.method == "async-blocking")?;
    if !can_be_compared(tasks) {
        return None;
    }
    let (label, were) = (title(&tasks.label()), be(tasks));
    let how = match compare(tasks, sync(timing)?) {
        Comparison::Alike | Comparison::Close => format!("{were} no faster than sync"),
        Comparison::Slower(times) => format!("took {} sync", as_long(times)),
        Comparison::Faster(_) | Comparison::Unknown => return None,
    };
    Some(format!(
        "{label} {how}: a call that blocks stops the one thread of the event loop, and with it all \
         other tasks. Such a library belongs on threads."
    ))
}
