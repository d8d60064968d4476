//! A message that lies there while the thread that is to receive it goes on with something else.

use crate::trace::{EventResult, ObjectId, Operation, Trace};

use super::{Explanation, step_of, steps_of};

/// Looks for a message whose sender looked at an object next, and whose receiver then wrote that
/// object several times before it received the message. Of several the last one counts.
///
/// That the sender looks says that it matters to it how far the receiver is: who only sends may
/// not mind.
pub(super) fn explain(trace: &Trace) -> Option<Explanation> {
    (0..trace.events.len())
        .rev()
        .find_map(|received| late(trace, received))
}

fn late(trace: &Trace, received: usize) -> Option<Explanation> {
    let events = &trace.events;
    let (receiver, channel) = (events[received].thread, events[received].object?);
    let sent = sent(trace, received, channel)?;
    let sender = events[sent].thread;
    if sender == receiver {
        return None;
    }
    let looked = (sent + 1..received).find(|&index| events[index].thread == sender)?;
    events[looked].read.as_ref()?;
    let object = events[looked].object?;
    let writes = (looked + 1..received).filter(|&index| {
        let event = &events[index];
        event.thread == receiver && event.object == Some(object) && event.written.is_some()
    });
    let writes: Vec<usize> = writes.collect();
    if writes.len() < 2 {
        return None;
    }
    let name = trace.thread_name(receiver);
    let why = format!(
        "late message: {} sent to {} at {}, and {name} received that only at {}, after it wrote \
         {} at {}.",
        trace.thread_name(sender),
        trace.object_name(channel),
        step_of(trace, sent),
        step_of(trace, received),
        trace.object_name(object),
        steps_of(trace, &writes),
    );
    let note = format!("was sent at {}", step_of(trace, sent));
    Some(Explanation {
        why: Some(why),
        notes: vec![(received, note)],
    })
}

/// Where the message was sent that is received here, since the messages of a channel are received
/// in the order in which they were sent.
fn sent(trace: &Trace, received: usize, channel: ObjectId) -> Option<usize> {
    let has_done = |index: usize, operation: Operation| {
        let event = &trace.events[index];
        let redundant = [
            EventResult::Failed,
            EventResult::Disconnected,
            EventResult::Pending,
        ]
        .map(Some);
        let is_done = event.operation == operation && !redundant.contains(&event.result);
        event.object == Some(channel) && is_done
    };
    if !has_done(received, Operation::Receive) {
        return None;
    }
    let before = (0..received).filter(|&index| has_done(index, Operation::Receive));
    let mut sends = (0..received).filter(|&index| has_done(index, Operation::Send));
    sends.nth(before.count())
}
