//! Who holds what and who waits for what, when nobody can go on.

use std::panic::Location;

use crate::trace::{Blocked, Obstacle, Operation, Trace};
use crate::verdict::{Failure, FailureKind};

use super::{Explanation, place, stale_read, wake_up};

pub(super) fn explain(failure: &Failure) -> Explanation {
    let trace = &failure.trace;
    let threads = failure
        .blocked
        .iter()
        .map(|blocked| sentence(trace, blocked));
    let threads: Vec<String> = threads.collect();
    if threads.is_empty() {
        return Explanation::default();
    }
    let why = format!("{}: {}.", failure.kind, threads.join("; "));
    let why = match failure.kind {
        FailureKind::Livelock => format!("{why} Nobody writes what they wait for."),
        _ => why,
    };
    let waiting = failure
        .blocked
        .iter()
        .filter(|blocked| blocked.operation == Operation::Wake);
    let lost = waiting.filter_map(|blocked| wake_up::lost(trace, blocked.thread));
    let (mut notified, lost): (Vec<usize>, Vec<String>) = lost.unzip();
    notified.dedup();
    let mut sentences = vec![why];
    sentences.extend(lost);
    let waiters = failure.blocked.iter().map(|blocked| blocked.thread);
    sentences.extend(waiters.filter_map(|waiter| stale_read::before_waiting(trace, waiter)));
    let notes = notified
        .into_iter()
        .map(|index| (index, "nobody waits".to_owned()));
    Explanation {
        why: Some(sentences.join(" ")),
        notes: notes.collect(),
    }
}

/// What one thread holds and waits for.
fn sentence(trace: &Trace, blocked: &Blocked) -> String {
    let thread = trace.thread_name(blocked.thread);
    let (waits, at) = if blocked.spins {
        looks_at(trace, blocked)
    } else {
        (waits_for(trace, blocked), blocked.at)
    };
    let at = place(at);
    let holds = blocked.holds.iter().map(|held| {
        format!(
            "{} (acquired at {})",
            trace.object_name(held.object),
            place(held.at)
        )
    });
    let holds: Vec<String> = holds.collect();
    if holds.is_empty() {
        format!("{thread} {waits}, at {at}")
    } else {
        format!(
            "{thread} holds {} and {waits}, at {at}",
            holds.join(" and ")
        )
    }
}

/// What a thread waits for that cannot go on.
fn waits_for(trace: &Trace, blocked: &Blocked) -> String {
    let object = blocked.object.map(|object| trace.object_name(object));
    let target = blocked.target.map(|thread| trace.thread_name(thread));
    let name = object.or(target).unwrap_or_default();
    if let Some(obstacle) = &blocked.obstacle {
        return waits_behind(trace, blocked, obstacle, &name);
    }
    let info = blocked
        .object
        .and_then(|object| trace.objects.get(object.index()));
    let is_channel = info.is_some_and(|info| info.kind == "Channel");
    match blocked.operation {
        Operation::Lock => format!("waits for {name}"),
        Operation::Join => format!("waits for {name} to finish"),
        Operation::Wake if is_channel => format!("waits for its message on {name} to be taken"),
        Operation::Wake => format!("waits to be notified on {name}"),
        Operation::Receive => format!("waits for a message on {name}"),
        Operation::Send => format!("waits for room in {name}"),
        Operation::Once => format!("waits for {name} to be initialised"),
        Operation::Park => "is parked".to_owned(),
        Operation::Select => "waits for one of several channels".to_owned(),
        Operation::Poll => "waits to be woken".to_owned(),
        operation => format!("waits for {operation} {name}")
            .trim_end()
            .to_owned(),
    }
}

/// What a thread waits for that something is in the way of.
fn waits_behind(trace: &Trace, blocked: &Blocked, obstacle: &Obstacle, name: &str) -> String {
    let purpose = match blocked.operation {
        Operation::ReadLock => "to read",
        _ => "to write",
    };
    match obstacle {
        Obstacle::Writer(thread) => {
            let writer = trace.thread_name(*thread);
            format!("waits {purpose} {name}, which {writer} holds for writing")
        }
        Obstacle::Readers(threads) => {
            let readers: Vec<String> = threads
                .iter()
                .map(|&thread| trace.thread_name(thread))
                .collect();
            let (hold, readers) = match readers.as_slice() {
                [one] => ("holds", one.clone()),
                many => ("hold", many.join(" and ")),
            };
            format!("waits {purpose} {name}, which {readers} {hold} for reading")
        }
        Obstacle::Upgradable(thread) => {
            let reader = trace.thread_name(*thread);
            format!("waits {purpose} {name}, which {reader} holds for upgradable reading")
        }
        Obstacle::WaitingWriter(thread) => {
            let writer = trace.thread_name(*thread);
            format!("waits {purpose} {name}, behind {writer}, which waits to write")
        }
        Obstacle::Arrivals { arrived, size } => {
            let have = if *arrived == 1 { "has" } else { "have" };
            format!("waits at {name}, where {arrived} of {size} {have} arrived")
        }
        Obstacle::Initialiser(thread) if *thread == blocked.thread => {
            format!("waits for {name}, whose initialiser it runs itself")
        }
        Obstacle::Initialiser(thread) => {
            let runs = trace.thread_name(*thread);
            format!("waits for {name}, whose initialiser {runs} runs")
        }
    }
}

/// What a thread that spins has looked at last, and where.
fn looks_at(trace: &Trace, blocked: &Blocked) -> (String, &'static Location<'static>) {
    let mut events = trace.events.iter().rev();
    let looked = events.find(|event| {
        let is_look = !matches!(event.operation, Operation::Yield | Operation::Sleep);
        event.thread == blocked.thread && is_look
    });
    let Some(event) = looked else {
        return (format!("only does {}", blocked.operation), blocked.at);
    };
    let object = event.object.map(|object| trace.object_name(object));
    let target = event.target.map(|thread| trace.thread_name(thread));
    let name = object.or(target).unwrap_or_default();
    let what = format!("does {} {name} again and again", event.operation);
    (what, event.at)
}
