//! The settings of explorations and replays.

mod checked;
mod crew;
mod divided;
mod failure;
mod last_drops;
#[cfg(feature = "loom")]
mod loom;
mod outcome;
mod plan;
mod progress;
mod replay;
mod report;
#[cfg(feature = "shuttle")]
mod shuttle;
mod threads;

use std::time::Duration;

use crate::engine::Coroutines;
#[cfg(feature = "loom")]
use crate::engine::Loom;
use crate::trace::Schedule;
#[cfg(not(feature = "loom"))]
use crate::verdict::Reason;
use crate::verdict::{Engine, Report, Shard, SpuriousWakeUps};

pub(crate) use checked::Checked;
#[cfg(feature = "cli")]
pub(crate) use divided::Keeper;
pub use outcome::outcome;
pub use progress::Progress;
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
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent of each other"
)]
#[must_use]
pub struct Explorer {
    engine: Engine,
    max_executions: Option<u64>,
    time_limit: Option<Duration>,
    max_steps: usize,
    preemption_bound: Option<u8>,
    spurious: Option<SpuriousWakeUps>,
    seed: u64,
    past_failures: bool,
    minimises: bool,
    stall_limit: Duration,
    progress: Progress,
    fan_out: divided::FanOut,
    requires_complete: bool,
    /// Whether it explores for a check, which does not pass what it could not explore.
    is_check: bool,
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
            spurious: None,
            seed: 0,
            past_failures: false,
            minimises: true,
            stall_limit: DEFAULT_STALL_LIMIT,
            progress: Progress::default(),
            fan_out: divided::FanOut::default(),
            requires_complete: false,
            is_check: false,
        }
    }

    /// Lets [`check`](Self::check) fail if not everything was explored, time-outs and spurious
    /// failures that come again at once included. `RACELAB_REQUIRE=complete` does it for all checks.
    pub fn require_complete(self) -> Self {
        Explorer {
            requires_complete: true,
            ..self
        }
    }

    /// The same exploration under another engine, with that one's default number of executions if no
    /// other was set.
    pub(crate) fn on(self, engine: Engine) -> Self {
        let default = |engine| Explorer::new(engine).max_executions;
        let is_default = self.max_executions == default(self.engine);
        Explorer {
            engine,
            max_executions: if is_default {
                default(engine)
            } else {
                self.max_executions
            },
            ..self
        }
    }

    /// Stops after this many executions, or runs on real threads.
    pub fn max_executions(self, executions: u64) -> Self {
        Explorer {
            max_executions: Some(executions),
            ..self
        }
    }

    /// Stops after this time. The time is looked at between executions.
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

    /// Explores only executions with at most this many preemptions, as the engine counts them.
    ///
    /// The exhaustive engines obey it: [`Engine::Dpor`] explores each trace that has an execution
    /// with so few preemptions, and [`Engine::Dfs`] each such execution. Random engines do not.
    pub fn preemption_bound(self, preemptions: u8) -> Self {
        Explorer {
            preemption_bound: Some(preemptions),
            ..self
        }
    }

    /// Says whether spurious wake-ups are explored. If nothing is said, [`check`](Self::check) explores
    /// them and [`explore`](Self::explore) does not.
    ///
    /// ```
    /// use racelab::sync::{Arc, Condvar, Mutex};
    /// use racelab::{Engine, Explorer, SpuriousWakeUps, Verdict, thread};
    ///
    /// let explorer = Explorer::new(Engine::Dpor).spurious(SpuriousWakeUps::Explored);
    /// let report = explorer.explore(|| {
    ///     let pair = Arc::new((Mutex::new(false), Condvar::new()));
    ///     let other = thread::spawn({
    ///         let pair = Arc::clone(&pair);
    ///         move || {
    ///             *pair.0.lock().unwrap() = true;
    ///             pair.1.notify_one();
    ///         }
    ///     });
    ///     let mut ready = pair.0.lock().unwrap();
    ///     if !*ready {
    ///         ready = pair.1.wait(ready).unwrap();
    ///     }
    ///     assert!(*ready, "it was not looked at again");
    ///     drop(ready);
    ///     other.join().unwrap();
    /// });
    /// assert!(matches!(report.verdict, Verdict::Violated(_)));
    /// ```
    ///
    /// [`Engine::Loom`] has none. A replay follows a schedule with or without them.
    pub fn spurious(self, wake_ups: SpuriousWakeUps) -> Self {
        Explorer {
            spurious: Some(wake_ups),
            ..self
        }
    }

    /// Whether it explores spurious wake-ups.
    fn wake_ups(&self) -> SpuriousWakeUps {
        let default = if self.is_check {
            SpuriousWakeUps::Explored
        } else {
            SpuriousWakeUps::LeftOut
        };
        self.spurious.unwrap_or(default)
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

    /// Divides the search in parts, and lets this many threads of the operating system explore
    /// them.
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
        self.fan_out.jobs = Some(threads.max(1));
        self
    }

    /// Explores only one of several shards: of the parts of the search the `index`-th, from 1 on,
    /// and from there every `of`-th.
    ///
    /// The verdict of a shard without a failure is inconclusive
    /// ([`Bound::Shard`](crate::Bound::Shard)). The counts of all shards add up to those of [`jobs`](Self::jobs).
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
        self.fan_out.shard = Some(Shard { index, of });
        self
    }

    /// Lets somebody keep what is known, and goes on with what was kept.
    #[cfg(feature = "cli")]
    pub(crate) fn kept_by(mut self, keeper: std::sync::Arc<std::sync::Mutex<dyn Keeper>>) -> Self {
        self.fan_out.keeper = Some(keeper);
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
        if self.engine == Engine::Threads {
            // It looks after each run itself.
            return self.explore_here(body);
        }
        let explorer = self.clone();
        self.watched(move || explorer.explore_here(body))
    }

    /// Runs `body` once, along a schedule that a failure came with.
    ///
    /// It runs on the lab's own coroutines, whichever engine has found the schedule, but for one of
    /// loom's; and under an engine of shuttle's on shuttle.
    ///
    /// The report holds the trace of the execution, whether it fails or not. If the body cannot
    /// follow the schedule, the verdict is [`Reason::Diverged`](crate::Reason::Diverged).
    ///
    /// # Panics
    ///
    /// On an error of the lab itself.
    pub fn replay<F: Fn() + Send + Sync + 'static>(&self, schedule: &Schedule, body: F) -> Report {
        let explorer = self.clone();
        let report = if let Some(execution) = schedule.loom() {
            #[cfg(feature = "loom")]
            {
                let engine = Loom {
                    preemption_bound: execution.preemption_bound,
                    ..self.loom(body)
                };
                self.watched(move || explorer.replay_loom(&engine, execution))
            }
            #[cfg(not(feature = "loom"))]
            self.not_explored(Reason::Unsupported(format!(
                "`{execution}` is an execution of loom's, and to replay it needs the feature `loom` of \
                 racelab"
            )))
        } else {
            let schedule = schedule.clone();
            let engine = Coroutines {
                // A schedule that was found under a larger bound is followed to its end.
                max_steps: if schedule.len() > self.max_steps {
                    schedule.len() + 1
                } else {
                    self.max_steps
                },
                ..self.coroutines(body)
            };
            self.watched(move || match explorer.engine {
                #[cfg(feature = "shuttle")]
                Engine::Shuttle | Engine::ShuttlePct => {
                    explorer.replay_on_shuttle(&engine, &schedule)
                }
                _ => explorer.run_replay(&engine, &schedule, Coroutines::run),
            })
        };
        Report {
            engine: None,
            ..report
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
