//! The plain cell. Its accesses are events but no steps, and they can race.
//!
//! Races are found with vector clocks, as in `FastTrack` (Flanagan and Freund, PLDI 2009).

use std::panic::Location;

use crate::execution::{Binding, Ending, Execution, NextStep, RacesWith, give_up, with};
use crate::trace::{Access, ObjectId, Operation, Race};

use super::State;

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

/// Binds a new cell.
#[track_caller]
pub(crate) fn bind() -> Binding {
    let made_at = Location::caller();
    let binding = Binding::new("UnsafeCell", |execution| {
        State::Cell(Cell::new(execution, made_at))
    });
    binding.made(|runtime, object| runtime.made_cell(object));
    binding
}

/// Does an access of a cell, as far as the execution is concerned. If it races with an earlier one
/// it does not return, so that the access does not take place.
pub(crate) fn access(cell: ObjectId, access: &NextStep) {
    let runtime = with(|execution| (!execution.is_doomed()).then(|| execution.runtime()));
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

impl Cell {
    /// A cell that the current thread makes now. To make it is to write it.
    fn new(execution: &mut Execution, made_at: &'static Location<'static>) -> Self {
        Cell {
            last_write: execution.stamp(Operation::CellWrite, made_at),
            reads: Vec::new(),
        }
    }
}

impl Execution {
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
                if self.race(cell, &stamp).is_none() {
                    self.doubt();
                }
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
        let time = self.thread(thread).knowledge.clock.get(thread);
        Stamp {
            access: Access {
                thread,
                operation,
                at,
            },
            time,
        }
    }
}
