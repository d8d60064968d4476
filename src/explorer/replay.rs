//! Replays: one execution along a schedule.

use std::collections::BTreeMap;

use crate::engine::Coroutines;
use crate::execution::Ending;
use crate::search::{Divergence, End, Replay, Tally};
use crate::trace::Schedule;
use crate::verdict::{Bound, Coverage, Reason, Report, Verdict};

use super::Explorer;
use super::failure::failure;

impl Explorer {
    /// Follows a schedule, on the runtime that `run` runs on.
    pub(super) fn run_replay(
        &self,
        engine: &Coroutines,
        schedule: &Schedule,
        run: impl Fn(&Coroutines, Replay) -> Replay,
    ) -> Report {
        match Self::follow(engine, schedule, run) {
            Ok(end) => self.replayed(end),
            Err(divergence) => self.not_explored(Reason::Diverged(divergence.to_string())),
        }
    }

    /// Runs one execution along a schedule.
    pub(super) fn follow(
        engine: &Coroutines,
        schedule: &Schedule,
        run: impl Fn(&Coroutines, Replay) -> Replay,
    ) -> Result<End, Divergence> {
        let engine = &Coroutines {
            cells: schedule.cells(),
            ..engine.clone()
        };
        let followed = run(engine, Replay::new(schedule.clone())).result();
        // Where spurious wake-ups are explored, a wait can be a step more.
        let followed = followed.or_else(|divergence| {
            let engine = Coroutines {
                wakes_spuriously: !engine.wakes_spuriously,
                ..engine.clone()
            };
            let otherwise = run(&engine, Replay::new(schedule.clone())).result();
            otherwise.map_err(|_| divergence)
        });
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
    pub(super) fn replayed(&self, end: End) -> Report {
        let verdict = match (end.found, end.ending) {
            (Some(found), _) => Verdict::Violated(Box::new(failure(found, None, 0, false))),
            (None, Some(ending)) => Verdict::Inconclusive(self.why_ended(&ending)),
            (None, None) => Verdict::Inconclusive(Reason::Bound(Bound::OneExecution)),
        };
        let tally = Tally {
            executions: 1,
            violations: u64::from(matches!(verdict, Verdict::Violated(_))),
            outcomes: BTreeMap::from_iter(end.outcome.map(|value| (value, 1))),
            left_out: end.left_out,
            unchecked_cells: end.unchecked_cells,
            waited: 0,
            ..Tally::default()
        };
        let one = Coverage::Bounded(Bound::OneExecution);
        Report {
            replayed: Some(end.trace),
            ..self.report(verdict, one, tally)
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
