//! Where executions go apart that make the same choices, so that something else decides.

use std::panic::Location;

use crate::engine::{Coroutines, Point, Scheduler, Search};
use crate::execution::Execution;
use crate::trace::{Choice, Event, Operation, ThreadId, Trace};
use crate::verdict::{Cause, Difference};

/// How many executions are compared: two can be alike by chance.
const EXECUTIONS: usize = 4;

/// Runs the body a few times with the same choices, and finds the first event that differs.
pub(crate) fn difference(engine: &Coroutines) -> Option<Difference> {
    let Again { traces } = engine.run(Again { traces: Vec::new() });
    let mut pairs = traces.windows(2);
    pairs.find_map(|pair| first_difference(&pair[0], &pair[1]))
}

/// Runs the first execution that there is, again and again.
struct Again {
    traces: Vec<Trace>,
}

impl Search for Again {
    fn wants_execution(&mut self) -> bool {
        self.traces.len() < EXECUTIONS
    }

    fn finished(&mut self, execution: &Execution) {
        self.traces.push(execution.trace());
    }
}

impl Scheduler for Again {
    fn choose(&mut self, point: &Point<'_>) -> Option<Choice> {
        Some(point.default_choice())
    }
}

fn first_difference(one: &Trace, other: &Trace) -> Option<Difference> {
    let mut pairs = one.events.iter().zip(&other.events);
    let (first, second) = pairs.find(|(first, second)| differ(first, second))?;
    let cause = if place(first) != place(second) {
        Cause::Decision
    } else if (first.object, first.read) == (second.object, second.read) {
        Cause::Value
    } else {
        Cause::Order
    };
    Some(Difference {
        one: (one.thread_name(first.thread), first.operation, first.at),
        other: (
            other.thread_name(second.thread),
            second.operation,
            second.at,
        ),
        cause,
    })
}

/// Who did what, and where.
fn place(event: &Event) -> (ThreadId, Operation, &'static Location<'static>) {
    (event.thread, event.operation, event.at)
}

fn differ(first: &Event, second: &Event) -> bool {
    let key = |event: &Event| (place(event), event.object, event.read, event.written);
    key(first) != key(second)
}
