//! Where the search is between two executions, so that another process can go on there.
//!
//! What is known of the path of the next execution only by looking at it, what its steps touch and
//! what else is possible on the way, is seen again when the path is followed for the first time.

use crate::engine::Point;
use crate::search::identity::{Census, Identities};
use crate::search::reversal::Obstacles;
use crate::search::stack::Stack;
use crate::trace::Schedule;

use super::probe::Redundant;
use super::surprises::Surprises;
use super::wakeup_tree::{Planned, Tree};
use super::{Announced, Dpor, Footprint, Next, Node};

/// The search before its next execution.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "cli",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub(crate) struct Position {
    /// The steps of the path.
    #[cfg_attr(feature = "cli", serde(with = "crate::search::kept::text"))]
    taken: Schedule,
    path: Vec<State>,
    /// How many of these steps were done already.
    done: usize,
    plan: Tree,
    names: Identities,
    #[cfg_attr(feature = "cli", serde(with = "crate::search::kept::pairs"))]
    redundant: Redundant,
    surprises: Surprises,
    traces: u64,
    longest_turn: Option<usize>,
    begins_fair: bool,
}

/// What is kept of a [`Node`].
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "cli",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
struct State {
    census: Census,
    planned: Option<Footprint>,
    asleep: Vec<Planned>,
    tree: Tree,
    explored: u32,
    races: Obstacles,
}

/// How much of the path this process has not seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unseen {
    /// The steps of the path.
    path: usize,
    /// Those that were done before.
    pub(super) done: usize,
}

impl Dpor {
    /// Where it is, when the next execution is the one along the path.
    pub(in crate::search) fn position(&self) -> Position {
        let nodes = self.path.iter();
        let taken: Vec<_> = nodes.clone().map(|node| node.taken).collect();
        let states = nodes.map(|node| State {
            census: node.census,
            planned: node.planned.clone(),
            asleep: node.asleep.clone(),
            tree: node.tree.clone(),
            explored: node.explored,
            races: node.races.clone(),
        });
        Position {
            taken: taken.into(),
            path: states.collect(),
            // It has not followed the path if it has not begun.
            done: self.done.steps.len().max(self.unseen.done),
            plan: self.plan.clone(),
            names: self.done.identities.clone(),
            redundant: self.redundant.clone(),
            surprises: self.surprises.clone(),
            traces: self.traces,
            longest_turn: self.longest_turn,
            begins_fair: self.begins_fair,
        }
    }

    /// This search, which has not begun, from a position on.
    pub(in crate::search) fn at(self, position: Position) -> Self {
        let mut path = Stack::default();
        for (taken, state) in position.taken.choices().iter().zip(position.path) {
            *path.push() = Node {
                taken: *taken,
                census: state.census,
                planned: state.planned,
                asleep: state.asleep,
                tree: state.tree,
                explored: state.explored,
                races: state.races,
                ..Node::default()
            };
        }
        let mut dpor = Dpor {
            unseen: Unseen {
                path: path.len(),
                done: position.done.min(path.len()),
            },
            path,
            plan: position.plan,
            redundant: position.redundant,
            surprises: position.surprises,
            traces: position.traces,
            longest_turn: position.longest_turn,
            begins_fair: position.begins_fair,
            next: Next::Path,
            ..self
        };
        dpor.done.identities = position.names;
        dpor
    }

    /// Looks at a state of the path that this process has not seen.
    pub(super) fn see_again(&mut self, point: &Point<'_>) {
        if point.step >= self.unseen.path {
            return;
        }
        self.complete(point.execution);
        let node = &mut self.path[point.step];
        // If it is not possible any more, there is none of it, which is noticed.
        if !point.choices.contains(&node.taken) {
            return;
        }
        node.see(point);
        if point.step < self.unseen.done {
            let taken = node.taken.thread;
            node.announced = Announced::again(point.execution, taken, node.census);
        }
    }
}
