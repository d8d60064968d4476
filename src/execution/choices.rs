//! Which steps are possible now.

use std::hash::BuildHasher;

use rustc_hash::FxBuildHasher;

use crate::trace::{Blocked, Choice, Held, LeftOut, LeftOutSet, ObjectId, Obstacle, ThreadId};

use crate::model::{self, Announced, Glimpse, Situation, State};

use super::thread::Standing;
use super::waiting::GoOn;
use super::{Alternatives, Ending, Execution, NextStep, Phase, Requirement, Spot, Thread};

/// What the search has to decide.
pub(crate) enum Offer {
    /// One of the choices that were put into the list.
    Choose {
        /// The thread that did the last step and could go on: to leave it is a preemption.
        running: Option<ThreadId>,
    },
    /// Whether to go on: a thread went on alone and did not leave its loop, so that the execution
    /// is redundant: all that can follow would also follow if it had not.
    Redundant,
    /// Nothing: this thread has to go on.
    Continue(ThreadId),
    /// Nothing yet: the execution has just ended as far as the search is concerned. Its threads run
    /// on, or are unwound.
    Ended,
    /// Nothing: all threads have ended.
    Over,
}

/// The present.
impl Situation for Execution {
    #[inline]
    fn glimpse(&self, spot: Spot, thread: ThreadId) -> Option<Glimpse> {
        match spot {
            Spot::Object(object) => self.object(object).state.primitive().glimpse(thread),
            Spot::Token(of) => Some(Glimpse::Token(self.thread(of).has_token)),
            _ => None,
        }
    }

    #[inline]
    fn has_happened(&self, spot: Spot) -> bool {
        match spot {
            Spot::End(thread) => self.thread(thread).finished,
            Spot::Woken(thread) => self.thread(thread).woken,
            Spot::Passage(object, number) | Spot::Taken(object, number) => {
                self.object(object).state.primitive().has_happened(number)
            }
            Spot::Object(_)
            | Spot::Start(_)
            | Spot::Result(_)
            | Spot::Token(_)
            | Spot::Receivers(_)
            | Spot::Upgradable(_)
            | Spot::Guarded(_) => true,
        }
    }

    /// Of an object that keeps nobody waiting.
    fn is_possible_now(&self) -> bool {
        true
    }
}

impl Execution {
    /// Decides what the scheduler may do now, and puts the choices into `choices`, in the order
    /// of the threads. Dooms the execution if nothing is possible or the steps are used up.
    #[expect(
        clippy::inline_always,
        reason = "a part of each step: a call costs as much as what it does"
    )]
    #[inline(always)]
    pub(crate) fn offer(&mut self, choices: &mut Vec<Choice>) -> Offer {
        // The start of a thread is not a step: it runs up to its first operation at once.
        if let Some(thread) = self.starting.pop() {
            self.current = thread;
            return Offer::Continue(thread);
        }
        if !self.is_explored() {
            return self.next_to_end();
        }
        choices.clear();
        if self.alone.is_none() || !self.prunes {
            self.list_choices(choices);
        } else {
            match self.alone() {
                GoOn::Step(thread) => choices.push(Choice::of(thread)),
                GoOn::Redundant => return Offer::Redundant,
                GoOn::No => self.list_choices(choices),
            }
        }
        if choices.is_empty() || self.schedule.len() >= self.max_steps {
            return self.offer_nothing(choices);
        }
        Offer::Choose {
            running: self.running(),
        }
    }

    /// Nothing is possible, or the steps are used up.
    #[cold]
    fn offer_nothing(&mut self, choices: &[Choice]) -> Offer {
        if !choices.is_empty() {
            self.run_out_of_steps();
        } else if self.threads.iter().all(|thread| thread.finished) {
            return Offer::Over;
        } else {
            self.stand_still(|_, _| None);
        }
        Offer::Ended
    }

    /// The thread that goes on in an execution that the search is done with.
    fn next_to_end(&mut self) -> Offer {
        if let Phase::RunningOn { steps } = self.phase
            && let Some(next) = self.next_to_run_on(steps)
        {
            return next;
        }
        self.next_to_unwind()
    }

    /// The thread that goes on in an execution that the search is done with: each in turn, so that
    /// none keeps waiting for another one that could go on. Dooms the execution if nobody can, or
    /// if it has gone on for as long as an execution may.
    fn next_to_run_on(&mut self, steps: usize) -> Option<Offer> {
        if self.threads.iter().all(|thread| thread.finished) {
            return Some(Offer::Over);
        }
        let threads = self.threads.len();
        let in_turn = (1..=threads).map(|next| {
            let index = (self.current.index() + next) % threads;
            ThreadId(u32::try_from(index).expect("fewer than 2^32 threads"))
        });
        let able = in_turn.clone().find(|thread| self.can_go_on(*thread));
        let able = able.map(Choice::of).or_else(|| {
            let mut in_turn = in_turn;
            let timed = in_turn.find(|thread| {
                let next = self.next_of(*thread);
                next.is_some_and(|next| self.can_time_out(*thread, next))
            });
            timed.map(|thread| Choice {
                thread,
                alternative: 1,
            })
        });
        match able {
            Some(choice) if steps < self.max_steps => {
                self.phase = Phase::RunningOn { steps: steps + 1 };
                self.current = choice.thread;
                self.alternative = choice.alternative;
                Some(Offer::Continue(choice.thread))
            }
            _ => {
                self.doom();
                None
            }
        }
    }

    /// Whether a search that knows what comes next can take it without an offer.
    #[inline]
    pub(crate) fn can_repeat(&self) -> bool {
        self.is_explored()
            && self.starting.is_empty()
            && self.alone.is_none()
            && self.schedule.len() < self.max_steps
    }

    /// Takes the step that an earlier execution has taken here, in which everything was the same up
    /// to now. It may be the end, as in [`take`](Self::take).
    pub(crate) fn repeat(&mut self, choice: Choice) {
        let running = self.running();
        self.take(choice, running);
    }

    /// Stands for what all threads have announced: operations, objects and places.
    pub(crate) fn announced(&self) -> u64 {
        self.announced
    }

    /// Notes what the search chose. The execution is over if that is to wait behind writers.
    #[expect(
        clippy::inline_always,
        reason = "a part of each step: a call costs as much as what it does"
    )]
    #[inline(always)]
    pub(crate) fn take(&mut self, choice: Choice, running: Option<ThreadId>) {
        let leaves = running.is_some_and(|running| running != choice.thread);
        if leaves && !self.is_behind_writers(choice) {
            self.preemptions += 1;
        }
        self.schedule.push(choice);
        let Choice {
            thread,
            alternative,
        } = choice;
        self.current = thread;
        self.alternative = alternative;
        if self.is_behind_writers(choice) {
            return self.wait_behind_writers();
        }
        // Before anything is noted that changes what it knows.
        self.choose_footprint(thread);
        if alternative > 0 {
            self.note_stalling(thread);
        } else {
            self.note_chosen(thread);
        }
    }

    /// It is the turn of `thread`, in an engine that decides that itself.
    pub(crate) fn resume(&mut self, thread: ThreadId) {
        self.current = thread;
        if self.is_doomed() {
            return;
        }
        if self.schedule.len() >= self.max_steps {
            self.end(Ending::OutOfSteps);
        } else {
            self.take(Choice::of(thread), self.running());
        }
    }

    /// Dooms the execution if no thread can go on, in an engine that blocks threads itself and
    /// knows no time-outs.
    pub(crate) fn notice_standstill(&mut self) {
        if self.is_doomed() || !self.starting.is_empty() {
            return;
        }
        let unfinished = || self.threads().filter(|(_, thread)| !thread.finished);
        let is_able = |(id, thread): (_, &Thread)| thread.next.is_none() || self.can_go_on(id);
        if unfinished().next().is_none() || unfinished().any(is_able) {
            return;
        }
        let timed = self.threads().find_map(|(id, thread)| {
            let next = thread.next.as_ref()?;
            self.can_time_out(id, next).then_some(next.at)
        });
        match timed {
            Some(at) => self.end(Ending::Unsupported(format!(
                "no thread can go on but by a time-out, as at {at}, and loom has none"
            ))),
            None => self.stand_still(|_, _| None),
        }
    }

    /// Whether what a waiting thread waits for has happened, apart from a mutex that it will have
    /// to take.
    pub(crate) fn is_awake(&self, thread: ThreadId) -> bool {
        match self.next_of(thread).map(|next| next.requires) {
            Some(Requirement::Woken { .. }) => self.thread(thread).woken,
            Some(requires) => self.met(thread, requires),
            None => true,
        }
    }

    /// Notes that an engine wakes waiting threads in one order only, if there are several.
    pub(crate) fn note_wake_order(&mut self, next: &NextStep) {
        let announced = Announced {
            execution: self,
            thread: self.current,
            next,
        };
        if model::primitive(self, next).ways(&announced) > 1 {
            self.left_out.add(LeftOut::WakeOrder);
        }
    }

    pub(crate) fn is_mutex(&self, object: ObjectId) -> bool {
        matches!(self.object(object).state, State::Mutex(_))
    }

    /// The thread that a doomed execution unwinds next.
    ///
    /// Threads are unwound from the youngest to the oldest, since a scoped thread borrows from
    /// the stack of an older one.
    fn next_to_unwind(&mut self) -> Offer {
        let unfinished = || self.threads().filter(|(_, thread)| !thread.finished);
        let ready = unfinished()
            .filter(|(_, thread)| !thread.waits_unwinding)
            .last();
        let Some((thread, _)) = ready.or_else(|| unfinished().last()) else {
            return Offer::Over;
        };
        self.current = thread;
        Offer::Continue(thread)
    }

    /// What a thread is about to do.
    pub(crate) fn next_of(&self, thread: ThreadId) -> Option<&NextStep> {
        self.threads[thread.index()].next.as_ref()
    }

    /// Whether a thread is about to do what is possible now.
    pub(super) fn can_go_on(&self, thread: ThreadId) -> bool {
        let next = self.next_of(thread);
        next.is_some_and(|next| self.met(thread, next.requires))
    }

    /// Whether what an operation of `thread` requires is so.
    #[inline]
    pub(crate) fn met(&self, thread: ThreadId, requirement: Requirement) -> bool {
        // Most operations are possible at any time.
        matches!(requirement, Requirement::Nothing) || model::is_possible(self, thread, requirement)
    }

    /// Whether an operation of `thread` must not be done now, not even to end the execution: there
    /// would be two threads where there must be one, or no value where there must be one.
    pub(super) fn is_excluded(&self, thread: ThreadId, requirement: Requirement) -> bool {
        match requirement {
            Requirement::Woken { mutex } => !self.met(thread, Requirement::Free(mutex)),
            Requirement::Free(_)
            | Requirement::Readable(_)
            | Requirement::Upgradable(_)
            | Requirement::Unread(_)
            | Requirement::Idle(_)
            | Requirement::Initialised(_)
            | Requirement::Roused(_) => !self.met(thread, requirement),
            _ => false,
        }
    }

    #[inline]
    fn list_choices(&mut self, choices: &mut Vec<Choice>) {
        let mut left_out = LeftOutSet::default();
        for (id, thread) in self.threads() {
            match thread.standing {
                Standing::Idle => {}
                Standing::Free => choices.push(Choice::of(id)),
                Standing::Joins(other) => {
                    if self.thread(other).finished {
                        choices.push(Choice::of(id));
                    }
                }
                Standing::Unclear => self.list_ways(id, thread, choices, &mut left_out),
            }
        }
        if choices.is_empty() {
            left_out.remove(LeftOut::RepeatedTimeouts);
            self.list_last_resort(choices);
        }
        // If all of them are, the first one is.
        let first = choices.first().map(|first| first.thread);
        if first.is_some_and(|first| self.may_wait_behind_writers(first)) {
            choices.extend(self.wait_of_all());
        }
        self.left_out.add_all(left_out);
    }

    /// Lists the ways that the next operation of a thread can go.
    fn list_ways(
        &self,
        id: ThreadId,
        thread: &Thread,
        choices: &mut Vec<Choice>,
        left_out: &mut LeftOutSet,
    ) {
        let Some(next) = &thread.next else { return };
        let way = |alternative| Choice {
            thread: id,
            alternative,
        };
        if !self.met(id, next.requires) {
            if self.can_time_out(id, next) {
                if self.stalls(id, next) {
                    left_out.add(LeftOut::RepeatedTimeouts);
                } else {
                    choices.push(way(1));
                }
            }
        } else if !self.prunes || !self.rests(thread) {
            let ways = self.ways(id, next);
            let may_fail = !matches!(
                next.alternatives,
                Alternatives::None
                    | Alternatives::Timeout
                    | Alternatives::Sides { .. }
                    | Alternatives::Branches(_)
            );
            if ways == 1 && may_fail && self.stalls(id, next) {
                left_out.add(match next.alternatives {
                    Alternatives::WakeUp => LeftOut::RepeatedWakeUps,
                    Alternatives::Expiry(_) => LeftOut::RepeatedTimeouts,
                    _ => LeftOut::RepeatedFailures,
                });
            }
            if ways == 1 {
                choices.push(way(0));
            } else {
                choices.extend((0..ways).map(way));
            }
        } else if self.has_not_gone_alone(thread) {
            choices.push(Choice::of(id));
        }
    }

    /// When nothing else is possible, threads that have timed out can do so again; and if there are
    /// none, those that went on alone and did not leave their loops go on in turn, without a choice, up to the bound on
    /// steps.
    #[cold]
    fn list_last_resort(&self, choices: &mut Vec<Choice>) {
        let stalled = self.threads().filter(|(id, thread)| {
            let next = thread.next.as_ref();
            !self.can_go_on(*id) && next.is_some_and(|next| self.can_time_out(*id, next))
        });
        choices.extend(stalled.map(|(thread, _)| Choice {
            thread,
            alternative: 1,
        }));
        if choices.is_empty() {
            let spinning = self.threads().filter(|(id, _)| self.can_go_on(*id));
            let next = if self.follows_any_rounds {
                self.any_of(spinning)
            } else {
                spinning.min_by_key(|(_, thread)| self.redundant_turns(thread))
            };
            choices.extend(next.map(|(thread, _)| Choice::of(thread)));
        }
    }

    /// One of these threads, so that they take turns in all ways: one can wait for what another one
    /// writes in a round and undoes.
    fn any_of<'a>(
        &self,
        threads: impl Iterator<Item = (ThreadId, &'a Thread)>,
    ) -> Option<(ThreadId, &'a Thread)> {
        let threads: Vec<_> = threads.collect();
        let draw = FxBuildHasher.hash_one(self.schedule.len()) & 0xFFFF;
        let index = usize::try_from(draw).ok()?.checked_rem(threads.len())?;
        threads.get(index).copied()
    }

    /// The bound on steps is hit: a livelock, if by then all threads that can go on wait by
    /// looking again and again, for very long.
    fn run_out_of_steps(&mut self) {
        let able = || {
            self.threads().filter(|(id, thread)| {
                let next = thread.next.as_ref();
                self.can_go_on(*id) || next.is_some_and(|next| self.can_time_out(*id, next))
            })
        };
        let all_spin = able().all(|(_, thread)| self.is_exhausted(thread))
            || (self.has_not_written_for_long()
                && able().all(|(_, thread)| self.goes_round(thread)));
        if all_spin {
            self.stand_still(|_, _| None);
        } else {
            self.end(Ending::OutOfSteps);
        }
    }

    /// Whether an impossible operation can end by a time-out.
    pub(super) fn can_time_out(&self, thread: ThreadId, next: &NextStep) -> bool {
        model::can_time_out(self, thread, next.requires, next.alternatives)
    }

    /// In how many ways a possible operation can go.
    pub(super) fn ways(&self, thread: ThreadId, next: &NextStep) -> u32 {
        let announced = Announced {
            execution: self,
            thread,
            next,
        };
        match model::primitive(self, next).ways(&announced) {
            1 => 1,
            // Sides that are possible lead somewhere.
            ways if matches!(next.alternatives, Alternatives::Sides { .. }) => ways,
            _ if self.stalls(thread, next) => 1,
            ways => ways,
        }
    }

    /// The thread that did the last step, if it could go on and did not offer to be left.
    #[inline]
    fn running(&self) -> Option<ThreadId> {
        let last = self.schedule.last()?.thread;
        let thread = self.thread(last);
        let is_able = match thread.standing {
            Standing::Idle => false,
            Standing::Free => true,
            Standing::Joins(other) => self.thread(other).finished,
            Standing::Unclear => self.can_go_on(last),
        };
        let goes_on = is_able && !thread.has_yielded;
        goes_on.then_some(last)
    }

    /// Nobody can go on: dooms the execution, and keeps who held what and who waited for what.
    /// `behind` says which writer a thread waits behind that could go on otherwise.
    pub(super) fn stand_still(
        &mut self,
        behind: impl Fn(&Execution, &NextStep) -> Option<ThreadId>,
    ) {
        let unfinished = self.threads().filter(|(_, thread)| !thread.finished);
        let blocked = unfinished.filter_map(|(id, thread)| {
            let next = thread.next?;
            let writer = behind(self, &next);
            let writer = writer.map(Obstacle::WaitingWriter);
            Some(Blocked {
                thread: id,
                operation: next.operation,
                object: next.object,
                target: next.target,
                at: next.at,
                spins: writer.is_none() && self.met(id, next.requires),
                holds: self.held_by(id),
                obstacle: writer.or_else(|| self.obstacle(next.requires)),
            })
        });
        self.blocked = blocked.collect();
        let spins = self.blocked.iter().any(|blocked| blocked.spins);
        self.end(if spins {
            Ending::Livelocked
        } else {
            Ending::Deadlocked
        });
    }

    /// What keeps an operation from being possible, where the object does not say it all.
    fn obstacle(&self, requirement: Requirement) -> Option<Obstacle> {
        match requirement {
            Requirement::Free(object)
            | Requirement::Readable(object)
            | Requirement::Upgradable(object)
            | Requirement::Unread(object)
            | Requirement::Idle(object)
            | Requirement::Initialised(object)
            | Requirement::Ended(object)
            | Requirement::Passed(object, _) => {
                self.object(object).state.primitive().obstacle(requirement)
            }
            _ => None,
        }
    }

    /// The locks that the thread holds.
    fn held_by(&self, thread: ThreadId) -> Vec<Held> {
        let objects = (0..).map(ObjectId).zip(&self.objects);
        let held = objects.flat_map(|(id, object)| {
            let holds = object.state.primitive().holds().into_iter();
            let own = holds.filter(|hold| hold.thread == thread);
            own.map(move |hold| Held {
                object: id,
                at: hold.at,
            })
            .collect::<Vec<_>>()
        });
        held.collect()
    }
}
