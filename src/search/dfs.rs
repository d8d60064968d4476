//! Naive enumeration: every interleaving of the steps, depth first, without reduction; or those
//! within a bound on preemptions, each state only once.

use std::cmp::Reverse;
use std::mem;

use rustc_hash::FxHashMap;

use crate::engine::{Conduct, Point, Scheduler, Search};
use crate::execution::{Ending, Execution};
use crate::trace::{Choice, Schedule};

use super::division::{Beginning, Divisible, Tree};
use super::exploration::Strategy;
use super::fingerprint::Fingerprint;
use super::identity::ThreadKey;
use super::position as search;
use super::traces::Traces;

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
    /// What every execution begins with.
    below: Beginning,
    /// The parts in which the search is being divided, if it is.
    division: Option<PartFinder>,
    path: Vec<Node>,
    /// How many states of the path, the first ones, only a process before has seen.
    unseen: usize,
    /// The choices that are left at each node of the path, the next one last.
    left: Vec<Choice>,
    started: bool,
    /// The first step, from 1 on, at which an execution went another way than the one before.
    nondeterminism: Option<usize>,
    /// Counts the traces, if that is wanted.
    traces: Option<Traces>,
    /// With how many preemptions each state was visited, and with which thread running, if states
    /// are to be visited once.
    visited: Option<FxHashMap<(u128, Option<ThreadKey>), u32>>,
    was_bounded: bool,
}

/// The search of a part before its next execution.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "cli",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub(crate) struct Position {
    /// The steps of the path.
    #[cfg_attr(feature = "cli", serde(with = "super::kept::text"))]
    taken: Schedule,
    /// How many choices there are at each of them, and where those that are left begin in `left`.
    choices: Vec<(u32, usize)>,
    #[cfg_attr(feature = "cli", serde(with = "super::kept::text"))]
    left: Schedule,
}

/// A step of the path that is being explored.
#[derive(Debug)]
struct Node {
    taken: Choice,
    /// How many choices there are, the ones that were made included.
    choices: u32,
    /// What could be done, to notice a body that is not deterministic.
    possible: Fingerprint,
    /// Where the choices that are left begin in `Dfs::left`.
    left_from: usize,
}

/// The parts of a search, while they are being found.
#[derive(Debug)]
struct PartFinder {
    /// The beginnings have this number of steps, if their executions have.
    steps: usize,
    parts: Vec<Beginning>,
}

impl Dfs {
    /// All executions, or those with at most this number of preemptions, with a count of their traces.
    pub(crate) fn counting_traces(max_preemptions: Option<u32>) -> Self {
        Dfs {
            max_preemptions,
            traces: Some(Traces::default()),
            ..Dfs::default()
        }
    }

    /// The traces of the executions with at most `max_preemptions` preemptions and `max_steps`
    /// steps.
    ///
    /// An execution is abandoned where it comes to a state that was there before, with the same
    /// thread running and no more preemptions: all that can follow was explored from there. States
    /// are the same if their traces are.
    pub(crate) fn bounded(max_preemptions: u32, max_steps: usize) -> Self {
        Dfs {
            max_preemptions: Some(max_preemptions),
            max_steps: Some(max_steps),
            traces: Some(Traces::default()),
            visited: Some(FxHashMap::default()),
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

    /// Forgets what was explored.
    fn restart(&mut self) {
        *self = Dfs {
            below: mem::take(&mut self.below),
            division: self.division.take().map(PartFinder::again),
            max_preemptions: self.max_preemptions,
            max_steps: self.max_steps,
            traces: self.traces.as_ref().map(|_| Traces::default()),
            visited: self.visited.as_ref().map(|_| FxHashMap::default()),
            ..Dfs::default()
        };
    }

    /// Goes to the next path in depth-first order. False if there is none.
    fn advance(&mut self) -> bool {
        while let Some(node) = self.path.last_mut() {
            if self.left.len() > node.left_from {
                node.taken = self.left.pop().expect("a choice is left");
                if let Some(traces) = &mut self.traces {
                    traces.go_back_to(self.path.len() - 1);
                }
                return true;
            }
            self.path.pop();
        }
        false
    }

    /// Puts a new node at the end of the path.
    fn extend(&mut self, point: &Point<'_>) -> Option<Choice> {
        let left_from = self.left.len();
        let affordable = |choice: &Choice| match self.max_preemptions {
            Some(bound) => !point.preempts(*choice) || point.preemptions < bound,
            None => true,
        };
        let possible = Fingerprint::of(point.execution);
        match self.below.get(point.step) {
            Some((choice, expected)) if possible == *expected => self.left.push(*choice),
            Some(_) => return self.differs(point),
            None => {
                let affordable = point.choices.iter().filter(|choice| affordable(choice));
                self.left.extend(affordable);
                self.was_bounded |= self.left.len() - left_from < point.choices.len();
                // Last in, first out.
                self.left[left_from..].sort_unstable_by_key(|choice| Reverse(point.turn(*choice)));
            }
        }
        // There is none if the running thread spins, and to leave it would be one preemption too
        // many.
        if self.left.len() == left_from {
            return None;
        }
        let choices = self.left.len() - left_from;
        let taken = self.left.pop()?;
        self.path.push(Node {
            taken,
            choices: u32::try_from(choices).unwrap_or(u32::MAX),
            possible,
            left_from,
        });
        Some(taken)
    }

    /// Repeats a choice of the path, after a look at whether it is still the same one.
    fn repeat(&mut self, point: &Point<'_>) -> Option<Choice> {
        let node = &mut self.path[point.step];
        let possible = Fingerprint::of(point.execution);
        if point.step < self.unseen && point.choices.contains(&node.taken) {
            node.possible = possible;
        }
        if node.possible == possible {
            return Some(node.taken);
        }
        self.differs(point)
    }

    fn differs(&mut self, point: &Point<'_>) -> Option<Choice> {
        self.nondeterminism = Some(point.step + 1);
        None
    }
}

impl Search for Dfs {
    fn wants_execution(&mut self) -> bool {
        if !self.started {
            self.started = true;
            return true;
        }
        self.nondeterminism.is_none() && self.advance()
    }

    fn finished(&mut self, execution: &Execution) {
        self.unseen = 0;
        // The misuse says more: of an initialiser that is used up, say, in the second execution.
        if matches!(execution.ending(), Some(Ending::Misused(_))) {
            return;
        }
        if let Some(traces) = &mut self.traces {
            traces.finished(execution);
        }
        if let Some(division) = &mut self.division {
            let nodes = self.path.iter();
            let part = nodes.map(|node| (node.taken, node.possible)).collect();
            division.parts.push(part);
        }
        let steps = execution.schedule().len();
        let expected = self.path.len().max(self.below.len());
        if steps < expected && self.max_steps.is_none_or(|bound| steps < bound) {
            self.nondeterminism.get_or_insert(steps + 1);
        }
    }
}

impl Scheduler for Dfs {
    fn choose(&mut self, point: &Point<'_>) -> Option<Choice> {
        if self.max_steps.is_some_and(|bound| point.step >= bound) {
            return None;
        }
        if self
            .division
            .as_ref()
            .is_some_and(|division| division.ends_at(point))
        {
            return None;
        }
        if let Some(traces) = &mut self.traces {
            let state = traces.arrive(point);
            if let Some(visited) = &mut self.visited
                && point.step >= self.path.len()
            {
                let running = point.running.map(|running| traces.key_of(running));
                let before = visited.entry((state, running)).or_insert(u32::MAX);
                if *before <= point.preemptions {
                    return None;
                }
                *before = point.preemptions;
            }
        }
        let choice = if point.step < self.path.len() {
            self.repeat(point)
        } else {
            self.extend(point)
        };
        if let (Some(traces), Some(choice)) = (&mut self.traces, choice) {
            traces.chose(point, choice);
        }
        choice
    }

    fn repeats(&self, execution: &Execution) -> Option<Choice> {
        let step = execution.schedule().len();
        // The state of the last step that is not noted yet has to be looked at.
        let is_noted = self
            .traces
            .as_ref()
            .is_none_or(|traces| step < traces.records_from());
        let node = self.path.get(step).filter(|_| is_noted)?;
        (node.possible == Fingerprint::of(execution)).then_some(node.taken)
    }

    fn conduct(&self) -> Conduct {
        Conduct {
            abandons_redundant: true,
            records_from: self.traces.as_ref().map(Traces::records_from),
            ..Conduct::default()
        }
    }
}

impl Strategy for Dfs {
    fn nondeterminism(&self) -> Option<usize> {
        self.nondeterminism
    }

    fn was_bounded(&self) -> bool {
        self.was_bounded
    }

    fn traces(&self) -> Option<u64> {
        self.traces.as_ref().map(Traces::count)
    }

    /// The weight of the executions that were run, if at each step all choices weigh the same
    /// (Knuth, *Estimating the efficiency of backtrack programs*, 1975).
    fn share_done(&self) -> Option<f64> {
        let mut done = 0.0;
        let mut weight = 1.0;
        for (index, node) in self.path.iter().enumerate() {
            let left_to = match self.path.get(index + 1) {
                Some(next) => next.left_from,
                None => self.left.len(),
            };
            let left = u32::try_from(left_to - node.left_from).unwrap_or(u32::MAX);
            weight /= f64::from(node.choices);
            done += weight * f64::from(node.choices.saturating_sub(left + 1));
        }
        // The path itself was run as well.
        Some(done + weight)
    }

    fn begins_again(&mut self, execution: &Execution) -> bool {
        let begins_again = execution.gained_patience();
        if begins_again {
            self.restart();
        }
        begins_again
    }
}

impl Divisible for Dfs {
    type Part = Beginning;

    fn only(&self, part: &Beginning) -> Self {
        Dfs {
            below: part.clone(),
            ..Dfs::default()
        }
    }

    fn position(&self) -> Option<search::Position> {
        if self.path.is_empty() || self.traces.is_some() || self.visited.is_some() {
            return None;
        }
        let nodes = self.path.iter();
        let taken: Vec<Choice> = nodes.clone().map(|node| node.taken).collect();
        Some(search::Position::Dfs(Position {
            taken: taken.into(),
            choices: nodes.map(|node| (node.choices, node.left_from)).collect(),
            left: self.left.clone().into(),
        }))
    }

    fn resume(self, position: search::Position) -> Option<Self> {
        let search::Position::Dfs(position) = position else {
            return None;
        };
        let steps = position.taken.choices().iter().zip(position.choices);
        let left = position.left.choices().to_vec();
        let path: Vec<Node> = steps
            .map(|(taken, (choices, left_from))| Node {
                taken: *taken,
                choices,
                possible: Fingerprint::default(),
                left_from: left_from.min(left.len()),
            })
            .collect();
        Some(Dfs {
            unseen: path.len(),
            path,
            left,
            ..self
        })
    }
}

impl Tree for Dfs {
    fn dividing(steps: usize) -> Self {
        Dfs {
            division: Some(PartFinder {
                steps,
                parts: Vec::new(),
            }),
            ..Dfs::default()
        }
    }

    fn take_parts(&mut self) -> Vec<Beginning> {
        self.division
            .take()
            .map_or_else(Vec::new, |division| division.parts)
    }
}

impl PartFinder {
    /// The same, from the start.
    fn again(self) -> Self {
        PartFinder {
            parts: Vec::new(),
            ..self
        }
    }

    /// Whether the beginnings end at this point. They do where a thread is taken to spin: what
    /// follows there depends on what was seen of its loop.
    fn ends_at(&self, point: &Point<'_>) -> bool {
        point.step >= self.steps || point.choices.iter().any(|choice| point.rests(*choice))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;

    use crate::engine::Coroutines;
    use crate::execution::{Patience, Pulse};
    use crate::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use crate::thread;
    use crate::trace::CellAccesses;

    use super::*;

    /// An enumeration that notes the share done after each execution.
    struct Noted {
        dfs: Dfs,
        shares: Vec<f64>,
    }

    impl Search for Noted {
        fn wants_execution(&mut self) -> bool {
            self.dfs.wants_execution()
        }

        fn finished(&mut self, execution: &Execution) {
            self.dfs.finished(execution);
            self.shares.extend(self.dfs.share_done());
        }
    }

    impl Scheduler for Noted {
        fn choose(&mut self, point: &Point<'_>) -> Option<Choice> {
            self.dfs.choose(point)
        }
    }

    #[test]
    fn the_share_done_grows_with_each_execution_up_to_the_whole() {
        let body = || {
            let n = Arc::new(AtomicUsize::new(0));
            let other = thread::spawn({
                let n = Arc::clone(&n);
                move || n.store(n.load(SeqCst) + 1, SeqCst)
            });
            n.store(n.load(SeqCst) + 1, SeqCst);
            other.join().unwrap();
        };
        let engine = Coroutines {
            body: Arc::new(body),
            max_steps: 100,
            pulse: Arc::new(Pulse::default()),
            patience: Patience::default(),
            wakes_spuriously: false,
            cells: CellAccesses::default(),
        };
        let Noted { shares, .. } = engine.run(Noted {
            dfs: Dfs::default(),
            shares: Vec::new(),
        });
        // Two threads with two steps each.
        assert_eq!(shares.len(), 6);
        // The main thread first, to its end: one of two ways, and then one of two again.
        assert!((shares[0] - 0.25).abs() < 1e-9, "{shares:?}");
        assert!(shares.is_sorted_by(|a, b| a < b), "{shares:?}");
        assert!((shares[5] - 1.0).abs() < 1e-9, "{shares:?}");
    }
}
