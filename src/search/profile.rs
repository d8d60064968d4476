//! What a program does, as far as its first executions show: the estimates of random strategies.

use std::collections::{BTreeMap, HashMap};

use crate::engine::{Coroutines, Point, Scheduler, Search};
use crate::execution::{Execution, Mode, NextStep, Spot};
use crate::trace::{Choice, Operation, ThreadId};

use super::numbers::Numbers;
use super::sampling::{Sampling, Walk};

/// How many executions of a search are learned from.
const LESSONS: u64 = 16;

/// What was seen in the first executions of a search: of everything the most.
#[derive(Clone, Debug, Default)]
pub(crate) struct Profile {
    /// The steps of an execution at which more than one thread could go on.
    pub(crate) contested: u64,
    /// The threads, each of them behind the one that has started it. The first is the main thread.
    pub(crate) threads: Vec<Observed>,
    by_origin: HashMap<Option<Origin>, usize>,
}

/// A thread in a profile.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    /// Where it comes from. `None` for the main thread.
    origin: Option<Origin>,
    /// Its steps, as far as they count.
    pub(crate) steps: u64,
    /// The objects and park tokens that it touched.
    pub(crate) uses: BTreeMap<Spot, Use>,
}

/// The number in the profile of the thread that has started a thread, and how many it had started
/// before.
pub(crate) type Origin = (usize, usize);

/// How often a thread touched something.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Use {
    pub(crate) times: u64,
    /// How often it did more than read.
    pub(crate) writes: u64,
}

/// Learns from the first executions of a search.
///
/// Returns the walk of each of them, and last that of all others. The first execution is walked
/// with nothing known, the others with what those before have shown, so that they are part of the
/// search, which only repeats them. As they are the same for every part of a search, an execution
/// does the same in each of them.
pub(crate) fn learn<W: Walk + 'static>(
    engine: &Coroutines,
    seed: u64,
    walk: impl Fn(&Profile) -> W,
) -> Vec<W> {
    let mut profile = Profile::default();
    let mut walks = Vec::new();
    for number in 0..LESSONS {
        if engine.pulse.is_interrupted() {
            break;
        }
        let sampling = Sampling::new(
            vec![walk(&profile)],
            seed,
            Numbers::within(number..number + 1),
        );
        let lesson = engine.run(Lesson {
            sampling,
            family: Family::default(),
            profile,
            contested: 0,
            seen: Vec::new(),
        });
        walks.extend(lesson.sampling.into_walks());
        profile = lesson.profile;
    }
    walks.push(walk(&profile));
    walks
}

impl Profile {
    /// Which thread has this origin, if it was seen.
    pub(crate) fn find(&self, origin: Option<Origin>) -> Option<usize> {
        self.by_origin.get(&origin).copied()
    }

    /// For each thread, what `count` says of it and of all that it starts, and they start.
    pub(crate) fn with_descendants(&self, count: impl Fn(&Observed) -> u64) -> Vec<u64> {
        let mut sums: Vec<u64> = self.threads.iter().map(count).collect();
        for (index, thread) in self.threads.iter().enumerate().rev() {
            if let Some((parent, _)) = thread.origin {
                sums[parent] += sums[index];
            }
        }
        sums
    }

    /// What more than one thread touches, one of them not only to read.
    pub(crate) fn shared(&self) -> Vec<Spot> {
        let mut all: BTreeMap<Spot, (usize, u64)> = BTreeMap::new();
        let uses = self.threads.iter().flat_map(|thread| &thread.uses);
        for (&spot, uses) in uses {
            let (threads, writes) = all.entry(spot).or_default();
            *threads += 1;
            *writes += uses.writes;
        }
        let shared = all
            .into_iter()
            .filter(|(_, (threads, writes))| *threads > 1 && *writes > 0);
        shared.map(|(spot, _)| spot).collect()
    }

    fn find_or_add(&mut self, origin: Option<Origin>) -> usize {
        let threads = &mut self.threads;
        *self.by_origin.entry(origin).or_insert_with(|| {
            threads.push(Observed {
                origin,
                ..Observed::default()
            });
            threads.len() - 1
        })
    }
}

impl Observed {
    /// Takes note of what the thread did in another execution.
    fn raise(&mut self, other: &Observed) {
        self.steps = self.steps.max(other.steps);
        for (&spot, other) in &other.uses {
            let uses = self.uses.entry(spot).or_default();
            uses.times = uses.times.max(other.times);
            uses.writes = uses.writes.max(other.writes);
        }
    }
}

/// Whether a step is one of those that a thread has left.
///
/// A join waits for the others, and so takes no part in how they interleave. A thread that spins
/// makes as many steps as it is let.
pub(crate) fn counts(point: &Point<'_>, thread: ThreadId, next: &NextStep) -> bool {
    next.operation != Operation::Join && !is_spinning(point, thread)
}

/// The objects and park tokens that a thread is about to touch. One that spins only looks again.
pub(crate) fn uses(
    point: &Point<'_>,
    thread: ThreadId,
    next: &NextStep,
) -> impl Iterator<Item = (Spot, Mode)> {
    let touches = point.execution.announced_touches(thread, next).into_iter();
    let spins = is_spinning(point, thread);
    touches.filter(move |(spot, _)| matches!(spot, Spot::Object(_) | Spot::Token(_)) && !spins)
}

/// Whether a thread was seen to wait by looking again, and nothing new is there for it.
pub(crate) fn is_spinning(point: &Point<'_>, thread: ThreadId) -> bool {
    let execution = point.execution;
    execution.rests(execution.thread(thread))
}

/// Whether the choices, in the order of the threads, are those of more than one thread.
pub(crate) fn is_contested(choices: &[Choice]) -> bool {
    let (first, last) = (choices.first(), choices.last());
    first.map(|choice| choice.thread) != last.map(|choice| choice.thread)
}

/// Which thread of an execution is which one of a profile.
///
/// The numbers of threads depend on the schedule. But whose child a thread is does not, nor how
/// many its parent had started before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Family {
    members: Vec<Member>,
}

#[derive(Clone, Debug)]
struct Member {
    observed: Option<usize>,
    children: usize,
}

/// A thread that was started since the last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Started {
    pub(crate) thread: ThreadId,
    /// The thread that has started it. `None` for the main thread.
    pub(crate) parent: Option<ThreadId>,
    /// Which one of the profile it is, if it was seen there.
    pub(crate) observed: Option<usize>,
}

impl Family {
    /// Forgets the last execution.
    pub(crate) fn clear(&mut self) {
        self.members.clear();
    }

    /// Which thread of the profile a thread is, if it was seen there.
    pub(crate) fn observed(&self, thread: ThreadId) -> Option<usize> {
        self.members.get(thread.index())?.observed
    }

    /// Finds the next of the threads that were started since the last step. `find` says which one
    /// of the profile has an origin.
    pub(crate) fn admit(
        &mut self,
        point: &Point<'_>,
        find: impl FnOnce(Option<Origin>) -> Option<usize>,
    ) -> Option<Started> {
        let index = self.members.len();
        let (thread, _) = point.execution.threads().nth(index)?;
        // Only one thread has made a step since.
        let parent = point.last.filter(|_| thread != ThreadId::MAIN);
        let observed = match parent {
            None => find(None),
            Some(parent) => {
                let parent = &mut self.members[parent.index()];
                let rank = parent.children;
                parent.children += 1;
                parent
                    .observed
                    .and_then(|parent| find(Some((parent, rank))))
            }
        };
        self.members.push(Member {
            observed,
            children: 0,
        });
        Some(Started {
            thread,
            parent,
            observed,
        })
    }
}

/// One execution that is learned from.
struct Lesson<W> {
    sampling: Sampling<W>,
    family: Family,
    profile: Profile,
    contested: u64,
    /// What the threads of the profile do in this execution.
    seen: Vec<Observed>,
}

impl<W: Walk> Search for Lesson<W> {
    fn wants_execution(&mut self) -> bool {
        self.sampling.wants_execution()
    }

    fn finished(&mut self, _execution: &Execution) {
        self.profile.contested = self.profile.contested.max(self.contested);
        for (known, seen) in self.profile.threads.iter_mut().zip(&self.seen) {
            known.raise(seen);
        }
    }
}

impl<W: Walk> Scheduler for Lesson<W> {
    fn choose(&mut self, point: &Point<'_>) -> Option<Choice> {
        let choice = self.sampling.choose(point)?;
        let profile = &mut self.profile;
        let mut find = |origin| Some(profile.find_or_add(origin));
        while self.family.admit(point, &mut find).is_some() {}
        self.seen
            .resize_with(self.profile.threads.len(), Observed::default);
        self.contested += u64::from(is_contested(point.choices));
        let thread = choice.thread;
        let observed = self.family.observed(thread);
        let Some((observed, next)) = observed.zip(point.execution.next_of(thread)) else {
            return Some(choice);
        };
        let observed = &mut self.seen[observed];
        observed.steps += u64::from(counts(point, thread, next));
        for (spot, mode) in uses(point, thread, next) {
            let uses = observed.uses.entry(spot).or_default();
            uses.times += 1;
            uses.writes += u64::from(mode == Mode::Write);
        }
        Some(choice)
    }
}
