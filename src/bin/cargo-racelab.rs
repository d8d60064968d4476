//! The `racelab` command as a subcommand of cargo: `cargo racelab test`.

use std::process::ExitCode;

#[global_allocator]
static MEMORY: racelab::cli::Memory = racelab::cli::Memory;

fn main() -> ExitCode {
    racelab::cli::main()
}
