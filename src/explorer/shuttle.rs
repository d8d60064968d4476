//! Explorations and replays on shuttle.

use crate::engine::{Coroutines, Itself, ShuttleScheduler, run_on_shuttle};
use crate::search::{Exploration, InOrder, Replay};
use crate::trace::Schedule;
use crate::verdict::{Reason, Report};

use super::Explorer;

impl Explorer {
    /// Explores under a scheduler of shuttle's. A failure is minimised on our own coroutines.
    pub(super) fn run_shuttle(
        &self,
        program: &Coroutines,
        scheduler: Result<ShuttleScheduler, String>,
    ) -> Report {
        let scheduler = match scheduler {
            Ok(scheduler) => scheduler,
            Err(why) => return self.not_explored(Reason::Unsupported(why)),
        };
        let limits = self.limits(false);
        let deadline = limits.deadline;
        let exploration = Exploration::new(InOrder, limits, program.pulse.clone());
        let tally = run_on_shuttle(program, scheduler, exploration).end();
        let coverage = self.coverage(&tally);
        self.conclude(program, tally, coverage, deadline)
    }

    /// Follows a schedule on shuttle's runtime.
    pub(super) fn replay_on_shuttle(&self, program: &Coroutines, schedule: &Schedule) -> Report {
        self.run_replay(program, schedule, |program, replay: Replay| {
            run_on_shuttle(program, Itself, replay)
        })
    }
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::Search;
    use crate::execution::{Execution, Patience, Pulse};
    use crate::exhibits::{self, Size};
    use crate::search::End;
    use crate::trace::CellAccesses;

    /// Remembers executions that shuttle has chosen, each with its schedule, up to a wanted number.
    struct Recorder {
        wanted: usize,
        recorded: Vec<(Schedule, End)>,
    }

    impl Search for Recorder {
        fn wants_execution(&mut self) -> bool {
            self.recorded.len() < self.wanted
        }

        fn finished(&mut self, execution: &Execution) {
            let schedule = Schedule::from(execution.schedule().to_vec());
            self.recorded.push((schedule, End::new(execution)));
        }
    }

    fn program(body: fn(Size), size: Size) -> Coroutines {
        Coroutines {
            body: Arc::new(move || body(size)),
            max_steps: 2_000,
            pulse: Arc::new(Pulse::default()),
            patience: Patience::default(),
            wakes_spuriously: false,
            cells: CellAccesses::default(),
        }
    }

    /// All that there is at an end. A replay leaves no repetitions out, so that it names none.
    fn essence(end: &End) -> String {
        let End {
            ending,
            trace,
            outcome,
            left_out,
            ..
        } = end;
        let mut left_out = left_out.to_vec();
        left_out.retain(|kind| !kind.is_repetition());
        format!("{ending:#?} {outcome:?} {left_out:?} {trace:#?}")
    }

    #[test]
    fn what_shuttle_has_run_has_the_same_events_on_our_coroutines() {
        let exhibits = exhibits::ALL.iter().chain(exhibits::CORPUS);
        for exhibit in exhibits {
            for variant in exhibit.variants {
                let program = program(variant.body, exhibit.default_size());
                for scheduler in [ShuttleScheduler::random(7), ShuttleScheduler::pct(7)] {
                    let recorder = Recorder {
                        wanted: 20,
                        recorded: Vec::new(),
                    };
                    let Recorder { recorded, .. } =
                        run_on_shuttle(&program, scheduler.unwrap(), recorder);
                    assert_eq!(recorded.len(), 20);
                    for (schedule, end) in recorded {
                        let again = program.run(Replay::new(schedule.clone())).result();
                        let again = again.unwrap_or_else(|divergence| {
                            panic!("{variant}, {schedule}: {divergence}")
                        });
                        assert_eq!(essence(&again), essence(&end), "{variant}, {schedule}");
                        let on_shuttle =
                            run_on_shuttle(&program, Itself, Replay::new(schedule.clone()));
                        let on_shuttle = on_shuttle.result().unwrap();
                        assert_eq!(essence(&on_shuttle), essence(&end), "{variant}, {schedule}");
                    }
                }
            }
        }
    }
}
