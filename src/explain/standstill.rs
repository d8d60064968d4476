//! Who holds what and who waits for what, when nobody can go on.

use std::panic::Location;

use crate::trace::{Blocked, Event, EventResult, Obstacle, Operation, Trace};
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
    let waits = if blocked.spins {
        let (waits, at) = looks_at(trace, blocked);
        format!("{waits}, at {}", place(at))
    } else {
        let awaits = awaits(trace, blocked);
        awaits.unwrap_or_else(|| format!("{}, at {}", waits_for(trace, blocked), place(blocked.at)))
    };
    let holds = blocked.holds.iter().map(|held| {
        format!(
            "{} (acquired at {})",
            trace.object_name(held.object),
            place(held.at)
        )
    });
    let holds: Vec<String> = holds.collect();
    if holds.is_empty() {
        format!("{thread} {waits}")
    } else {
        format!("{thread} holds {} and {waits}", holds.join(" and "))
    }
}

/// What a task awaits that waits to be polled again, and where: each of the futures that its last
/// poll has found not to be ready, and has not dropped since. `None` if none is known.
fn awaits(trace: &Trace, blocked: &Blocked) -> Option<String> {
    if blocked.operation != Operation::Poll {
        return None;
    }
    let own = trace.events.iter().rev();
    let own = own.filter(|event| event.thread == blocked.thread);
    let mut awaits: Vec<&Event> = Vec::new();
    let mut dropped: Vec<&Event> = Vec::new();
    let is_same = |one: &Event, other: &Event| one.object == other.object && one.at == other.at;
    // A poll without an object is the choice of a branch of a `select!`.
    let is_poll = |event: &&Event| event.operation == Operation::Poll && event.object.is_some();
    for event in own.take_while(|event| !is_poll(event)) {
        let is_pending = event.result == Some(EventResult::Pending);
        if !is_pending && event.operation == Operation::Disconnect {
            dropped.push(event);
        } else if let Some(index) = dropped.iter().position(|other| is_same(event, other)) {
            dropped.swap_remove(index);
        } else if is_pending && !awaits.iter().any(|other| is_same(event, other)) {
            awaits.push(event);
        }
    }
    let awaits = awaits.iter().rev();
    let awaits =
        awaits.map(|event| format!("{}, at {}", is_awaited(trace, event), place(event.at)));
    let awaits: Vec<String> = awaits.collect();
    (!awaits.is_empty()).then(|| format!("waits {}", awaits.join(", or ")))
}

/// What a task waits for that has found a future not to be ready.
fn is_awaited(trace: &Trace, event: &Event) -> String {
    let name = event.object.map(|object| trace.object_name(object));
    let target = event.target.map(|thread| trace.thread_name(thread));
    let name = name.or(target).unwrap_or_default();
    let info = event
        .object
        .and_then(|object| trace.objects.get(object.index()));
    let kind = info.map_or("", |info| info.kind);
    match (event.operation, kind) {
        (Operation::Lock, "Semaphore") => format!("for a permit of {name}"),
        (Operation::Wait, "Notify") => format!("to be notified on {name}"),
        (Operation::Wait, "Watch") => format!("for a change of {name}"),
        (Operation::Wait, "CancellationToken") => format!("for {name} to be cancelled"),
        (Operation::Barrier, _) => format!("at {name}"),
        (Operation::ReadLock, _) => format!("to read {name}"),
        (Operation::WriteLock, _) => format!("to write {name}"),
        (Operation::Receive, _) => format!("for a message on {name}"),
        (Operation::Send, _) => format!("for room in {name}"),
        (Operation::Disconnect, _) => format!("for {name} to be closed"),
        (Operation::Once, _) => format!("for {name} to be initialised"),
        (Operation::Join, _) => format!("for {name} to finish"),
        _ => format!("for {name}"),
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
