//! The plan: what is run for each engine.

use std::any::Any;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(feature = "loom")]
use crate::engine::Loom;
#[cfg(feature = "shuttle")]
use crate::engine::ShuttleScheduler;
use crate::engine::{Coroutines, Scheduler, Watched, watch};
use crate::execution::{LastEvent, Patience, Refusal, message_of};
use crate::search::{
    self, Dfs, Divisible, Dpor, Exploration, Limits, Minimised, Numbers, Pct, Pos, Profile, Random,
    Sampling, Strategy, Surw, Tally, Tree, Urw, Walk,
};
use crate::trace::{CellAccesses, LeftOut};
use crate::verdict::{Coverage, Engine, Reason, Report, SpuriousWakeUps, Verdict};

use super::Explorer;
use super::failure::failure;
use super::report::why_inconclusive;

impl Explorer {
    /// Explores on this OS thread, without a watch.
    pub(super) fn explore_here<F: Fn() + Send + Sync + 'static>(&self, body: F) -> Report {
        match self.engine {
            #[cfg(feature = "loom")]
            Engine::Loom => self.run_loom(&self.loom(body)),
            Engine::Threads => self.run_threads(&self.threads(body)),
            _ => self.explore_and_check_last_drops(&self.coroutines(body)),
        }
    }

    /// Explores under one of our own strategies, or one of shuttle's.
    pub(super) fn explore_on(&self, engine: &Coroutines) -> Report {
        let bound = self.preemption_bound.map(u32::from);
        match (self.engine, bound) {
            (Engine::Dfs, _) => self.search(engine, Dfs::counting_traces(bound)),
            #[cfg(feature = "shuttle")]
            (Engine::Shuttle, _) => self.run_shuttle(engine, ShuttleScheduler::random(self.seed)),
            #[cfg(feature = "shuttle")]
            (Engine::ShuttlePct, _) => self.run_shuttle(engine, ShuttleScheduler::pct(self.seed)),
            (Engine::Random, _) => self.draw(engine, Random::new(self.seed, Numbers::ALL)),
            (Engine::Pct, _) => self.learn(engine, Pct::new),
            (Engine::Urw, _) => self.learn(engine, Urw::new),
            (Engine::Surw, _) => self.learn(engine, Surw::new),
            (Engine::Pos, _) => {
                let pos = Sampling::new(vec![Pos::default()], self.seed, Numbers::ALL);
                self.draw(engine, pos)
            }
            (_, Some(bound)) => self.run(engine, Dfs::bounded(bound, usize::MAX)),
            (_, None) => self.search(engine, Dpor::default()),
        }
    }

    /// Explores under an exhaustive strategy.
    fn search<S: Tree>(&self, engine: &Coroutines, strategy: S) -> Report {
        if self.is_divided() {
            self.run_tree::<S>(engine)
        } else {
            self.run(engine, strategy)
        }
    }

    /// Explores under a random strategy.
    fn draw<S: Divisible<Part = Range<u64>>>(&self, engine: &Coroutines, strategy: S) -> Report {
        if self.is_divided() {
            self.run_blocks(engine, strategy)
        } else {
            self.run(engine, strategy)
        }
    }

    /// Explores under a random strategy that learns from its first executions.
    fn learn<W>(&self, engine: &Coroutines, walk: impl Fn(&Profile) -> W) -> Report
    where
        W: Walk + Clone + Send + Sync + 'static,
    {
        let walks = search::learn(engine, self.seed, walk);
        self.draw(engine, Sampling::new(walks, self.seed, Numbers::ALL))
    }

    /// Explores under a strategy, as a whole.
    fn run<S: Strategy + Scheduler>(&self, engine: &Coroutines, strategy: S) -> Report {
        let limits = self.limits(self.engine.is_exhaustive());
        let deadline = limits.deadline;
        let exploration = Exploration::new(strategy, limits, Arc::clone(&engine.pulse));
        let tally = engine.run(exploration).end();
        let coverage = self.coverage(&tally);
        self.conclude(engine, tally, coverage, deadline)
    }

    /// What a search has come to, with its failure minimised.
    pub(super) fn conclude(
        &self,
        engine: &Coroutines,
        mut tally: Tally,
        coverage: Coverage,
        deadline: Option<Instant>,
    ) -> Report {
        let smallest = tally.smallest.take();
        let verdict = match smallest {
            // All interleavings were seen, so that the smallest failing one is the smallest there is.
            Some(found)
                if coverage == Coverage::Complete
                    && self.engine == Engine::Dfs
                    && !tally
                        .left_out
                        .to_vec()
                        .into_iter()
                        .any(LeftOut::is_repetition) =>
            {
                Verdict::Violated(Box::new(failure(found, Some(true), 0, false)))
            }
            Some(found) if !self.minimises => {
                Verdict::Violated(Box::new(failure(found, None, 0, false)))
            }
            Some(found) => {
                let smaller = search::minimise(engine, found, deadline);
                let Minimised {
                    found,
                    minimal,
                    executions,
                    is_nondeterministic,
                } = smaller;
                let failure = failure(found, Some(minimal), executions, is_nondeterministic);
                Verdict::Violated(Box::new(failure))
            }
            None => match &coverage {
                // What no execution has shown does not hold.
                Coverage::Complete if tally.executions == 0 => {
                    let what = "no execution came to its end, although nothing has cut the search";
                    Verdict::Inconclusive(Reason::Unsupported(what.into()))
                }
                Coverage::Complete => Verdict::Holds,
                _ => Verdict::Inconclusive(why_inconclusive(&tally, &coverage)),
            },
        };
        let difference = match &verdict {
            Verdict::Inconclusive(Reason::NotDeterministic { .. }) => search::difference(engine),
            _ => None,
        };
        Report {
            difference,
            ..self.report(verdict, coverage, tally)
        }
    }

    pub(super) fn limits(&self, exhaustive: bool) -> Limits {
        let now = Instant::now();
        let after = |limit: Duration| now.checked_add(limit);
        let deadline = self.time_limit.and_then(after);
        let half = self.time_limit.filter(|_| self.is_sampled_after());
        Limits {
            max_executions: self.max_executions,
            deadline,
            past_failures: self.past_failures,
            exhaustive,
            deadline_of_loops: half.and_then(|limit| after(limit / 2)),
            refuses_intrusion: self.is_check,
        }
    }

    pub(super) fn coroutines(&self, body: impl Fn() + Send + Sync + 'static) -> Coroutines {
        let pulse = Arc::clone(&self.progress.0);
        Coroutines {
            body: Arc::new(body),
            max_steps: self.max_steps,
            pulse,
            patience: Patience::default(),
            wakes_spuriously: self.wake_ups() == SpuriousWakeUps::Explored,
            cells: CellAccesses::default(),
        }
    }

    #[cfg(feature = "loom")]
    pub(super) fn loom(&self, body: impl Fn() + Send + Sync + 'static) -> Loom {
        Loom {
            body: Arc::new(body),
            max_steps: self.max_steps,
            preemption_bound: self.preemption_bound,
            pulse: Arc::clone(&self.progress.0),
        }
    }

    /// Runs a search on an OS thread of its own, and gives it up when it stands still.
    pub(super) fn watched(&self, work: impl FnOnce() -> Report + Send + 'static) -> Report {
        let pulse = &self.progress.0;
        pulse.begin();
        let start = Instant::now();
        let report = match watch(pulse, self.stall_limit, work) {
            Watched::Done(report) => report,
            Watched::Panicked(payload) => {
                let refused = Refusal::of(&*payload).map(str::to_owned).or_else(|| {
                    let message = message_of(&*payload);
                    Refusal::in_panic(&message).map(str::to_owned)
                });
                match refused {
                    Some(what) => self.not_explored(Reason::Unsupported(what)),
                    None => std::panic::resume_unwind(internal_error(&*payload)),
                }
            }
            Watched::Stuck => {
                let last = pulse.last_event();
                let last = last.map(
                    |LastEvent {
                         thread,
                         operation,
                         at,
                     }| (thread, operation, at),
                );
                let reason = Reason::Stuck {
                    waited: self.stall_limit,
                    last,
                };
                Report {
                    executions: pulse.executions(),
                    ..self.not_explored(reason)
                }
            }
        };
        Report {
            elapsed: start.elapsed(),
            ..report
        }
    }
}

fn internal_error(payload: &(dyn Any + Send)) -> Box<dyn Any + Send> {
    Box::new(format!("racelab: internal error: {}", message_of(payload)))
}
