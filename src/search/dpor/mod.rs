//! Optimal dynamic partial-order reduction: each trace once.
//!
//! The algorithm is that of Abdulla, Aronis, Jonsson and Sagonas (*Source sets: a foundation for
//! optimal dynamic partial order reduction*, JACM 2017), with wakeup trees. The first execution runs
//! as it comes. In each complete execution the races are found: pairs of dependent steps that could
//! have come in the other order. For each, the sequence of steps that leads to the other order is
//! planned at the state before the first of the two, unless what it leads to is explored already,
//! or is going to be. Steps whose states were explored *sleep* until a step that depends on them
//! wakes them.
//!
//! It needs no assumption on the program but that it is deterministic, and knows which steps are
//! possible from what they are announced to require: no execution is begun that ends where only
//! explored states follow.

mod division;
mod wakeup_tree;

pub(crate) use division::Part;

use crate::engine::{Conduct, Point, Strategy};
use crate::execution::{Ending, Execution, Mode};
use crate::trace::{Choice, ThreadId};

use super::dependence::{Announced, Dependence, Footprint, conflict};
use super::dfs::Fingerprint;
use super::identity::{Census, SpotKey, ThreadKey};
use super::reversal::Obstacle;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use division::Division;
use wakeup_tree::{Branch, Initial, Planned, Tree, initial, insert};

/// Explores each trace once.
#[derive(Debug, Default)]
pub(crate) struct Dpor {
    path: Vec<Node>,
    /// The steps of the path, as far as they were done.
    done: Dependence,
    /// What is planned from the end of the path on.
    plan: Tree,
    started: bool,
    probe: Option<Probe>,
    /// Of threads that did not leave their loops: what stands for all that they had seen, and what
    /// they looked at then, with what it had come to.
    in_vain: FxHashMap<u128, Vec<Vec<(SpotKey, u128)>>>,
    /// Whether the path has to be gone again as it is.
    again: bool,
    /// What is explored, if it is not everything.
    below: Part,
    /// In what the search is to be divided, if it is to be.
    division: Option<Division>,
    /// How many executions came to their end.
    traces: u64,
    /// The first step, from 1 on, at which an execution went another way than the one before.
    nondeterminism: Option<usize>,
}

/// An execution in which a thread that spins goes on alone, to see whether it leaves its loop by
/// itself.
#[derive(Debug)]
struct Probe {
    thread: ThreadId,
    /// Stands for all that it had seen.
    seen: u128,
}

/// A state on the path that is being explored, and the step that is taken there.
#[derive(Debug)]
struct Node {
    taken: Choice,
    /// How the step that is taken was announced.
    announced: Option<Announced>,
    choices: SmallVec<[Choice; 4]>,
    possible: Fingerprint,
    census: Census,
    /// What the step that is taken was planned to touch, if it was planned.
    planned: Footprint,
    /// The steps that need not be taken here: what they lead to is explored elsewhere.
    asleep: Vec<Planned>,
    /// What is planned from here on, apart from what is being explored.
    tree: Tree,
    /// How many steps were taken here before this one.
    explored: u32,
    /// The races of the step with earlier ones that have to be looked at again in each execution.
    races: Vec<Obstacle>,
}

impl Dpor {
    /// Adds the step at the end of the path to the steps that were done, if it was not yet.
    fn complete(&mut self, execution: &Execution) {
        let number = self.done.steps.len();
        if number < self.path.len() && number < execution.schedule().len() {
            let node = &mut self.path[number];
            let announced = node.announced.take().expect("it was chosen");
            self.done.add(execution, announced);
            node.races = self.done.steps[number].reversible.to_vec();
        }
    }

    /// Puts a new node at the end of the path.
    fn extend(&mut self, point: &Point<'_>) -> Option<Choice> {
        let census = self.done.identities.meet(point.execution);
        let choices = point.choices.iter().copied();
        let choices = choices.filter(|choice| !point.rests(*choice)).collect();
        let asleep = self.asleep();
        let tree = std::mem::take(&mut self.plan);
        let mut node = Node {
            taken: point.choices[0],
            announced: None,
            planned: Footprint::new(),
            choices,
            possible: Fingerprint::of(point),
            census,
            asleep,
            tree,
            explored: 0,
            races: Vec::new(),
        };
        if let Some((choice, possible)) = self.below.choice(point.step) {
            if possible != node.possible {
                return self.differs(point);
            }
            node.taken = choice;
            node.announced = self.done.announced(point.execution, choice.thread);
            self.path.push(node);
            return Some(choice);
        }
        if let Some(division) = &self.division
            && !division.divides_at(point)
        {
            let is_awake = self.free_choice(&node, point).is_some() || node.choices.is_empty();
            if let Some(division) = &mut self.division {
                division.add(&self.path, &node, is_awake);
            }
            return None;
        }
        let planned = self.take_planned(&mut node);
        let taken = match planned {
            Some(choice) => choice,
            None => self.free_choice(&node, point)?,
        };
        if self.division.is_some() {
            self.plan_everything(&mut node, point, taken);
        }
        node.taken = taken;
        self.announce(&mut node, point);
        self.path.push(node);
        Some(taken)
    }

    /// What sleeps at the end of the path.
    fn asleep(&self) -> Vec<Planned> {
        let steps = self.path.len();
        if steps == self.below.steps() {
            return self.below.asleep().to_vec();
        }
        let Some(node) = self.path.last() else {
            return Vec::new();
        };
        let step = &self.done.steps[steps - 1];
        let still = node.asleep.iter().filter(|other| {
            other.thread != step.key && !conflict(&other.footprint, &step.footprint)
        });
        let still = still.map(|other| Planned {
            was_passed: other.was_passed || conflict(&other.footprint, &node.planned),
            ..other.clone()
        });
        still.collect()
    }

    /// Looks at what the taken step of a node is going to do, and plans its other ways.
    fn announce(&mut self, node: &mut Node, point: &Point<'_>) {
        node.announced = self.done.announced(point.execution, node.taken.thread);
        self.add_alternatives(node, point);
    }

    /// The first planned step of a node that is possible. What is planned behind it is planned for
    /// the next node.
    fn take_planned(&mut self, node: &mut Node) -> Option<Choice> {
        while let Some(Branch { step, below }) = node.tree.pop_front() {
            if let Some(choice) = self.choice_for(node, &step) {
                self.plan = below;
                node.planned = step.footprint;
                return Some(choice);
            }
        }
        None
    }

    /// The choice of a node that is the planned step.
    fn choice_for(&self, node: &Node, step: &Planned) -> Option<Choice> {
        let thread = self.done.identities.running(step.thread)?;
        node.choices.iter().copied().find(|choice| {
            choice.thread == thread
                && match step.alternative {
                    Some(alternative) => choice.alternative == alternative,
                    None => !self.sleeps(node, *choice),
                }
        })
    }

    /// Where nothing is planned: the first step that does not sleep.
    fn free_choice(&self, node: &Node, point: &Point<'_>) -> Option<Choice> {
        let awake = node.choices.iter().copied();
        let awake = awake.filter(|choice| !self.sleeps(node, *choice));
        awake.min_by_key(|choice| point.turn(*choice))
    }

    fn sleeps(&self, node: &Node, choice: Choice) -> bool {
        let key = self.done.identities.thread(choice.thread);
        node.asleep
            .iter()
            .any(|step| step.thread == key && step.alternative == Some(choice.alternative))
    }

    /// Plans the other ways that the taken step can go.
    fn add_alternatives(&mut self, node: &mut Node, point: &Point<'_>) {
        let taken = node.taken;
        let key = self.done.identities.thread(taken.thread);
        let others = node.choices.iter().copied().filter(|choice| {
            choice.thread == taken.thread && choice.alternative != taken.alternative
        });
        let others: Vec<Choice> = others
            .filter(|choice| !self.sleeps(node, *choice))
            .collect();
        if others.is_empty() {
            return;
        }
        let Some(announced) = &node.announced else {
            return;
        };
        let footprint = self
            .done
            .may_touch(point.execution, taken.thread, announced);
        for other in others.into_iter().rev() {
            let way = Some(other.alternative);
            let is_planned = node
                .tree
                .iter()
                .any(|branch| branch.step.thread == key && branch.step.alternative == way);
            if !is_planned {
                node.tree.push_front(Branch {
                    step: Planned {
                        thread: key,
                        alternative: way,
                        footprint: footprint.clone(),
                        was_passed: false,
                    },
                    below: Tree::new(),
                });
            }
        }
    }

    /// A thread that spins, if it is not known what it does when it goes on alone, or if nobody else
    /// can do anything.
    fn to_be_probed(&self, point: &Point<'_>) -> Option<Probe> {
        let resting = point.choices.iter().filter(|choice| point.rests(**choice));
        let mut probes = resting.map(|choice| Probe {
            thread: choice.thread,
            seen: self.done.past_of(choice.thread),
        });
        let only_rest = point.choices.iter().all(|choice| point.rests(*choice));
        if only_rest {
            return probes.next();
        }
        probes.find(|probe| !self.is_in_vain(probe))
    }

    /// Whether the thread was let go on alone before, and would see the same now.
    fn is_in_vain(&self, probe: &Probe) -> bool {
        let known = self.in_vain.get(&probe.seen);
        known.into_iter().flatten().any(|looks| {
            let mut looks = looks.iter();
            looks.all(|(spot, state)| self.done.state_of(*spot) == *state)
        })
    }

    /// Repeats a choice of the path, after a look at whether it is still the same one.
    fn repeat(&mut self, point: &Point<'_>) -> Option<Choice> {
        let node = &self.path[point.step];
        if node.possible == Fingerprint::of(point) {
            let taken = node.taken;
            if point.step == self.done.steps.len() {
                let mut ways = node.choices.iter();
                let has_others = ways.any(|choice| {
                    choice.thread == taken.thread && choice.alternative != taken.alternative
                });
                let announced = self.done.announced(point.execution, taken.thread);
                self.path[point.step].announced = announced;
                if has_others && let Some(mut node) = self.path.pop() {
                    self.add_alternatives(&mut node, point);
                    self.path.push(node);
                }
            }
            return Some(taken);
        }
        self.differs(point)
    }

    fn differs(&mut self, point: &Point<'_>) -> Option<Choice> {
        self.nondeterminism = Some(point.step + 1);
        None
    }

    /// Goes to the next planned step, from the end of the path on. False if there is none.
    fn advance(&mut self) -> bool {
        loop {
            // Most nodes have nothing planned: they need not be looked at.
            let planned = self.path.iter().rposition(|node| !node.tree.is_empty());
            let Some(number) = planned else {
                self.path.clear();
                self.done.truncate(0);
                return false;
            };
            self.path.truncate(number + 1);
            let Some(mut node) = self.path.pop() else {
                return false;
            };
            if let Some(step) = self.done.steps.get(number) {
                node.asleep.push(Planned {
                    thread: step.key,
                    alternative: Some(step.alternative),
                    footprint: step.footprint.clone(),
                    was_passed: false,
                });
            }
            self.done.truncate(number);
            self.done.identities.go_back_to(node.census);
            if let Some(choice) = self.take_planned(&mut node) {
                node.taken = choice;
                node.explored += 1;
                node.races.clear();
                self.path.push(node);
                return true;
            }
        }
    }

    /// Plans the other order of each race of a complete execution.
    fn reverse_races(&mut self, execution: &Execution) {
        for later in 0..self.path.len() {
            if self.path[later].races.is_empty() {
                continue;
            }
            let races = std::mem::take(&mut self.path[later].races);
            let open = races
                .into_iter()
                .filter(|obstacle| !self.reverse(obstacle, Later::Done(later)));
            self.path[later].races = open.collect();
        }
        let threads: Vec<ThreadId> = execution.threads().map(|(thread, _)| thread).collect();
        for thread in threads {
            // It was about to do something that nobody made possible.
            if let Some(announced) = self.done.announced(execution, thread) {
                let footprint = self.done.may_touch(execution, thread, &announced);
                self.forestall(thread, &announced, &footprint);
            }
        }
    }

    /// Plans that a thread goes on where it has not, before what it could have forestalled.
    fn forestall(&mut self, thread: ThreadId, announced: &Announced, footprint: &Footprint) {
        for obstacle in self.done.forestalled_by(thread, announced, footprint) {
            let step = Planned {
                thread: self.done.identities.thread(thread),
                alternative: None,
                footprint: footprint.clone(),
                was_passed: false,
            };
            self.reverse(&obstacle, Later::Never(step));
        }
    }

    /// Remembers that a thread went on alone in vain, and what it has looked at meanwhile. It would
    /// have seen something else before what has changed that.
    fn learn(&mut self, probe: &Probe, execution: &Execution) {
        let looks = execution.watched(probe.thread).iter();
        let footprint: Footprint = looks
            .map(|look| (self.done.identities.spot(look.spot), Mode::Read))
            .collect();
        let seen = footprint
            .iter()
            .map(|(key, _)| (*key, self.done.state_of(*key)));
        let seen = seen.collect();
        self.in_vain.entry(probe.seen).or_default().push(seen);
        if let Some(mut announced) = self.done.announced(execution, probe.thread) {
            announced.watched.clear();
            self.forestall(probe.thread, &announced, &footprint);
        }
    }
}

/// The later step of a race.
enum Later {
    /// The step with this number.
    Done(usize),
    /// One that was announced, and that nobody made possible.
    Never(Planned),
}

impl Dpor {
    /// Plans the other order of a race at the state before its first step. Returns whether the race
    /// need not be looked at again while this state and its steps up to the later one are the same.
    fn reverse(&mut self, obstacle: &[u32], later: Later) -> bool {
        let first = obstacle[0] as usize;
        // Of what comes before the part that is explored, everything is explored in other parts.
        if first < self.below.steps() {
            return true;
        }
        let steps = self.done.steps.len();
        let (at, last) = match later {
            Later::Done(at) => {
                let step = Planned {
                    thread: self.done.steps[at].key,
                    alternative: None,
                    footprint: self.done.in_another_place(at),
                    was_passed: false,
                };
                (at, step)
            }
            Later::Never(step) => (steps, step),
        };
        let planned = |number: usize| {
            let step = &self.done.steps[number];
            Planned {
                thread: step.key,
                alternative: Some(step.alternative),
                footprint: step.footprint.clone(),
                was_passed: false,
            }
        };
        let independent = |number: &usize| *number != at && !self.done.follows(*number, obstacle);
        let before = (first + 1..at).filter(independent).map(planned);
        let mut sequence: Vec<Planned> = before.collect();
        let after = (at + 1..steps).filter(independent).map(planned);
        let after: Vec<Planned> = after.collect();
        // As early as possible, so that the sequence begins with what the race needs.
        let place = if after
            .iter()
            .any(|step| conflict(&step.footprint, &last.footprint))
        {
            None
        } else {
            Some(sequence.len())
        };
        let mut needed = sequence.clone();
        needed.push(last.clone());
        sequence.extend(after);
        sequence.insert(place.unwrap_or(sequence.len()), last);
        let node = &self.path[first];
        let sleeper = node
            .asleep
            .iter()
            .find(|step| match initial(step, &sequence) {
                Initial::No => false,
                // What wakes it later is found where its own states are explored, unless that is in
                // another part.
                Initial::Apart => !step.was_passed && !self.below.puts_to_sleep(step),
                Initial::At(index) => {
                    sequence[index].alternative.is_some() || self.all_ways_sleep(node, step.thread)
                }
            });
        if let Some(step) = sleeper {
            return matches!(initial(step, &needed), Initial::At(_));
        }
        let node = &mut self.path[first];
        insert(&mut node.tree, sequence);
        let mut planned = node.tree.iter();
        planned.any(|branch| matches!(initial(&branch.step, &needed), Initial::At(_)))
    }

    /// Whether all ways that the next step of a thread can go sleep.
    fn all_ways_sleep(&self, node: &Node, key: ThreadKey) -> bool {
        let Some(thread) = self.done.identities.running(key) else {
            return false;
        };
        let mut ways = node.choices.iter().filter(|choice| choice.thread == thread);
        ways.all(|choice| self.sleeps(node, *choice))
    }
}

impl Strategy for Dpor {
    fn wants_execution(&mut self) -> bool {
        if !self.started || self.again {
            self.started = true;
            self.again = false;
            return true;
        }
        self.nondeterminism.is_none() && self.advance()
    }

    fn choose(&mut self, point: &Point<'_>) -> Option<Choice> {
        if self.probe.is_some() {
            return Some(point.default_choice());
        }
        if point.step < self.path.len() {
            return self.repeat(point);
        }
        self.complete(point.execution);
        // What is a part must not depend on what was seen of loops.
        let is_dividing = self.division.is_some();
        self.probe = if is_dividing || point.step < self.below.steps() {
            None
        } else {
            self.to_be_probed(point)
        };
        match &self.probe {
            Some(probe) => Some(Choice::of(probe.thread)),
            None => self.extend(point),
        }
    }

    fn conduct(&self) -> Conduct {
        Conduct {
            abandons_vain: true,
            runs_on: true,
            records_from: Some(self.done.steps.len()),
            ..Conduct::default()
        }
    }

    /// As in an enumeration, but of the steps that are explored or planned so far. More can be
    /// planned at any time, so that it can shrink.
    fn share_done(&self) -> Option<f64> {
        let mut done = 0.0;
        let mut weight = 1.0;
        for node in &self.path {
            let planned = u32::try_from(node.tree.len()).unwrap_or(u32::MAX);
            weight /= f64::from(node.explored.saturating_add(1).saturating_add(planned));
            done += weight * f64::from(node.explored);
        }
        // The path itself was explored as well.
        Some(done + weight)
    }

    fn traces(&self) -> Option<u64> {
        Some(self.traces)
    }

    fn nondeterminism(&self) -> Option<usize> {
        self.nondeterminism
    }

    fn restart(&mut self) -> bool {
        let done = Dependence::knowing(&self.done.identities);
        *self = Dpor {
            done,
            below: std::mem::take(&mut self.below),
            division: self.division.take().map(Division::again),
            ..Dpor::default()
        };
        true
    }

    fn finished(&mut self, execution: &Execution) {
        // The misuse says more: of an initialiser that is used up, say, in the second execution.
        if matches!(execution.ending(), Some(Ending::Misused(_))) || self.nondeterminism.is_some() {
            return;
        }
        let probe = self.probe.take();
        if let (Some(probe), Some(Ending::Abandoned)) = (&probe, execution.ending()) {
            self.learn(probe, execution);
            self.again = true;
            return;
        }
        let steps = execution.schedule().len();
        if steps < self.path.len() {
            self.nondeterminism = Some(steps + 1);
            return;
        }
        if probe.is_none() {
            self.complete(execution);
        }
        if matches!(execution.ending(), Some(Ending::Abandoned))
            && self.division.is_none()
            && self.below.steps() > 0
        {
            // Only explored states follow, as can be in a part. Its races are to be reversed all
            // the same.
            self.reverse_races(execution);
            return;
        }
        let is_complete = !matches!(
            execution.ending(),
            Some(Ending::Abandoned | Ending::OutOfSteps | Ending::Unsupported(_))
        );
        if !is_complete {
            return;
        }
        if let Some(division) = &mut self.division {
            division.add_all(&self.path);
        } else {
            self.traces += 1;
            self.reverse_races(execution);
        }
    }
}
