//! `racelab time pipe` on the command line.

use std::sync::Arc;

use clap::Args;

use super::Measuring;
use super::ways::{Chosen, Passing};
use crate::timing::Workload;
use crate::timing::workloads::{Pipe, pipe};

#[derive(Debug, Args)]
pub(crate) struct PipeArgs {
    #[command(flatten)]
    chosen: Chosen<Passing>,

    /// How many messages are sent in a stream; a tenth as many are answered one by one
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100_000,
        value_parser = clap::value_parser!(u64).range(1..=100_000_000),
        allow_negative_numbers = true,
    )]
    messages: u64,

    #[command(flatten)]
    pub(super) measuring: Measuring,
}

impl PipeArgs {
    /// The messages that were asked for.
    pub(super) fn make(&self) -> Arc<dyn Workload> {
        let ways = pipe::ways(&self.chosen.methods());
        Arc::new(Pipe::new(self.messages, ways))
    }
}
