//! Which schedule next: strategies, bounds, and the way to the smallest failure.

mod behind_writers;
mod dependence;
mod dfs;
mod difference;
mod division;
mod dpor;
mod exploration;
#[cfg(feature = "loom")]
mod fewest_preemptions;
mod fingerprint;
mod frontier;
mod identity;
#[cfg(any(feature = "loom", feature = "shuttle"))]
mod in_order;
#[cfg(feature = "cli")]
pub(crate) mod kept;
#[cfg(feature = "loom")]
mod loom;
mod minimise;
mod numbers;
mod pct;
mod pos;
mod position;
mod profile;
mod random;
mod remaining;
mod replay;
mod reversal;
mod rounds;
mod runs;
mod sampling;
#[cfg(all(test, not(loom)))]
mod small_programs;
mod stack;
mod sum;
mod surw;
mod traces;
mod urw;
mod use_of_lab;
mod worker;

pub(crate) use dfs::Dfs;
pub(crate) use difference::difference;
pub(crate) use division::{Divisible, Tree, blocks, digest};
pub(crate) use dpor::Dpor;
pub(crate) use exploration::{Exploration, Limits, Stop, Strategy, Tally};
#[cfg(feature = "loom")]
pub(crate) use fewest_preemptions::{Fewest, fewest_preemptions};
pub(crate) use frontier::divide;
#[cfg(any(feature = "loom", feature = "shuttle"))]
pub(crate) use in_order::InOrder;
#[cfg(feature = "loom")]
pub(crate) use loom::Nth;
pub(crate) use minimise::{Minimised, minimise};
pub(crate) use numbers::Numbers;
pub(crate) use pct::Pct;
pub(crate) use pos::Pos;
pub(crate) use position::{Begun, Resumed};
pub(crate) use profile::{Profile, learn};
pub(crate) use random::Random;
pub(crate) use replay::{Divergence, End, Replay};
#[cfg(feature = "cli")]
pub(crate) use runs::not_run;
pub(crate) use runs::{Runs, run_again_and_again};
pub(crate) use sampling::{Sampling, Walk};
pub(crate) use sum::{Record, Sum};
pub(crate) use surw::Surw;
pub(crate) use urw::Urw;
pub(crate) use worker::{EndedPart, Known, News, Shared, Worker};

use crate::execution::{Ending, Execution};
use crate::trace::{Blocked, Schedule, Trace};

/// A failing execution.
#[derive(Clone, Debug)]
pub(crate) struct FailingExecution {
    pub(crate) ending: Ending,
    pub(crate) schedule: Schedule,
    pub(crate) preemptions: u32,
    pub(crate) trace: Trace,
    /// Who was where in the end.
    pub(crate) blocked: Vec<Blocked>,
    /// Which execution of the search it was, from 1 on.
    pub(crate) number: u64,
}

/// How large a failing execution is: preemptions count most, then steps.
pub(crate) type Size = (u32, usize);

impl FailingExecution {
    pub(crate) fn new(execution: &Execution) -> Option<Self> {
        Some(FailingExecution {
            ending: execution.failure()?.clone(),
            schedule: Schedule::from(execution.schedule_to_failure().to_vec())
                .with_cells(execution.cells()),
            preemptions: execution.preemptions_to_failure(),
            trace: execution.trace(),
            blocked: execution.blocked().to_vec(),
            number: 0,
        })
    }

    pub(crate) fn size(&self) -> Size {
        (self.preemptions, self.schedule.len())
    }
}

pub(crate) fn size(execution: &Execution) -> Size {
    (
        execution.preemptions_to_failure(),
        execution.schedule_to_failure().len(),
    )
}
