//! Explorations and replays: from a body to a report.

mod divided;
mod loom;
#[cfg(feature = "shuttle")]
mod shuttle;
mod threads;

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(feature = "shuttle")]
use crate::engine::Chooser;
use crate::engine::{Coroutines, Loom, Watched, watch};
use crate::execution::{self, Ending, LastEvent, Patience, Pulse, RealRun, message_of};
use crate::search::{
    self, Dfs, Divergence, Dpor, End, Exploration, Found, Limits, Minimised, Numbers, Pct, Pos,
    Profile, Random, Replay, Sampling, Stop, Surw, Tally, Urw, Walk,
};
use crate::trace::{Access, Operation, Race, Schedule, Trace};
use crate::verdict::{
    Bound, Coverage, Engine, Failure, FailureKind, Outcome, Reason, Report, Shard, Verdict,
};

#[cfg(feature = "cli")]
pub(crate) use divided::Keeper;
#[cfg(feature = "cli")]
pub(crate) use threads::RunsElsewhere;

/// The bound on the steps of an execution, if none is given.
pub const DEFAULT_MAX_STEPS: usize = 10_000;

/// The executions of a random engine, if no other number is given.
pub const DEFAULT_RANDOM_EXECUTIONS: u64 = 10_000;

/// The runs on real threads, if no other number is given.
pub const DEFAULT_RUNS: u64 = 1_000;

/// How long a body may make no step before it is given up, if no other time is given.
pub const DEFAULT_STALL_LIMIT: Duration = Duration::from_secs(10);

/// Explores the interleavings of a body, under an engine and within bounds.
///
/// ```
/// use racelab::sync::{Arc, atomic::{AtomicUsize, Ordering::SeqCst}};
/// use racelab::{Engine, Explorer, Verdict, thread};
///
/// let report = Explorer::new(Engine::Dpor).explore(|| {
///     let n = Arc::new(AtomicUsize::new(0));
///     let other = thread::spawn({
///         let n = Arc::clone(&n);
///         move || n.fetch_add(1, SeqCst)
///     });
///     n.fetch_add(1, SeqCst);
///     other.join().unwrap();
///     assert_eq!(n.load(SeqCst), 2);
/// });
/// assert!(matches!(report.verdict, Verdict::Holds));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Explorer {
    engine: Engine,
    max_executions: Option<u64>,
    time_limit: Option<Duration>,
    max_steps: usize,
    preemption_bound: Option<u8>,
    seed: u64,
    past_failures: bool,
    minimises: bool,
    stall_limit: Duration,
    progress: Progress,
    division: divided::Settings,
}

impl Explorer {
    /// An exploration under `engine`, with no limit but the defaults: [`DEFAULT_MAX_STEPS`], and
    /// for random engines [`DEFAULT_RANDOM_EXECUTIONS`], on real threads [`DEFAULT_RUNS`].
    pub fn new(engine: Engine) -> Self {
        let max_executions = match engine {
            Engine::Threads => Some(DEFAULT_RUNS),
            _ => engine.is_random().then_some(DEFAULT_RANDOM_EXECUTIONS),
        };
        Explorer {
            engine,
            max_executions,
            time_limit: None,
            max_steps: DEFAULT_MAX_STEPS,
            preemption_bound: None,
            seed: 0,
            past_failures: false,
            minimises: true,
            stall_limit: DEFAULT_STALL_LIMIT,
            progress: Progress::default(),
            division: divided::Settings::default(),
        }
    }

    /// Stops after so many executions, or runs on real threads.
    pub fn max_executions(self, executions: u64) -> Self {
        Explorer {
            max_executions: Some(executions),
            ..self
        }
    }

    /// Stops after so long. The time is looked at between executions.
    pub fn time_limit(self, limit: Duration) -> Self {
        Explorer {
            time_limit: Some(limit),
            ..self
        }
    }

    /// Cuts executions that make more steps than this.
    ///
    /// At most [`Schedule::MAX_STEPS`]; a larger number is taken for that.
    pub fn max_steps(self, steps: usize) -> Self {
        Explorer {
            max_steps: steps.min(Schedule::MAX_STEPS),
            ..self
        }
    }

    /// Explores only executions with so many preemptions at most, as the engine counts them.
    ///
    /// The exhaustive engines obey it: [`Engine::Dpor`] explores each trace that has an execution
    /// with so few preemptions, and [`Engine::Dfs`] each such execution. Random engines do not.
    pub fn preemption_bound(self, preemptions: u8) -> Self {
        Explorer {
            preemption_bound: Some(preemptions),
            ..self
        }
    }

    /// Sets the seed of the random choices. The same seed makes the same choices.
    pub fn seed(self, seed: u64) -> Self {
        Explorer { seed, ..self }
    }

    /// Goes on after a failure, to count all failures and outcomes.
    pub fn past_failures(self) -> Self {
        Explorer {
            past_failures: true,
            ..self
        }
    }

    /// Reports the first failing execution as it was found, for measurements of the search alone.
    #[cfg(feature = "cli")]
    pub(crate) fn without_minimisation(self) -> Self {
        Explorer {
            minimises: false,
            ..self
        }
    }

    /// Gives a body up that makes no step for so long, or on real threads a run that does not end
    /// within it.
    pub fn stall_limit(self, limit: Duration) -> Self {
        Explorer {
            stall_limit: limit,
            ..self
        }
    }

    /// Lets another thread watch and interrupt the exploration.
    pub fn progress(self, progress: Progress) -> Self {
        Explorer { progress, ..self }
    }

    /// Divides the search in parts, and lets so many threads of the operating system explore them.
    /// 0 counts as 1.
    ///
    /// The counts of a search that comes to its end are the same for any number of threads. Without
    /// a division they are the same as well, but for [`Report::blocked`] under [`Engine::Dpor`], and
    /// for programs with loops that wait for a number of rounds: what is learned of these is learned
    /// in each part anew. A failure at which the search stops is the one that comes first in the
    /// order of the parts.
    ///
    /// [`Engine::Loom`], [`Engine::Threads`] and searches with a
    /// [bound on preemptions](Self::preemption_bound) are not divided.
    ///
    /// ```
    /// use racelab::sync::{Arc, Mutex};
    /// use racelab::{Engine, Explorer, Verdict, thread};
    ///
    /// let report = Explorer::new(Engine::Dfs).jobs(2).explore(|| {
    ///     let n = Arc::new(Mutex::new(0));
    ///     let other = thread::spawn({
    ///         let n = Arc::clone(&n);
    ///         move || *n.lock().unwrap() += 1
    ///     });
    ///     *n.lock().unwrap() += 1;
    ///     other.join().unwrap();
    ///     assert_eq!(*n.lock().unwrap(), 2);
    /// });
    /// assert!(matches!(report.verdict, Verdict::Holds));
    /// ```
    pub fn jobs(mut self, threads: usize) -> Self {
        self.division.jobs = Some(threads.max(1));
        self
    }

    /// Explores only one of several shards: of the parts of the search the `index`-th, from 1 on,
    /// and from there every `of`-th.
    ///
    /// The verdict of a shard without a failure is inconclusive
    /// ([`Bound::Shard`]). The counts of all shards add up to those of [`jobs`](Self::jobs).
    ///
    /// What is not divided, as said there, is explored as a whole.
    ///
    /// # Panics
    ///
    /// If `index` is not between 1 and `of`.
    pub fn shard(mut self, index: usize, of: usize) -> Self {
        assert!(
            (1..=of).contains(&index),
            "racelab: there is no shard {index} of {of}: they are numbered from 1 on"
        );
        self.division.shard = Some(Shard { index, of });
        self
    }

    /// Lets somebody keep what is known, and goes on with what was kept.
    #[cfg(feature = "cli")]
    pub(crate) fn kept_by(mut self, keeper: Arc<std::sync::Mutex<dyn Keeper>>) -> Self {
        self.division.keeper = Some(keeper);
        self
    }

    /// Runs `body` under many schedules, until one fails or a limit is reached or none is left.
    ///
    /// Everything that the body uses of the façade has to be made inside of it. It prints nothing
    /// of its own, and what panics in the body is kept quiet.
    ///
    /// On real threads ([`Engine::Threads`]) there is no schedule: a run is over when all threads
    /// have ended that it started with [`racelab::thread`](crate::thread). One that does not end is
    /// left behind with its threads, and the exploration ends.
    ///
    /// # Panics
    ///
    /// On an error of the lab itself.
    pub fn explore<F: Fn() + Send + Sync + 'static>(&self, body: F) -> Report {
        let explorer = self.clone();
        if self.engine == Engine::Threads {
            return self.run_threads(&self.threads(body));
        }
        self.watched(move || explorer.explore_here(body))
    }

    /// Explores on this OS thread, without a watch.
    fn explore_here<F: Fn() + Send + Sync + 'static>(&self, body: F) -> Report {
        let report = match self.engine {
            _ if self.is_divided() => self.run_divided(&self.coroutines(body)),
            Engine::Dpor => match self.preemption_bound {
                Some(bound) => {
                    let bounded = Dfs::bounded(u32::from(bound), usize::MAX);
                    self.run(&self.coroutines(body), bounded)
                }
                None => self.run(&self.coroutines(body), Dpor::default()),
            },
            Engine::Dfs => {
                let bound = self.preemption_bound.map(u32::from);
                self.run(&self.coroutines(body), Dfs::counting_traces(bound))
            }
            Engine::Random => {
                let random = Random::new(self.seed, numbers());
                self.run(&self.coroutines(body), random)
            }
            Engine::Pct => self.sample(&self.coroutines(body), Pct::new),
            Engine::Urw => self.sample(&self.coroutines(body), Urw::new),
            Engine::Surw => self.sample(&self.coroutines(body), Surw::new),
            Engine::Pos => {
                let pos = Sampling::new(vec![Pos::default()], self.seed, numbers());
                self.run(&self.coroutines(body), pos)
            }
            Engine::Loom => self.run_loom(&self.loom(body)),
            #[cfg(feature = "shuttle")]
            Engine::Shuttle => self.run_shuttle(&self.coroutines(body), Chooser::random(self.seed)),
            #[cfg(feature = "shuttle")]
            Engine::ShuttlePct => self.run_shuttle(&self.coroutines(body), Chooser::pct(self.seed)),
            Engine::Threads => self.run_threads(&self.threads(body)),
        };
        Report {
            engine: Some(self.engine),
            ..report
        }
    }

    /// Runs `body` once, along a schedule that a failure came with.
    ///
    /// It runs on the lab's own coroutines, whichever engine has found the schedule, but for one of
    /// loom's; and under an engine of shuttle's on shuttle.
    ///
    /// The report holds the trace of the execution, whether it fails or not. If the body cannot
    /// follow the schedule, the verdict is [`Reason::Diverged`].
    ///
    /// # Panics
    ///
    /// On an error of the lab itself.
    pub fn replay<F: Fn() + Send + Sync + 'static>(&self, schedule: &Schedule, body: F) -> Report {
        let explorer = self.clone();
        if let Some(execution) = schedule.loom() {
            let engine = Loom {
                preemption_bound: execution.preemption_bound,
                ..self.loom(body)
            };
            return self.watched(move || explorer.replay_loom(&engine, execution));
        }
        let schedule = schedule.clone();
        // A schedule that was found under a larger bound is followed to its end.
        let max_steps = if schedule.len() > self.max_steps {
            schedule.len() + 1
        } else {
            self.max_steps
        };
        let engine = Coroutines {
            max_steps,
            ..self.coroutines(body)
        };
        self.watched(move || match explorer.engine {
            #[cfg(feature = "shuttle")]
            Engine::Shuttle | Engine::ShuttlePct => explorer.replay_on_shuttle(&engine, &schedule),
            _ => explorer.run_replay(&engine, &schedule, Coroutines::run),
        })
    }

    /// The report of an exploration of which only that is known: why it has come to nothing.
    #[cfg(feature = "cli")]
    pub(crate) fn not_explored(&self, reason: Reason, elapsed: Duration) -> Report {
        Report {
            engine: Some(self.engine),
            elapsed,
            ..self.report(Verdict::Inconclusive(reason))
        }
    }

    fn coroutines(&self, body: impl Fn() + Send + Sync + 'static) -> Coroutines {
        let pulse = Arc::clone(&self.progress.0);
        Coroutines {
            body: Arc::new(body),
            max_steps: self.max_steps,
            pulse,
            patience: Patience::default(),
        }
    }

    fn loom(&self, body: impl Fn() + Send + Sync + 'static) -> Loom {
        Loom {
            body: Arc::new(body),
            max_steps: self.max_steps,
            preemption_bound: self.preemption_bound,
            pulse: Arc::clone(&self.progress.0),
        }
    }

    /// Runs a search on an OS thread of its own, and gives it up when it stands still.
    fn watched(&self, work: impl FnOnce() -> Report + Send + 'static) -> Report {
        let pulse = &self.progress.0;
        pulse.begin();
        let start = Instant::now();
        let report = match watch(pulse, self.stall_limit, work) {
            Watched::Done(report) => report,
            Watched::Panicked(payload) => std::panic::resume_unwind(internal_error(&*payload)),
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
                    ..self.report(Verdict::Inconclusive(reason))
                }
            }
        };
        Report {
            elapsed: start.elapsed(),
            ..report
        }
    }

    fn run<S: crate::engine::Strategy + 'static>(
        &self,
        engine: &Coroutines,
        strategy: S,
    ) -> Report {
        let limits = self.limits(self.engine.is_exhaustive());
        let deadline = limits.deadline;
        let exploration = Exploration::new(strategy, limits, Arc::clone(&engine.pulse));
        let Exploration {
            strategy,
            mut tally,
            ..
        } = engine.run(exploration);
        if let Some(step) = strategy.nondeterminism() {
            tally.stop = Some(Stop::NotDeterministic { step });
        }
        tally.traces = strategy.traces();
        let was_bounded = strategy.was_bounded();
        let coverage = match (self.coverage(&tally), self.preemption_bound) {
            (Coverage::Complete, Some(bound)) if was_bounded => {
                Coverage::Bounded(Bound::Preemptions(bound))
            }
            (coverage, _) => coverage,
        };
        self.conclude(engine, tally, coverage, deadline)
    }

    /// What a search has come to, with its failure minimised.
    fn conclude(
        &self,
        engine: &Coroutines,
        mut tally: Tally,
        coverage: Coverage,
        deadline: Option<Instant>,
    ) -> Report {
        let smallest = tally.smallest.take();
        let verdict = match smallest {
            // All interleavings were seen, so that the smallest failing one is the smallest there is.
            Some(found) if coverage == Coverage::Complete && self.engine == Engine::Dfs => {
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
                Coverage::Complete => Verdict::Holds,
                _ => Verdict::Inconclusive(why_inconclusive(&tally, &coverage)),
            },
        };
        Report {
            executions: tally.executions,
            blocked: tally.blocked,
            traces: tally.traces,
            truncated: tally.truncated,
            violations: tally.violations,
            outcomes: outcomes(&tally),
            coverage,
            left_out: tally.left_out.to_vec(),
            ..self.report(verdict)
        }
    }

    /// Explores under a random strategy that learns from its first executions.
    fn sample<W: Walk + 'static>(
        &self,
        engine: &Coroutines,
        walk: impl Fn(&Profile) -> W,
    ) -> Report {
        let walks = search::learn(engine, self.seed, walk);
        let sampling = Sampling::new(walks, self.seed, numbers());
        self.run(engine, sampling)
    }

    fn limits(&self, exhaustive: bool) -> Limits {
        let deadline = self
            .time_limit
            .and_then(|limit| Instant::now().checked_add(limit));
        Limits {
            max_executions: self.max_executions,
            deadline,
            past_failures: self.past_failures,
            exhaustive,
        }
    }

    /// Follows a schedule, on the runtime that `run` runs on.
    fn run_replay(
        &self,
        engine: &Coroutines,
        schedule: &Schedule,
        run: impl Fn(&Coroutines, Replay) -> Replay,
    ) -> Report {
        match Self::follow(engine, schedule, run) {
            Ok(end) => self.replayed(end),
            Err(divergence) => {
                let reason = Reason::Diverged(divergence.to_string());
                self.report(Verdict::Inconclusive(reason))
            }
        }
    }

    /// Runs one execution along a schedule.
    fn follow(
        engine: &Coroutines,
        schedule: &Schedule,
        run: impl Fn(&Coroutines, Replay) -> Replay,
    ) -> Result<End, Divergence> {
        let followed = run(engine, Replay::new(schedule.clone())).result();
        followed.or_else(|divergence| {
            let livelock = Self::replay_livelock(engine, schedule.clone(), run);
            livelock.ok_or(divergence)
        })
    }

    /// Runs a schedule that ends where a livelock was noticed, which the bound on steps decides: it
    /// may have been another one. `None` if there is no livelock.
    fn replay_livelock(
        engine: &Coroutines,
        schedule: Schedule,
        run: impl Fn(&Coroutines, Replay) -> Replay,
    ) -> Option<End> {
        let engine = Coroutines {
            max_steps: schedule.len(),
            ..engine.clone()
        };
        let end = run(&engine, Replay::new(schedule)).result().ok()?;
        matches!(end.ending, Some(Ending::Livelocked)).then_some(end)
    }

    /// The report of a replay.
    fn replayed(&self, end: End) -> Report {
        let one = Coverage::Bounded(Bound::OneExecution);
        let verdict = match (end.found, end.ending) {
            (Some(found), _) => Verdict::Violated(Box::new(failure(found, None, 0, false))),
            (None, Some(ending)) => Verdict::Inconclusive(self.why_ended(&ending)),
            (None, None) => Verdict::Inconclusive(Reason::Bound(Bound::OneExecution)),
        };
        let outcome = end.outcome.map(|value| Outcome {
            value,
            executions: 1,
        });
        Report {
            executions: 1,
            violations: u64::from(matches!(verdict, Verdict::Violated(_))),
            outcomes: outcome.into_iter().collect(),
            coverage: one,
            left_out: end.left_out.to_vec(),
            replayed: Some(end.trace),
            ..self.report(verdict)
        }
    }

    /// A report in which only the verdict is filled in.
    fn report(&self, verdict: Verdict) -> Report {
        Report {
            verdict,
            engine: None,
            memory_model: self.engine.memory_model(),
            seed: self.seed,
            executions: 0,
            blocked: 0,
            traces: None,
            truncated: 0,
            doubted: 0,
            violations: 0,
            outcomes: Vec::new(),
            coverage: Coverage::Ended,
            max_steps: self.max_steps,
            left_out: Vec::new(),
            division: None,
            replayed: None,
            elapsed: Duration::ZERO,
        }
    }

    fn coverage(&self, tally: &Tally) -> Coverage {
        let shard = self.division.shard.filter(|_| self.is_divided());
        match (&tally.stop, shard) {
            (Some(Stop::Exhausted), Some(shard)) => Coverage::Bounded(Bound::Shard(shard)),
            (Some(Stop::Exhausted), None) => match tally.left_out.bound() {
                Some(kind) => Coverage::Bounded(Bound::LeftOut(kind)),
                None => Coverage::Complete,
            },
            (Some(Stop::Failure), _) => Coverage::FirstFailure,
            (Some(stop), _) => self.bound(stop).map_or(Coverage::Ended, Coverage::Bounded),
            (None, _) => Coverage::Ended,
        }
    }

    fn bound(&self, stop: &Stop) -> Option<Bound> {
        match stop {
            Stop::MaxExecutions if self.engine == Engine::Threads => {
                self.max_executions.map(Bound::Runs)
            }
            Stop::MaxExecutions => self.max_executions.map(Bound::MaxExecutions),
            Stop::TimeLimit => self.time_limit.map(Bound::TimeLimit),
            Stop::OutOfSteps => Some(Bound::MaxSteps(self.max_steps)),
            Stop::Interrupted => Some(Bound::Interrupted),
            Stop::Exhausted
            | Stop::Failure
            | Stop::NotDeterministic { .. }
            | Stop::Endless { .. }
            | Stop::Unsupported(_)
            | Stop::Misused(_) => None,
        }
    }

    fn why_ended(&self, ending: &Ending) -> Reason {
        match ending {
            Ending::Unsupported(what) => Reason::Unsupported(what.clone()),
            Ending::Misused(what) => Reason::Misused(what.clone()),
            _ => Reason::Bound(Bound::MaxSteps(self.max_steps)),
        }
    }
}

/// Runs `body` once, along a schedule that a failure came with.
///
/// See [`Explorer::replay`], which this calls with the default settings.
///
/// ```
/// use racelab::sync::{Arc, Mutex};
/// use racelab::{Verdict, thread};
///
/// let schedule = "0.1*2.0*2".parse()?;
/// let report = racelab::replay(&schedule, || {
///     let n = Arc::new(Mutex::new(0));
///     let other = thread::spawn({
///         let n = Arc::clone(&n);
///         move || *n.lock().unwrap() += 1
///     });
///     other.join().unwrap();
///     assert_eq!(*n.lock().unwrap(), 2);
/// });
/// let Verdict::Violated(failure) = report.verdict else { panic!("the count is 1") };
/// assert!(failure.message.contains("left: 1"));
/// # Ok::<(), racelab::trace::ParseScheduleError>(())
/// ```
///
/// # Panics
///
/// On an error of the lab itself.
pub fn replay<F: Fn() + Send + Sync + 'static>(schedule: &Schedule, body: F) -> Report {
    Explorer::new(Engine::Dpor).replay(schedule, body)
}

/// Records a result of the running execution, for outcome tables.
///
/// Several results of one execution are joined with commas: first those of the main thread, then
/// those of the threads that it spawned, in the order in which it spawned them, then those of the
/// threads that the first of these spawned, and so on; those of one thread in the order in which it
/// recorded them. So an outcome does not depend on which thread was the first to record. To see
/// that, record what the threads have read. Runs on real threads record outcomes in the same way.
/// Outside of both it does nothing.
///
/// ```
/// use racelab::{Engine, Explorer};
///
/// let report = Explorer::new(Engine::Dpor).explore(|| racelab::outcome(6 * 7));
/// assert_eq!(report.outcomes[0].value, "42");
/// ```
pub fn outcome(value: impl Debug) {
    if execution::is_running() {
        // Formatted outside of the execution, since that is code of the user's.
        let value = format!("{value:?}");
        execution::with(|execution| execution.add_outcome(&value));
    } else {
        RealRun::add_outcome(|| format!("{value:?}"));
    }
}

/// Watches a running exploration from another thread, and interrupts it.
///
/// Clones watch the same exploration.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Pulse>);

impl Progress {
    /// How many executions have come to an end.
    pub fn executions(&self) -> u64 {
        self.0.executions()
    }

    /// How much of the exploration is done, from 0 to 1, if that is known.
    ///
    /// An estimate of an exhaustive search: it takes all choices at a step for equally many
    /// executions.
    pub fn share_done(&self) -> Option<f64> {
        self.0.share_done()
    }

    /// Says how many runs were finished in other processes.
    #[cfg(feature = "cli")]
    pub(crate) fn show(&self, runs: u64) {
        self.0.show(runs);
    }

    /// Whether the exploration was asked to stop.
    pub fn is_interrupted(&self) -> bool {
        self.0.is_interrupted()
    }

    /// Asks the exploration to stop after the running execution.
    pub fn interrupt(&self) {
        self.0.interrupt();
    }
}

/// The executions of a random engine that are run.
fn numbers() -> Numbers {
    Numbers::ALL
}

fn failure(
    found: Found,
    minimal: Option<bool>,
    minimise_executions: u64,
    is_nondeterministic: bool,
) -> Failure {
    let Found {
        ending,
        schedule,
        preemptions,
        trace,
        blocked,
        number: _,
    } = found;
    let race = match &ending {
        Ending::Raced(race) => Some(*race),
        _ => None,
    };
    let (kind, message, at, thread) = match ending {
        Ending::Panicked {
            thread,
            message,
            at,
        } => (FailureKind::Panic, message, at, Some(thread)),
        Ending::Raced(race) => {
            let message = race_message(&race, &trace);
            let at = format!("{}:{}", race.second.at.file(), race.second.at.line());
            (
                FailureKind::DataRace,
                message,
                Some(at),
                Some(race.second.thread),
            )
        }
        Ending::Livelocked => {
            let message =
                "livelock: every thread that can go on only waits by reading again".to_owned();
            (FailureKind::Livelock, message, None, None)
        }
        _ => {
            let message = "deadlock: no thread can go on".to_owned();
            (FailureKind::Deadlock, message, None, None)
        }
    };
    Failure {
        kind,
        message,
        at,
        thread,
        trace,
        schedule: Some(schedule),
        preemptions,
        minimal,
        minimise_executions,
        is_nondeterministic,
        blocked,
        race,
    }
}

/// Both threads and both places of a data race.
fn race_message(race: &Race, trace: &Trace) -> String {
    let access = |access: &Access| {
        let thread = trace.thread_name(access.thread);
        let does = match access.operation {
            Operation::CellWrite => "writes",
            _ => "reads",
        };
        format!(
            "{thread} {does} at {}:{}",
            access.at.file(),
            access.at.line()
        )
    };
    let cell = trace.object_name(race.object);
    format!(
        "data race on {cell}: {}, {}",
        access(&race.first),
        access(&race.second)
    )
}

fn why_inconclusive(tally: &Tally, coverage: &Coverage) -> Reason {
    match (&tally.stop, coverage) {
        (Some(Stop::Unsupported(what)), _) => Reason::Unsupported(what.clone()),
        (Some(Stop::Misused(what)), _) => Reason::Misused(what.clone()),
        (Some(Stop::NotDeterministic { step }), _) => Reason::NotDeterministic { step: *step },
        (_, Coverage::Bounded(bound)) => Reason::Bound(*bound),
        _ => Reason::Bound(Bound::Interrupted),
    }
}

fn outcomes(tally: &Tally) -> Vec<Outcome> {
    let outcomes = tally.outcomes.iter();
    outcomes
        .map(|(value, executions)| Outcome {
            value: value.clone(),
            executions: *executions,
        })
        .collect()
}

fn internal_error(payload: &(dyn Any + Send)) -> Box<dyn Any + Send> {
    Box::new(format!("racelab: internal error: {}", message_of(payload)))
}
