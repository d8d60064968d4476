//! Naive enumeration: every interleaving of the steps, depth first, without reduction.

use std::cmp::Reverse;
use std::panic::Location;
use std::ptr;

use crate::engine::{Point, Strategy};
use crate::execution::Execution;
use crate::trace::{Choice, Operation};

/// Enumerates all interleavings, or those within bounds.
///
/// At each step the running thread is tried first, so that executions with few preemptions come
/// early, and then the others in turn.
#[derive(Debug, Default)]
pub(crate) struct Dfs {
    /// Executions with more preemptions are left out.
    max_preemptions: Option<u32>,
    /// Executions with more steps are abandoned.
    max_steps: Option<usize>,
    path: Vec<Node>,
    /// The choices that are left at each node of the path, the next one last.
    left: Vec<Choice>,
    started: bool,
    nondeterminism: Option<Nondeterminism>,
}

/// A step of the path that is being explored.
#[derive(Debug)]
struct Node {
    taken: Choice,
    /// What the chosen thread does, to notice a body that is not deterministic. `None` until it
    /// is done for the first time.
    seen: Option<Seen>,
    /// How many steps were possible.
    choices: usize,
    /// Where the choices that are left begin in `Dfs::left`.
    left_from: usize,
}

/// What can be seen of a step before it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    operation: Operation,
    at: *const Location<'static>,
}

/// Two executions that made the same choices and yet went apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Nondeterminism {
    /// The first step that differs, from 1 on.
    pub(crate) step: usize,
}

impl Dfs {
    /// Only executions with at most `max_preemptions` preemptions and `max_steps` steps.
    pub(crate) fn bounded(max_preemptions: u32, max_steps: usize) -> Self {
        Dfs {
            max_preemptions: Some(max_preemptions),
            max_steps: Some(max_steps),
            ..Dfs::default()
        }
    }

    /// From now on, executions with more steps are abandoned.
    pub(crate) fn limit_steps(&mut self, max_steps: usize) {
        self.max_steps = Some(max_steps);
        if let Some(node) = self.path.get(max_steps) {
            self.left.truncate(node.left_from);
            self.path.truncate(max_steps);
        }
    }

    /// What showed that the body is not deterministic, which ends the enumeration.
    pub(crate) fn nondeterminism(&self) -> Option<&Nondeterminism> {
        self.nondeterminism.as_ref()
    }

    /// Goes to the next path in depth-first order. False if there is none.
    fn advance(&mut self) -> bool {
        while let Some(node) = self.path.last_mut() {
            if self.left.len() > node.left_from {
                node.taken = self.left.pop().expect("a choice is left");
                node.seen = None;
                return true;
            }
            self.path.pop();
        }
        false
    }

    /// Puts a new node at the end of the path.
    fn extend(&mut self, point: &Point<'_>) -> Choice {
        let left_from = self.left.len();
        let affordable = |choice: &Choice| match self.max_preemptions {
            Some(bound) => !point.preempts(*choice) || point.preemptions < bound,
            None => true,
        };
        self.left
            .extend(point.choices.iter().filter(|choice| affordable(choice)));
        // The running thread first; then in turn, from the thread behind the last one on, with the
        // main thread at the end: so it joins late, and executions have few switches.
        let last = point.last.map_or(0, |last| last.0);
        let turn = |choice: &Choice| {
            let thread = choice.thread.0;
            let waits = point.running != Some(choice.thread);
            (waits, thread == 0, thread <= last, *choice)
        };
        // Last in, first out.
        self.left[left_from..].sort_unstable_by_key(|choice| Reverse(turn(choice)));
        let taken = self
            .left
            .pop()
            .expect("to go on with the running thread is no preemption");
        let choices = point.choices.len();
        self.path.push(Node {
            taken,
            seen: Some(seen(point, taken)),
            choices,
            left_from,
        });
        taken
    }

    /// Repeats a choice of the path, after a look at whether it is still the same one.
    fn repeat(&mut self, point: &Point<'_>) -> Option<Choice> {
        let node = &mut self.path[point.step];
        let taken = node.taken;
        if node.choices == point.choices.len() && point.choices.contains(&taken) {
            let seen = seen(point, taken);
            if *node.seen.get_or_insert(seen) == seen {
                return Some(taken);
            }
        }
        self.nondeterminism = Some(Nondeterminism {
            step: point.step + 1,
        });
        None
    }
}

impl Strategy for Dfs {
    fn wants_execution(&mut self) -> bool {
        if !self.started {
            self.started = true;
            return true;
        }
        self.nondeterminism.is_none() && self.advance()
    }

    fn choose(&mut self, point: &Point<'_>) -> Option<Choice> {
        if self.max_steps.is_some_and(|bound| point.step >= bound) {
            return None;
        }
        if point.step < self.path.len() {
            self.repeat(point)
        } else {
            Some(self.extend(point))
        }
    }

    fn finished(&mut self, execution: &Execution) {
        let steps = execution.schedule().len();
        if steps < self.path.len() && self.max_steps.is_none_or(|bound| steps < bound) {
            self.nondeterminism
                .get_or_insert(Nondeterminism { step: steps + 1 });
        }
    }
}

fn seen(point: &Point<'_>, choice: Choice) -> Seen {
    let next = point
        .execution
        .next_of(choice.thread)
        .expect("a choice is an announced step");
    Seen {
        operation: next.operation,
        at: ptr::from_ref(next.at),
    }
}
