//! The queues of crossbeam.

use std::panic::catch_unwind;

use proptest::prelude::*;
use racelab::queue::{self, ArrayQueue, SegQueue};
use racelab::sync::Arc;
use racelab::trace::{EventResult, Operation};
use racelab::{FailureKind, Named, outcome, replay, thread};

use super::plain::Plain;
use super::same_as_std::{Op, agree, ops};
use super::{explore, fails, holds, outcomes};

macro_rules! seg_queue {
    ($queue:ident, $ops:ident) => {{
        let queue = $queue::SegQueue::<u8>::default();
        let mut seen = vec![format!("{queue:?}")];
        for &(op, a, ..) in $ops {
            seen.push(match op % 6 {
                0..=2 => format!("{:?}", queue.push(a)),
                3 => format!("{:?}", queue.pop()),
                4 => format!("{}", queue.len()),
                _ => format!("{}", queue.is_empty()),
            });
        }
        seen.extend(queue.into_iter().map(|item| item.to_string()));
        seen
    }};
}

macro_rules! array_queue {
    ($queue:ident, $ops:ident) => {{
        let capacity = 1 + $ops.len() % 4;
        let queue = $queue::ArrayQueue::<u8>::new(capacity);
        let mut seen = vec![format!("{queue:?} {}", queue.capacity())];
        for &(op, a, ..) in $ops {
            seen.push(match op % 8 {
                0..=2 => format!("{:?}", queue.push(a)),
                3 => format!("{:?}", queue.force_push(a)),
                4 => format!("{:?}", queue.pop()),
                5 => format!("{}", queue.len()),
                6 => format!("{}", queue.is_empty()),
                _ => format!("{}", queue.is_full()),
            });
        }
        seen.extend(queue.into_iter().map(|item| item.to_string()));
        seen
    }};
}

fn seg_of_crossbeam(ops: &[Op]) -> Vec<String> {
    seg_queue!(crossbeam_queue, ops)
}

fn seg_of_racelab(ops: &[Op]) -> Vec<String> {
    seg_queue!(queue, ops)
}

fn array_of_crossbeam(ops: &[Op]) -> Vec<String> {
    array_queue!(crossbeam_queue, ops)
}

fn array_of_racelab(ops: &[Op]) -> Vec<String> {
    array_queue!(queue, ops)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_queue_without_a_bound_is_the_same_as_crossbeams_in_every_world(ops in ops()) {
        agree(seg_of_crossbeam, seg_of_racelab, &ops)?;
    }

    #[test]
    fn a_queue_with_a_bound_is_the_same_as_crossbeams_in_every_world(ops in ops()) {
        agree(array_of_crossbeam, array_of_racelab, &ops)?;
    }
}

#[test]
fn a_queue_for_nothing_cannot_be_made_in_any_world() {
    let make = || drop(ArrayQueue::<u8>::new(0));
    assert!(catch_unwind(make).is_err());
    let failure = fails(FailureKind::Panic, make);
    assert_eq!(failure.message, "capacity must be non-zero");
}

#[test]
fn each_item_is_popped_once_and_in_the_order_of_its_producer() {
    let results = outcomes(|| {
        let queue = Arc::new(SegQueue::new());
        let consumers = [Arc::clone(&queue), Arc::clone(&queue)]
            .map(|queue| thread::spawn(move || queue.pop()));
        queue.push(1);
        queue.push(2);
        let got = consumers.map(|consumer| consumer.join().unwrap());
        let mut all: Vec<u8> = got.into_iter().flatten().collect();
        let queue = Arc::into_inner(queue).expect("the others have ended");
        all.extend(queue);
        all.sort_unstable();
        assert_eq!(all, [1, 2]);
        outcome(got);
    });
    assert_eq!(
        results,
        [
            "[None, None]",
            "[None, Some(1)]",
            "[Some(1), None]",
            "[Some(1), Some(2)]",
            "[Some(2), Some(1)]"
        ]
    );
}

#[test]
fn a_queue_never_holds_more_than_its_capacity() {
    let results = outcomes(|| {
        let queue = Arc::new(ArrayQueue::new(1));
        let producers = [(1, Arc::clone(&queue)), (2, Arc::clone(&queue))]
            .map(|(item, queue)| thread::spawn(move || queue.push(item)));
        let popped = queue.pop();
        let pushed = producers.map(|producer| producer.join().unwrap());
        assert!(queue.len() <= queue.capacity());
        let count = pushed.iter().filter(|pushed| pushed.is_ok()).count();
        assert_eq!(count, queue.len() + usize::from(popped.is_some()));
        outcome((popped, pushed));
    });
    assert_eq!(
        results,
        [
            "(None, [Err(1), Ok(())])",
            "(None, [Ok(()), Err(2)])",
            "(Some(1), [Ok(()), Err(2)])",
            "(Some(1), [Ok(()), Ok(())])",
            "(Some(2), [Err(1), Ok(())])",
            "(Some(2), [Ok(()), Ok(())])",
        ]
    );
}

#[test]
fn a_look_and_a_pop_are_two_steps_and_the_failure_replays() {
    fn body() {
        let queue = Arc::new(SegQueue::new().named("items"));
        queue.push(1);
        let other = Arc::clone(&queue);
        let other = thread::spawn(move || {
            if !other.is_empty() {
                other.pop().unwrap();
            }
        });
        if !queue.is_empty() {
            queue.pop().unwrap();
        }
        other.join().unwrap();
    }
    let failure = fails(FailureKind::Panic, body);
    let events = &failure.trace.events;
    let failed = events
        .iter()
        .find(|event| event.result == Some(EventResult::Failed));
    let failed = failed.expect("a pop that found nothing");
    assert_eq!(failed.operation, Operation::Receive);
    assert_eq!(failure.trace.object_name(failed.object.unwrap()), "items");
    assert!(explore(body).to_string().contains(" items → 1"));
    let again = replay(failure.schedule.as_ref().unwrap(), body);
    let again = again.failure().expect("it fails again");
    assert_eq!((again.kind, &again.trace), (failure.kind, &failure.trace));
}

#[test]
fn a_loop_until_something_can_be_popped_comes_to_an_end() {
    holds(|| {
        let queue = Arc::new(SegQueue::new());
        let other = Arc::clone(&queue);
        let producer = thread::spawn(move || other.push(1));
        while queue.pop().is_none() {
            thread::yield_now();
        }
        producer.join().unwrap();
    });
    fails(FailureKind::Livelock, || {
        let queue = ArrayQueue::<u8>::new(1);
        while queue.pop().is_none() {
            thread::yield_now();
        }
    });
}

#[test]
fn a_pop_knows_what_was_written_before_its_item_was_pushed() {
    fn body(wait: fn(&SegQueue<u8>)) {
        let (queue, cell) = (Arc::new(SegQueue::new()), Arc::new(Plain::default()));
        let (items, written) = (Arc::clone(&queue), Arc::clone(&cell));
        let producer = thread::spawn(move || {
            written.set(1);
            items.push(1);
        });
        wait(&queue);
        assert_eq!(cell.get(), 1);
        producer.join().unwrap();
    }
    holds(|| {
        body(|queue| {
            while queue.pop().is_none() {
                thread::yield_now();
            }
        });
    });
    fails(FailureKind::DataRace, || {
        body(|queue| {
            while queue.is_empty() {
                thread::yield_now();
            }
        });
    });
}

#[test]
fn an_item_tells_nothing_of_what_was_written_before_another_one_was_pushed() {
    fails(FailureKind::DataRace, || {
        let (queue, cell) = (Arc::new(SegQueue::new()), Arc::new(Plain::default()));
        queue.push(1);
        let (items, written) = (Arc::clone(&queue), Arc::clone(&cell));
        let producer = thread::spawn(move || {
            written.set(1);
            items.push(2);
        });
        assert_eq!(queue.pop(), Some(1));
        cell.get();
        producer.join().unwrap();
    });
}

#[test]
fn a_push_that_displaces_an_item_knows_what_its_producer_knew() {
    holds(|| {
        let (queue, cell) = (Arc::new(ArrayQueue::new(1)), Arc::new(Plain::default()));
        let (items, written) = (Arc::clone(&queue), Arc::clone(&cell));
        let producer = thread::spawn(move || {
            written.set(1);
            items.push(1).is_ok()
        });
        if let Some(1) = queue.force_push(2) {
            assert_eq!(cell.get(), 1);
        }
        producer.join().unwrap();
    });
}
