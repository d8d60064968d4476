//! Where the search of a part is between two executions, so that another process can go on there.

use crate::execution::Patience;
use crate::trace::Schedule;

use super::division::Divisible;
use super::sum::Summary;
use super::{Exploration, FailingExecution, Tally, dfs, dpor};

/// A search before an execution.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Position {
    Dfs(dfs::Position),
    Dpor(Box<dpor::Position>),
}

/// A part whose exploration has begun.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "cli",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub(crate) struct Begun {
    /// What it has come to so far.
    pub(crate) so_far: Summary,
    has_loops: bool,
    steps_after_cut: Option<u64>,
    patience: Vec<Place>,
    position: Position,
}

/// The address of a place in the source.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
struct Place(#[cfg_attr(feature = "cli", serde(with = "super::kept::place"))] usize);

/// The same, read again.
#[derive(Debug)]
pub(crate) struct Resumed {
    pub(crate) tally: Tally,
    begun: Begun,
}

impl Begun {
    /// Where an exploration is, before the execution that its strategy wants next.
    pub(crate) fn of<S: Divisible>(
        exploration: &Exploration<S>,
        patience: &Patience,
    ) -> Option<Self> {
        Some(Begun {
            so_far: Summary::of(&exploration.tally),
            has_loops: exploration.has_loops,
            steps_after_cut: exploration.steps_after_cut,
            patience: patience.places().into_iter().map(Place).collect(),
            position: exploration.strategy.position()?,
        })
    }

    /// The part again, if `find` finds its failure. Else what is wrong.
    pub(crate) fn restore(
        self,
        find: impl Fn(&Schedule) -> Option<FailingExecution>,
    ) -> Result<Resumed, String> {
        let tally = self.so_far.restore(find)?;
        Ok(Resumed { tally, begun: self })
    }
}

impl Resumed {
    /// Lets an exploration that has not begun go on from here.
    pub(crate) fn resume<S: Divisible>(
        self,
        exploration: Exploration<S>,
        patience: &Patience,
    ) -> Option<Exploration<S>> {
        let Begun {
            has_loops,
            steps_after_cut,
            patience: places,
            position,
            so_far: _,
        } = self.begun;
        patience.set(places.into_iter().map(|Place(place)| place).collect());
        Some(Exploration {
            strategy: exploration.strategy.resume(position)?,
            tally: self.tally,
            has_loops,
            steps_after_cut,
            ..exploration
        })
    }
}

#[cfg(all(test, feature = "cli", not(loom)))]
mod tests {
    use std::sync::Arc;

    use crate::engine::{Conduct, Coroutines, Point, Scheduler, Search};
    use crate::execution::{Execution, Patience, Pulse};
    use crate::search::division::Divisible;
    use crate::search::small_programs::{attempts, counter, readers, senders, waiters};
    use crate::search::{Dfs, Dpor, Exploration, Limits, Replay, Tally};
    use crate::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use crate::trace::{CellAccesses, Choice, Schedule};
    use crate::{hint, sync, thread};

    use super::Begun;

    /// An exploration that is interrupted before some execution.
    struct Interrupted<S> {
        exploration: Exploration<S>,
        patience: Patience,
        left: usize,
        /// Where it is then.
        begun: Option<Begun>,
        schedules: Vec<String>,
    }

    impl<S: Divisible> Search for Interrupted<S> {
        fn wants_execution(&mut self) -> bool {
            if !self.exploration.wants_execution() {
                return false;
            }
            if self.left == 0 {
                self.begun = Begun::of(&self.exploration, &self.patience);
                assert!(self.begun.is_some());
                return false;
            }
            self.left -= 1;
            true
        }

        fn finished(&mut self, execution: &Execution) {
            let schedule = execution.schedule().to_vec();
            self.schedules
                .push(crate::trace::Schedule::from(schedule).to_string());
            self.exploration.finished(execution);
        }
    }

    impl<S: Divisible> Scheduler for Interrupted<S> {
        fn choose(&mut self, point: &Point<'_>) -> Option<Choice> {
            self.exploration.choose(point)
        }

        fn repeats(&self, execution: &Execution) -> Option<Choice> {
            self.exploration.repeats(execution)
        }

        fn conduct(&self) -> Conduct {
            self.exploration.conduct()
        }
    }

    /// The schedules of all executions, in their order, and what they have come to, of a search that
    /// another process goes on with after each `every` executions.
    fn explored<S: Divisible + Default>(body: fn(), every: usize) -> (Vec<String>, Tally) {
        let limits = Limits {
            max_executions: None,
            deadline: None,
            past_failures: true,
            exhaustive: true,
            deadline_of_loops: None,
            refuses_intrusion: false,
        };
        let mut all = Vec::new();
        let mut kept: Option<String> = None;
        loop {
            let pulse = Arc::new(Pulse::default());
            let patience = Patience::default();
            let engine = Coroutines {
                body: Arc::new(body),
                max_steps: 10_000,
                pulse: Arc::clone(&pulse),
                patience: patience.clone(),
                wakes_spuriously: false,
                cells: CellAccesses::default(),
            };
            let exploration = Exploration::new(S::default(), limits, pulse);
            let exploration = match kept.take() {
                None => exploration,
                Some(kept) => {
                    let begun: Begun = serde_json::from_str(&kept).unwrap();
                    let again = |schedule: &Schedule| {
                        let replay = engine.run(Replay::new(schedule.clone()));
                        replay.result().ok()?.found
                    };
                    let resumed = begun.restore(again).unwrap();
                    resumed.resume(exploration, &patience).unwrap()
                }
            };
            let Interrupted {
                exploration,
                begun,
                schedules,
                ..
            } = engine.run(Interrupted {
                exploration,
                patience,
                left: every,
                begun: None,
                schedules: Vec::new(),
            });
            all.extend(schedules);
            assert_eq!(exploration.strategy.nondeterminism(), None);
            match begun {
                None => return (all, exploration.end()),
                Some(begun) => kept = Some(serde_json::to_string(&begun).unwrap()),
            }
        }
    }

    #[track_caller]
    fn assert_resumes<S: Divisible + Default>(body: fn()) {
        let (schedules, tally) = explored::<S>(body, usize::MAX);
        assert!(schedules.len() > 3, "{}", schedules.len());
        for every in [1, 2, 3, 7, 20] {
            let (others, other) = explored::<S>(body, every);
            assert_eq!(others, schedules, "each {every}");
            let counts = |tally: &Tally| {
                let Tally {
                    executions,
                    blocked,
                    truncated,
                    traces,
                    outcomes,
                    ..
                } = tally;
                (*executions, *blocked, *truncated, *traces, outcomes.clone())
            };
            assert_eq!(counts(&other), counts(&tally), "each {every}");
        }
    }

    /// A thread that spins, and gives up after some rounds.
    fn impatient() {
        let flag = sync::Arc::new(AtomicUsize::new(0));
        let threads = [(); 2].map(|()| {
            let flag = sync::Arc::clone(&flag);
            thread::spawn(move || {
                let mut rounds = 0;
                while flag.load(SeqCst) == 0 && rounds < 3 {
                    hint::spin_loop();
                    rounds += 1;
                }
                flag.fetch_add(1, SeqCst);
                rounds
            })
        });
        let rounds = threads.map(|thread| thread.join().unwrap());
        crate::outcome(rounds);
    }

    #[test]
    fn dpor_goes_on_elsewhere_with_the_same_executions() {
        for body in [
            counter as fn(),
            attempts,
            waiters,
            senders,
            impatient,
            readers,
        ] {
            assert_resumes::<Dpor>(body);
        }
    }

    #[test]
    fn dfs_goes_on_elsewhere_with_the_same_executions() {
        for body in [counter as fn(), waiters, senders, readers] {
            assert_resumes::<Dfs>(body);
        }
    }
}
