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

use std::panic::Location;
use std::sync::atomic::Ordering;

use crate::model::{self, State};
use crate::trace::{Access, Clock, Event, EventResult, ObjectId, Operation, Race, ThreadId};

use super::{Alternatives, Ending, Execution, NextStep, Object, RacesWith, give_up, with};

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
    if std::thread::panicking() {
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
        self.push_event(access, None);
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
            _ => self.order_object(event, next),
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

    /// What an operation on an object orders is said by the primitive.
    fn order_object(&mut self, event: &Event, next: &NextStep) {
        let Some(object) = model::orders_by(event, next) else {
            return;
        };
        let Execution {
            threads,
            objects,
            current,
            ..
        } = self;
        let known = &mut threads[current.index()].knowledge.clock;
        let Object {
            state, released, ..
        } = &mut objects[object.index()];
        state.order(*current, released, known, event, next.requires);
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
