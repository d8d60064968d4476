//! Explorations in parts: by several workers, by several machines, and by one process after another.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::engine::Coroutines;
use crate::execution::{Patience, Pulse};
use crate::search::{
    self, Block, Dfs, Divisible, Dpor, Ended, Limits, Numbers, Pct, Pos, Profile, Random, Record,
    Sampling, Shared, Stop, Sum, Surw, Tally, Tree, Urw, Walk, Worker,
};
use crate::trace::Schedule;
use crate::verdict::{Division, Engine, Reason, Report, Shard, Verdict};

use super::Explorer;

/// How often the workers are looked after.
const TICK: Duration = Duration::from_millis(50);

/// How often what is known is handed to who keeps it.
const KEEP_EVERY: Duration = Duration::from_millis(250);

/// How an exploration is divided, if it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
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
        let Settings {
            jobs,
            shard,
            keeper,
        } = &self.division;
        let can_be = self.engine.is_divisible() && self.preemption_bound.is_none();
        can_be && (jobs.is_some() || shard.is_some() || keeper.is_some())
    }

    /// Explores in parts, under an engine that can be divided.
    pub(super) fn run_divided(&self, engine: &Coroutines) -> Report {
        match self.engine {
            Engine::Dpor => self.run_tree::<Dpor>(engine),
            Engine::Dfs => self.run_tree::<Dfs>(engine),
            Engine::Random => self.run_blocks(engine, Random::new(self.seed, Numbers::ALL)),
            Engine::Pct => self.run_walks(engine, Pct::new),
            Engine::Urw => self.run_walks(engine, Urw::new),
            Engine::Pos => {
                let pos = Sampling::new(vec![Pos::default()], self.seed, Numbers::ALL);
                self.run_blocks(engine, pos)
            }
            Engine::Surw => self.run_walks(engine, Surw::new),
            _ => unreachable!("{} cannot be divided", self.engine),
        }
    }

    fn run_tree<S: Tree>(&self, engine: &Coroutines) -> Report {
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

    fn run_walks<W>(&self, engine: &Coroutines, walk: impl Fn(&Profile) -> W) -> Report
    where
        W: Walk + Clone + Send + Sync + 'static,
    {
        let walks = search::learn(engine, self.seed, walk);
        self.run_blocks(engine, Sampling::new(walks, self.seed, Numbers::ALL))
    }

    fn run_blocks<S: search::Numbered>(&self, engine: &Coroutines, search: S) -> Report {
        let executions = self.max_executions;
        let executions = executions.unwrap_or(super::DEFAULT_RANDOM_EXECUTIONS);
        let divided = Divided {
            search: Block::none(search),
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
        let shard = self.division.shard;
        let division = Division {
            parts: parts.len(),
            digest: search::digest(&parts, &self.settings()),
            shard,
        };
        let Some(sum) = self.known(engine, division, limits.exhaustive) else {
            // Who keeps it says why.
            return self.report(Verdict::Inconclusive(Reason::Diverged(String::new())));
        };
        let (first, step) = shard.map_or((0, 1), |shard| (shard.index - 1, shard.of));
        let parts: Vec<S::Part> = parts.into_iter().skip(first).step_by(step).collect();
        let left = (0..parts.len()).filter(|part| !sum.has(*part)).collect();
        let (executions, last_part) = (sum.executions(), sum.last_part());
        let counts_traces = search.traces().is_some();
        let pulse = Arc::clone(&engine.pulse);
        let shared = Shared::new(search, parts, left, limits, executions, last_part, pulse);
        // All parts of a shard are not all that there are.
        let end = if shard.is_some() {
            Stop::Exhausted
        } else {
            end
        };
        let mut tally = self.look_after(engine, &Arc::new(shared), sum, end);
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
    fn settings(&self) -> [u64; 3] {
        let is_random = !self.engine.is_exhaustive();
        [
            self.max_steps as u64,
            u64::from(self.past_failures),
            if is_random { self.seed } else { 0 },
        ]
    }

    /// What is known of the parts. `None` if what is kept belongs to another exploration.
    fn known(&self, engine: &Coroutines, division: Division, exhaustive: bool) -> Option<Sum> {
        let Some(keeper) = &self.division.keeper else {
            return Some(Sum::new(exhaustive));
        };
        let mut keeper = keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let record = keeper.open(division)?;
        let find =
            |schedule: &Schedule| Self::follow(engine, schedule, Coroutines::run).ok()?.found;
        match record.restore(exhaustive, find) {
            Ok(sum) => Some(sum),
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
        mut sum: Sum,
        end: Stop,
    ) -> Tally {
        let jobs = self.division.jobs.unwrap_or(1).min(shared.left());
        let (ended, is_ended) = channel();
        let workers = (0..jobs).map(|_| Crew::worker(engine, shared, ended.clone()));
        let mut crew = Crew {
            workers: workers.collect(),
            pulse: Arc::clone(&engine.pulse),
            stall_limit: self.stall_limit,
            beaten_at: Instant::now(),
        };
        drop(ended);
        let mut kept_at = Instant::now();
        let mut cut = BTreeMap::new();
        let mut limit = None;
        while let Some(next) = crew.next(&is_ended, shared, &sum) {
            let Some(Ended {
                part,
                tally,
                is_cut,
            }) = next
            else {
                continue;
            };
            if is_cut {
                limit = limit.or(tally.stop.clone());
                cut.insert(part, tally);
            } else {
                sum.add(part, tally);
                // It may be known only now, of several parts together.
                if let Some(part) = sum.last_part() {
                    shared.end_with(part);
                }
            }
            if kept_at.elapsed() >= KEEP_EVERY {
                kept_at = Instant::now();
                self.keep(&sum);
            }
        }
        self.keep(&sum);
        crew.dismiss();
        let end = if sum.is_whole(shared.parts()) {
            Some(end)
        } else {
            limit
        };
        let mut tally = sum.result(shared.parts(), cut);
        tally.stop = tally.stop.or(end);
        tally
    }

    fn keep(&self, sum: &Sum) {
        if let (Some(keeper), Some(record)) = (&self.division.keeper, Record::of(sum)) {
            let mut keeper = keeper.lock().unwrap_or_else(PoisonError::into_inner);
            keeper.keep(record);
        }
    }
}

/// The workers of one exploration.
struct Crew {
    workers: Vec<Member>,
    /// What stands for all of them.
    pulse: Arc<Pulse>,
    stall_limit: Duration,
    /// When all workers were last seen to go on.
    beaten_at: Instant,
}

/// A worker, seen from outside.
struct Member {
    thread: JoinHandle<()>,
    pulse: Arc<Pulse>,
    /// How often it had beaten when all workers were last seen to go on.
    beats: u64,
}

impl Crew {
    fn worker<S: Divisible>(
        engine: &Coroutines,
        shared: &Arc<Shared<S>>,
        ended: Sender<Ended>,
    ) -> Member {
        let pulse = Arc::new(Pulse::default());
        let patience = Patience::default();
        let engine = Coroutines {
            pulse: Arc::clone(&pulse),
            patience: patience.clone(),
            ..engine.clone()
        };
        let worker = Worker::new(Arc::clone(shared), patience, Arc::clone(&pulse), ended);
        let thread = thread::Builder::new().name("racelab".to_owned());
        let thread = thread.spawn(move || drop(engine.run(worker)));
        Member {
            thread: thread.unwrap_or_else(|error| panic!("cannot start a thread: {error}")),
            pulse,
            beats: 0,
        }
    }

    /// Waits for the next part that has ended, for one tick at most. `None` when all workers have
    /// ended, or one of them stands still.
    #[expect(
        clippy::option_option,
        reason = "nothing yet and nothing any more are different"
    )]
    fn next<S: Divisible>(
        &mut self,
        ended: &Receiver<Ended>,
        shared: &Shared<S>,
        sum: &Sum,
    ) -> Option<Option<Ended>> {
        let tick = TICK.min(self.stall_limit / 10);
        let next = match ended.recv_timeout(tick) {
            Ok(ended) => Some(ended),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return None,
        };
        self.watch();
        self.publish(shared, sum);
        if self.beaten_at.elapsed() > self.stall_limit * 2 {
            // The report is written already, without this thread.
            shared.give_up();
            return None;
        }
        Some(next)
    }

    /// Lets the pulse of the whole beat when all workers have gone on.
    fn watch(&mut self) {
        let is_silent =
            |member: &&Member| !member.thread.is_finished() && member.pulse.beats() == member.beats;
        match self.workers.iter().find(is_silent) {
            Some(member) => self.pulse.follow(&member.pulse),
            None => {
                for member in &mut self.workers {
                    member.beats = member.pulse.beats();
                }
                self.beaten_at = Instant::now();
                self.pulse.touch();
            }
        }
    }

    /// Says how far the whole is.
    fn publish<S: Divisible>(&self, shared: &Shared<S>, sum: &Sum) {
        self.pulse.show(shared.executions());
        let running = self
            .workers
            .iter()
            .filter(|member| !member.thread.is_finished());
        let running: f64 = running.filter_map(|member| member.pulse.share_done()).sum();
        #[expect(
            clippy::cast_precision_loss,
            reason = "it is an estimate, and there are few parts"
        )]
        let (finished, parts) = (sum.finished() as f64, shared.parts() as f64);
        if parts > 0.0 {
            let share = (finished + running) / parts;
            self.pulse.publish_share(Some(share.min(1.0)));
        }
    }

    /// Waits for the end of the workers, which is an error of the lab if it is a panic.
    fn dismiss(self) {
        if self.beaten_at.elapsed() > self.stall_limit * 2 {
            return;
        }
        for member in self.workers {
            if let Err(payload) = member.thread.join() {
                std::panic::resume_unwind(payload);
            }
        }
    }
}
