//! `racelab replay`: runs one interleaving again.

use clap::Args;

use crate::child::{OnInterrupt, is_child};
use crate::trace::Schedule;
use crate::{Engine, Explorer, Reason, Report, Verdict};

use super::error::{Error, Exit};
use super::explore::{self, Explored};
use super::options::{self, Expect, Look, MaxSteps};
use super::output::Output;
use super::select;

/// Run one interleaving again, as a schedule says.
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// exhibit/variant, or an exhibit for its first unsafe variant
    exhibit: String,

    /// One thread number per step, as in 0*2.1.2*2.1.0*3; an execution of loom is loom:7
    schedule: String,

    #[command(flatten)]
    size: options::Size,

    #[command(flatten)]
    max_steps: MaxSteps,

    /// Exit with 0 if the verdict is this, with 1 if not
    #[arg(long, value_enum, value_name = "VERDICT")]
    expect: Option<Expect>,

    #[command(flatten)]
    look: Look,
}

impl Replay {
    pub(super) fn run(&self, output: &Output) -> Result<Exit, Error> {
        let variant = select::variant(&self.exhibit)?;
        let size = self.size.of(variant)?;
        let schedule = self.schedule.parse::<Schedule>();
        let schedule = schedule.map_err(|error| Error::Usage(error.to_string()))?;
        select::refuse_processes(variant, Engine::Dpor)?;
        let max_steps = self.max_steps.max_steps;
        let body = variant.body;
        let explorer = Explorer::new(Engine::Dpor).max_steps(max_steps);
        let report = if schedule.loom().is_some() && !is_child() {
            match explore::in_child(&explorer, OnInterrupt::Kill)? {
                Explored::Reported(exit) => return Ok(exit),
                Explored::Crashed(report) => Report {
                    engine: None,
                    memory_model: Engine::Loom.memory_model(),
                    ..*report
                },
            }
        } else {
            explorer.replay(&schedule, move || body(size))
        };
        if let Verdict::Inconclusive(Reason::Diverged(why)) = &report.verdict {
            let (threads, ops) = (size.threads, size.ops);
            return Err(Error::Usage(format!(
                "{variant} with --threads {threads} --ops {ops} cannot follow this schedule: {why}. \
                 It is most likely of another variant, another size, or another version of the code"
            )));
        }
        explore::write(output, &report, variant, size, max_steps, &self.look, false)?;
        Ok(explore::exit(&report, self.expect))
    }
}
