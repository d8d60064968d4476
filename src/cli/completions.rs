//! `racelab completions`: what a shell has to know to complete the arguments of this command.

use clap::Args;
use clap_complete::Shell;

use super::error::{Error, Exit};
use super::output::Output;

const AFTER_HELP: &str = "\
For example, in ~/.bashrc:

    source <(racelab completions bash)";

/// Print a script by which a shell completes the arguments of racelab.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, output: &Output) -> Result<Exit, Error> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "racelab", &mut script);
        let script = String::from_utf8(script);
        output.write(&script.map_err(|error| Error::Internal(error.to_string()))?)?;
        Ok(Exit::Success)
    }
}
