//! In which loops the threads of an execution were that hit the bound on its steps.

use std::cmp::Reverse;

use crate::trace::{Event, ThreadId, Trace};
use crate::verdict::Loop;

/// The longest round that is looked for, in events.
const LONGEST: usize = 64;

/// How many rounds make a loop.
const FEWEST: usize = 3;

/// The loops in which threads were when the execution was cut, the busiest first.
pub(super) fn loops(trace: &Trace) -> Vec<Loop> {
    let threads = (0..).map(ThreadId).take(trace.threads.len());
    let mut loops: Vec<Loop> = threads
        .filter_map(|thread| last_loop(trace, thread))
        .collect();
    loops.sort_by_key(|found| Reverse(found.rounds * found.round.len() as u64));
    loops
}

/// The loop that the last events of a thread are rounds of, if they are.
fn last_loop(trace: &Trace, thread: ThreadId) -> Option<Loop> {
    let events = trace.events.iter().filter(|event| event.thread == thread);
    let events: Vec<&Event> = events.collect();
    let same = |a: &Event, b: &Event| (a.operation, a.at) == (b.operation, b.at);
    // How many of the last events are as those a round before.
    let repeated = |round: usize| {
        let pairs = events.iter().rev().zip(events.iter().rev().skip(round));
        pairs
            .take_while(|(later, earlier)| same(later, earlier))
            .count()
    };
    let longest = LONGEST.min(events.len() / FEWEST);
    let round = (1..=longest).find(|round| repeated(*round) >= round * (FEWEST - 1))?;
    let all = repeated(round) + round;
    // As the thread came in.
    let first = &events[events.len() - all..][..round];
    Some(Loop {
        thread: trace.thread_name(thread),
        rounds: (all / round) as u64,
        round: first
            .iter()
            .map(|event| (event.operation, place(event)))
            .collect(),
    })
}

fn place(event: &Event) -> String {
    format!("{}:{}", event.at.file(), event.at.line())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::panic::Location;

    use super::*;
    use crate::trace::{Operation, ThreadInfo};

    /// Events of the main thread, one after another.
    fn main_does(operations: &[Operation]) -> Trace {
        let event = |operation: &Operation| Event {
            step: None,
            thread: ThreadId::MAIN,
            operation: *operation,
            object: None,
            target: None,
            read: None,
            stale: None,
            written: None,
            result: None,
            ordering: None,
            at: Location::caller(),
        };
        Trace {
            threads: vec![ThreadInfo { name: None }],
            objects: Vec::new(),
            events: operations.iter().map(event).collect(),
        }
    }

    #[test]
    fn the_shortest_round_is_found_and_counted_from_where_the_thread_came_in() {
        use Operation::{Load, Lock, Store, Unlock};
        let trace = main_does(&[
            Store, Lock, Unlock, Load, Lock, Unlock, Load, Lock, Unlock, Load, Lock,
        ]);
        let [found] = &loops(&trace)[..] else {
            panic!("one thread has one loop")
        };
        assert_eq!((found.thread.as_str(), found.rounds), ("main", 3));
        let operations = found.round.iter().map(|(operation, _)| *operation);
        assert_eq!(operations.collect::<Vec<_>>(), [Lock, Unlock, Load]);
    }

    #[test]
    fn two_rounds_are_no_loop() {
        use Operation::{Load, Lock, Unlock};
        assert!(loops(&main_does(&[Lock, Unlock, Lock, Unlock, Load])).is_empty());
        assert!(loops(&main_does(&[])).is_empty());
    }
}
