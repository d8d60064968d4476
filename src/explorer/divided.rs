//! Explorations in parts: by several workers, by several machines, and by one process after another.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::Coroutines;
use crate::search::{
    self, Begun, Divisible, EndedPart, Known, Limits, News, Record, Resumed, Shared, Stop, Sum,
    Tally, Tree,
};
use crate::trace::Schedule;
use crate::verdict::{Division, Reason, Report, Shard, SpuriousWakeUps};

use super::Explorer;
use super::crew::Crew;

/// How often what is known is handed to the keeper.
const KEEP_EVERY: Duration = Duration::from_millis(250);

/// How an exploration is divided, if it is.
#[derive(Clone, Debug, Default)]
pub(super) struct FanOut {
    pub(super) jobs: Option<usize>,
    pub(super) shard: Option<Shard>,
    pub(super) keeper: Option<Arc<Mutex<dyn Keeper>>>,
}

/// Keeps what is known of an exploration, so that another process can go on with it.
pub(crate) trait Keeper: Debug + Send {
    /// What is kept of the exploration that is divided so, if there is anything. `None` if the
    /// exploration must not take place.
    fn open(&mut self, division: Division) -> Option<Record>;

    /// Says why what is kept cannot be.
    fn refuse(&mut self, why: String);

    /// Keeps what is known now. It must not take long.
    fn keep(&mut self, record: Record);
}

/// What is known already: as it was kept, summed up, and the parts that were begun.
type Kept = (Record, Sum, BTreeMap<usize, Resumed>);

/// What is to be explored, divided.
struct Divided<S: Divisible> {
    search: S,
    /// All parts, in their order.
    parts: Vec<S::Part>,
    limits: Limits,
    /// Why it stops when all parts are explored.
    end: Stop,
}

impl Explorer {
    /// Whether it is to be divided, and can be.
    ///
    /// A search with a bound on preemptions visits each state once, in whichever part it is.
    pub(super) fn is_divided(&self) -> bool {
        let FanOut {
            jobs,
            shard,
            keeper,
        } = &self.fan_out;
        let can_be = self.engine.is_divisible() && self.preemption_bound.is_none();
        can_be && (jobs.is_some() || shard.is_some() || keeper.is_some())
    }

    /// Explores the parts of a tree of choices.
    pub(super) fn run_tree<S: Tree>(&self, engine: &Coroutines) -> Report {
        let limits = self.limits(true);
        match search::divide::<S>(engine, limits) {
            Ok((search, parts)) => {
                let divided = Divided {
                    search,
                    parts,
                    limits,
                    end: Stop::Exhausted,
                };
                self.run_parts(engine, divided)
            }
            Err(stop) => {
                let stop = Some(stop);
                let tally = Tally {
                    stop,
                    ..Tally::default()
                };
                let coverage = self.coverage(&tally);
                self.conclude(engine, tally, coverage, limits.deadline)
            }
        }
    }

    /// Explores blocks of numbered executions.
    pub(super) fn run_blocks<S>(&self, engine: &Coroutines, search: S) -> Report
    where
        S: Divisible<Part = Range<u64>>,
    {
        let executions = self.max_executions;
        let executions = executions.unwrap_or(super::DEFAULT_RANDOM_EXECUTIONS);
        let divided = Divided {
            search,
            parts: search::blocks(executions),
            limits: Limits {
                // The parts are the limit.
                max_executions: None,
                ..self.limits(false)
            },
            end: Stop::MaxExecutions,
        };
        self.run_parts(engine, divided)
    }

    /// Explores the parts of this shard that are not explored yet.
    fn run_parts<S: Divisible>(&self, engine: &Coroutines, divided: Divided<S>) -> Report {
        let Divided {
            search,
            parts,
            limits,
            end,
        } = divided;
        let shard = self.fan_out.shard;
        let division = Division {
            parts: parts.len(),
            digest: search::digest(&parts, &self.settings()),
            shard,
        };
        let Some((record, sum, begun)) = self.known(engine, division, limits.exhaustive) else {
            // Who keeps it says why.
            return self.not_explored(Reason::Diverged(String::new()));
        };
        let (first, step) = shard.map_or((0, 1), |shard| (shard.index - 1, shard.of));
        let parts: Vec<S::Part> = parts.into_iter().skip(first).step_by(step).collect();
        // What was begun comes first, so that one process after another comes to the end of it.
        let mut left: Vec<usize> = (0..parts.len()).filter(|part| !sum.has(*part)).collect();
        left.sort_by_key(|part| !begun.contains_key(part));
        let known = Known {
            left,
            begun,
            executions: record.executions(),
            last_part: sum.last_part(),
            is_kept: self.fan_out.keeper.is_some(),
        };
        let counts_traces = search.traces().is_some();
        let pulse = Arc::clone(&engine.pulse);
        let shared = Shared::new(search, parts, known, limits, pulse);
        // All parts of a shard are not all that there are.
        let end = if shard.is_some() {
            Stop::Exhausted
        } else {
            end
        };
        let mut tally = self.look_after(engine, &Arc::new(shared), record.begun, sum, end);
        if counts_traces {
            // There are none in no part.
            tally.traces.get_or_insert(0);
        }
        let coverage = self.coverage(&tally);
        Report {
            division: Some(division),
            ..self.conclude(engine, tally, coverage, limits.deadline)
        }
    }

    /// What decides, beside the parts, what they come to.
    fn settings(&self) -> [u64; 4] {
        let is_random = !self.engine.is_exhaustive();
        [
            self.max_steps as u64,
            u64::from(self.past_failures),
            u64::from(self.wake_ups() == SpuriousWakeUps::Explored),
            if is_random { self.seed } else { 0 },
        ]
    }

    /// What is known of the parts. `None` if what is kept belongs to another exploration.
    fn known(&self, engine: &Coroutines, division: Division, exhaustive: bool) -> Option<Kept> {
        let Some(keeper) = &self.fan_out.keeper else {
            return Some((Record::default(), Sum::new(exhaustive), BTreeMap::new()));
        };
        let mut keeper = keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let record = keeper.open(division)?;
        let find =
            |schedule: &Schedule| Self::follow(engine, schedule, Coroutines::run).ok()?.found;
        match record.restore(exhaustive, find) {
            Ok((sum, begun)) => Some((record, sum, begun)),
            Err(why) => {
                keeper.refuse(why);
                None
            }
        }
    }

    /// Lets workers explore the parts, and sums up what they come to.
    fn look_after<S: Divisible>(
        &self,
        engine: &Coroutines,
        shared: &Arc<Shared<S>>,
        mut begun: BTreeMap<usize, Begun>,
        mut sum: Sum,
        end: Stop,
    ) -> Tally {
        let jobs = self.fan_out.jobs.unwrap_or(1).min(shared.left());
        let (says, said) = channel();
        let mut crew = Crew::start(jobs, engine, shared, &says, self.stall_limit);
        drop(says);
        let mut kept_at = Instant::now();
        let mut cut = BTreeMap::new();
        let mut limit = None;
        while let Some(next) = crew.next(&said, shared, &sum) {
            match next {
                None => continue,
                Some(News::Reached(part, reached)) => {
                    begun.insert(part, *reached);
                }
                Some(News::Ended(ended)) => {
                    let EndedPart {
                        part,
                        tally,
                        is_cut,
                    } = *ended;
                    if is_cut {
                        limit = limit.or(tally.stop.clone());
                        cut.insert(part, tally);
                    } else {
                        begun.remove(&part);
                        sum.add(part, tally);
                        // It may be known only now, of several parts together.
                        if let Some(part) = sum.last_part() {
                            shared.end_with(part);
                        }
                    }
                }
            }
            if kept_at.elapsed() >= KEEP_EVERY {
                kept_at = Instant::now();
                self.keep(&sum, &begun);
            }
        }
        self.keep(&sum, &begun);
        crew.dismiss();
        let not_gone_on_with = shared.take_begun().into_iter();
        cut.extend(not_gone_on_with.map(|(part, resumed)| (part, resumed.tally)));
        let end = if sum.is_whole(shared.parts()) {
            Some(end)
        } else {
            limit
        };
        let mut tally = sum.result(shared.parts(), cut);
        tally.stop = tally.stop.or(end);
        tally
    }

    fn keep(&self, sum: &Sum, begun: &BTreeMap<usize, Begun>) {
        if let (Some(keeper), Some(record)) = (&self.fan_out.keeper, Record::of(sum, begun)) {
            let mut keeper = keeper.lock().unwrap_or_else(PoisonError::into_inner);
            keeper.keep(record);
        }
    }
}
