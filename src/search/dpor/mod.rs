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
//! possible from what they are announced to require: so that, as a rule, no execution is begun that
//! ends where only explored states follow. What it cannot know is what a thread does besides the
//! operation that it has announced; if that turns out to matter, the search starts again
//! ([`surprises`]). What can end where only explored states follow are parts of a divided search, and
//! executions behind a planned step that has touched less than it was planned to.

mod division;
mod position;
mod probe;
mod races;
mod surprises;
mod wakeup_tree;

use smallvec::SmallVec;

use crate::engine::{Conduct, Point, Scheduler, Search};
use crate::execution::{Ending, Execution};
use crate::trace::{Choice, LeftOut, LeftOutSet, ThreadId};

use super::dependence::{Announced, Dependence, Footprint, conflict};
use super::division::Steps;
use super::exploration::Strategy;
use super::fingerprint::Fingerprint;
use super::identity::Census;
use super::reversal::Obstacles;
use super::stack::Stack;

use division::{Part, PartFinder};
pub(crate) use position::Position;
use position::Unseen;
use probe::{Probe, Redundant};
use surprises::{Surprises, Which};
use wakeup_tree::{Branch, Planned, Tree};

/// Which execution comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Next {
    /// The one along the path as it is, which is empty at first.
    #[default]
    Path,
    /// The next planned one.
    Planned,
}

/// Explores each trace once.
#[derive(Debug, Default)]
pub(crate) struct Dpor {
    path: Stack<Node>,
    /// What is known of the path only from a process before, until it has been followed once.
    unseen: Unseen,
    /// The steps of the path, as far as they were done.
    done: Dependence,
    /// What is planned from the end of the path on.
    plan: Tree,
    probe: Option<Probe>,
    redundant: Redundant,
    /// What steps touch at times that is not planned.
    surprises: Surprises,
    /// Whether there may be states in which all threads wait behind writers that were not looked for.
    has_left_out_waits: bool,
    /// Which execution comes next.
    next: Next,
    /// Whether the execution ended where only explored states follow, behind a planned step that has
    /// touched less than it was planned to: what sleeps there would have been woken by the plan.
    is_behind_less: bool,
    /// What is explored, if it is not everything.
    below: Part,
    /// In what the search is to be divided, if it is to be.
    division: Option<PartFinder>,
    /// How many executions came to their end.
    traces: u64,
    /// The first step, from 1 on, at which an execution went another way than the one before.
    nondeterminism: Option<usize>,
    /// Once an execution was cut: how many steps in a row a thread makes where nothing is planned and
    /// another one can go on.
    longest_turn: Option<usize>,
    /// Whether the first execution was cut, so that nothing was learned from it.
    begins_fair: bool,
}

/// Within how many steps the races of an execution that was cut are reversed. What is planned for a
/// race can be as long as the execution, and that has all the steps that one may have.
const STEPS_OF_CUT: usize = 300;

/// The longest turn of a thread in a fair search, unless a smaller share of an execution is less.
const LONGEST_TURN: usize = 100;

/// How many turns of a thread an execution has room for at least.
const FEWEST_TURNS: usize = 4;

/// A state on the path that is being explored, and the step that is taken there.
#[derive(Debug)]
struct Node {
    taken: Choice,
    /// How the step that is taken was announced.
    announced: Option<Announced>,
    choices: Vec<Choice>,
    /// That all threads that could go on wait behind writers, where they may.
    wait_of_all: Option<Choice>,
    possible: Fingerprint,
    census: Census,
    /// What the step that is taken was planned to touch, if it was planned.
    planned: Option<Footprint>,
    /// The steps that need not be taken here: what they lead to is explored elsewhere.
    asleep: Vec<Planned>,
    /// What is planned from here on, apart from what is being explored.
    tree: Tree,
    /// How many steps were taken here before this one.
    explored: u32,
    /// The races of the step with earlier ones that have to be looked at again in each execution.
    races: Obstacles,
}

impl Default for Node {
    fn default() -> Self {
        Node {
            taken: Choice::of(ThreadId::MAIN),
            announced: None,
            choices: Vec::new(),
            wait_of_all: None,
            possible: Fingerprint::default(),
            census: Census::default(),
            planned: None,
            asleep: Vec::new(),
            tree: Tree::new(),
            explored: 0,
            races: Obstacles::new(),
        }
    }
}

impl Node {
    /// Notes what is possible here.
    fn see(&mut self, point: &Point<'_>) {
        self.choices.clear();
        self.wait_of_all = None;
        for choice in point.choices {
            if point.execution.is_behind_writers(*choice) {
                self.wait_of_all = Some(*choice);
            } else if !point.rests(*choice) {
                self.choices.push(*choice);
            }
        }
        self.possible = Fingerprint::of(point.execution);
    }

    fn sleeps(&self, done: &Dependence, choice: Choice) -> bool {
        if self.asleep.is_empty() {
            return false;
        }
        let key = done.identities.thread(choice.thread);
        self.asleep
            .iter()
            .any(|step| step.thread == key && step.alternative == Some(choice.alternative))
    }

    /// Whether it is what is taken that all threads wait.
    fn waits(&self) -> bool {
        self.wait_of_all == Some(self.taken)
    }

    /// That all threads wait, unless that was explored here.
    fn wait_awake(&self) -> Option<Choice> {
        let sleeps = self.asleep.iter().any(Planned::is_wait_of_all);
        self.wait_of_all.filter(|_| !sleeps)
    }

    /// The choice that is the planned step.
    fn choice_for(&self, done: &Dependence, step: &Planned) -> Option<Choice> {
        if step.is_wait_of_all() {
            return self.wait_of_all;
        }
        let thread = done.identities.running(step.thread)?;
        self.choices.iter().copied().find(|choice| {
            choice.thread == thread
                && match step.alternative {
                    Some(alternative) => choice.alternative == alternative,
                    None => !self.sleeps(done, *choice),
                }
        })
    }

    /// Where nothing is planned: the first step that does not sleep, or that all threads wait.
    fn free_choice(
        &self,
        done: &Dependence,
        point: &Point<'_>,
        longest_turn: Option<usize>,
    ) -> Option<Choice> {
        let is_over = longest_turn.is_some_and(|longest| turn(point) >= longest);
        if let Some(running) = point.running.filter(|_| is_over) {
            let others = self.choices.iter().copied();
            let others = others.filter(|other| other.thread != running);
            let awake = others.filter(|other| !self.sleeps(done, *other));
            if let Some(other) = awake.min_by_key(|other| point.turn(*other)) {
                return Some(other);
            }
        }
        // The running thread has the first turn.
        let running = point.running.map(Choice::of);
        let running = running.filter(|choice| self.choices.contains(choice));
        if let Some(running) = running.filter(|choice| !self.sleeps(done, *choice)) {
            return Some(running);
        }
        let awake = self.choices.iter().copied();
        let awake = awake.filter(|choice| !self.sleeps(done, *choice));
        let first = awake.min_by_key(|choice| point.turn(*choice));
        first.or_else(|| self.wait_awake())
    }
}

/// How many steps the thread of the last one has made in a row. Not more than [`LONGEST_TURN`] are
/// counted.
fn turn(point: &Point<'_>) -> usize {
    let last = point.execution.schedule().iter().rev().take(LONGEST_TURN);
    last.take_while(|step| Some(step.thread) == point.last)
        .count()
}

impl Dpor {
    /// Adds the step at the end of the path to the steps that were done, if it was not yet. That all
    /// threads wait is none: it comes after all steps.
    fn complete(&mut self, execution: &Execution) {
        let number = self.done.steps.len();
        let is_step = self.path.get(number).is_some_and(|node| !node.waits());
        if is_step && number < execution.schedule().len() {
            let is_known = number < self.unseen.done;
            let node = &mut self.path[number];
            let announced = node.announced.take().expect("it was chosen");
            self.done.add(execution, announced);
            if is_known {
                return;
            }
            node.races = self.done.reversible_with_last();
            let step = &self.done.steps[number];
            let touches = execution.touches(number).zip(&self.done.touched_last);
            let touches = touches.map(|(touch, key)| (touch.spot, *key, touch.mode));
            let planned = node.planned.as_ref();
            self.surprises.learn(step, touches, planned);
        }
    }

    /// Puts a new node at the end of the path.
    fn extend(&mut self, point: &Point<'_>) -> Option<Choice> {
        self.put_node(point);
        let taken = self.choose_at_end(point);
        if taken.is_none()
            && let Some(node) = self.path.pop()
        {
            self.is_behind_less = node.asleep.iter().any(|step| step.was_passed);
        }
        taken
    }

    /// Puts a node at the end of the path, where nothing is taken yet.
    fn put_node(&mut self, point: &Point<'_>) {
        let Dpor {
            path,
            done,
            below,
            plan,
            ..
        } = self;
        let steps = path.len();
        path.push();
        let (before, end) = path.split_at_mut(steps);
        let node = &mut end[0];
        node.announced = None;
        node.planned = None;
        node.see(point);
        node.census = done.identities.meet(point.execution);
        node.tree = std::mem::take(plan);
        node.explored = 0;
        node.races.clear();
        // What sleeps here.
        node.asleep.clear();
        if steps == below.steps() {
            node.asleep.extend_from_slice(below.asleep());
            for step in &mut node.asleep {
                for (spot, _) in &mut step.footprint {
                    *spot = done.identities.canonical(*spot);
                }
            }
        } else if let Some(last) = before.last() {
            let step = &done.steps[steps - 1];
            let still = last.asleep.iter().filter(|other| {
                other.thread != step.key
                    && !other.is_wait_of_all()
                    && !conflict(&other.footprint, &step.footprint)
            });
            let planned = last.planned.as_ref();
            node.asleep.extend(still.map(|other| Planned {
                was_passed: other.was_passed
                    || planned.is_some_and(|planned| conflict(&other.footprint, planned)),
                ..other.clone()
            }));
        }
    }

    /// Chooses what is done at the node at the end of the path.
    fn choose_at_end(&mut self, point: &Point<'_>) -> Option<Choice> {
        let (node, path) = self.path.split_last_mut()?;
        if let Some((choice, possible)) = self.below.choice(point.step) {
            if possible != node.possible {
                return self.differs(point);
            }
            node.taken = choice;
            node.announced = self.done.announced(point.execution, choice.thread);
            return Some(choice);
        }
        if let Some(division) = &mut self.division
            && !division.divides_at(point)
        {
            let free = node.free_choice(&self.done, point, None);
            division.add(path, node, free.is_some() || node.choices.is_empty());
            return None;
        }
        let planned = self.take_planned();
        let node = self.path.last_mut()?;
        let taken = planned.or_else(|| node.free_choice(&self.done, point, self.longest_turn))?;
        node.taken = taken;
        if self.division.is_some() {
            self.plan_everything(point, taken);
        }
        self.announce(point);
        Some(taken)
    }

    /// Looks at what the step at the end of the path is going to do, and plans its other ways.
    fn announce(&mut self, point: &Point<'_>) {
        let number = self.path.len() - 1;
        if self.path[number].waits() {
            return;
        }
        let taken = self.path[number].taken;
        let announced = self.done.announced(point.execution, taken.thread);
        self.path[number].announced = announced;
        let node = &self.path[number];
        let is_other = |choice: &&Choice| {
            choice.thread == taken.thread && choice.alternative != taken.alternative
        };
        // Mostly there are none.
        if !node.choices.iter().any(|choice| is_other(&choice)) {
            return;
        }
        let others = node.choices.iter().filter(is_other);
        let others: SmallVec<[Choice; 4]> = others
            .filter(|choice| !node.sleeps(&self.done, **choice))
            .copied()
            .collect();
        let Some(announced) = &node.announced else {
            return;
        };
        if others.is_empty() {
            return;
        }
        let key = self.done.identities.thread(taken.thread);
        let mut footprint = self
            .done
            .may_touch(point.execution, taken.thread, announced);
        let of_thread = self.done.next_number(taken.thread);
        let which = Which::new(key, of_thread, &announced.next);
        self.surprises.add_to(&mut footprint, which);
        let tree = &mut self.path[number].tree;
        for other in others.into_iter().rev() {
            let way = Some(other.alternative);
            let is_planned = tree
                .iter()
                .any(|branch| branch.step.thread == key && branch.step.alternative == way);
            if !is_planned {
                let step = Planned::new(key, way, footprint.clone());
                tree.push_front(Branch::leaf(step));
            }
        }
    }

    /// The first planned step that is possible at the end of the path. What is planned behind it is
    /// planned for the next node.
    fn take_planned(&mut self) -> Option<Choice> {
        let node = self.path.last_mut()?;
        while let Some(Branch { step, below }) = node.tree.pop_front() {
            if let Some(choice) = node.choice_for(&self.done, &step) {
                self.plan = below;
                node.planned = Some(step.footprint);
                return Some(choice);
            }
        }
        None
    }

    /// Repeats a choice of the path, after a look at whether it is still the same one.
    fn repeat(&mut self, point: &Point<'_>) -> Option<Choice> {
        let node = &self.path[point.step];
        if node.possible == Fingerprint::of(point.execution) {
            let taken = node.taken;
            if point.step == self.done.steps.len() && point.step >= self.unseen.done {
                self.announce(point);
            }
            return Some(taken);
        }
        self.differs(point)
    }

    fn differs(&mut self, point: &Point<'_>) -> Option<Choice> {
        self.nondeterminism = Some(point.step + 1);
        None
    }

    /// Begins again, with what was learned.
    fn begin_again(&mut self) {
        // So that what its steps were on is remembered.
        self.done.truncate(0);
        let done = Dependence::knowing(&self.done.identities);
        let surprises = std::mem::take(&mut self.surprises);
        *self = Dpor {
            done,
            // They are in names that may have changed.
            surprises: if self.done.identities.have_merged() {
                Surprises::default()
            } else {
                surprises.settled()
            },
            below: std::mem::take(&mut self.below),
            division: self.division.take().map(PartFinder::again),
            longest_turn: self.longest_turn,
            ..Dpor::default()
        };
    }

    /// Goes to the next planned step, from the end of the path on. False if there is none.
    fn advance(&mut self) -> bool {
        loop {
            // Most nodes have nothing planned: they need not be looked at.
            let planned = self.path.iter().rposition(|node| !node.tree.is_empty());
            let Some(number) = planned else {
                self.path.truncate(0);
                self.done.truncate(0);
                return false;
            };
            self.path.truncate(number + 1);
            let node = &mut self.path[number];
            if node.waits() {
                node.asleep.push(Planned::wait_of_all());
            } else if let Some(step) = self.done.steps.get(number) {
                node.asleep.push(Planned::again(step));
                self.done.remember(number);
            }
            self.done.truncate(number);
            self.done.identities.go_back_to(node.census);
            if let Some(choice) = self.take_planned() {
                let node = &mut self.path[number];
                node.taken = choice;
                node.explored += 1;
                node.races.clear();
                return true;
            }
            self.path.pop();
        }
    }
}

impl Search for Dpor {
    fn wants_execution(&mut self) -> bool {
        self.is_behind_less = false;
        match std::mem::replace(&mut self.next, Next::Planned) {
            Next::Path => true,
            Next::Planned => self.nondeterminism.is_none() && self.advance(),
        }
    }

    fn finished(&mut self, execution: &Execution) {
        self.unseen = Unseen::default();
        // The misuse says more: of an initialiser that is used up, say, in the second execution.
        if matches!(execution.ending(), Some(Ending::Misused(_))) || self.nondeterminism.is_some() {
            return;
        }
        let probe = self.probe.take();
        if let (Some(probe), Some(Ending::Abandoned)) = (&probe, execution.ending()) {
            self.learn(probe, execution);
            self.next = Next::Path;
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
            && (self.below.steps() > 0 || self.is_behind_less)
        {
            // Only explored states follow. Its races are to be reversed all the same.
            self.reverse_races(execution);
            return;
        }
        let is_complete = !matches!(
            execution.ending(),
            Some(Ending::Abandoned | Ending::OutOfSteps | Ending::Unsupported(_))
        );
        if matches!(execution.ending(), Some(Ending::OutOfSteps)) {
            self.begins_fair = self.longest_turn.is_none() && self.traces == 0;
            self.longest_turn = Some(LONGEST_TURN.min(steps / FEWEST_TURNS));
            if self.division.is_none() && !self.begins_fair {
                self.reverse_races_within(STEPS_OF_CUT.min(self.done.steps.len()));
            }
        }
        if let Some(division) = &mut self.division {
            if is_complete {
                division.add_all(&self.path);
            }
            // What slept under one of two names that have become one may have been left out.
            if self.done.identities.have_merged() {
                self.begin_again();
            }
        } else if is_complete {
            self.traces += 1;
            self.reverse_races(execution);
        }
    }
}

impl Scheduler for Dpor {
    fn choose(&mut self, point: &Point<'_>) -> Option<Choice> {
        if self.probe.is_some() {
            return Some(point.default_choice());
        }
        if point.step < self.path.len() {
            self.see_again(point);
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

    fn repeats(&self, execution: &Execution) -> Option<Choice> {
        let step = execution.schedule().len();
        let is_done = self.probe.is_none() && step < self.done.steps.len();
        let node = self.path.get(step).filter(|_| is_done)?;
        (node.possible == Fingerprint::of(execution)).then_some(node.taken)
    }

    fn conduct(&self) -> Conduct {
        Conduct {
            abandons_redundant: true,
            runs_on: true,
            records_from: Some(self.done.steps.len()),
            ..Conduct::default()
        }
    }
}

impl Strategy for Dpor {
    /// As in an enumeration, but of the steps that are explored or planned so far. More can be
    /// planned at any time, so that it can shrink.
    fn share_done(&self) -> Option<f64> {
        let mut done = 0.0;
        let mut weight = 1.0;
        for node in self.path.iter() {
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

    fn left_out(&self) -> LeftOutSet {
        let mut left_out = LeftOutSet::default();
        if self.has_left_out_waits {
            left_out.add(LeftOut::WaitingWriters);
        }
        left_out
    }

    fn nondeterminism(&self) -> Option<usize> {
        self.nondeterminism
    }

    fn begins_again(&mut self, execution: &Execution) -> bool {
        let has_learned = self.surprises.are_new || self.done.identities.have_merged();
        let is_surprised = has_learned && self.nondeterminism.is_none();
        if !is_surprised && !execution.gained_patience() && !self.begins_fair {
            return false;
        }
        self.begin_again();
        true
    }
}
