//! Explorations and replays on shuttle.

use crate::engine::{Chooser, Coroutines, run_on_shuttle};
use crate::search::{Exploration, InOrder, Replay};
use crate::trace::Schedule;
use crate::verdict::{Reason, Report, Verdict};

use super::Explorer;

impl Explorer {
    /// Explores under a scheduler of shuttle's. A failure is minimised on our own coroutines.
    pub(super) fn run_shuttle(
        &self,
        program: &Coroutines,
        chooser: Result<Chooser, String>,
    ) -> Report {
        let chooser = match chooser {
            Ok(chooser) => chooser,
            Err(why) => return self.report(Verdict::Inconclusive(Reason::Unsupported(why))),
        };
        let limits = self.limits(false);
        let deadline = limits.deadline;
        let exploration = Exploration::new(InOrder, limits, program.pulse.clone());
        let Exploration { tally, .. } = run_on_shuttle(program, chooser, exploration);
        let coverage = self.coverage(&tally);
        self.conclude(program, tally, coverage, deadline)
    }

    /// Follows a schedule on shuttle's runtime.
    pub(super) fn replay_on_shuttle(&self, program: &Coroutines, schedule: &Schedule) -> Report {
        self.run_replay(program, schedule, |program, replay: Replay| {
            run_on_shuttle(program, Chooser::Strategy, replay)
        })
    }
}
