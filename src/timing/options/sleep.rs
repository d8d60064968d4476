//! `racelab time sleep` on the command line.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::ways::{Waiting, Ways, items};
use super::{Measuring, Telling};
use crate::timing::workloads::Sleep;
use crate::timing::{Failed, Workload};

#[derive(Debug, Args)]
pub(crate) struct SleepArgs {
    #[command(flatten)]
    ways: Ways<Waiting>,

    /// How many waits there are
    #[arg(
        long,
        value_name = "N",
        default_value_t = 5,
        value_parser = items,
        allow_negative_numbers = true,
    )]
    items: usize,

    /// How long each wait is: 20ms, 10s; a bare number is seconds
    #[arg(
        long,
        value_name = "TIME",
        default_value = "1s",
        value_parser = crate::parse_duration,
        allow_hyphen_values = true,
    )]
    seconds: Duration,

    #[command(flatten)]
    telling: Telling,

    #[command(flatten)]
    pub(super) measuring: Measuring,
}

impl SleepArgs {
    /// The waits that were asked for.
    pub(super) fn make(&self) -> Result<Arc<dyn Workload>, Failed> {
        let ways = self.ways.of(&[self.items], &[self.items], self.items)?;
        Ok(Arc::new(Sleep {
            waits: self.items,
            length: self.seconds,
            ways,
            lines: self.telling.lines(),
        }))
    }
}
