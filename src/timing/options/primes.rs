//! `racelab time primes` on the command line.

use std::sync::Arc;

use clap::Args;

use super::ways::{Computing, Ways};
use super::{Measuring, Telling};
use crate::timing::workloads::{Primes, primes};
use crate::timing::{Failed, Workload};

#[derive(Debug, Args)]
pub(crate) struct PrimesArgs {
    #[command(flatten)]
    ways: Ways<Computing>,

    /// The number below which primes are looked for
    #[arg(
        long,
        value_name = "N",
        default_value_t = 3_000_000,
        value_parser = clap::value_parser!(u64).range(1..=100_000_000),
        allow_negative_numbers = true,
    )]
    below: u64,

    #[command(flatten)]
    telling: Telling,

    #[command(flatten)]
    pub(super) measuring: Measuring,
}

impl PrimesArgs {
    /// A search for the primes below the number that was given.
    pub(super) fn make(&self, cores: usize) -> Result<Arc<dyn Workload>, Failed> {
        let workers = self.ways.workers_or(&[cores]);
        let ways = primes::ways(&self.ways.methods()?, &workers);
        Ok(Arc::new(Primes::new(
            self.below,
            ways,
            cores,
            self.telling.lines(),
        )?))
    }
}
