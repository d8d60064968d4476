//! What happens before what, and the data races that follow from it.
//!
//! Happens-before follows the memory orderings as they are written, though every execution is
//! sequentially consistent: a Relaxed store publishes nothing. So a missing Release is found as a
//! data race in every execution in which both accesses take place, whatever the values were.
//!
//! The rules are those of C++20: a store with Release heads a release sequence, which only
//! read-modify-writes continue; a load with Acquire that reads from it is ordered after its head;
//! fences order the accesses around them. Races are found with vector clocks, as in `FastTrack`
//! (Flanagan and Freund, PLDI 2009).

use std::collections::VecDeque;
use std::panic::Location;
use std::sync::atomic::Ordering;

use crate::trace::{Access, Clock, Event, EventResult, ObjectId, Operation, Race, ThreadId, Value};

use super::{
    Alternatives, Ending, Execution, NextStep, RacesWith, Requirement, State, give_up, with,
};

/// What a thread knows of the others.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    /// What happens before its next event.
    clock: Clock,
    /// What an acquire fence would add: the releases that its Relaxed loads have read from.
    seen: Clock,
    /// What its Relaxed stores release, since its last release fence.
    fenced: Clock,
}

/// A plain cell.
#[derive(Debug)]
pub(crate) struct Cell {
    last_write: Stamp,
    /// The last read of each thread since then.
    reads: Vec<Stamp>,
}

/// An access, and which event of its thread it was.
#[derive(Clone, Copy, Debug)]
struct Stamp {
    access: Access,
    time: u32,
}

/// Does an access of a cell, as far as the execution is concerned. If it races with an earlier one
/// it does not return, so that the access does not take place.
pub(crate) fn access_cell(cell: ObjectId, access: &NextStep) {
    let runtime = with(|execution| (!execution.is_doomed()).then_some(execution.runtime));
    let Some(runtime) = runtime else { return };
    let seen = runtime.race(cell, access.operation == Operation::CellWrite);
    let race = with(|execution| execution.access_cell(cell, access, seen));
    let Some(race) = race else { return };
    let ending = Ending::Raced(race);
    if with(|execution| execution.is_panicking()) {
        // It cannot be unwound a second time.
        with(|execution| execution.end(ending));
    } else {
        give_up(ending);
    }
}

impl Execution {
    /// A cell that the current thread makes now. To make it is to write it.
    pub(crate) fn new_cell(&mut self, made_at: &'static Location<'static>) -> Cell {
        let last_write = self.stamp(Operation::CellWrite, made_at);
        Cell {
            last_write,
            reads: Vec::new(),
        }
    }

    /// Records an access of a cell, which is not a step, unless it races with an earlier one.
    ///
    /// `seen` is what the engine has to say of that, if it looks itself.
    fn access_cell(
        &mut self,
        cell: ObjectId,
        access: &NextStep,
        seen: Option<Result<(), RacesWith>>,
    ) -> Option<Race> {
        let stamp = self.stamp(access.operation, access.at);
        let first = match seen {
            None => self.race(cell, &stamp),
            Some(Ok(())) => None,
            Some(Err(with)) => {
                // With the newest store the accesses are ordered: the engine has read another one,
                // which may have stored the same value.
                self.has_read_stale |= self.race(cell, &stamp).is_none();
                self.last_access(cell, &stamp, with)
            }
        };
        if let Some(first) = first {
            return Some(Race {
                object: cell,
                first,
                second: stamp.access,
            });
        }
        if self.is_explored() {
            self.push_event(access, None);
        }
        if let State::Cell(state) = &mut self.object_mut(cell).state {
            match access.operation {
                Operation::CellWrite => {
                    state.last_write = stamp;
                    state.reads.clear();
                }
                _ => {
                    let thread = stamp.access.thread;
                    state.reads.retain(|read| read.access.thread != thread);
                    state.reads.push(stamp);
                }
            }
        }
        None
    }

    /// Draws the consequences of an event for what happens before what.
    pub(super) fn order(&mut self, event: &Event, next: &NextStep) {
        self.advance();
        match event.operation {
            Operation::Load | Operation::Store | Operation::Rmw | Operation::Cas => {
                self.order_atomic(event);
            }
            Operation::Fence => self.order_fence(event.ordering),
            Operation::Spawn => {
                let clock = self.knowledge().clock.clone();
                if let Some(child) = event.target {
                    self.thread_mut(child).knowledge.clock = clock;
                }
            }
            // To see that a thread has finished orders nothing, as with std: only to join it does.
            Operation::Join if matches!(next.alternatives, Alternatives::Unfinished) => {}
            Operation::Join if event.result != Some(EventResult::Failed) => {
                if let Some(child) = event.target {
                    let clock = self.thread(child).knowledge.clock.clone();
                    self.learn(&clock);
                }
            }
            Operation::Unpark => {
                let clock = self.knowledge().clock.clone();
                if let Some(parked) = event.target {
                    self.thread_mut(parked).token.join(&clock);
                }
            }
            Operation::Park => {
                let token = self.current_mut().token.clone();
                self.learn(&token);
            }
            Operation::Send | Operation::Receive | Operation::Disconnect => {
                self.order_channel(event);
            }
            Operation::Lock
            | Operation::TryLock
            | Operation::Unlock
            | Operation::ReadLock
            | Operation::WriteLock
                if event.result != Some(EventResult::Failed) =>
            {
                self.order_lock(event, next.requires);
            }
            Operation::Barrier => self.arrive(event.object),
            Operation::Once => self.order_once(event),
            Operation::Wait | Operation::Wake => match next.requires {
                Requirement::Held(mutex) => self.release_to(mutex),
                Requirement::Woken { mutex } => self.acquire_from(mutex),
                Requirement::Passed(barrier, times) => {
                    let passages = &self.object_mut(barrier).state.barrier().passages;
                    if let Some(passage) = passages.get(times).cloned() {
                        self.learn(&passage);
                    }
                }
                Requirement::Taken(channel, number) => {
                    let channel = self.object_mut(channel).state.channel();
                    let clock = match event.result {
                        Some(EventResult::Disconnected) => Some(channel.clocks.dropped.clone()),
                        _ => remove(&mut channel.clocks.taken, number),
                    };
                    if let Some(clock) = clock {
                        self.learn(&clock);
                    }
                }
                // The wake-up of a task.
                Requirement::Nothing => {
                    if let Some(task) = event.object {
                        self.release_to(task);
                    }
                }
                _ => {}
            },
            Operation::Poll => {
                if let Some(task) = event.object {
                    self.acquire_from(task);
                }
            }
            _ => {}
        }
    }

    fn order_atomic(&mut self, event: &Event) {
        let (Some(object), Some(ordering)) = (event.object, event.ordering) else {
            return;
        };
        let reads = event.read.is_some();
        let writes = event.written.is_some();
        let acquires = matches!(
            ordering,
            Ordering::Acquire | Ordering::AcqRel | Ordering::SeqCst
        );
        let releases = matches!(
            ordering,
            Ordering::Release | Ordering::AcqRel | Ordering::SeqCst
        );
        let (knowledge, released) = self.exchange(object);
        if reads {
            if acquires {
                knowledge.clock.join(released);
            }
            // Also what is acquired now: a later fence orders no less than this load.
            knowledge.seen.join(released);
        }
        if writes {
            if !reads {
                // A plain store ends the release sequence that it overwrites.
                released.clear();
            }
            released.join(if releases {
                &knowledge.clock
            } else {
                &knowledge.fenced
            });
        }
    }

    fn order_fence(&mut self, ordering: Option<Ordering>) {
        let knowledge = &mut self.current_mut().knowledge;
        if matches!(
            ordering,
            Some(Ordering::Acquire | Ordering::AcqRel | Ordering::SeqCst)
        ) {
            knowledge.clock.join(&knowledge.seen);
        }
        if matches!(
            ordering,
            Some(Ordering::Release | Ordering::AcqRel | Ordering::SeqCst)
        ) {
            knowledge.fenced = knowledge.clock.clone();
        }
    }

    /// Readers learn what the writers before them knew, writers also what the readers knew.
    fn order_lock(&mut self, event: &Event, requirement: Requirement) {
        let Some(lock) = event.object else { return };
        let me = self.me();
        match (event.operation, requirement) {
            (_, Requirement::Read(lock)) => {
                let clock = self.knowledge().clock.clone();
                self.object_mut(lock).state.read_write().read.join(&clock);
            }
            (Operation::Unlock, _) | (_, Requirement::Held(_)) => self.release_to(lock),
            _ => {
                self.acquire_from(lock);
                if let State::ReadWrite(state) = &self.object(lock).state
                    && state.writer.is_some_and(|writer| writer.thread == me)
                {
                    let read = state.read.clone();
                    self.learn(&read);
                }
            }
        }
    }

    /// The last one to arrive learns what the others knew; they learn it when they go on.
    fn arrive(&mut self, barrier: Option<ObjectId>) {
        let Some(barrier) = barrier else { return };
        let clock = self.knowledge().clock.clone();
        let state = self.object_mut(barrier).state.barrier();
        state.arrivals.join(&clock);
        if state.passages.len() < state.passed {
            let passage = std::mem::take(&mut state.arrivals);
            state.passages.push(passage.clone());
            self.learn(&passage);
        }
    }

    /// Who sees an initialisation completed, or begins it after another one has failed, learns what
    /// the initialiser knew at its end.
    fn order_once(&mut self, event: &Event) {
        let Some(once) = event.object else { return };
        if event.read != Some(Value::Bool(false)) {
            self.acquire_from(once);
        }
        if event.written.is_some() {
            self.release_to(once);
        }
    }

    /// Those who acquire from the object learn what the current thread knows.
    fn release_to(&mut self, object: ObjectId) {
        let (knowledge, released) = self.exchange(object);
        released.join(&knowledge.clock);
    }

    /// The current thread learns what was released to the object.
    fn acquire_from(&mut self, object: ObjectId) {
        let (knowledge, released) = self.exchange(object);
        knowledge.clock.join(released);
    }

    /// What the current thread knows, and what was released to the object.
    fn exchange(&mut self, object: ObjectId) -> (&mut Knowledge, &mut Clock) {
        let Execution {
            threads,
            objects,
            current,
            ..
        } = self;
        let knowledge = &mut threads[current.index()].knowledge;
        (knowledge, &mut objects[object.index()].released)
    }

    fn order_channel(&mut self, event: &Event) {
        let Some(object) = event.object else { return };
        let Execution {
            threads,
            objects,
            current,
            ..
        } = self;
        let clock = &mut threads[current.index()].knowledge.clock;
        // The end of a task is sent as well: who joins it learns all that its thread knows.
        let State::Channel(channel) = &mut objects[object.index()].state else {
            return;
        };
        let (capacity, moved) = (channel.capacity, channel.moved);
        let clocks = &mut channel.clocks;
        match (event.operation, event.result) {
            (_, Some(EventResult::Failed)) => {}
            (Operation::Disconnect, _) => clocks.dropped.join(clock),
            (_, Some(EventResult::Disconnected)) => clock.join(&clocks.dropped),
            (Operation::Send, _) => {
                if let Some(capacity @ 1..) = capacity {
                    // In a full queue it takes the place of the oldest message.
                    if clocks.messages.len() >= capacity
                        && let Some((number, message)) = clocks.messages.pop_front()
                    {
                        clock.join(&message);
                        clocks.taken.push_back((number, clock.clone()));
                    }
                    // There is room since the message in that place was taken.
                    let earlier = moved.checked_sub(capacity as u64);
                    let taken = earlier.and_then(|number| remove(&mut clocks.taken, number));
                    if let Some(taken) = taken {
                        clock.join(&taken);
                    }
                }
                clocks.messages.push_back((moved, clock.clone()));
            }
            (Operation::Receive, _) => {
                if let Some(message) = remove(&mut clocks.messages, moved) {
                    clock.join(&message);
                }
                if capacity.is_some() {
                    clocks.taken.push_back((moved, clock.clone()));
                }
            }
            _ => {}
        }
    }

    /// The access that races with this one, if there is one.
    fn race(&self, cell: ObjectId, second: &Stamp) -> Option<Access> {
        let State::Cell(state) = &self.object(cell).state else {
            return None;
        };
        let is_write = second.access.operation == Operation::CellWrite;
        let reads = state.reads.iter().filter(|_| is_write);
        let clock = &self.thread(second.access.thread).knowledge.clock;
        let mut earlier = reads.chain([&state.last_write]);
        let first = earlier.find(|first| clock.get(first.access.thread) < first.time)?;
        Some(first.access)
    }

    /// The last access of the thread that the engine saw this one race with.
    fn last_access(&self, cell: ObjectId, second: &Stamp, with: RacesWith) -> Option<Access> {
        let State::Cell(state) = &self.object(cell).state else {
            return None;
        };
        let is_write = second.access.operation == Operation::CellWrite;
        let reads = state.reads.iter().rev().filter(|_| is_write);
        let mut others = reads
            .chain([&state.last_write])
            .filter(|first| first.access.thread != second.access.thread);
        let of_thread =
            others.find(|first| with.is_none_or(|thread| first.access.thread == thread));
        Some(of_thread.unwrap_or(&state.last_write).access)
    }

    /// An access by the current thread, now.
    fn stamp(&mut self, operation: Operation, at: &'static Location<'static>) -> Stamp {
        self.advance();
        let thread = self.me();
        let time = self.knowledge().clock.get(thread);
        Stamp {
            access: Access {
                thread,
                operation,
                at,
            },
            time,
        }
    }

    fn advance(&mut self) {
        let me: ThreadId = self.me();
        self.current_mut().knowledge.clock.advance(me);
    }

    fn learn(&mut self, clock: &Clock) {
        self.current_mut().knowledge.clock.join(clock);
    }

    fn knowledge(&self) -> &Knowledge {
        &self.thread(self.me()).knowledge
    }
}

/// Takes out what is known with a message.
fn remove(clocks: &mut VecDeque<(u64, Clock)>, number: u64) -> Option<Clock> {
    let index = clocks.iter().position(|(other, _)| *other == number)?;
    clocks.remove(index).map(|(_, clock)| clock)
}
