//! A flag that says stop, and that is seen before what was announced earlier.

use std::collections::BTreeMap;

use crate::trace::{EventResult, ObjectId, Operation, ThreadId, Trace};

use super::{Explanation, step_of};

/// Looks for a thread that notified others of something under a lock and then stored a flag,
/// without another thread having had the lock in between, where every other thread that had it
/// later read the flag and ended.
///
/// That says nothing of what was announced, but that nobody came for it before the flag.
pub(super) fn explain(trace: &Trace) -> Option<Explanation> {
    let mut flags = (0..trace.events.len()).rev().filter(|&index| {
        let event = &trace.events[index];
        event.operation == Operation::Store && event.object.is_some()
    });
    flags.find_map(|store| ended_by(trace, store))
}

fn ended_by(trace: &Trace, store: usize) -> Option<Explanation> {
    let events = &trace.events;
    let stopper = events[store].thread;
    let notified = events[..store].iter().rposition(|event| {
        let notifies = matches!(event.operation, Operation::NotifyOne | Operation::NotifyAll);
        event.thread == stopper && notifies
    })?;
    let condvar = events[notified].object?;
    let mutex = events[..notified]
        .iter()
        .rfind(|event| event.thread == stopper && event.operation == Operation::Lock)?
        .object?;
    let mut ended: BTreeMap<ThreadId, usize> = BTreeMap::new();
    for (index, event) in events.iter().enumerate().skip(notified + 1) {
        if event.thread == stopper || !acquires(trace, index, mutex, condvar) {
            continue;
        }
        let looked = ends_with_look_at(trace, index, store);
        if index < store || ended.contains_key(&event.thread) {
            return None;
        }
        ended.insert(event.thread, looked?);
    }
    let looks: Vec<String> = ended
        .iter()
        .map(|(thread, look)| {
            let thread = trace.thread_name(*thread);
            format!("{thread} read that at {}", step_of(trace, *look))
        })
        .collect();
    if looks.is_empty() {
        return None;
    }
    let name = trace.thread_name(stopper);
    let why = format!(
        "early stop: after {name}'s {} on {} at {}, no other thread acquired {} before {name} \
         stored {} in {} at {}; {}, and ended.",
        events[notified].operation,
        trace.object_name(condvar),
        step_of(trace, notified),
        trace.object_name(mutex),
        events[store].written?,
        trace.object_name(events[store].object?),
        step_of(trace, store),
        looks.join(", "),
    );
    Some(Explanation {
        why: Some(why),
        notes: vec![(notified, "nobody comes for it".to_owned())],
    })
}

/// Whether a thread has got the lock at this event: by locking it, or by the end of a wait.
fn acquires(trace: &Trace, index: usize, mutex: ObjectId, condvar: ObjectId) -> bool {
    let event = &trace.events[index];
    match event.operation {
        Operation::Lock => event.object == Some(mutex),
        Operation::TryLock => {
            event.object == Some(mutex) && event.result != Some(EventResult::Failed)
        }
        Operation::Wake => event.object == Some(condvar),
        _ => false,
    }
}

/// The last look of a thread at what was stored, if it does nothing after its acquisition but look
/// and unlock.
fn ends_with_look_at(trace: &Trace, acquired: usize, store: usize) -> Option<usize> {
    let events = &trace.events;
    let (thread, flag) = (events[acquired].thread, events[store].object);
    let mut look = None;
    for (index, event) in events.iter().enumerate().skip(acquired + 1) {
        match event.operation {
            _ if event.thread != thread => {
                // Somebody has changed the flag again.
                if index > store && event.object == flag && event.written.is_some() {
                    return None;
                }
            }
            Operation::Load if event.object == flag && event.stale.is_none() => look = Some(index),
            Operation::Unlock => {}
            _ => return None,
        }
    }
    look.filter(|&look| look > store)
}
