//! Notifications that came too early, and wake-ups that came too late.

use crate::trace::{EventResult, ObjectId, Operation, ThreadId, Trace};
use crate::verdict::Failure;

use super::{Explanation, step_of, steps_of};

/// For a thread that waits forever: the notification that came when nobody waited, if nobody has
/// had the lock in between, who could have used up what was notified.
///
/// Also gives the index of that notification.
pub(super) fn lost(trace: &Trace, waiter: ThreadId) -> Option<(usize, String)> {
    let events = &trace.events;
    let wait = last(trace, events.len(), |index| {
        events[index].thread == waiter
            && matches!(events[index].operation, Operation::Wait | Operation::Wake)
    })?;
    let condvar = events[wait]
        .object
        .filter(|_| events[wait].operation == Operation::Wait)?;
    let (mutex, held) = mutex_of(trace, wait)?;
    let notified = last(trace, held, |index| {
        events[index].object == Some(condvar)
            && matches!(
                events[index].operation,
                Operation::NotifyOne | Operation::NotifyAll
            )
    })?;
    let is_heard = events[notified].target.is_some()
        || (notified + 1..events.len()).any(|index| {
            events[index].object == Some(condvar)
                && events[index].operation == Operation::Wake
                && waits_since(trace, index, condvar).is_some_and(|since| since < notified)
        });
    let is_used_up = (notified + 1..held).any(|index| {
        events[index].object == Some(mutex) && events[index].operation == Operation::Lock
    });
    if is_heard || is_used_up || events[notified].thread == waiter {
        return None;
    }
    let why = format!(
        "Lost wake-up: {}'s {} on {} at {} found nobody who waited; {waiter} began to wait at {}.",
        trace.thread_name(events[notified].thread),
        events[notified].operation,
        trace.object_name(condvar),
        step_of(trace, notified),
        step_of(trace, wait),
        waiter = trace.thread_name(waiter),
    );
    Some((notified, why))
}

/// For a thread that panics after its last wake-up: that this was spurious, or another thread that has
/// had the lock between the notification and the wake-up.
pub(super) fn stolen(failure: &Failure) -> Option<Explanation> {
    let (trace, thread) = (&failure.trace, failure.thread?);
    let events = &trace.events;
    let wake = last(trace, events.len(), |index| {
        events[index].thread == thread
            && matches!(events[index].operation, Operation::Wake | Operation::Lock)
    })?;
    let condvar = events[wake]
        .object
        .filter(|_| events[wake].operation == Operation::Wake)?;
    if events[wake].result == Some(EventResult::Spurious) {
        let why = format!(
            "spurious wake-up: the wait of {} on {} ended at {} without a notification, and {0} went \
             on.",
            trace.thread_name(thread),
            trace.object_name(condvar),
            step_of(trace, wake),
        );
        return Some(Explanation {
            why: Some(why),
            notes: vec![(wake, "nobody has notified it".to_owned())],
        });
    }
    let wait = waits_since(trace, wake, condvar)?;
    let (mutex, _) = mutex_of(trace, wait)?;
    let notified = (wait + 1..wake).find(|&index| {
        let event = &events[index];
        event.object == Some(condvar)
            && (event.operation == Operation::NotifyAll || event.target == Some(thread))
    })?;
    let between = (notified + 1..wake).filter(|&index| {
        events[index].object == Some(mutex) && events[index].operation == Operation::Lock
    });
    let mut between: Vec<usize> = between.collect();
    let other = events[*between.first()?].thread;
    between.retain(|&index| events[index].thread == other);
    let why = format!(
        "stolen wake-up: {} was notified at {} and went on at {}; {} acquired {} at {} in between.",
        trace.thread_name(thread),
        step_of(trace, notified),
        step_of(trace, wake),
        trace.thread_name(other),
        trace.object_name(mutex),
        steps_of(trace, &between),
    );
    let note = "comes between".to_owned();
    Some(Explanation {
        why: Some(why),
        notes: vec![(between[0], note)],
    })
}

/// The last event before `end` of which this holds.
fn last(trace: &Trace, end: usize, holds: impl Fn(usize) -> bool) -> Option<usize> {
    (0..end.min(trace.events.len()))
        .rev()
        .find(|&index| holds(index))
}

/// Where the wait began that ends with this wake-up.
fn waits_since(trace: &Trace, wake: usize, condvar: ObjectId) -> Option<usize> {
    let events = &trace.events;
    last(trace, wake, |index| {
        events[index].thread == events[wake].thread
            && events[index].object == Some(condvar)
            && events[index].operation == Operation::Wait
    })
}

/// The mutex that a wait releases, and since when its thread has held it.
fn mutex_of(trace: &Trace, wait: usize) -> Option<(ObjectId, usize)> {
    let events = &trace.events;
    let did = |index: usize, operation| {
        events[index].thread == events[wait].thread && events[index].operation == operation
    };
    let locked = last(trace, wait, |lock| {
        let is_released = (lock..wait).any(|index| {
            did(index, Operation::Unlock) && events[index].object == events[lock].object
        });
        did(lock, Operation::Lock) && !is_released
    })?;
    let woken = last(trace, wait, |index| did(index, Operation::Wake));
    Some((
        events[locked].object?,
        woken.map_or(locked, |woken| woken.max(locked)),
    ))
}
