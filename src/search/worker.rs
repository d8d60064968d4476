//! Explores parts of a divided search, one after another, while others explore others.

use std::collections::BTreeMap;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::{Conduct, Point, Scheduler, Search};
use crate::execution::{Execution, Patience, Pulse};
use crate::trace::Choice;

use super::division::Divisible;
use super::position::{Begun, Resumed};
use super::{Exploration, Limits, Stop, Tally};

/// How often a worker says where it is in its part, if that takes no time.
const SAY_EVERY: Duration = Duration::from_millis(250);

/// It takes this share of a worker's time at most.
const SHARE_OF_SAYING: u32 = 20;

/// What the workers of one search share.
#[derive(Debug)]
pub(crate) struct Shared<S: Divisible> {
    search: S,
    /// The parts that this search is to explore, in their order.
    parts: Vec<S::Part>,
    /// Which of them are left, by their places in that order.
    left: Vec<usize>,
    /// Those of them that another process has begun, by their places.
    begun: Mutex<BTreeMap<usize, Resumed>>,
    /// Whether somebody wants to hear where the workers are in their parts.
    is_kept: bool,
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

/// What a worker says.
#[derive(Debug)]
pub(crate) enum News {
    Ended(Box<EndedPart>),
    /// It has come so far in the part with this place.
    Reached(usize, Box<Begun>),
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

/// What is known of a search before it begins.
#[derive(Debug)]
pub(crate) struct Known {
    /// The places of the parts that are not explored yet.
    pub(crate) left: Vec<usize>,
    /// Those of them that were begun.
    pub(crate) begun: BTreeMap<usize, Resumed>,
    /// The executions that were run and count against the limit.
    pub(crate) executions: u64,
    /// The part that ends the search, if one does.
    pub(crate) last_part: Option<usize>,
    /// Whether another process may go on with this search.
    pub(crate) is_kept: bool,
}

impl<S: Divisible> Shared<S> {
    pub(crate) fn new(
        search: S,
        parts: Vec<S::Part>,
        known: Known,
        limits: Limits,
        pulse: Arc<Pulse>,
    ) -> Self {
        Shared {
            search,
            parts,
            left: known.left,
            begun: Mutex::new(known.begun),
            is_kept: known.is_kept,
            taken: AtomicUsize::new(0),
            limits,
            executions: AtomicU64::new(known.executions),
            last_part: AtomicUsize::new(known.last_part.unwrap_or(usize::MAX)),
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

    /// The parts that another process has begun, and nobody has gone on with.
    pub(crate) fn take_begun(&self) -> BTreeMap<usize, Resumed> {
        mem::take(&mut self.begun.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The place of the next part, if another one is needed.
    fn take(&self) -> Option<usize> {
        loop {
            let index = self.taken.fetch_add(1, Relaxed);
            let part = self.left.get(index).copied()?;
            // One that was begun earlier may come before others that are needed.
            if part <= self.last_part.load(Relaxed) {
                return Some(part);
            }
        }
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
    news: Sender<News>,
    /// The part that is being explored, by its place, and its search.
    running: Option<(usize, Exploration<S>)>,
    /// When it has to say where it is.
    says_at: Instant,
}

impl<S: Divisible> Worker<S> {
    /// A worker of the engine that has this patience and this pulse, which are its own.
    pub(crate) fn new(
        shared: Arc<Shared<S>>,
        patience: Patience,
        pulse: Arc<Pulse>,
        news: Sender<News>,
    ) -> Self {
        Worker {
            shared,
            patience,
            pulse,
            news,
            running: None,
            says_at: Instant::now() + SAY_EVERY,
        }
    }

    fn begin(&mut self, part: usize) {
        self.patience.forget();
        self.pulse.publish_share(Some(0.0));
        let limits = Limits {
            // The limit is one for all workers.
            max_executions: None,
            ..self.shared.limits
        };
        let from_the_start = || {
            let search = self.shared.search.only(&self.shared.parts[part]);
            Exploration::new(search, limits, Arc::clone(&self.pulse))
        };
        let begun = &self.shared.begun;
        let begun = begun
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&part);
        let resumed = begun.and_then(|begun| begun.resume(from_the_start(), &self.patience));
        self.running = Some((part, resumed.unwrap_or_else(from_the_start)));
    }

    /// Says how far the part is, before the next execution, if it is time to.
    fn say(&mut self, part: usize, exploration: &Exploration<S>) {
        if !self.shared.is_kept {
            return;
        }
        let now = Instant::now();
        if now >= self.says_at {
            if let Some(begun) = Begun::of(exploration, &self.patience) {
                // Nobody listens any more if the search was given up.
                let _ = self.news.send(News::Reached(part, Box::new(begun)));
            }
            self.says_at = now + SAY_EVERY.max(now.elapsed() * SHARE_OF_SAYING);
        }
    }

    /// Hands over what a part has come to. False if it was cut, and there is no point in another
    /// one.
    fn end(&self, part: usize, exploration: Exploration<S>, refused: Option<Refused>) -> bool {
        let is_limit = |stop: &Option<Stop>| {
            matches!(
                stop,
                None | Some(Stop::MaxExecutions | Stop::TimeLimit | Stop::Interrupted)
            )
        };
        let begun = if self.shared.is_kept && is_limit(&exploration.tally.stop) {
            Begun::of(&exploration, &self.patience)
        } else {
            None
        };
        let mut tally = exploration.end();
        tally.stop = match refused {
            Some(Refused::NotNeeded) => None,
            Some(Refused::Interrupted) => Some(Stop::Interrupted),
            Some(Refused::MaxExecutions) => Some(Stop::MaxExecutions),
            None => tally.stop,
        };
        let is_cut = is_limit(&tally.stop);
        if !is_cut && tally.stop != Some(Stop::Exhausted) {
            self.shared.end_with(part);
        }
        let begun = begun.filter(|_| is_cut);
        let news = begun.map(|begun| News::Reached(part, Box::new(begun)));
        let ended = News::Ended(Box::new(EndedPart {
            part,
            tally,
            is_cut,
        }));
        // Nobody listens any more if the search was given up.
        news.into_iter()
            .chain([ended])
            .all(|news| self.news.send(news).is_ok())
            && !is_cut
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
                        self.say(part, &exploration);
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
