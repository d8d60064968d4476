//! Which steps of an execution depend on which.
//!
//! A step depends on an earlier one if both are of one thread, or touch one spot so that they
//! conflict, or if there is a step between that makes it so. Executions in which the same steps
//! depend on the same are one trace (Mazurkiewicz 1977): they differ only in the order of
//! independent steps, and come to the same end.
//!
//! This is not the order that memory orderings give ([`happens_before`](crate::execution)): here a
//! load depends on the store that it reads from even if both are Relaxed.

use smallvec::SmallVec;

use crate::execution::{Alternatives, Execution, Look, Mode, NextStep, Spot, Touch};
use crate::model::Before;
use crate::model::read_write::Holds;
use crate::trace::{Clock, ObjectId, Operation, ThreadId};

use super::identity::{Census, Identities, SpotKey, StepKey, ThreadKey};

/// The spots that a step touches.
pub(super) type Footprint = SmallVec<[(SpotKey, Mode); 4]>;

/// Whether two steps of different threads are dependent.
pub(super) fn conflict(one: &Footprint, other: &Footprint) -> bool {
    one.iter().any(|(spot, mode)| {
        other
            .iter()
            .any(|(other, theirs)| spot == other && mode.conflicts(*theirs))
    })
}

/// Adds touches to others. The same spot twice is one touch, in the stronger mode.
pub(super) fn add_touches(
    footprint: &mut Footprint,
    more: impl IntoIterator<Item = (SpotKey, Mode)>,
) {
    for (spot, mode) in more {
        add_touch(footprint, spot, mode);
    }
}

fn add_touch(footprint: &mut Footprint, spot: SpotKey, mode: Mode) {
    match footprint.iter_mut().find(|(other, _)| *other == spot) {
        Some((_, other)) if *other != mode => *other = Mode::Write,
        Some(_) => {}
        None => footprint.push((spot, mode)),
    }
}

/// Whether all touches of one are among those of the other, in a mode that is no weaker.
pub(super) fn is_within(one: &Footprint, other: &Footprint) -> bool {
    one.iter().all(|(spot, mode)| covers(other, *spot, *mode))
}

/// Whether a touch is among these, in a mode that is no weaker.
pub(super) fn covers(footprint: &Footprint, spot: SpotKey, mode: Mode) -> bool {
    let mut touches = footprint.iter();
    touches.any(|(other, theirs)| spot == *other && (mode == *theirs || *theirs == Mode::Write))
}

/// A step as it was announced, at the moment when it was chosen.
#[derive(Clone, Debug)]
pub(super) struct Announced {
    pub(super) next: NextStep,
    /// What its thread has looked at, of which something had to change before.
    pub(super) watched: Vec<Look>,
    /// What there was then.
    census: Census,
}

impl Announced {
    /// What a thread is about to do where there is this, of which all names are known.
    pub(super) fn again(execution: &Execution, thread: ThreadId, census: Census) -> Option<Self> {
        Some(Announced {
            next: *execution.next_of(thread)?,
            watched: execution.watched(thread).to_vec(),
            census,
        })
    }

    /// Whether the step had to wait for a change of what it touches, and has seen nothing of it.
    ///
    /// That orders the step after the change. But whether its thread rested by the time of the change
    /// depends on the order of independent steps, and so is no part of the trace.
    fn awaits(&self, touch: &Touch) -> bool {
        !touch.is_own && self.watched.iter().any(|look| look.spot == touch.spot)
    }
}

/// The steps of an execution and the dependence between them.
#[derive(Debug, Default)]
pub(super) struct Dependence {
    pub(super) identities: Identities,
    pub(super) steps: Vec<Step>,
    /// The touches of each spot, in the order of the steps.
    touches: Vec<Vec<Touched>>,
    /// The last step of each thread.
    last: Vec<Option<u32>>,
    /// Where the touches of the last step are, in their order.
    pub(super) touched_last: Vec<SpotKey>,
}

/// A step that was done.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) thread: ThreadId,
    pub(super) key: ThreadKey,
    pub(super) alternative: u32,
    pub(super) announced: Announced,
    /// Which step of its thread it is, from 1 on.
    pub(super) number: u32,
    /// The step of its thread before.
    pub(super) previous: Option<u32>,
    /// The steps that it depends on and itself.
    clock: Clock,
    pub(super) footprint: Footprint,
    /// Stands for the step and all that it depends on, in whichever execution.
    hash: u128,
    /// Stands for the trace up to here.
    trace: u128,
}

/// That a step touches a spot.
#[derive(Debug)]
pub(super) struct Touched {
    pub(super) step: u32,
    pub(super) mode: Mode,
    pub(super) spot: Spot,
    pub(super) before: Before,
    /// See [`Announced::awaits`].
    is_awaited: bool,
    /// The touch of the same spot before this one that was the last to change it, by its place in
    /// their order: a thread that spins reads very often.
    changed: Option<u32>,
}

impl Touched {
    /// Whether the spot is not as it was before.
    pub(super) fn has_changed(&self) -> bool {
        let is_same = match self.before {
            Before::Same | Before::Passed | Before::Undone => true,
            Before::Holds(holds) => holds == Holds::default(),
            _ => false,
        };
        self.mode != Mode::Read && !is_same
    }
}

impl Dependence {
    /// No steps, with the names that are known already.
    pub(super) fn knowing(identities: &Identities) -> Self {
        Dependence {
            identities: identities.emptied(),
            ..Dependence::default()
        }
    }

    /// Goes back to the first `steps` steps.
    pub(super) fn truncate(&mut self, steps: usize) {
        let census = self.steps.get(steps).map(|step| step.announced.census);
        for number in (steps..self.steps.len()).rev() {
            let is_forgotten = |object| census.is_some_and(|it| !Identities::was_there(it, object));
            self.remember_objects(number, is_forgotten);
            let step = &self.steps[number];
            for (spot, _) in &step.footprint {
                let touches = &mut self.touches[spot.0 as usize];
                while touches
                    .last()
                    .is_some_and(|touch| touch.step == index(number))
                {
                    touches.pop();
                }
            }
            self.last[step.thread.index()] = step.previous;
            self.identities.go_back_to(step.announced.census);
            self.steps.truncate(number);
        }
    }

    /// Remembers what a step was on that is going to sleep: it may not be done again before it is asked
    /// whether it is on the same as another one.
    pub(super) fn remember(&mut self, number: usize) {
        self.remember_objects(number, |_| true);
    }

    /// Remembers on which of these objects a step was.
    fn remember_objects(&mut self, number: usize, which: impl Fn(ObjectId) -> bool) {
        let step = &self.steps[number];
        let (thread, previous, next) = (step.thread, step.previous, step.announced.next);
        for_objects_of(&next, |place, object| {
            if which(object) && self.identities.is_late(object) {
                let key = self.step_key(thread, previous, place);
                self.identities.remember(key, object);
            }
        });
    }

    /// What a thread is about to do.
    pub(super) fn announced(
        &mut self,
        execution: &Execution,
        thread: ThreadId,
    ) -> Option<Announced> {
        let census = self.identities.meet(execution);
        let announced = Announced::again(execution, thread, census)?;
        for_objects_of(&announced.next, |place, object| {
            if self.identities.is_late(object) {
                self.name(execution, thread, place, object);
            }
        });
        Some(announced)
    }

    /// Gives a name to an object that was bound late, and that a thread is about to use.
    fn name(&mut self, execution: &Execution, thread: ThreadId, place: u8, object: ObjectId) {
        let own = (thread, place);
        let step_key = |(thread, place): (ThreadId, u8)| {
            let last = self.last.get(thread.index()).copied().flatten();
            self.step_key(thread, last, place)
        };
        // Once it has a name, it is enough to hear what the step itself says.
        if self.identities.has_name(object) {
            let step = step_key(own);
            self.identities.name(object, std::iter::once(step));
            return;
        }
        let announcing = execution.threads().filter_map(|(other, _)| {
            let next = execution.next_of(other)?;
            let mut place = None;
            for_objects_of(next, |at, used| {
                if used == object {
                    place = Some(at);
                }
            });
            place
                .filter(|_| other != thread)
                .map(|place| (other, place))
        });
        let steps: SmallVec<[StepKey; 4]> = std::iter::once(own)
            .chain(announcing)
            .map(step_key)
            .collect();
        self.identities.name(object, steps.into_iter());
    }

    /// What the step of a thread after this one is known by.
    fn step_key(&self, thread: ThreadId, previous: Option<u32>, place: u8) -> StepKey {
        let past = match previous {
            Some(step) => self.steps[step as usize].hash,
            // What it was given when it was started.
            None => {
                let start = self.start_of(thread);
                let hash = start.map_or(0, |step| self.steps[step as usize].hash);
                mix(hash, u128::from(self.identities.thread(thread).0) + 1)
            }
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "half of the hash is enough to tell steps apart"
        )]
        let past = past as u64;
        StepKey { past, place }
    }

    /// The step that has started a thread.
    pub(super) fn start_of(&self, thread: ThreadId) -> Option<u32> {
        let mut starts = self.touched(Spot::Start(thread));
        let start = starts.find(|touch| touch.mode == Mode::Write);
        start.map(|touch| touch.step)
    }

    /// The touches of a spot of the running execution.
    pub(super) fn touched(&self, spot: Spot) -> impl Iterator<Item = &Touched> {
        let key = self.identities.known_spot(spot);
        let touches = key.map_or(&[][..], |key| self.touches_of(key));
        touches.iter().filter(move |touch| touch.spot == spot)
    }

    /// What a thread that is about to do this may touch.
    pub(super) fn may_touch(
        &mut self,
        execution: &Execution,
        thread: ThreadId,
        announced: &Announced,
    ) -> Footprint {
        let touches = execution.announced_touches(thread, &announced.next);
        let touches = touches.iter();
        touches
            .map(|(spot, mode)| (self.identities.spot(*spot), *mode))
            .collect()
    }

    /// Adds the step that was done last.
    pub(super) fn add(&mut self, execution: &Execution, announced: Announced) {
        let number = self.steps.len();
        let choice = execution.schedule()[number];
        self.identities.meet(execution);
        let thread = choice.thread;
        let key = self.identities.thread(thread);
        self.last
            .resize(self.last.len().max(thread.index() + 1), None);
        let previous = self.last[thread.index()];
        let mut clock = match previous {
            Some(step) => self.steps[step as usize].clock.clone(),
            None => Clock::default(),
        };
        let mut seed = mix(
            SEED,
            u128::from(key.0) << 32 | u128::from(choice.alternative),
        );
        if let Some(step) = previous {
            seed = mix(seed, self.steps[step as usize].hash);
        }
        let mut sum = 0u128;
        let mut footprint = Footprint::new();
        self.touched_last.clear();
        let touches = execution.touches(number);
        for touch in touches.clone() {
            let spot = self.identities.spot(touch.spot);
            self.touched_last.push(spot);
            add_touch(&mut footprint, spot, touch.mode);
        }
        for (spot, mode) in &footprint {
            let part = self.learn(*spot, *mode, &mut clock);
            let mut touches = touches.clone().zip(&self.touched_last);
            if announced.watched.is_empty()
                || touches.any(|(touch, key)| key == spot && !announced.awaits(touch))
            {
                sum = sum.wrapping_add(part);
            }
        }
        clock.advance(thread);
        let hash = mix(seed, sum);
        for (touch, spot) in touches.zip(&self.touched_last) {
            let spot = spot.0 as usize;
            if self.touches.len() <= spot {
                self.touches.resize_with(spot + 1, Vec::new);
            }
            let touches = &mut self.touches[spot];
            let changed = last_change(touches);
            touches.push(Touched {
                step: index(number),
                mode: touch.mode,
                spot: touch.spot,
                before: touch.before.clone(),
                is_awaited: announced.awaits(touch),
                changed,
            });
        }
        let of_thread = self.next_number(thread);
        self.last[thread.index()] = Some(index(number));
        self.steps.push(Step {
            thread,
            key,
            alternative: choice.alternative,
            announced,
            number: of_thread,
            previous,
            clock,
            footprint,
            hash,
            trace: self.hash().wrapping_add(mix(1, hash)),
        });
    }

    /// Which step of its thread the next one of a thread will be, from 1 on.
    pub(super) fn next_number(&self, thread: ThreadId) -> u32 {
        let last = self.last_of(thread);
        last.map_or(0, |step| self.steps[step as usize].number) + 1
    }

    /// Whether the later of two steps depends on the earlier one.
    pub(super) fn depends(&self, earlier: usize, later: usize) -> bool {
        let step = &self.steps[earlier];
        self.steps[later].clock.get(step.thread) >= step.number
    }

    /// Stands for the trace so far: equal if, and for all practical purposes only if, the same
    /// steps depend on the same.
    pub(super) fn hash(&self) -> u128 {
        self.steps.last().map_or(0, |step| step.trace)
    }

    /// Stands for all that the last step of a thread depends on.
    pub(super) fn past_of(&self, thread: ThreadId) -> u128 {
        let last = self.last_of(thread);
        last.map_or(0, |step| self.steps[step as usize].hash)
    }

    /// The last step of a thread.
    pub(super) fn last_of(&self, thread: ThreadId) -> Option<u32> {
        self.last.get(thread.index()).copied().flatten()
    }

    /// A step as it is known if it is going to be done in another place: by what it has touched, and
    /// may touch there.
    pub(super) fn in_another_place(&self, number: usize) -> Footprint {
        let step = &self.steps[number];
        let mut footprint = Footprint::from_slice(&step.footprint);
        let next = &step.announced.next;
        let may_fail = matches!(
            next.operation,
            Operation::Cas
                | Operation::TryLock
                | Operation::Send
                | Operation::Receive
                | Operation::Once
                | Operation::Join
        ) || !matches!(
            next.alternatives,
            Alternatives::None | Alternatives::BehindWriters
        );
        if may_fail {
            // Who comes to read shares the lock, also if the time is over.
            let shares = next.operation == Operation::ReadLock;
            for (_, mode) in &mut footprint {
                if !(shares && *mode == Mode::Share) {
                    *mode = Mode::Write;
                }
            }
        }
        footprint
    }

    /// The touches of a spot, in the order of the steps.
    pub(super) fn touches_of(&self, spot: SpotKey) -> &[Touched] {
        let touches = self.touches.get(spot.0 as usize);
        touches.map_or(&[], Vec::as_slice)
    }

    /// The touches of a spot that may conflict with one in this mode, the last one first.
    pub(super) fn before(&self, spot: SpotKey, mode: Mode) -> impl Iterator<Item = &Touched> {
        let touches = self.touches_of(spot);
        let last = match mode {
            Mode::Read => last_change(touches),
            Mode::Share | Mode::Write => touches.len().checked_sub(1).map(index),
        };
        std::iter::successors(last, move |&place| match mode {
            Mode::Read => touches[place as usize].changed,
            Mode::Share | Mode::Write => place.checked_sub(1),
        })
        .map(|place| &touches[place as usize])
    }

    /// Stands for what a spot has come to.
    pub(super) fn state_of(&self, key: SpotKey) -> u128 {
        let mut sum = 0u128;
        for touch in self.before(key, Mode::Read) {
            sum = sum.wrapping_add(mix(1, self.steps[touch.step as usize].hash));
            if touch.mode == Mode::Write {
                break;
            }
        }
        sum
    }

    /// Joins what a touch depends on into a clock, and returns what stands for it.
    fn learn(&self, spot: SpotKey, mode: Mode, clock: &mut Clock) -> u128 {
        let mut sum = 0u128;
        for touch in self.before(spot, mode) {
            if touch.mode.conflicts(mode) {
                let step = &self.steps[touch.step as usize];
                clock.join(&step.clock);
                if !touch.is_awaited {
                    sum = sum.wrapping_add(mix(2, step.hash));
                }
            }
            if touch.mode == Mode::Write {
                break;
            }
        }
        sum
    }
}

/// Looks at the objects that a step is on, with their places among them.
#[inline]
fn for_objects_of(next: &NextStep, mut look: impl FnMut(u8, ObjectId)) {
    if let Some(object) = next.object {
        look(0, object);
    }
    if let Some(mutex) = next.mutex().filter(|mutex| next.object != Some(*mutex)) {
        look(1, mutex);
    }
}

/// The place of the last touch that changed a spot.
fn last_change(touches: &[Touched]) -> Option<u32> {
    let last = touches.last()?;
    if last.mode == Mode::Read {
        last.changed
    } else {
        Some(index(touches.len() - 1))
    }
}

pub(super) fn index(step: usize) -> u32 {
    u32::try_from(step).expect("steps are bounded")
}

/// Where hashes begin: mixed with nothing, zero would stay zero.
const SEED: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C834;

/// Mixes a value into a hash, so that it matters which comes first.
fn mix(hash: u128, value: u128) -> u128 {
    let mixed =
        (hash.rotate_left(47) ^ value).wrapping_mul(0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645);
    mixed ^ (mixed >> 71)
}
