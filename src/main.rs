//! The `racelab` command.

use std::process::ExitCode;

#[global_allocator]
static MEMORY: racelab::cli::Memory = racelab::cli::Memory;

fn main() -> ExitCode {
    racelab::cli::main()
}
