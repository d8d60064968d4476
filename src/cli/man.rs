//! `racelab man`: the pages of the manual.

use std::path::PathBuf;

use clap::Args;

use super::error::{Error, Exit};

const AFTER_HELP: &str = "\
For example:

    racelab man ~/.local/share/man/man1 && man racelab-explore";

/// Write the pages of the manual, one for each command, into a folder.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Man {
    /// The folder, which is made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Man {
    pub(super) fn run(&self) -> Result<Exit, Error> {
        let pages = std::fs::create_dir_all(&self.folder)
            .and_then(|()| clap_mangen::generate_to(super::command(), &self.folder));
        pages.map_err(|source| Error::File {
            path: self.folder.clone(),
            source,
        })?;
        Ok(Exit::Success)
    }
}
