//! Explores parts of a divided search, one after another, while others explore others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::Sender;

use crate::engine::{Conduct, Point, Scheduler, Search};
use crate::execution::{Execution, Patience, Pulse};
use crate::trace::Choice;

use super::division::Divisible;
use super::{Exploration, Limits, Stop, Tally};

/// What the workers of one search share.
#[derive(Debug)]
pub(crate) struct Shared<S: Divisible> {
    search: S,
    /// The parts that this search is to explore, in their order.
    parts: Vec<S::Part>,
    /// Which of them are left, by their places in that order.
    left: Vec<usize>,
    /// How many of those that are left were taken.
    taken: AtomicUsize,
    limits: Limits,
    /// The executions that count against the limit, those that are running included.
    executions: AtomicU64,
    /// The first part that is known to end the search: those that come later are not needed.
    last_part: AtomicUsize,
    given_up: AtomicBool,
    /// Through which the whole search is interrupted.
    pulse: Arc<Pulse>,
}

/// A part that a worker is done with.
#[derive(Debug)]
pub(crate) struct EndedPart {
    /// Its place in the order of the parts.
    pub(crate) part: usize,
    /// What it has come to, and why it stopped. If there is no reason, it was not needed any more.
    pub(crate) tally: Tally,
    /// Whether it was cut, so that another run could come to more.
    pub(crate) is_cut: bool,
}

impl<S: Divisible> Shared<S> {
    /// `left` are the places of the parts that are not explored yet, and `executions` and
    /// `last_part` are what is known of the others.
    pub(crate) fn new(
        search: S,
        parts: Vec<S::Part>,
        left: Vec<usize>,
        limits: Limits,
        executions: u64,
        last_part: Option<usize>,
        pulse: Arc<Pulse>,
    ) -> Self {
        Shared {
            search,
            parts,
            left,
            taken: AtomicUsize::new(0),
            limits,
            executions: AtomicU64::new(executions),
            last_part: AtomicUsize::new(last_part.unwrap_or(usize::MAX)),
            given_up: AtomicBool::new(false),
            pulse,
        }
    }

    /// How many parts there are to explore, those that are explored included.
    pub(crate) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// How many parts were left at the beginning.
    pub(crate) fn left(&self) -> usize {
        self.left.len()
    }

    /// The executions so far that count against the limit.
    pub(crate) fn executions(&self) -> u64 {
        self.executions.load(Relaxed)
    }

    /// Lets all workers stop after their executions.
    pub(crate) fn give_up(&self) {
        self.given_up.store(true, Relaxed);
    }

    /// The place of the next part, if another one is needed.
    fn take(&self) -> Option<usize> {
        let index = self.taken.fetch_add(1, Relaxed);
        let part = self.left.get(index).copied()?;
        (part <= self.last_part.load(Relaxed)).then_some(part)
    }

    /// Says that the search ends with this part, if no earlier one ends it.
    pub(crate) fn end_with(&self, part: usize) {
        self.last_part.fetch_min(part, Relaxed);
    }

    /// Whether the part may begin another execution, which then counts against the limit.
    fn admit(&self, part: usize) -> Result<(), Refused> {
        if part > self.last_part.load(Relaxed) || self.given_up.load(Relaxed) {
            return Err(Refused::NotNeeded);
        }
        if self.pulse.is_interrupted() {
            return Err(Refused::Interrupted);
        }
        let Some(max) = self.limits.max_executions else {
            self.executions.fetch_add(1, Relaxed);
            return Ok(());
        };
        let add = |executions| (executions < max).then_some(executions + 1);
        match self.executions.fetch_update(Relaxed, Relaxed, add) {
            Ok(_) => Ok(()),
            Err(_) => Err(Refused::MaxExecutions),
        }
    }

    /// Corrects the count after an execution that was admitted as one.
    fn recount(&self, before: u64, after: u64) {
        // It can be less than before: a part that begins again forgets what it has counted.
        let change = after.wrapping_sub(before).wrapping_sub(1);
        self.executions.fetch_add(change, Relaxed);
    }
}

/// Why a part may not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    MaxExecutions,
    Interrupted,
    NotNeeded,
}

/// Takes part after part and explores each by itself.
///
/// What is learned of loops ([`Patience`]) is learned anew in each part, so that what a part comes
/// to does not depend on which others the same worker has explored before.
pub(crate) struct Worker<S: Divisible> {
    shared: Arc<Shared<S>>,
    patience: Patience,
    pulse: Arc<Pulse>,
    ended: Sender<EndedPart>,
    /// The part that is being explored, by its place, and its search.
    running: Option<(usize, Exploration<S>)>,
}

impl<S: Divisible> Worker<S> {
    /// A worker of the engine that has this patience and this pulse, which are its own.
    pub(crate) fn new(
        shared: Arc<Shared<S>>,
        patience: Patience,
        pulse: Arc<Pulse>,
        ended: Sender<EndedPart>,
    ) -> Self {
        Worker {
            shared,
            patience,
            pulse,
            ended,
            running: None,
        }
    }

    fn begin(&mut self, part: usize) {
        self.patience.forget();
        self.pulse.publish_share(Some(0.0));
        let search = self.shared.search.only(&self.shared.parts[part]);
        let limits = Limits {
            // The limit is one for all workers.
            max_executions: None,
            ..self.shared.limits
        };
        let exploration = Exploration::new(search, limits, Arc::clone(&self.pulse));
        self.running = Some((part, exploration));
    }

    /// Hands over what a part has come to. False if it was cut, and there is no point in another
    /// one.
    fn end(&self, part: usize, exploration: Exploration<S>, refused: Option<Refused>) -> bool {
        let mut tally = exploration.end();
        tally.stop = match refused {
            Some(Refused::NotNeeded) => None,
            Some(Refused::Interrupted) => Some(Stop::Interrupted),
            Some(Refused::MaxExecutions) => Some(Stop::MaxExecutions),
            None => tally.stop,
        };
        let is_cut = matches!(
            tally.stop,
            None | Some(Stop::MaxExecutions | Stop::TimeLimit | Stop::Interrupted)
        );
        if !is_cut && tally.stop != Some(Stop::Exhausted) {
            self.shared.end_with(part);
        }
        let ended = EndedPart {
            part,
            tally,
            is_cut,
        };
        // Nobody listens any more if the search was given up.
        self.ended.send(ended).is_ok() && !is_cut
    }
}

impl<S: Divisible> Search for Worker<S> {
    fn wants_execution(&mut self) -> bool {
        loop {
            if let Some((part, mut exploration)) = self.running.take() {
                let mut refused = None;
                // Asked first: a part that is explored was not cut by a limit that was reached as
                // well.
                if exploration.wants_execution() {
                    refused = self.shared.admit(part).err();
                    if refused.is_none() {
                        self.running = Some((part, exploration));
                        return true;
                    }
                }
                if !self.end(part, exploration, refused) {
                    return false;
                }
            }
            match self.shared.take() {
                Some(part) => self.begin(part),
                None => return false,
            }
        }
    }

    fn finished(&mut self, execution: &Execution) {
        let Some((_, exploration)) = &mut self.running else {
            return;
        };
        let counted = |tally: &Tally| tally.executions + tally.truncated;
        let before = counted(&exploration.tally);
        exploration.finished(execution);
        self.shared.recount(before, counted(&exploration.tally));
    }
}

impl<S: Divisible> Scheduler for Worker<S> {
    fn choose(&mut self, point: &Point<'_>) -> Option<Choice> {
        self.running.as_mut()?.1.choose(point)
    }

    fn repeats(&self, execution: &Execution) -> Option<Choice> {
        self.running.as_ref()?.1.repeats(execution)
    }

    fn conduct(&self) -> Conduct {
        match &self.running {
            Some((_, exploration)) => exploration.conduct(),
            None => self.shared.search.conduct(),
        }
    }
}
