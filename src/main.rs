//! The `racelab` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    racelab::cli::main()
}
