//! `racelab time busy` on the command line.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::Measuring;
use super::ways::{Looping, Ways};
use crate::timing::workloads::Busy;
use crate::timing::{Failed, Workload};

#[derive(Debug, Args)]
pub(crate) struct BusyArgs {
    #[command(flatten)]
    ways: Ways<Looping>,

    /// How long each loop goes on: 200ms, 10s; a bare number is seconds
    #[arg(
        long,
        value_name = "TIME",
        default_value = "1s",
        value_parser = crate::parse_duration,
        allow_hyphen_values = true,
    )]
    seconds: Duration,

    #[command(flatten)]
    pub(super) measuring: Measuring,
}

impl BusyArgs {
    /// The loops that were asked for.
    pub(super) fn make(&self, cores: usize) -> Result<Arc<dyn Workload>, Failed> {
        let ways = self.ways.of(&[cores], &[cores], 1)?;
        Ok(Arc::new(Busy {
            length: self.seconds,
            ways,
        }))
    }
}
