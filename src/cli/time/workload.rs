//! The workloads on the command line, and what each can be asked for.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

use crate::workloads::{self, Cpu, Method, Pipe, Primes, Sleep, Way, Workload, pipe, primes};

use super::super::error::Error;
use super::{Measuring, error};

/// The work to do.
#[derive(Debug, Subcommand)]
pub(super) enum Choice {
    /// Downloads: hardly anything but waiting for answers
    #[cfg(network)]
    Io(super::io::IoArgs),
    /// Sums of squares: nothing but processor work
    Cpu(CpuArgs),
    /// Primes by trial division: pieces that are not equally heavy, and results to bring together
    Primes(PrimesArgs),
    /// Waits: nothing but waiting
    Sleep(SleepArgs),
    /// Messages from a sender to a receiver: how many in a second, and how long one is on its way
    Pipe(PipeArgs),
}

/// Who does the work.
#[derive(Debug, Args)]
pub(super) struct Ways<const RAYON: bool> {
    /// Who does the work, several with commas between them [default: all]
    #[arg(
        long = "method",
        value_name = "METHOD",
        value_delimiter = ',',
        value_parser = method::<RAYON>(),
    )]
    methods: Vec<Method>,

    /// How many threads or processes do it, several numbers with commas between them [default: as
    /// many as there are cores; io: 5 threads; sleep: one for each wait]
    #[arg(
        long,
        value_name = "N",
        value_delimiter = ',',
        value_parser = workers,
        allow_negative_numbers = true,
    )]
    workers: Vec<usize>,
}

#[derive(Debug, Args)]
pub(super) struct CpuArgs {
    #[command(flatten)]
    ways: Ways<true>,

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
    measuring: Measuring,
}

#[derive(Debug, Args)]
pub(super) struct PrimesArgs {
    #[command(flatten)]
    ways: Ways<true>,

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
    measuring: Measuring,
}

#[derive(Debug, Args)]
pub(super) struct SleepArgs {
    #[command(flatten)]
    ways: Ways<false>,

    /// How many waits there are
    #[arg(
        long,
        value_name = "N",
        default_value_t = 5,
        value_parser = items,
        allow_negative_numbers = true,
    )]
    items: usize,

    /// How long each wait is: 20ms, 10s; a bare number is seconds
    #[arg(
        long,
        value_name = "TIME",
        default_value = "1s",
        value_parser = crate::parse_duration,
        allow_hyphen_values = true,
    )]
    seconds: Duration,

    #[command(flatten)]
    measuring: Measuring,
}

#[derive(Debug, Args)]
pub(super) struct PipeArgs {
    /// Who sends and receives, several with commas between them [default: all]
    #[arg(
        long = "method",
        value_name = "METHOD",
        value_delimiter = ',',
        value_parser = method::<false>(),
    )]
    methods: Vec<Method>,

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
    measuring: Measuring,
}

impl Choice {
    /// The work, and how often it is done.
    pub(super) fn make(&self) -> Result<(Arc<dyn Workload>, &Measuring), Error> {
        let cores = workloads::cores();
        Ok(match self {
            #[cfg(network)]
            Choice::Io(args) => (args.make(cores)?, &args.measuring),
            Choice::Cpu(args) => {
                let ways = args.ways.of(&[cores], &[cores], 20)?;
                let cpu = Cpu::new(args.numbers, ways, cores);
                (Arc::new(cpu), &args.measuring)
            }
            Choice::Primes(args) => {
                let workers = args.ways.workers_or(&[cores]);
                let ways = primes::ways(&args.ways.methods()?, &workers);
                let primes = Primes::new(args.below, ways, cores);
                let primes = primes.map_err(|failed| error(&failed))?;
                (Arc::new(primes), &args.measuring)
            }
            Choice::Sleep(args) => {
                let ways = args.ways.of(&[args.items], &[args.items], args.items)?;
                let sleep = Sleep::new(args.items, args.seconds, ways);
                (Arc::new(sleep), &args.measuring)
            }
            Choice::Pipe(args) => {
                let ways = pipe::ways(&chosen::<false>(&args.methods));
                (Arc::new(Pipe::new(args.messages, ways)), &args.measuring)
            }
        })
    }
}

impl<const RAYON: bool> Ways<RAYON> {
    /// The ways that are asked for. Where no numbers of workers are given, there are so many
    /// threads and processes, and always so many tasks.
    ///
    /// # Errors
    ///
    /// If there are numbers of workers, and none of the methods has workers.
    pub(super) fn of(
        &self,
        threads: &[usize],
        processes: &[usize],
        tasks: usize,
    ) -> Result<Vec<Way>, Error> {
        let workers = |method| match method {
            Method::Sync => vec![1],
            Method::Async => vec![tasks],
            Method::Threads | Method::Rayon => self.workers_or(threads),
            Method::Processes => self.workers_or(processes),
        };
        let ways = self.methods()?.into_iter().flat_map(|method| {
            workers(method).into_iter().map(move |workers| Way {
                method,
                variant: None,
                workers,
            })
        });
        Ok(ways.collect())
    }

    /// The methods that are asked for, in the order of all, each once.
    fn methods(&self) -> Result<Vec<Method>, Error> {
        let methods = chosen::<RAYON>(&self.methods);
        let has_workers = |method: &Method| !matches!(method, Method::Sync | Method::Async);
        if !self.workers.is_empty() && !methods.iter().any(has_workers) {
            return Err(Error::Usage(
                "--workers is for threads and processes: sync is one thread, and async has a task \
                 for each piece of work"
                    .to_owned(),
            ));
        }
        Ok(methods)
    }

    /// The numbers of workers that are asked for, each once.
    fn workers_or(&self, default: &[usize]) -> Vec<usize> {
        let mut workers = match self.workers.as_slice() {
            [] => default.to_vec(),
            given => given.to_vec(),
        };
        let mut known = HashSet::new();
        workers.retain(|workers| known.insert(*workers));
        workers
    }
}

/// The methods of a workload.
fn methods<const RAYON: bool>() -> impl Iterator<Item = Method> {
    let methods = Method::ALL.iter().copied();
    methods.filter(|method| RAYON || *method != Method::Rayon)
}

/// Those of the methods of a workload that are given, each once, or all of them if none is.
fn chosen<const RAYON: bool>(given: &[Method]) -> Vec<Method> {
    let is_chosen = |method: &Method| given.is_empty() || given.contains(method);
    methods::<RAYON>().filter(is_chosen).collect()
}

fn method<const RAYON: bool>() -> impl TypedValueParser<Value = Method> {
    let names = methods::<RAYON>().map(Method::name);
    PossibleValuesParser::new(names).map(|name| {
        let mut methods = methods::<RAYON>();
        let method = methods.find(|method| method.name() == name);
        method.expect("clap has looked that it is one of them")
    })
}

/// Parses a number of workers. Whether the machine can have so many is looked at later.
fn workers(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(workers) if workers > 0 => Ok(workers),
        _ => Err("it takes numbers from 1 on, with commas between them".to_owned()),
    }
}

/// Parses a number of pieces of work.
pub(super) fn items(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(items) if (1..=1_000_000).contains(&items) => Ok(items),
        _ => Err("it takes a number from 1 to 1000000".to_owned()),
    }
}
