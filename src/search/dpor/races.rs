//! Races: pairs of steps that could have come in the other order, which is planned.

use smallvec::SmallVec;

use crate::execution::Execution;
use crate::search::behind_writers::{Found, Waits};
use crate::search::dependence::{
    Announced, Footprint, Step, add_touches, conflict, index, is_within,
};
use crate::search::division::Steps;
use crate::search::identity::ThreadKey;
use crate::trace::ThreadId;

use super::surprises::Which;
use super::wakeup_tree::{Initial, Planned, Sight, initial, insert};
use super::{Dpor, Node};

/// The later step of a race.
enum Later {
    /// The step with this number.
    Done(usize),
    /// One that was announced, and that nobody made possible.
    Never(Planned),
}

impl Dpor {
    /// Plans the other order of each race of a complete execution.
    pub(super) fn reverse_races(&mut self, execution: &Execution) {
        let steps = self.done.steps.len();
        self.reverse_races_within(steps);
        for (thread, _) in execution.threads() {
            // It was about to do something that nobody made possible.
            if let Some(announced) = self.done.announced(execution, thread) {
                let footprint = self.done.may_touch(execution, thread, &announced);
                self.forestall(thread, &announced, &footprint);
                // Or something that is possible, where all threads wait behind writers instead.
                if self.path.get(steps).is_some_and(Node::waits)
                    && execution.met(thread, announced.next.requires)
                {
                    let step = self.never_done(thread, &announced, &footprint);
                    self.reverse(&[index(steps)], Later::Never(step), steps);
                }
            }
        }
        self.plan_waits(execution);
    }

    /// Plans the states in which all threads wait behind writers, of those that the execution could
    /// have come to if some steps had not been done.
    fn plan_waits(&mut self, execution: &Execution) {
        let Some(mut waits) = Waits::of(&self.done) else {
            return;
        };
        for (thread, _) in execution.threads() {
            let announced = self.done.announced(execution, thread);
            waits.ends_with(execution, thread, announced);
        }
        let Found {
            without,
            is_complete,
        } = waits.find(&self.done);
        self.has_left_out_waits |= !is_complete;
        let steps = self.done.steps.len();
        for obstacle in without {
            self.reverse(&obstacle, Later::Never(Planned::wait_of_all()), steps);
        }
    }

    /// Plans the other order of each race among the first `steps` steps of an execution.
    pub(super) fn reverse_races_within(&mut self, steps: usize) {
        for later in 0..steps.min(self.path.len()) {
            if self.path[later].races.is_empty() {
                continue;
            }
            let races = std::mem::take(&mut self.path[later].races);
            let open = races
                .into_iter()
                .filter(|obstacle| !self.reverse(obstacle, Later::Done(later), steps));
            self.path[later].races = open.collect();
        }
    }

    /// Plans that a thread goes on where it has not, before what it could have forestalled.
    pub(super) fn forestall(
        &mut self,
        thread: ThreadId,
        announced: &Announced,
        footprint: &Footprint,
    ) {
        for obstacle in self.done.forestalled_by(thread, announced, footprint) {
            let step = self.never_done(thread, announced, footprint);
            self.reverse(&obstacle, Later::Never(step), self.done.steps.len());
        }
    }

    /// A step that a thread was about to do in the end.
    fn never_done(
        &self,
        thread: ThreadId,
        announced: &Announced,
        footprint: &Footprint,
    ) -> Planned {
        let key = self.done.identities.thread(thread);
        let mut footprint = footprint.clone();
        let number = self.done.next_number(thread);
        let which = Which::new(key, number, &announced.next);
        self.surprises.add_to(&mut footprint, which);
        Planned::new(key, None, footprint)
    }

    /// Plans the other order of a race at the state before its first step. Returns whether the race
    /// need not be looked at again while this state and its steps up to the later one are the same.
    /// Of the execution, only the first `steps` steps are looked at.
    fn reverse(&mut self, obstacle: &[u32], later: Later, steps: usize) -> bool {
        let first = obstacle[0] as usize;
        // Of what comes before the part that is explored, everything is explored in other parts.
        if first < self.below.steps() {
            return true;
        }
        let (at, mut last) = match later {
            Later::Done(at) => {
                let footprint = self.done.in_another_place(at);
                (at, Planned::new(self.done.steps[at].key, None, footprint))
            }
            Later::Never(step) => (steps, step),
        };
        let touched = Footprint::from_slice(&last.footprint);
        if let Some(step) = self.done.steps[..steps].get(at) {
            let footprint = &mut last.footprint;
            self.surprises.add_to(footprint, Which::of(step));
        }
        let done = &self.done;
        let mut sequence: SmallVec<[&Step; 32]> = SmallVec::new();
        let mut before = 0;
        for number in first + 1..steps {
            if number == at {
                before = sequence.len();
            } else if !done.follows(number, obstacle) {
                sequence.push(&done.steps[number]);
            }
        }
        if at == steps {
            before = sequence.len();
        }
        let (earlier, after) = sequence.split_at(before);
        let node = &self.path[first];
        // A step that sleeps here does the same behind others that it is independent of.
        if sequence.iter().all(|step| step.key != last.thread)
            && let Some(footprint) = self.touches_of_sleeping(node, last.thread)
            && !meets(earlier, &footprint)
        {
            last.footprint = footprint;
        }
        // If it touches more in its new place, what comes after it in another execution may depend
        // on that.
        let is_as_done = is_within(&last.footprint, &touched);
        // As early as possible, so that the sequence begins with what the race needs.
        let place = if meets(after, &last.footprint) {
            sequence.len()
        } else {
            before
        };
        let behind = &sequence[place..];
        let last = std::iter::once(last.sight());
        let needed = sights(earlier).chain(last.clone());
        let sequence = sights(&sequence[..place]).chain(last).chain(sights(behind));
        let sleeper = node
            .asleep
            .iter()
            .find(|step| match initial(step, sequence.clone()) {
                Initial::No => false,
                // What wakes it later is found where its own states are explored, unless that is in
                // another part.
                Initial::Apart => !step.was_passed && !self.below.puts_to_sleep(step),
                Initial::At(index) => index != place || self.all_ways_sleep(node, step.thread),
            });
        if let Some(step) = sleeper {
            return is_as_done && matches!(initial(step, needed), Initial::At(_));
        }
        let tree = &mut self.path[first].tree;
        insert(tree, sequence.map(|step| step.planned()).collect());
        let mut planned = tree.iter();
        is_as_done
            && planned.any(|branch| matches!(initial(&branch.step, needed.clone()), Initial::At(_)))
    }

    /// What the next step of a thread touches at a node, if it was done there in all its ways.
    fn touches_of_sleeping(&self, node: &Node, key: ThreadKey) -> Option<Footprint> {
        let mut steps = node.asleep.iter().filter(|step| step.thread == key);
        let mut footprint = steps.next()?.footprint.clone();
        for step in steps {
            add_touches(&mut footprint, step.footprint.iter().copied());
        }
        self.all_ways_sleep(node, key).then_some(footprint)
    }

    /// Whether all ways that the next step of a thread can go sleep.
    fn all_ways_sleep(&self, node: &Node, key: ThreadKey) -> bool {
        if key == ThreadKey::ALL {
            return node.wait_awake().is_none();
        }
        let Some(thread) = self.done.identities.running(key) else {
            return false;
        };
        let mut ways = node.choices.iter().filter(|choice| choice.thread == thread);
        ways.all(|choice| node.sleeps(&self.done, *choice))
    }
}

/// Whether one of these steps conflicts with what another one touches.
fn meets(steps: &[&Step], footprint: &Footprint) -> bool {
    let mut steps = steps.iter();
    steps.any(|step| conflict(&step.footprint, footprint))
}

fn sights<'a>(steps: &'a [&'a Step]) -> impl Iterator<Item = Sight<'a>> + Clone {
    steps.iter().map(|step| Sight::of(step))
}
