//! `racelab time cpu` on the command line.

use std::sync::Arc;

use clap::Args;

use super::Measuring;
use super::ways::{Computing, Ways};
use crate::timing::workloads::Cpu;
use crate::timing::{Failed, Workload};

/// How many threads the tutorials take.
const TUTORIALS_THREADS: usize = 5;

#[derive(Debug, Args)]
pub(crate) struct CpuArgs {
    #[command(flatten)]
    ways: Ways<Computing>,

    /// The first of the 20 numbers below which squares are added
    #[arg(
        long,
        value_name = "N",
        default_value_t = 5_000_000,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000_000),
        allow_negative_numbers = true,
    )]
    numbers: u64,

    #[command(flatten)]
    pub(super) measuring: Measuring,
}

impl CpuArgs {
    /// Sums of squares below the numbers that were given.
    pub(super) fn make(&self, cores: usize) -> Result<Arc<dyn Workload>, Failed> {
        let threads = [cores, TUTORIALS_THREADS];
        let ways = self.ways.of(&threads, &[cores], 20)?;
        Ok(Arc::new(Cpu::new(self.numbers, ways, cores)))
    }
}
