//! The options that divide a search: workers, shards, and a checkpoint to go on from.

use std::path::PathBuf;

use clap::Args;

use crate::{Engine, Explorer, Shard};

use super::error::Error;

/// More workers than this are most likely a typing error.
const MAX_JOBS: usize = 1024;

/// How a search is divided.
#[derive(Debug, Args)]
#[command(next_help_heading = "Large searches")]
pub(super) struct DivisionArgs {
    /// Explore parts of the search with N threads, 1 to 1024
    #[arg(long, value_name = "N", value_parser = jobs, allow_negative_numbers = true)]
    jobs: Option<usize>,

    /// Explore only the K-th of N shares, from 1 on; `racelab merge` puts their reports together
    #[arg(long, value_name = "K/N", value_parser = shard, allow_hyphen_values = true, hide_short_help = true)]
    pub(super) shard: Option<Shard>,

    /// Keep what is known in a file, and go on from there when the same command is run again
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(super) checkpoint: Option<PathBuf>,
}

impl DivisionArgs {
    /// Divides the exploration as the options say. The checkpoint is left to the caller.
    pub(super) fn of(
        &self,
        explorer: Explorer,
        engine: Engine,
        bounds_preemptions: bool,
    ) -> Result<Explorer, Error> {
        let flags = [
            ("--jobs", self.jobs.is_some()),
            ("--shard", self.shard.is_some()),
            ("--checkpoint", self.checkpoint.is_some()),
        ];
        let given = flags.into_iter().find(|(_, is_given)| *is_given);
        if let Some((flag, _)) = given {
            if !engine.is_divisible() {
                return Err(Error::Usage(format!(
                    "{flag} is not for the engine {engine}: its search cannot be divided"
                )));
            }
            if bounds_preemptions {
                return Err(Error::Usage(format!(
                    "{flag} does not go with --preemptions: a search with that bound visits each \
                     state once, and cannot be divided"
                )));
            }
        }
        let explorer = match self.jobs {
            Some(jobs) => explorer.jobs(jobs),
            None => explorer,
        };
        Ok(match self.shard {
            Some(Shard { index, of }) => explorer.shard(index, of),
            None => explorer,
        })
    }
}

fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(jobs) if (1..=MAX_JOBS).contains(&jobs) => Ok(jobs),
        _ => Err(format!("it takes a number from 1 to {MAX_JOBS}")),
    }
}

fn shard(text: &str) -> Result<Shard, String> {
    let parse = || {
        let (index, of) = text.split_once('/')?;
        let shard = Shard {
            index: index.parse().ok()?,
            of: of.parse().ok()?,
        };
        (1..=shard.of).contains(&shard.index).then_some(shard)
    };
    parse().ok_or_else(|| {
        "write 1/4 for the first of four shares, and so on up to 4/4 for the last".to_owned()
    })
}
