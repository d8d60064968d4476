//! States in which all threads that could go on wait behind writers, of those that an execution could
//! have come to.
//!
//! Such a state is there once some steps are done and no others. What was done in an execution and was
//! not there yet begins with reads that could have waited, at most one of each thread: all that depends
//! on one of them is left out. So what is looked for are sets of reads, and what is asked of each is
//! what every thread would be about to do without them, and whether it could.

use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use crate::execution::{Alternatives, Execution, NextStep, Requirement, Spot};
use crate::model::Before;
use crate::model::read_write::holds_up_readers;
use crate::trace::{ObjectId, Operation, ThreadId};

use super::dependence::{Announced, Dependence};
use super::reversal::{Candidate, Obstacle, Without};

/// How many sets of reads are looked at after one execution.
const MAX_SETS: usize = 1_000;

/// Looks for sets of reads without which all threads wait behind writers.
#[derive(Debug, Default)]
pub(super) struct Waits {
    ends: Vec<End>,
}

/// What a thread was about to do in the end, if it was about to do anything.
#[derive(Debug)]
struct End {
    thread: ThreadId,
    announced: Option<Announced>,
    is_possible: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The sets of reads.
    pub(super) without: Vec<Obstacle>,
    /// Whether there are no others.
    pub(super) is_complete: bool,
}

/// How it is without some steps.
enum State {
    /// All threads that could go on wait behind writers.
    AllWait,
    /// A thread could go on in another way. Whether it could still without more reads is in question.
    GoesOn,
    /// A thread is at a step that is possible at any time. It is not there only without this step.
    GoesOnBehind(Option<u32>),
}

impl Waits {
    /// Of an execution with these steps, if there are reads that could have waited.
    pub(super) fn of(done: &Dependence) -> Option<Self> {
        let mut steps = done.steps.iter();
        let any = steps.any(|step| may_wait(&step.announced.next));
        any.then(Waits::default)
    }

    /// Hears what a thread is about to do in the end. Each is told, from the first one on.
    pub(super) fn ends_with(
        &mut self,
        execution: &Execution,
        thread: ThreadId,
        announced: Option<Announced>,
    ) {
        let next = announced.as_ref().map(|announced| announced.next);
        self.ends.push(End {
            thread,
            announced,
            is_possible: next.is_some_and(|next| execution.met(thread, next.requires)),
        });
    }

    /// Looks for them.
    pub(super) fn find(&self, done: &Dependence) -> Found {
        let reads = self.reads(done);
        let mut found = Found {
            without: Vec::new(),
            is_complete: true,
        };
        let mut seen = FxHashSet::default();
        let mut sets: Vec<Obstacle> = reads
            .iter()
            .map(|read| Obstacle::from_slice(&[*read]))
            .collect();
        while let Some(set) = sets.pop() {
            if !seen.insert(set.clone()) {
                continue;
            }
            if seen.len() > MAX_SETS {
                found.is_complete = false;
                break;
            }
            let behind = match self.look(done, &set) {
                State::AllWait => {
                    found.without.push(set);
                    continue;
                }
                State::GoesOnBehind(None) => continue,
                State::GoesOnBehind(behind) => behind,
                State::GoesOn => None,
            };
            let more = reads.iter().filter(|&&read| {
                let moves = behind.is_none_or(|step| done.depends(read as usize, step as usize));
                moves && !done.follows(read as usize, &set)
            });
            sets.extend(more.map(|read| with(done, &set, *read)));
        }
        found
    }

    /// The reads that could have waited behind a writer that comes later, while others that read have to
    /// wait as well.
    fn reads(&self, done: &Dependence) -> Vec<u32> {
        let mut locks: SmallVec<[(ObjectId, bool); 4]> = SmallVec::new();
        let reads = (0..).zip(&done.steps).filter(|(number, step)| {
            let next = &step.announced.next;
            let Some(lock) = next.object.filter(|_| may_wait(next)) else {
                return false;
            };
            let known = locks.iter().find(|(other, _)| *other == lock);
            let is_in_question = match known {
                Some((_, is_in_question)) => *is_in_question,
                None => {
                    let waits = self.waits_while_reading(done, lock);
                    locks.push((lock, waits));
                    waits
                }
            };
            is_in_question && self.is_written_later(done, *number, step.thread, lock)
        });
        reads.map(|(number, _)| number).collect()
    }

    /// Whether a thread comes to a step that need not be possible while it reads.
    fn waits_while_reading(&self, done: &Dependence, lock: ObjectId) -> bool {
        let comes_to_wait = |thread: ThreadId, since: u32, until: usize| {
            let mut steps = done.steps[since as usize + 1..until].iter();
            steps.any(|step| step.thread == thread && may_block(&step.announced.next))
        };
        let mut readers: SmallVec<[(ThreadId, u32, i32); 4]> = SmallVec::new();
        for touch in done.touched(Spot::Object(lock)) {
            let Before::Holds(more) = touch.before else {
                continue;
            };
            let step = touch.step;
            let thread = done.steps[step as usize].thread;
            match readers.iter_mut().find(|(reader, ..)| *reader == thread) {
                Some((_, since, times)) => {
                    if *times > 0 && comes_to_wait(thread, *since, step as usize + 1) {
                        return true;
                    }
                    if *times == 0 {
                        *since = step;
                    }
                    *times += more.readers;
                }
                None => readers.push((thread, step, more.readers)),
            }
        }
        readers.into_iter().any(|(thread, since, times)| {
            let end = self.ends[thread.index()].announced.as_ref();
            times > 0
                && (end.is_some_and(|end| may_block(&end.next))
                    || comes_to_wait(thread, since, done.steps.len()))
        })
    }

    /// Whether another thread comes to write the lock after a read.
    fn is_written_later(
        &self,
        done: &Dependence,
        read: u32,
        reader: ThreadId,
        lock: ObjectId,
    ) -> bool {
        let writes = |thread, next: &NextStep| {
            thread != reader && next.operation == Operation::WriteLock && next.object == Some(lock)
        };
        let mut later = done.steps[read as usize + 1..].iter();
        let mut ends = self.ends.iter();
        later.any(|step| writes(step.thread, &step.announced.next))
            || ends.any(|end| {
                let announced = end.announced.as_ref();
                announced.is_some_and(|announced| writes(end.thread, &announced.next))
            })
    }

    /// What it would be like without these reads and all that depends on them.
    fn look(&self, done: &Dependence, set: &Obstacle) -> State {
        let mut readers: SmallVec<[ObjectId; 4]> = SmallVec::new();
        let mut written: SmallVec<[ObjectId; 4]> = SmallVec::new();
        let mut goes_on = false;
        for end in &self.ends {
            let Some(next) = end.without(done, set) else {
                continue;
            };
            let without = Without {
                dependence: done,
                candidate: &next,
                left_out: set.clone(),
            };
            let step = &next.announced.next;
            if !may_block(step) {
                let start = || done.start_of(next.thread);
                return State::GoesOnBehind(next.previous.or_else(start));
            }
            if without.is_met() {
                goes_on |= !may_wait(step) || without.rests();
                readers.extend(step.object);
            } else if step.operation == Operation::WriteLock
                && holds_up_readers(&without, next.thread, step.requires)
            {
                written.extend(step.object);
            }
        }
        let mut all = readers.iter();
        if goes_on || readers.is_empty() || !all.all(|lock| written.contains(lock)) {
            State::GoesOn
        } else {
            State::AllWait
        }
    }
}

impl End {
    /// What the thread would be about to do without these steps and all that depends on them, if it had
    /// been started and had not ended.
    fn without<'a>(&'a self, done: &'a Dependence, set: &Obstacle) -> Option<Candidate<'a>> {
        let thread = self.thread;
        let is_left_out = |step: usize| done.follows(step, set);
        if done
            .start_of(thread)
            .is_some_and(|step| is_left_out(step as usize))
        {
            return None;
        }
        let mut steps = done.steps.iter().enumerate();
        let first = steps.find(|(number, step)| step.thread == thread && is_left_out(*number));
        let end = done.steps.len();
        match first {
            Some((_, step)) => Some(Candidate {
                thread,
                announced: &step.announced,
                previous: step.previous,
                end,
                is_possible: true,
            }),
            None => Some(Candidate {
                thread,
                announced: self.announced.as_ref()?,
                previous: done.last_of(thread),
                end,
                is_possible: self.is_possible,
            }),
        }
    }
}

/// A set of reads with one more, which does not depend on them: those that depend on it are left out
/// with it.
fn with(done: &Dependence, set: &Obstacle, read: u32) -> Obstacle {
    let others = set.iter().copied();
    let others = others.filter(|other| !done.depends(read as usize, *other as usize));
    let mut more: Obstacle = others.chain([read]).collect();
    more.sort_unstable();
    more
}

/// Whether it is a read that may have to wait behind writers.
fn may_wait(next: &NextStep) -> bool {
    matches!(next.alternatives, Alternatives::BehindWriters)
}

/// Whether a step is not possible at any time.
fn may_block(next: &NextStep) -> bool {
    !matches!(
        next.requires,
        Requirement::Nothing
            | Requirement::Held(_)
            | Requirement::Read
            | Requirement::ReadUpgradably
    )
}
