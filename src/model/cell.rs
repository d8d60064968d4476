//! The plain cell. Its accesses are events but no steps, and they can race.
//!
//! Races are found with vector clocks, as in `FastTrack` (Flanagan and Freund, PLDI 2009).

use std::borrow::Cow;
use std::panic::Location;

use crate::execution::{
    Ending, Execution, Guarded, Identity, Mode, NextStep, RacesWith, Spot, Touches, give_up, step,
    with,
};
use crate::trace::{Access, CellAccesses, LeftOut, ObjectId, Operation, Race};

use super::last_drop::{self, Caller};
use super::{Announced, Before, Done, Primitive, State};

const KIND: &str = "UnsafeCell";

/// A plain cell.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    /// `None` as long as nobody has written it in the execution.
    last_write: Option<Stamp>,
    /// The last read of each thread since then.
    reads: Vec<Stamp>,
    /// Whether a pointer to its value was given away, through which accesses are not seen.
    is_unchecked: bool,
}

/// What its accesses are where they are steps.
impl Primitive for Cell {
    fn announce(&self, at: &Announced<'_>, touches: &mut Touches) {
        let mode = match at.next.operation {
            Operation::CellWrite => Mode::Write,
            _ => Mode::Read,
        };
        touches.extend(at.next.object.map(|cell| (Spot::Object(cell), mode)));
    }

    fn touched(&self, done: &Done<'_>, _spot: Spot, _before: &Before) -> Option<Mode> {
        Some(match done.event.operation {
            Operation::CellWrite => Mode::Write,
            _ => Mode::Read,
        })
    }

    fn has_changed(&self, done: &Done<'_>) -> bool {
        done.event.operation == Operation::CellWrite
    }
}

/// An access, and which event of its thread it was.
#[derive(Clone, Copy, Debug)]
struct Stamp {
    access: Access,
    time: u32,
}

/// The cell in the current execution, or `None` outside of one.
#[inline]
#[track_caller]
pub(crate) fn object(identity: &Guarded) -> Option<ObjectId> {
    let address = std::ptr::from_ref(identity).addr();
    identity.object(
        KIND,
        || (),
        |execution| {
            // Who has handed it over has made it: to make it is to write it.
            let maker = execution.maker_of(address);
            let at = identity.made_at();
            let made = maker.zip(at).map(|(maker, at)| Stamp {
                access: Access {
                    thread: maker.thread,
                    operation: Operation::CellWrite,
                    at,
                },
                time: maker.time,
            });
            State::Cell(Cell {
                last_write: made,
                ..Cell::default()
            })
        },
    )
}

/// Names the cell in the current execution. Whoever does so has it to itself, so that it is as good as
/// made now.
#[track_caller]
pub(crate) fn name(identity: &Guarded, name: Cow<'static, str>) {
    let Some(cell) = object(identity) else {
        return;
    };
    Identity::name(Some(cell), name);
    with(|execution| {
        let made_at = execution.object(cell).made_at;
        let made = execution.stamp(Operation::CellWrite, made_at);
        if let State::Cell(state) = &mut execution.object_mut(cell).state {
            state.last_write.get_or_insert(made);
        }
    });
}

/// The cell is made now, in the current execution if there is one. To make it is to write it.
#[cfg(feature = "loom")]
#[track_caller]
pub(crate) fn made(identity: &Guarded) {
    let made_at = Location::caller();
    let made = identity.made(KIND, |execution| {
        let last_write = Some(execution.stamp(Operation::CellWrite, made_at));
        State::Cell(Cell {
            last_write,
            ..Cell::default()
        })
    });
    if let Some(object) = made {
        // Not while the execution is borrowed, since the engine may look at it.
        let runtime = with(|execution| execution.runtime());
        runtime.made_cell(object);
    }
}

/// Notes that a pointer to the value of the cell is given away, through which accesses are not seen.
pub(crate) fn lend_unchecked(cell: ObjectId) {
    with(|execution| {
        let State::Cell(state) = &mut execution.object_mut(cell).state else {
            return;
        };
        if !std::mem::replace(&mut state.is_unchecked, true) {
            execution.unchecked_cells += 1;
        }
    });
}

/// Does an access of a cell, as far as the execution is concerned. If it races with an earlier one
/// it does not return, so that the access does not take place.
pub(crate) fn access(cell: ObjectId, access: &NextStep) {
    let is_step =
        with(|execution| !execution.is_doomed() && execution.cells() == CellAccesses::Steps);
    if is_step {
        step(*access, |_, _| ());
    }
    let runtime = with(|execution| (!execution.is_doomed()).then(|| execution.runtime()));
    let Some(runtime) = runtime else { return };
    let seen = runtime.race(cell, access.operation == Operation::CellWrite);
    let race = with(|execution| execution.access_cell(cell, access, seen));
    let Some(race) = race else { return };
    match last_drop::caller() {
        Caller::LastDrop => {
            with(|execution| {
                execution.leave_out(match execution.cells() {
                    CellAccesses::Unscheduled => LeftOut::LastDrops,
                    CellAccesses::Steps => LeftOut::DropOrders,
                });
                execution.order_after_accesses(cell);
                execution.access_cell(cell, access, Some(Ok(())))
            });
            return;
        }
        Caller::Other => {}
        Caller::Unknown => with(|execution| execution.leave_out(LeftOut::NamelessFunctions)),
    }
    if is_step {
        with(Execution::forget_last_event);
    }
    let ending = Ending::Raced(race);
    if with(|execution| execution.is_panicking()) {
        // It cannot be unwound a second time.
        with(|execution| execution.end(ending));
    } else {
        give_up(ending);
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
        if self.is_explored() && self.cells() == CellAccesses::Unscheduled {
            self.push_event(access, None);
        }
        if let State::Cell(state) = &mut self.object_mut(cell).state {
            match access.operation {
                Operation::CellWrite => {
                    state.last_write = Some(stamp);
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

    /// What happens next on the current thread comes after all accesses of the cell.
    fn order_after_accesses(&mut self, cell: ObjectId) {
        let State::Cell(state) = &self.object(cell).state else {
            return;
        };
        let accesses = state.reads.iter().chain(&state.last_write);
        let accesses: Vec<_> = accesses
            .map(|stamp| (stamp.access.thread, stamp.time))
            .collect();
        let clock = &mut self.current_mut().knowledge.clock;
        for (thread, time) in accesses {
            clock.raise(thread, time);
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
        let mut earlier = reads.chain(&state.last_write);
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
            .chain(&state.last_write)
            .filter(|first| first.access.thread != second.access.thread);
        let of_thread =
            others.find(|first| with.is_none_or(|thread| first.access.thread == thread));
        let access = of_thread.or(state.last_write.as_ref())?;
        Some(access.access)
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
