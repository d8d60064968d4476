//! What can be asked for of each workload, and of the measuring, on the command line.

mod busy;
mod cpu;
#[cfg(network)]
mod io;
mod pipe;
mod primes;
mod sleep;
mod ways;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::measure::Lanes;
use super::workloads::Lines;
use super::{Failed, Plan, Workload, cores};

/// The work to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Choice {
    /// Downloads: hardly anything but waiting for answers
    #[cfg(network)]
    Io(io::IoArgs),
    /// Sums of squares: nothing but processor work
    Cpu(cpu::CpuArgs),
    /// Primes by trial division: pieces that are not equally heavy, and results to bring together
    Primes(primes::PrimesArgs),
    /// Waits: nothing but waiting
    Sleep(sleep::SleepArgs),
    /// Loops that keep cores busy: what one leaves of the machine, and on which cores it runs
    Busy(busy::BusyArgs),
    /// Messages from a sender to a receiver: how many in a second, and how long one is on its way
    Pipe(pipe::PipeArgs),
}

/// What is told while the work is done.
#[derive(Debug, Args)]
struct Telling {
    /// Tell each piece of work on stderr when it is done
    #[arg(short, long)]
    verbose: bool,
}

/// How often a work is done, and what becomes of the times.
#[derive(Debug, Args)]
pub(crate) struct Measuring {
    /// How often each way is run
    #[arg(
        long,
        value_name = "N",
        default_value_t = 3,
        value_parser = clap::value_parser!(u32).range(1..),
        allow_negative_numbers = true,
    )]
    runs: u32,

    /// Draw when each worker was at work, and the times, into a file: .svg or .html
    #[arg(long, value_name = "FILE", value_parser = plot_file, help_heading = "Output")]
    pub(crate) plot: Option<PathBuf>,

    /// Do not record when each worker was at work, which costs a little time
    #[arg(long)]
    no_lanes: bool,

    /// Use no characters beyond ASCII for lanes
    #[arg(long, help_heading = "Output")]
    pub(crate) ascii: bool,
}

impl Choice {
    /// The work, and how often it is done.
    ///
    /// # Errors
    ///
    /// If what was asked for is not possible.
    pub(crate) fn make(&self) -> Result<(Arc<dyn Workload>, &Measuring), Failed> {
        let cores = cores();
        Ok(match self {
            #[cfg(network)]
            Choice::Io(args) => (args.make(cores)?, &args.measuring),
            Choice::Cpu(args) => (args.make(cores)?, &args.measuring),
            Choice::Primes(args) => (args.make(cores)?, &args.measuring),
            Choice::Sleep(args) => (args.make()?, &args.measuring),
            Choice::Busy(args) => (args.make(cores)?, &args.measuring),
            Choice::Pipe(args) => (args.make(), &args.measuring),
        })
    }
}

impl Telling {
    /// Where lines go, if any are wanted.
    fn lines(&self) -> Option<Lines> {
        let lines: Lines = Arc::new(|line| anstream::eprintln!("{line}"));
        self.verbose.then_some(lines)
    }
}

impl Measuring {
    /// How often each way is run, and whether lanes are recorded.
    pub(crate) fn plan(&self) -> Plan {
        Plan {
            rounds: self.runs,
            lanes: if self.no_lanes {
                Lanes::Off
            } else {
                Lanes::Recorded
            },
        }
    }
}

/// Parses the name of a file for pictures.
fn plot_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("svg" | "html") => Ok(path),
        _ => Err("its name has to end in .svg or .html".to_owned()),
    }
}
