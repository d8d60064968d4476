//! How a search is divided in parts, so that others can explore some of them.
//!
//! The parts are the beginnings of the executions up to a number of steps, all of them, with what
//! sleeps at their ends. Each part is then a search of its own, which plans nothing before its
//! beginning ends. The traces of the parts are together those of the whole search; but since no part
//! knows what is planned in another, some executions may end where only explored states follow.

use crate::engine::Point;
use crate::search::dependence::Dependence;
use crate::search::division::{Beginning, Digestible, Divisible, Steps, Tree};
use crate::search::fingerprint::Fingerprint;
use crate::search::position::Position;
use crate::trace::Choice;

use super::surprises::Which;
use super::wakeup_tree::{Branch, Planned};
use super::{Dpor, Node};

/// All executions that begin in the same way, apart from those that are in other parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    beginning: Beginning,
    asleep: Vec<Planned>,
}

impl Part {
    /// What is to be done at this step of the beginning, and what could be done there.
    pub(super) fn choice(&self, step: usize) -> Option<(Choice, Fingerprint)> {
        self.beginning.get(step).copied()
    }

    /// Whether the step sleeps where the beginning ends: its states are explored in other parts.
    pub(super) fn puts_to_sleep(&self, step: &Planned) -> bool {
        let mut asleep = self.asleep.iter();
        asleep.any(|other| other.thread == step.thread && other.alternative == step.alternative)
    }

    /// What sleeps where the beginning ends.
    pub(super) fn asleep(&self) -> &[Planned] {
        &self.asleep
    }
}

impl Steps for Part {
    fn steps(&self) -> usize {
        self.beginning.steps()
    }
}

impl Digestible for Part {
    fn feed(&self, mix: &mut dyn FnMut(u64)) {
        self.beginning.feed(mix);
    }
}

/// The parts of a search, while they are being found.
#[derive(Debug)]
pub(super) struct PartFinder {
    /// The beginnings have this number of steps, if their executions have.
    steps: usize,
    parts: Vec<Part>,
}

impl PartFinder {
    /// The same, from the start.
    pub(super) fn again(self) -> Self {
        PartFinder {
            parts: Vec::new(),
            ..self
        }
    }

    /// Whether the beginnings go on behind this point. They do not where a thread is taken to spin:
    /// what follows there depends on what was seen of its loop.
    pub(super) fn divides_at(&self, point: &Point<'_>) -> bool {
        point.step < self.steps && !point.choices.iter().any(|choice| point.rests(*choice))
    }

    /// Adds the part that begins with the path and goes on from this node, unless all that can be
    /// done there sleeps.
    pub(super) fn add(&mut self, path: &[Node], node: &Node, is_awake: bool) {
        if is_awake {
            self.parts.push(Part {
                beginning: beginning(path),
                asleep: node.asleep.clone(),
            });
        }
    }

    /// Adds the part that is only one execution.
    pub(super) fn add_all(&mut self, path: &[Node]) {
        self.parts.push(Part {
            beginning: beginning(path),
            asleep: Vec::new(),
        });
    }
}

fn beginning(path: &[Node]) -> Beginning {
    let nodes = path.iter();
    nodes.map(|node| (node.taken, node.possible)).collect()
}

impl Tree for Dpor {
    fn dividing(steps: usize) -> Self {
        Dpor {
            division: Some(PartFinder {
                steps,
                parts: Vec::new(),
            }),
            ..Dpor::default()
        }
    }

    fn take_parts(&mut self) -> Vec<Part> {
        self.division
            .take()
            .map_or_else(Vec::new, |division| division.parts)
    }
}

impl Divisible for Dpor {
    type Part = Part;

    fn only(&self, part: &Part) -> Self {
        let done = Dependence::knowing(&self.done.identities);
        Dpor {
            done,
            surprises: self.surprises.clone(),
            below: part.clone(),
            ..Dpor::default()
        }
    }

    fn position(&self) -> Option<Position> {
        Some(Position::Dpor(Box::new(self.position())))
    }

    fn resume(self, position: Position) -> Option<Self> {
        match position {
            Position::Dpor(position) => Some(self.at(*position)),
            Position::Dfs(_) => None,
        }
    }
}

impl Dpor {
    /// Plans all that is awake at the end of the path, behind what is taken.
    pub(super) fn plan_everything(&mut self, point: &Point<'_>, taken: Choice) {
        let Some(node) = self.path.last_mut() else {
            return;
        };
        let awake = node.choices.iter().copied();
        let awake = awake.filter(|choice| *choice != taken && !node.sleeps(&self.done, *choice));
        let mut others: Vec<Choice> = awake.collect();
        others.sort_unstable_by_key(|choice| point.turn(*choice));
        let branches = others.into_iter().filter_map(|choice| {
            let announced = self.done.announced(point.execution, choice.thread)?;
            let mut footprint = self
                .done
                .may_touch(point.execution, choice.thread, &announced);
            let key = self.done.identities.thread(choice.thread);
            let number = self.done.next_number(choice.thread);
            let which = Which::new(key, number, &announced.next);
            self.surprises.add_to(&mut footprint, which);
            let step = Planned::new(key, Some(choice.alternative), footprint);
            Some(Branch::leaf(step))
        });
        let wait = node.wait_awake().filter(|wait| *wait != taken);
        let wait = wait.map(|_| Branch::leaf(Planned::wait_of_all()));
        node.tree = branches.chain(wait).collect();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;

    use crate::engine::{Conduct, Coroutines, Point, Scheduler, Search};
    use crate::execution::{Execution, Patience, Pulse};
    use crate::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use crate::trace::{CellAccesses, Choice};
    use crate::{sync, thread};

    use super::super::Dpor;
    use crate::search::division::{Divisible, Tree};
    use crate::search::exploration::Strategy;
    use crate::search::small_programs::{attempts, counter, readers, senders, waiters};

    /// A search that begins again where an execution shows that too much was pruned.
    struct Exact(Dpor);

    impl Search for Exact {
        fn wants_execution(&mut self) -> bool {
            self.0.wants_execution()
        }

        fn finished(&mut self, execution: &Execution) {
            self.0.finished(execution);
            self.0.begins_again(execution);
        }
    }

    impl Scheduler for Exact {
        fn choose(&mut self, point: &Point<'_>) -> Option<Choice> {
            self.0.choose(point)
        }

        fn repeats(&self, execution: &Execution) -> Option<Choice> {
            self.0.repeats(execution)
        }

        fn conduct(&self) -> Conduct {
            self.0.conduct()
        }
    }

    fn run(engine: &Coroutines, search: Dpor) -> Dpor {
        engine.run(Exact(search)).0
    }

    fn coroutines(body: fn()) -> Coroutines {
        Coroutines {
            body: Arc::new(body),
            max_steps: 10_000,
            pulse: Arc::new(Pulse::default()),
            patience: Patience::default(),
            wakes_spuriously: false,
            cells: CellAccesses::default(),
        }
    }

    /// Threads that increment in two steps, each a number of times.
    fn increments(times: [usize; 3]) {
        let n = sync::Arc::new(AtomicUsize::new(0));
        let threads = times.map(|times| {
            let n = sync::Arc::clone(&n);
            thread::spawn(move || {
                for _ in 0..times {
                    let v = n.load(SeqCst);
                    n.store(v + 1, SeqCst);
                }
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        n.load(SeqCst);
    }

    /// Steps that sleep and are woken late, in other parts.
    fn late_wake_ups() {
        let (n, m) = (
            sync::Arc::new(AtomicUsize::new(0)),
            sync::Arc::new(AtomicUsize::new(0)),
        );
        let threads = [0, 1, 2].map(|id| {
            let (n, m) = (sync::Arc::clone(&n), sync::Arc::clone(&m));
            thread::spawn(move || match id {
                0 => n.load(SeqCst) + m.load(SeqCst),
                1 => {
                    m.store(1, SeqCst);
                    n.swap(2, SeqCst)
                }
                _ => {
                    let v = m.load(SeqCst);
                    n.store(v, SeqCst);
                    m.fetch_add(1, SeqCst)
                }
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
    }

    #[test]
    fn the_parts_lose_no_trace_that_begins_with_what_sleeps_in_another_part() {
        for body in [
            (|| increments([1, 1, 1])) as fn(),
            || increments([2, 1, 1]),
            || increments([1, 2, 2]),
            late_wake_ups,
        ] {
            let engine = coroutines(body);
            let whole = run(&engine, Dpor::default()).traces();
            for steps in 1..9 {
                let mut divided = run(&engine, Dpor::dividing(steps));
                let parts = divided.take_parts();
                let sums = parts
                    .iter()
                    .map(|part| run(&engine, divided.only(part)).traces().unwrap());
                assert_eq!(Some(sums.sum()), whole, "{steps} steps");
            }
        }
    }

    #[test]
    fn the_traces_of_the_parts_are_those_of_the_whole() {
        for body in [counter, attempts, waiters, senders, readers] {
            let engine = coroutines(body);
            let whole = run(&engine, Dpor::default()).traces();
            for steps in 0..12 {
                let mut divided = run(&engine, Dpor::dividing(steps));
                let parts = divided.take_parts();
                assert!(steps == 0 || !parts.is_empty());
                let sums = parts
                    .iter()
                    .map(|part| run(&engine, divided.only(part)).traces().unwrap());
                assert_eq!(Some(sums.sum()), whole, "{steps} steps");
            }
        }
    }
}
